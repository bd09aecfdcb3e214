"""A raw WebSocket client: sends exactly the frames it is told to, and refuses every frame of the
server that is not one to the letter.

Source: RFC 6455 sections 4.1, 5.2 and 5.3.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from support.http1 import Address, RawClient, Response

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def mask(payload: bytes, key: bytes) -> bytes:
    """Returns `payload`, masked or unmasked."""
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return masked.to_bytes(len(payload), "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    key: bytes | None = None,
    length: bytes | None = None,
) -> bytes:
    """Returns one frame.

    Args:
        reserved: the three reserved bits, RSV1 is 4.
        length: the 7 bits and what follows them, instead of the true one in its shortest form.
    """
    size = len(payload)
    if length is None:
        if size < 126:
            length = bytes([size])
        elif size < 65536:
            length = b"\x7e" + struct.pack("!H", size)
        else:
            length = b"\x7f" + struct.pack("!Q", size)
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if not masked:
        return head + length + payload
    key = os.urandom(4) if key is None else key
    return head + bytes([length[0] | 0x80]) + length[1:] + key + mask(payload, key)


def closing(code: int | None = None, reason: bytes = b"") -> bytes:
    """Returns a close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


@dataclass
class Frame:
    """What the server sent."""

    opcode: int
    payload: bytes = b""
    final: bool = True
    compressed: bool = False

    @property
    def code(self) -> int | None:
        """Of a close frame."""
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()


def accept_key(key: bytes) -> bytes:
    """Returns what a server makes of the client's key."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def handshake(target: str = "/", *fields: str, key: str | None = None) -> bytes:
    """Returns a request that asks for a WebSocket; `fields` are added as they are."""
    key = base64.b64encode(os.urandom(16)).decode() if key is None else key
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: test",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *fields,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class WebSocketClient:
    """One WebSocket. Every wait ends after `timeout` seconds with TimeoutError.

    Attributes:
        response: the 101.
        raw: the connection.
    """

    def __init__(
        self,
        address: Address,
        target: str = "/",
        *fields: str,
        timeout: float = 10.0,
        receive_buffer: int = 0,
        early: bytes = b"",
    ) -> None:
        self.raw = RawClient(address, timeout=timeout, receive_buffer=receive_buffer)
        try:
            key = base64.b64encode(os.urandom(16)).decode()
            self.raw.send(handshake(target, *fields, key=key) + early)
            self.response = self.raw.response()
            expected = accept_key(key.encode()).decode()
            assert self.response.status == 101, self.response
            assert self.response.get("sec-websocket-accept") == expected
            assert self.response.get("upgrade") == "websocket"
            assert (self.response.get("connection") or "").lower() == "upgrade"
        except BaseException:
            self.raw.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.raw.close()

    def send(self, data: bytes) -> None:
        self.raw.send(data)

    def text(self, text: str) -> None:
        self.send(frame(TEXT, text.encode()))

    def read_frame(self) -> Frame:
        """Returns the next frame of the server, which masks none and uses the shortest length."""
        first, second = self.raw.read_exactly(2)
        assert first & 0x30 == 0, "a reserved bit is set"
        assert second & 0x80 == 0, "a server does not mask"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.raw.read_exactly(2))
            assert size >= 126
        elif size == 127:
            (size,) = struct.unpack("!Q", self.raw.read_exactly(8))
            assert size >= 65536
        opcode = first & 0x0F
        final = first & 0x80 != 0
        assert opcode < CLOSE or (final and size <= 125)
        return Frame(opcode, self.raw.read_exactly(size), final, first & 0x40 != 0)

    def read_message(self) -> str | bytes:
        """Returns the next message, which the server sends in one frame."""
        got = self.read_frame()
        assert got.final, got
        assert got.opcode in (TEXT, BINARY), got
        return got.payload.decode() if got.opcode == TEXT else got.payload

    def read_close(self) -> Frame:
        """Returns the close frame, which is the next, or the next behind pings and messages."""
        for _ in itertools.count():
            got = self.read_frame()
            if got.opcode == CLOSE:
                return got
        raise AssertionError

    def read_end(self) -> bytes:
        """Returns what still comes until the server closes."""
        return self.raw.read_to_close()

    def close(self, code: int = 1000, reason: bytes = b"") -> Frame:
        """Closes and returns the answer."""
        self.send(closing(code, reason))
        return self.read_close()


__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "Response",
    "WebSocketClient",
    "closing",
    "frame",
    "handshake",
    "mask",
]
