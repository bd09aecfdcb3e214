"""Requests for WebSockets: the engine finds the route, and checks what it takes; a handler goes on.

Their routes are a table of their own, as the methods of a path have nothing to do with them. What
refuses one before it is accepted is a response like any other, where the server has
`websocket.http.response`; elsewhere it is what ASGI makes of a close: 403.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tercel import _api
from tercel.api import hooks
from tercel.api.asked import Asked
from tercel.api.background import BackgroundTasks
from tercel.api.dependencies import BEFORE
from tercel.api.disconnect import WebSocketDisconnect
from tercel.api.errors import problem, title_of
from tercel.api.messages import InvalidMessage
from tercel.api.plan import Plan
from tercel.api.portable import Answer, authenticate, send_answer
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.response_headers import ResponseHeaders
from tercel.api.route import WEBSOCKET, Route
from tercel.api.streams import Receive, Send, Stream
from tercel.api.websocket import WebSocket
from tercel.options import listed

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["Handshakes", "check_plan", "checked_origins"]

Scope = dict[str, Any]

_EXTENSION = "websocket.http.response"
# An error that is answered when the WebSocket is open: a code of the application's own.
_CODE_OF_STATUS = 4000
_FAILED = 1011
_REASON_BYTES_MAX = 123


def check_plan(plan: Plan, where: str) -> None:
    """Refuses a handler that takes what a WebSocket does not have.

    Raises:
        TypeError: it has a body, or header fields of an answer, or no argument for the WebSocket.
    """
    if plan.body is not None or any(one.place == "form" for one in plan.parameters):
        raise TypeError(
            f"{where} takes a body, which a WebSocket does not have: what comes is"
            " `await socket.receive(T)`."
        )
    given = plan.steps[-1].results.values() if plan.steps else ()
    if ResponseHeaders in [plan.steps[number].depends.function for number in given]:
        raise TypeError(
            f"{where} takes ResponseHeaders: header fields of the answer to a handshake are those"
            " of `await socket.accept(headers=...)`."
        )
    if plan.websocket is None:
        raise TypeError(f"{where} has no argument of the type tercel.WebSocket.")


def checked_origins(origins: Iterable[str] | None) -> frozenset[str] | None:
    """Returns origins as browsers write them.

    Raises:
        ValueError: one is none.
    """
    if origins is None:
        return None
    checked = set()
    for origin in listed("origins", origins):
        parts = urlsplit(origin)
        if origin != "null" and (not parts.netloc or f"{parts.scheme}://{parts.netloc}" != origin):
            raise ValueError(
                f"an origin is written as 'https://example.org', without a path, not {origin!r};"
                " to take all of them, leave origins out"
            )
        checked.add(origin.lower())
    return frozenset(checked)


@dataclass(slots=True)
class _Denied:
    """A hook returned this, in the place of the handler."""

    result: Any


class Handshakes:
    """Answers the requests for WebSockets of one application."""

    def __init__(self, app: App) -> None:
        self._app = app
        # For each thread: what is worked on is part of an instance.
        self._threads = threading.local()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; its scope is of the type `websocket`. Lasts as long as that does."""
        self._app._threads.enter()
        instance: _api.Instance | None = getattr(self._threads, "instance", None)
        if instance is None:
            instance = self._threads.instance = _api.Instance(self)
        handshake = _Handshake(self._app, instance, scope, receive, send)
        try:
            await handshake.answer()
        finally:
            handshake.forget()

    def _specification(self) -> dict[str, Any]:
        """What tercel._api compiles: as the app's, with the routes of WebSockets."""
        specification = self._app._specification()
        return {**specification, "routes": self._app._native(self._app._websockets)}


class _Handshake:
    """One request, until its WebSocket is closed."""

    def __init__(
        self, app: App, instance: _api.Instance, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._app = app
        self._instance = instance
        self._scope = scope
        self._receive = receive
        self._send = send
        self._asked = Asked(scope, receive)
        self._subprotocols = scope.get("subprotocols", ())
        self._socket = WebSocket(self, self._subprotocols, receive, send, app._encode)
        self._mounted: Callable[..., Awaitable[None]] | None = None
        self._tasks: BackgroundTasks | None = None
        self._began = False

    def forget(self) -> None:
        """Gives the WebSocket up, which has this: they need no collector then."""
        self._socket._lose()  # Whoever has kept it cannot use it any more.
        del self._socket

    @property
    def request(self) -> Request:
        return self._asked.request

    async def answer(self) -> None:
        try:
            denial = await self._run()
        except Exception as error:
            return await self._end(error)
        if self._mounted is not None:
            return await self._mounted(self._receive, self._send)
        if self._socket.accepted:
            await self._socket.close()
        elif not self._socket.closed:
            await self._deny(denial or self._problem(403), succeeded=True)
        if self._tasks is not None:
            await self._tasks.run()

    async def _run(self) -> Answer | Stream | None:
        """Calls the handler. Returns what denies the WebSocket, or None: that is the handler's."""
        app, asked, around = self._app, self._asked, self._app._hooks
        if around.request:
            result = await hooks.call(around.request, self.request)
            if result is not None:
                return self._encode(result)
        number = self._instance.find(WEBSOCKET, asked.path.decode("latin-1"))
        if number is not None:
            route = app._websockets[number]
            self.request.route = route.path
            if not _is_from(route.origins, asked):
                return self._problem(403, "WebSockets of this origin are not taken.")
            result = await hooks.call(around.pre_validation, self.request)
            if result is not None:
                return self._encode(result)
        begun = self._instance.begin(asked.method, asked.path, asked.query, asked.headers, b"")
        if begun is None:
            self._mounted = app._mounts.find(self._scope)
            return self._problem(404)
        if len(begun) == 3:
            answer: Answer = begun
            return answer
        if len(begun) == 1:
            inspect.unwrap(begun[0])()  # What it raises, the caller answers.
        number, values = begun
        if number < 0:
            return self._encode(await authenticate(app._websockets[-1 - number], values))
        route = app._websockets[number]
        return await self._call(route, dict(zip(route.plan.names, values, strict=True)))

    async def _call(self, route: Route, arguments: dict[str, Any]) -> Answer | Stream | None:
        plan, pre_handler = route.plan, self._app._hooks.pre_handler
        assert plan.websocket is not None
        arguments[plan.websocket] = self._socket
        if plan.request is not None:
            arguments[plan.request] = self.request
        result: Any = None
        if pre_handler:
            if plan.steps:
                arguments[BEFORE] = self._before_handler
            else:
                result = await self._before_handler(arguments)
        if result is None:
            result = await route.endpoint(**arguments)
        if isinstance(result, BackgroundTasks):
            self._tasks = result
        return self._encode(result.result) if isinstance(result, _Denied) else None

    async def _before_handler(self, arguments: dict[str, Any]) -> _Denied | None:
        result = await hooks.call(self._app._hooks.pre_handler, self.request, arguments)
        return None if result is None else _Denied(result)

    def _problem(self, status: int, detail: str | None = None) -> Answer | Stream:
        return self._encode(problem(status, detail, instance=self._asked.text))

    def _encode(self, result: Any) -> Answer | Stream:
        return self._app._portable._encode(self._asked, result, 403)

    # --- how it begins

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        """Opens the WebSocket, with what the hooks have to say.

        Raises:
            OSError: the client has left.
        """
        response = Response(status=101)
        response.headers = headers
        await hooks.call_all(self._app._hooks.response, self.request, response, True)
        await self._begin()
        fields = [(name.lower().encode(), value.encode()) for name, value in response.headers]
        await self._send(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": fields}
        )

    async def refuse(self) -> None:
        """Answers with 403, as the handler wants it."""
        await self._deny(self._problem(403), succeeded=True)

    async def _begin(self) -> None:
        """Takes the first message. Raises OSError: the client has left."""
        if not self._began:
            self._began = True
            if (await self._receive())["type"] != "websocket.connect":
                raise ConnectionResetError("the client has left before the WebSocket was accepted")

    async def _deny(self, answer: Answer | Stream, *, succeeded: bool) -> None:
        portable, raised = self._app._portable, None
        if self._app._hooks.response:
            try:
                answer = await portable._finish(self._asked, answer, succeeded)
            except Exception as error:
                answer, raised = await portable._recover(self._asked, error)
        self._socket._lose()
        with contextlib.suppress(OSError):
            await self._begin()
            await self._send_denial(answer)
        if raised is not None:
            raise raised  # For the server's log.

    async def _send_denial(self, answer: Answer | Stream) -> None:
        if _EXTENSION not in (self._scope.get("extensions") or ()):
            return await self._send({"type": "websocket.close", "code": 1000, "reason": ""})
        if isinstance(answer, Stream):
            # To HTTP/2 a status below 300 would say that it is accepted.
            answer.status = answer.status if answer.status >= 300 else 403
            return await answer.send_through(self._receive_end, self._send_part)
        status, headers, body = answer
        await send_answer((status if status >= 300 else 403, headers, body), self._send_part)

    async def _send_part(self, message: dict[str, Any]) -> None:
        await self._send({**message, "type": f"websocket.{message['type']}"})

    async def _receive_end(self) -> dict[str, Any]:
        await self._receive()
        return {"type": "http.disconnect"}

    # --- how it ends

    async def _end(self, error: Exception) -> None:
        """Answers what the handler raised, or a hook."""
        socket = self._socket
        if isinstance(error, WebSocketDisconnect) and socket.closed:
            return
        answer, raised = await self._app._portable._recover(self._asked, error)
        if socket.accepted:
            await socket.close(*_closing_of(error, answer, failed=raised is not None))
        elif not socket.closed:
            await self._deny(answer, succeeded=False)
        if raised is not None:
            raise raised  # For the server's log.


def _is_from(origins: frozenset[str] | None, asked: Asked) -> bool:
    """Whether the page that asks may do so. Who is no browser says nothing of a page."""
    if origins is None:
        return True
    given = [value for name, value in asked.headers if name == b"origin"]
    return all(value.decode("latin-1").lower() in origins for value in given)


def _closing_of(error: Exception, answer: Answer | Stream, *, failed: bool) -> tuple[int, str]:
    """Returns code and reason for what went wrong with an open WebSocket."""
    status = answer.status if isinstance(answer, Stream) else answer[0]
    if failed:
        code, reason = _FAILED, ""
    elif isinstance(error, InvalidMessage):
        code, reason = error.code, str(error)
    elif status < 400:
        code, reason = 1000, ""
    else:
        code, reason = _CODE_OF_STATUS + status, getattr(error, "detail", "") or title_of(status)
    return code, reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore")
