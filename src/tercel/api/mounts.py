"""What answers the paths that no route has: other applications, and sinks."""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tercel import _api
from tercel.api.request import Request
from tercel.options import check_call
from tercel.server.interface import require_interface
from tercel.server.lifespan import Lifespan

__all__ = ["Mounts", "Sinks"]

Application = Callable[..., Awaitable[None]]
Scope = dict[str, Any]


@dataclass(slots=True)
class _Mount:
    prefix: str  # Empty: every path.
    application: Application
    by_itself: bool  # Its requests do not come to Python.
    lifespan: Lifespan | None = None

    def has(self, path: str, encoded: bytes) -> bool:
        if self.by_itself:
            return _api.is_below(encoded, self.prefix.encode())
        return path.startswith(self.prefix) and path[len(self.prefix) :][:1] in ("", "/")


class Mounts:
    """Applications, each at a prefix. The longest prefix of a path wins."""

    def __init__(self) -> None:
        self._mounts: list[_Mount] = []

    def __bool__(self) -> bool:
        return bool(self._mounts)

    @property
    def are_in_python(self) -> bool:
        """Whether requests for some of them come to Python."""
        return not all(mount.by_itself for mount in self._mounts)

    @property
    def by_itself(self) -> str | None:
        """The prefix of one whose requests do not come to Python, or None."""
        return next((mount.prefix or "/" for mount in self._mounts if mount.by_itself), None)

    def native(self) -> list[tuple[str, Any]]:
        """Returns what the engine asks who answers a path (python/api/instance.h)."""
        return [(mount.prefix, mount.application) for mount in self._mounts]

    def add(self, prefix: str, application: Any) -> None:
        """Mounts an application.

        Raises:
            ValueError: the prefix is none, or is taken.
            TypeError: it is no application, or a WSGI application and a2wsgi is not installed.
        """
        if not isinstance(prefix, str) or (prefix != "/" and not _is_prefix(prefix)):
            raise ValueError(
                f"an application is mounted at a path as /old, or at /, without / at its end or"
                f" fields, not {prefix!r}"
            )
        below = prefix.rstrip("/")
        if any(mount.prefix == below for mount in self._mounts):
            raise ValueError(f"two applications are mounted at {prefix}")
        kind = require_interface(application, "What is mounted", in_python=True)
        if kind == "wsgi":
            application = _of_wsgi(application)
        by_itself = kind == "asgi3" and _api.answers_by_itself(application)
        self._mounts.append(_Mount(below, application, by_itself))
        self._mounts.sort(key=lambda mount: len(mount.prefix), reverse=True)

    def applications(self) -> list[Application]:
        """Returns what is mounted."""
        return [mount.application for mount in self._mounts]

    def find(self, scope: Scope) -> Callable[..., Awaitable[None]] | None:
        """Returns the application of a request, to be called with receive and send, or None."""
        root = scope.get("root_path", "").rstrip("/")
        path = scope["path"]
        encoded = scope.get("raw_path") or path.encode()
        if root and (path + "/").startswith(root + "/"):
            path = path.removeprefix(root)
            encoded = encoded.removeprefix(root.encode())
        for mount in self._mounts:
            if mount.has(path, encoded):
                return _bind(mount, {**scope, "root_path": root + mount.prefix})
        return None

    @asynccontextmanager
    async def lifespans(self) -> AsyncIterator[None]:
        """Starts the applications up, and shuts them down in the reverse order, one and all."""
        async with AsyncExitStack() as stack:
            for mount in self._mounts:
                mount.lifespan = Lifespan(mount.application)
                await mount.lifespan.startup()
                stack.push_async_callback(mount.lifespan.shutdown)
            yield


def _is_prefix(prefix: str) -> bool:
    return prefix.startswith("/") and not prefix.endswith("/") and "{" not in prefix


def _bind(mount: _Mount, scope: Scope) -> Callable[..., Awaitable[None]]:
    scope.pop("state", None)
    if mount.lifespan is not None and mount.lifespan.state:
        scope["state"] = mount.lifespan.state.copy()

    async def run(receive: Any, send: Any) -> None:
        await mount.application(scope, receive, send)

    return run


def _of_wsgi(application: Any) -> Application:
    try:
        from a2wsgi import WSGIMiddleware  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise TypeError(
            "a WSGI application is mounted with the package a2wsgi: install tercel[wsgi]"
        ) from None
    adapted: Application = WSGIMiddleware(application)

    async def run(scope: Scope, receive: Any, send: Any) -> None:
        # It knows no other conversations.
        if scope["type"] == "lifespan":
            return
        await adapted(_below(scope), receive, send)

    return run


def _below(scope: Scope) -> Scope:
    """Returns a scope whose path is the part below its root, as PATH_INFO is (PEP 3333)."""
    root = scope["root_path"]
    path = scope["path"]
    return {**scope, "path": path.removeprefix(root) if path.startswith(root) else path}


class Sinks:
    """Functions for all paths that begin as a regular expression says. The last one wins."""

    def __init__(self) -> None:
        self._sinks: list[tuple[re.Pattern[str], Callable[..., Any]]] = []

    def __bool__(self) -> bool:
        return bool(self._sinks)

    @staticmethod
    def checked(pattern: Any) -> re.Pattern[str]:
        """Returns a regular expression, compiled.

        Raises:
            TypeError, ValueError: it is none.
        """
        if not isinstance(pattern, str):
            raise TypeError(f'a sink has an expression: write @app.sink("/old"), not {pattern!r}')
        try:
            return re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"the expression {pattern!r} of a sink is malformed: {error}"
            ) from None

    def add(self, pattern: re.Pattern[str], function: Callable[..., Any]) -> None:
        """Registers a function; `pattern` matches from the beginning of a path.

        Raises:
            TypeError: it does not take the request, and the groups of the pattern by their names.
        """
        what = f"the sink of {pattern.pattern!r}"
        check_call(function, what, "request", named=pattern.groupindex)
        self._sinks.insert(0, (pattern, function))

    def find(self, request: Request) -> Callable[[Request], Any] | None:
        """Returns the function for a request, to be called with it, or None."""
        for pattern, function in self._sinks:
            if match := pattern.match(request.path):
                return functools.partial(function, **match.groupdict())
        return None
