"""A WebSocket, for the handler of one: messages both ways, typed where it wants them so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar, overload

from tercel.api.disconnect import NORMAL, WebSocketDisconnect, check_end
from tercel.api.messages import decoder_of
from tercel.api.request import Request
from tercel.api.streams import Receive, Send
from tercel.options import pairs_of

__all__ = ["Handshake", "WebSocket", "WebSocketDisconnect"]

Message = TypeVar("Message")


class Handshake(Protocol):
    """What answers the request for a WebSocket (handshakes.py)."""

    @property
    def request(self) -> Request:
        """The request."""

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        """Opens the WebSocket."""

    async def refuse(self) -> None:
        """Answers with 403."""


class WebSocket:
    """The argument of a handler of `@app.websocket`.

    ::

        @app.websocket("/rooms/{room}")
        async def room(socket: tercel.WebSocket, room: str) -> None:
            async for say in socket.iter(Say):
                await socket.send(Said(room, say.text))

    It is accepted by `accept()`, or by the first message that is sent or waited for; until then the
    handler may raise `HTTPError`, whose problem document is the answer to the handshake. A handler
    that returns closes it with 1000; before it was accepted, refuses it with 403.

    One task may receive while others send.

    Attributes:
        request: the handshake; its `method` is `WEBSOCKET`.
        subprotocols: that the client offers, the one that it prefers first.
        subprotocol: that was agreed on, or None.
        close_code: once it is closed; that of WebSocketDisconnect.
        close_reason: as well.
    """

    def __init__(
        self,
        handshake: Handshake,
        subprotocols: Iterable[str],
        receive: Receive,
        send: Send,
        to_json: Callable[[Any], bytes],
    ) -> None:
        self.subprotocols = list(subprotocols)
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason = ""
        self._handshake = handshake
        self._receive = receive
        self._send = send
        self._to_json = to_json
        self._answering = asyncio.Lock()  # Somebody accepts it, or refuses it.
        self._open = False
        # Nothing can be sent, even if what was received before may still be waiting.
        self._unheard = False

    @property
    def request(self) -> Request:
        return self._handshake.request

    @property
    def closed(self) -> bool:
        """Whether it was open, or asked for, and is no more."""
        return self.close_code is not None or self._unheard

    @property
    def accepted(self) -> bool:
        """Whether it is open, or was."""
        return self._open

    # --- the handshake

    async def accept(
        self,
        subprotocol: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        """Opens the WebSocket.

        Args:
            subprotocol: one of `subprotocols`.
            headers: of the answer, several of one name as pairs.

        Raises:
            ValueError: the client does not offer the subprotocol.
            RuntimeError: it was accepted already, perhaps by the first message.
            WebSocketDisconnect: the client has left.
        """
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise ValueError(
                f"accept() takes one of the subprotocols that the client offers, which are"
                f" {self.subprotocols}, not {subprotocol!r}"
            )
        async with self._answering:
            if self._open and not self.closed:
                raise RuntimeError("accept() comes first, and once: the WebSocket is open already")
            await self._accept(subprotocol, pairs_of(headers))

    async def _accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        """REQUIRES: _answering is held."""
        if self.closed:
            raise self._disconnected()
        try:
            await self._handshake.accept(subprotocol, headers)
        except OSError:
            self._lose()
            raise self._disconnected() from None
        self.subprotocol = subprotocol
        self._open = True

    async def _ensure_open(self) -> None:
        async with self._answering:
            if not self._open:
                await self._accept(None, [])

    # --- what comes

    @overload
    async def receive(self) -> str | bytes: ...
    @overload
    async def receive(self, kind: type[Message]) -> Message: ...
    @overload
    async def receive(self, kind: Any) -> Any: ...
    async def receive(self, kind: Any = None) -> Any:
        """Waits for a message.

        Args:
            kind: the type that it is made into: `str` and `bytes` are messages of text and of
                bytes as they are; anything else is read from JSON, in a message of either sort, by
                msgspec or pydantic, as the body of a request is. None: whatever comes.

        Raises:
            InvalidMessage: it is none of that type.
            WebSocketDisconnect: the WebSocket is closed, and there is none left.
            TypeError: neither msgspec nor pydantic knows the type.
        """
        decode = None if kind is None else decoder_of(kind)
        message = await self._next()
        return message if decode is None else decode(message)

    async def receive_text(self) -> str:
        """Waits for a message of text: `receive(str)`."""
        return await self.receive(str)

    async def receive_bytes(self) -> bytes:
        """Waits for a message of bytes: `receive(bytes)`."""
        return await self.receive(bytes)

    async def receive_json(self) -> Any:
        """Waits for JSON of any kind."""
        return await self.receive(Any)

    @overload
    def iter(self, kind: type[Message]) -> Messages[Message]: ...
    @overload
    def iter(self, kind: Any) -> Messages[Any]: ...
    def iter(self, kind: Any) -> Messages[Any]:
        """Returns an iterator of the messages, each made into `kind` (see `receive`).

        It ends where the other side ends normally: with 1000, 1001, or without a code. Any other
        end raises WebSocketDisconnect.
        """
        return Messages(self, kind)

    def __aiter__(self) -> Messages[str | bytes]:
        """The messages as they come; ends as `iter`."""
        return Messages(self, None)

    async def _next(self) -> str | bytes:
        if not self._open:
            await self._ensure_open()
        if self.close_code is not None:
            raise self._disconnected()
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._hear_end(message)
            raise self._disconnected()
        text: str | None = message.get("text")
        if text is not None:
            return text
        payload: bytes = message["bytes"]
        return payload

    def _hear_end(self, message: dict[str, Any]) -> None:
        if self.close_code is None:
            code = message.get("code")
            self.close_code = 1005 if code is None else code
            self.close_reason = message.get("reason") or ""

    # --- what goes

    async def send(self, message: Any) -> None:
        """Sends a message: str as text, bytes as bytes, anything else as JSON, in text.

        It waits while more than 64 KiB wait for the client.

        Raises:
            WebSocketDisconnect: the WebSocket is closed.
            TypeError: the message is nothing that JSON has.
        """
        if isinstance(message, str):
            sent: dict[str, Any] = {"type": "websocket.send", "text": message}
        elif isinstance(message, (bytes, bytearray, memoryview)):
            sent = {"type": "websocket.send", "bytes": bytes(message)}
        else:
            sent = {"type": "websocket.send", "text": self._to_json(message).decode()}
        if not self._open:
            await self._ensure_open()
        if self.closed:
            raise self._disconnected()
        try:
            await self._send(sent)
        except OSError:
            self._lose()
            raise self._disconnected() from None

    async def send_text(self, text: str) -> None:
        """Sends a message of text."""
        await self.send(text)

    async def send_bytes(self, data: bytes) -> None:
        """Sends a message of bytes."""
        await self.send(data)

    async def send_json(self, value: Any) -> None:
        """Sends JSON, in a message of text; a str, too, with its quotes."""
        await self.send(self._to_json(value).decode())

    # --- the end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the WebSocket; one that is closed already stays as it is.

        Before it was accepted, it is refused with 403, and code and reason are not told.

        Args:
            code: 1000 to 1003, 1007 to 1014, or from 3000 to 4999, where 4000 and above are the
                application's own.
            reason: up to 123 bytes in UTF-8.

        Raises:
            ValueError: code or reason is not one that can be sent.
        """
        check_end(code, reason)
        async with self._answering:
            if self.closed:
                return
            self.close_code, self.close_reason = code, reason
            try:
                if self._open:
                    await self._send({"type": "websocket.close", "code": code, "reason": reason})
                else:
                    await self._handshake.refuse()
            except OSError:
                self._lose()

    def _lose(self) -> None:
        self._unheard = True

    def _disconnected(self) -> WebSocketDisconnect:
        if self.close_code is None:
            return WebSocketDisconnect(1006)
        return WebSocketDisconnect(self.close_code, self.close_reason)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open" if self._open else "asked for"
        return f"<WebSocket {self.request.path}, {state}>"


class Messages(Generic[Message]):
    """The iterator of `WebSocket.iter`. After an InvalidMessage another one may follow."""

    def __init__(self, socket: WebSocket, kind: Any) -> None:
        self._socket = socket
        self._decode = None if kind is None else decoder_of(kind)

    def __aiter__(self) -> Messages[Message]:
        return self

    async def __anext__(self) -> Message:
        try:
            message: Any = await self._socket._next()
        except WebSocketDisconnect as end:
            if end.code in NORMAL:
                raise StopAsyncIteration from None
            raise
        made: Message = message if self._decode is None else self._decode(message)
        return made
