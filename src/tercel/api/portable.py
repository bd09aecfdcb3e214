"""Requests that come as ASGI messages: from other servers, and where hooks or mounts need Python.

The engine finds the route, and checks what it takes, all the same; but it is asked to, by Python.
"""

from __future__ import annotations

import functools
import inspect
import re
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from tercel import _api
from tercel.api import hooks
from tercel.api.background import Followed
from tercel.api.dependencies import BEFORE
from tercel.api.errors import FAILED, HTTPError, problem
from tercel.api.files import FileResponse, SentFile
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.route import WEBSOCKET, Route
from tercel.api.streams import Receive, Send, Stream

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["Answer", "Asked", "Portable", "send_answer"]

# (status, headers, body), as the engine makes answers.
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Scope = dict[str, Any]

# As long as limit-request-body is by default.
_BODY_BYTES_MAX = 1 << 26
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_FRAMING = (b"content-length", b"transfer-encoding")


class _ClientLeft(Exception):
    pass


class Portable:
    """Answers the requests of one application."""

    def __init__(self, app: App) -> None:
        self._app = app
        # For each thread: what is worked on is part of an instance.
        self._threads = threading.local()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; its scope is of the type `http`."""
        cors = self._app._cors
        if cors is not None:
            if preflight := cors._preflight(scope):
                return await send_answer(preflight, send)
            # Where tercel serves it, the engine finds the fields there, and adds none.
            send = cors._sender(scope, send)
        asked = Asked(scope, receive)
        raised: Exception | None = None
        succeeded = True
        try:
            made = await self._make(asked)
            mounted = self._app._mounts.find(scope) if made is None else None
            answer = await self._answer_unrouted(asked) if made is None and not mounted else made
        except _ClientLeft:
            return
        except Exception as error:
            succeeded = False
            answer, raised = await self._recover(asked, error)
        if answer is None:
            # What it raises is its own affair, and the server's.
            assert mounted is not None
            return await mounted(asked.receive, send)
        if self._app._hooks.response:
            try:
                answer = await self._finish(asked, answer, succeeded)
            except Exception as error:
                answer, raised = await self._recover(asked, error)
        if isinstance(answer, Stream):
            await answer.send_through(receive, send, scope["method"] == "HEAD")
        else:
            await send_answer(answer, send)
        if raised is not None:
            raise raised  # For the server's log.

    def _instance(self) -> _api.Instance:
        instance: _api.Instance | None = getattr(self._threads, "instance", None)
        if instance is None:
            instance = self._threads.instance = _api.Instance(self._app)
        return instance

    async def _make(self, asked: Asked) -> Answer | Stream | None:
        """Returns the answer. None: no route has the path."""
        app, instance = self._app, self._instance()
        if app._hooks.request:
            result = await hooks.call(app._hooks.request, asked.request)
            if result is not None:
                return self._encode(asked, result, 200)
        if app._hooks.are_around_requests:
            number = instance.find(asked.method.decode("latin-1"), asked.path.decode("latin-1"))
            if number is not None:
                asked.request.route = app._routes[number].path
                result = await hooks.call(app._hooks.pre_validation, asked.request)
                if result is not None:
                    return self._encode(asked, result, 200)
        body = await asked.body_so_far()
        begun = asked.begin(instance, body, again=False)
        if begun is True:
            begun = asked.begin(instance, await asked.read_body(), again=True)
        if begun is None:
            return None
        if len(begun) == 3:
            return _with_files(asked, begun, None)
        number, values = begun
        route = app._routes[number]
        return await self._call(asked, route, dict(zip(route.plan.names, values, strict=True)))

    async def _call(self, asked: Asked, route: Route, arguments: dict[str, Any]) -> Answer | Stream:
        if route.plan.request is not None:
            # The handler's is that of the hooks, with the body.
            arguments[route.plan.request].state = asked.request.state
            arguments[route.plan.request].route = route.path
        result = None
        if self._app._hooks.pre_handler:
            before = functools.partial(hooks.call, self._app._hooks.pre_handler, asked.request)
            if route.plan.steps:
                arguments[BEFORE] = before
            else:
                result = await before(arguments)
        if result is None:
            result = route.endpoint(**arguments)
            if inspect.isawaitable(result):
                result = await result
        return self._encode(asked, result, route.status)

    def _encode(self, asked: Asked, result: Any, status: int) -> Answer | Stream:
        if isinstance(result, Stream):
            return result
        method = asked.method.decode("latin-1")
        answer = self._app._encoder.answer(result, status, method, asked.headers)
        path = result.path if isinstance(result, FileResponse) else None
        return _with_files(asked, answer, path)

    async def _answer_unrouted(self, asked: Asked) -> Answer | Stream:
        request = asked.request
        sink = self._app._sinks.find(request)
        if sink is None:
            return self._encode(asked, problem(404, instance=request.path), 404)
        request.body = await asked.read_body()
        result = sink(request)
        if inspect.isawaitable(result):
            result = await result
        return self._encode(asked, result, 200)

    async def _recover(
        self, asked: Asked, error: Exception
    ) -> tuple[Answer | Stream, Exception | None]:
        """Returns what answers an exception, and what of it is for the log.

        As the engine does it (python/api/endpoint.cc).
        """
        try:
            answered = await hooks.call(self._app._hooks.error, asked.request, error)
            if answered is None:
                answered = await self._app._error_handlers.answer_later(error)
            if answered is not None:
                return self._encode(asked, answered, 500), None
        except Exception as second:
            error = second
        return self._encode(asked, FAILED, 500), error

    async def _finish(
        self, asked: Asked, answer: Answer | Stream, succeeded: bool
    ) -> Answer | Stream:
        """Shows the answer to the hooks, which change it, or return another."""
        # What a handler returned stays as it is: it may return it again.
        shown = answer.copy() if isinstance(answer, Stream) else Response.of(*answer)
        for hook in self._app._hooks.response:
            result = await hooks.call([hook], asked.request, shown, succeeded)
            if isinstance(result, (Response, Stream)):
                shown = result
            elif result is not None:
                made = self._encode(asked, result, shown.status)
                shown = made if isinstance(made, Stream) else Response.of(*made)
        if isinstance(answer, Followed) and not isinstance(shown, Followed):
            # Who asked for the work asked for it whatever the answer looks like.
            return answer.instead(shown)
        return self._encode(asked, shown, shown.status)


class Asked:
    """A request, as the engine wants it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        path = scope.get("raw_path") or _quoted(scope["path"])
        # Where it is mounted is a part of the path.
        root = scope.get("root_path", "").rstrip("/")
        if root and (scope["path"] + "/").startswith(root + "/"):
            path = _end_of(path, scope["path"].removeprefix(root))
        self.method: bytes = scope.get("method", WEBSOCKET).encode()
        self.path: bytes = path
        self.query: bytes = scope["query_string"]
        self.headers = [tuple(pair) for pair in scope["headers"]]
        self._is_http1: bool = scope.get("http_version", "1.1").startswith("1")
        self.extensions: dict[str, Any] = scope.get("extensions") or {}
        self._client: str | None = (scope.get("client") or (None,))[0]
        self._receive = receive
        # What was received, and is still to be handed on.
        self._received: list[dict[str, Any]] = []
        self._request: Request | None = None

    @property
    def request(self) -> Request:
        """The request without its body, which nobody has asked for yet."""
        if self._request is None:
            self._request = Request(
                self.method.decode("latin-1"),
                self.path.decode("latin-1"),
                self.query.decode("latin-1"),
                _as_text(self.headers),
                b"",
            )
        return self._request

    def begin(self, instance: _api.Instance, body: bytes | None, *, again: bool) -> Any:
        """Returns what the engine makes of it.

        Args:
            again: it was asked before, without the body.
        """
        return instance.begin(
            self.method, self.path, self.query, self.headers, body, self._client, again
        )

    async def receive(self) -> dict[str, Any]:
        """Returns the next message of the request, from the first one on."""
        return self._received.pop() if self._received else await self._receive()

    async def body_so_far(self) -> bytes | None:
        """Returns the body if it is here already, or None: it is to be read where it is wanted.

        HTTP/1.1 says before it comes whether there is one (RFC 9112, section 6.3). HTTP/2 need not:
        there, its first part is waited for, and comes once more, for who goes on with the request.

        Raises:
            _ClientLeft: it will never come.
        """
        fields = [value for name, value in self.headers if name in _FRAMING]
        if fields:
            return None if any(value != b"0" for value in fields) else b""
        if self._is_http1:
            return b""
        message = await self._receive()
        self._received.append(message)
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        part: bytes = message.get("body", b"")
        return None if message.get("more_body", False) else part

    async def read_body(self) -> bytes:
        """Returns the whole body.

        Raises:
            HTTPError: it is longer than a body may be, and was read to its end all the same.
            _ClientLeft: it will never be whole.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeft
            part = message.get("body", b"")
            size += len(part)
            if size <= _BODY_BYTES_MAX:
                parts.append(part)
            if not message.get("more_body", False):
                if size > _BODY_BYTES_MAX:
                    raise HTTPError(413, "The request body exceeds the limit.")
                return b"".join(parts)


def _with_files(asked: Asked, answer: tuple[int, Any, Any], path: str | None) -> Answer | Stream:
    """Returns an answer of the engine, which may be with files; `path`: of the only one."""
    if isinstance(answer[2], bytes):
        return answer
    return SentFile(answer, path, asked.extensions)


def _quoted(path: str) -> bytes:
    return quote(path, safe="/:@!$&'()*+,;=~-._").encode()


def _end_of(raw: bytes, end: str) -> bytes:
    """Returns the end of a path as it was sent that is `end` when it is decoded.

    It may have been sent with more escapes than it needs, and servers differ in whether the root
    path that they were given is a part of it.
    """
    wanted = end.encode(errors="surrogateescape")
    count, position = len(unquote_to_bytes(raw)) - len(wanted), 0
    for _ in range(count):
        position += 3 if _ESCAPE.match(raw, position) else 1
    found = raw[position:]
    if unquote_to_bytes(found) != wanted:  # The server decodes in another way.
        return _quoted(end) or b"/"
    if found and not found.startswith(b"/"):
        return raw  # An encoded slash, which parts nothing.
    return found or b"/"


def _as_text(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def send_answer(answer: Answer, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Sends an answer as messages of ASGI."""
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
