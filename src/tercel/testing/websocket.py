"""`TestClient.websocket`: the client's end of a WebSocket, as a context manager.

The protocol of this end is wsproto's; its bytes go the way of those of requests (transport.py).
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import httpx
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from tercel.api.disconnect import NORMAL, WebSocketDisconnect
from tercel.testing.transport import AppTransport, Response

__all__ = ["WebSocketDenied", "WebSocketSession"]

_READ_BYTES = 1 << 16
# Those of the handshake are wsproto's.
_HANDSHAKE = ("host", "connection", "upgrade")


class WebSocketDenied(httpx.HTTPStatusError):
    """The application, or the server, did not accept a WebSocket.

    Attributes:
        response: what it answered, with `status`, `headers` and `json()`.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(
            f"The WebSocket {response.request.url} was answered with {response.status}.",
            request=response.request,
            response=response,
        )


class WebSocketSession:
    """A WebSocket to the application; made by `TestClient.websocket`.

    ::

        with client.websocket("/rooms/blue") as socket:
            socket.send({"text": "Hello"})
            assert socket.receive_json() == {"room": "blue", "text": "Hello"}

    The application works while this end waits, in `receive()` and at the end of the block. That
    closes the WebSocket, and waits until the application has returned; what it raised goes on in
    the test, unless `raise_server_exceptions` is off.

    Attributes:
        response: the answer to the handshake, with its `headers`.
        subprotocol: that the application chose, or None.
        close_code: once it is closed; 1005: without a code, 1006: without a word.
        close_reason: as well.
    """

    def __init__(
        self,
        transport: AppTransport,
        request: httpx.Request,
        subprotocols: Iterable[str],
        timeout: float | None,
    ) -> None:
        self.response = Response(101, request=request)
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason = ""
        self._transport = transport
        self._timeout = timeout
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: deque[Event] = deque()
        self._stream = transport.open(secure=request.url.scheme in ("https", "wss"))
        self._over = False
        try:
            self._shake_hands(request, list(subprotocols))
        except BaseException:
            self._abandon()
            raise

    # --- the handshake

    def _shake_hands(self, request: httpx.Request, subprotocols: list[str]) -> None:
        fields = [(k, v) for k, v in request.headers.raw if k.lower().decode() not in _HANDSHAKE]
        self._tell(
            Request(
                host=request.headers["host"],
                target=request.url.raw_path.decode(),
                subprotocols=subprotocols,
                extra_headers=fields,
            )
        )
        event = self._next()
        if isinstance(event, RejectConnection):
            response = Response(
                event.status_code,
                headers=event.headers,
                content=self._denial() if event.has_body else b"",
                request=request,
            )
            self._finish()
            raise WebSocketDenied(response)
        assert isinstance(event, AcceptConnection)
        self.subprotocol = event.subprotocol
        self.response = Response(101, headers=event.extra_headers, request=request)

    def _denial(self) -> bytes:
        parts = []
        while True:
            event = self._next()
            assert isinstance(event, RejectData)
            parts.append(event.data)
            if event.body_finished:
                return b"".join(parts)

    # --- messages

    def send(self, message: Any) -> None:
        """Sends a message: str as text, bytes as bytes, anything else as JSON, in text.

        Raises:
            WebSocketDisconnect: the WebSocket is known to be closed.
        """
        self._require_open()
        if (end := self._arrived_end()) is not None:
            raise WebSocketDisconnect(int(end.code), end.reason or "")
        if isinstance(message, (bytes, bytearray, memoryview)):
            self._tell(BytesMessage(bytes(message)))
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._tell(TextMessage(text))

    def receive(self) -> str | bytes:
        """Waits for a message.

        Raises:
            WebSocketDisconnect: the application closed the WebSocket.
            httpx.ReadTimeout: nothing comes.
            Exception: what the application raised.
        """
        self._require_open()
        parts: list[Any] = []
        deadline = self._deadline()  # Pings, which come in between, are no messages.
        while True:
            event = self._next(deadline)
            if isinstance(event, CloseConnection):
                self._on_close(event)
                self._require_open()
            if isinstance(event, Message):
                parts.append(event.data)
                if event.message_finished:
                    empty: str | bytes = "" if isinstance(event, TextMessage) else b""
                    return empty.join(parts)

    def receive_text(self) -> str:
        """Waits for a message, which is text."""
        message = self.receive()
        assert isinstance(message, str), f"the application sent bytes: {message!r}"
        return message

    def receive_bytes(self) -> bytes:
        """Waits for a message, which is bytes."""
        message = self.receive()
        assert isinstance(message, bytes), f"the application sent text: {message!r}"
        return message

    def receive_json(self) -> Any:
        """Waits for a message, and reads it as JSON."""
        return json.loads(self.receive())

    def __iter__(self) -> Iterator[str | bytes]:
        """The messages, until the application closes the WebSocket normally."""
        while True:
            try:
                message = self.receive()
            except WebSocketDisconnect as end:
                if end.code in NORMAL:
                    return
                raise
            yield message

    # --- the end

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the WebSocket, and waits until the application has returned.

        Raises:
            Exception: what the application raised.
        """
        if self.close_code is None:
            if self._arrived_end() is None:
                self._tell(CloseConnection(code, reason))
            deadline = self._deadline()
            event = self._next(deadline)
            while not isinstance(event, CloseConnection):
                event = self._next(deadline)
            self._on_close(event)
        self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return self.close()
        with contextlib.suppress(Exception):  # The first is what the test is about.
            self.close()
        self._abandon()

    def _on_close(self, event: CloseConnection) -> None:
        self.close_code, self.close_reason = int(event.code), event.reason or ""
        if self._protocol.state is ConnectionState.REMOTE_CLOSING:
            self._tell(event.response())
        # The server closes the connection, and the application has raised by then.
        deadline = self._deadline()
        while self._read(deadline):
            pass
        self._finish()

    def _arrived_end(self) -> CloseConnection | None:
        """The end, if it is here behind messages that nobody took."""
        last = self._events[-1] if self._events else None
        return last if isinstance(last, CloseConnection) else None

    def _require_open(self) -> None:
        if self.close_code is not None:
            raise WebSocketDisconnect(self.close_code, self.close_reason)

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._transport.done(self._stream)

    def _abandon(self) -> None:
        with contextlib.suppress(Exception):
            self._finish()

    # --- bytes

    def _tell(self, event: Event) -> None:
        """Sends, even if nobody reads it any more: what is received next tells."""
        with contextlib.suppress(httpx.WriteError), self._transport.errors():
            self._stream.write(self._protocol.send(event), self._timeout)

    def _next(self, deadline: float | None = None) -> Event:
        while not self._events:
            self._take_in(deadline or self._deadline())
        return self._events.popleft()

    def _take_in(self, deadline: float | None) -> None:
        """Waits for bytes, and makes events of them."""
        try:
            self._protocol.receive_data(self._read(deadline) or None)
            for event in self._protocol.events():
                if isinstance(event, Ping):
                    self._tell(event.response())
                else:
                    self._events.append(event)
        except RemoteProtocolError as error:
            # It left within the handshake, most likely because the application failed.
            self._finish()
            raise httpx.RemoteProtocolError(str(error)) from error

    def _deadline(self) -> float | None:
        return None if self._timeout is None else time.monotonic() + self._timeout

    def _read(self, deadline: float | None) -> bytes:
        """Waits for bytes. None are left: the connection is closed."""
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        try:
            with self._transport.errors():
                return self._stream.read(_READ_BYTES, left)
        except httpx.ReadError:
            return b""
        except httpx.ReadTimeout:
            raise httpx.ReadTimeout(
                f"The application sent nothing within {self._timeout:g} s."
            ) from None
