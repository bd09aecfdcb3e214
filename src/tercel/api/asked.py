"""A request that comes as ASGI messages, as the engine wants it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from tercel import _api
from tercel.api.errors import HTTPError
from tercel.api.request import Request
from tercel.api.route import WEBSOCKET
from tercel.api.streams import Receive

__all__ = ["Asked", "ClientLeft", "Scope"]

Scope = dict[str, Any]

# As long as limit-request-body is by default.
_BODY_BYTES_MAX = 1 << 26
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_FRAMING = (b"content-length", b"transfer-encoding")


class ClientLeft(Exception):
    """The rest of the body will never come."""


class Asked:
    """One request; its scope is of the type `http` or `websocket`."""

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
        # Hooks of its route, once the handler is to be called.
        self.after: tuple[Callable[..., Any], ...] = ()

    @property
    def text(self) -> str | None:
        """The path, where it is a text, for problem documents."""
        try:
            return self.path.decode()
        except UnicodeDecodeError:
            return None

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
            ClientLeft: it will never come.
        """
        fields = [value for name, value in self.headers if name in _FRAMING]
        if fields:
            return None if any(value != b"0" for value in fields) else b""
        if self._is_http1:
            return b""
        message = await self._receive()
        self._received.append(message)
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part: bytes = message.get("body", b"")
        return None if message.get("more_body", False) else part

    async def read_body(self) -> bytes:
        """Returns the whole body.

        Raises:
            HTTPError: it is longer than a body may be, and was read to its end all the same.
            ClientLeft: it will never be whole.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            part = message.get("body", b"")
            size += len(part)
            if size <= _BODY_BYTES_MAX:
                parts.append(part)
            if not message.get("more_body", False):
                if size > _BODY_BYTES_MAX:
                    raise HTTPError(413, "The request body exceeds the limit.")
                return b"".join(parts)


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
