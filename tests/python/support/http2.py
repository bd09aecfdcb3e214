"""An HTTP/2 client that does what a test says and checks nothing: frames as hyperframe has them.

    with H2Client(server.address) as client:
        client.get(1, "/hello")
        assert client.response(1).status == 200

It reads in the test's thread, so that a client that does not read is one.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from support.closing import Closing
from support.http1 import Address

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PROTOCOL_ERROR = 1
REFUSED_STREAM = 7
ENHANCE_YOUR_CALM = 11
HEAD_BYTES = 9

Fields = list[tuple[str, str]]


@dataclass
class H2Response:
    """What came on one stream so far."""

    heads: list[dict[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    reset: int | None = None
    ended: bool = False

    @property
    def status(self) -> int:
        final = [head for head in self.heads if ":status" in head]
        return int(final[-1][":status"]) if final else 0


class H2Client(Closing):
    """One connection, blocking, with a time limit on every wait.

    Args:
        address: host and port of the server.
        settings: of the client, by number.
        timeout: seconds that a wait may take.
        receive_bytes: size of the kernel's buffer; small, for a client that soon reads nothing.
    """

    def __init__(
        self,
        address: Address,
        *,
        settings: dict[int, int] | None = None,
        timeout: float = 10.0,
        receive_bytes: int | None = None,
    ) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.streams: dict[int, H2Response] = {}
        self.goaways: list[tuple[int, int]] = []
        self.settings: dict[int, int] = {}
        self.closed = False
        self.sent_bytes = 0
        self._unread = b""
        self.send(PREFACE, SettingsFrame(0, settings or {}))

    def close(self) -> None:
        self.socket.close()

    # --- sending

    def send(self, *frames: Frame | bytes) -> None:
        data = b"".join(f if isinstance(f, bytes) else f.serialize() for f in frames)
        self.sent_bytes += len(data)
        self.socket.sendall(data)

    def head(
        self,
        stream: int,
        path: str = "/",
        *,
        method: str = "GET",
        protocol: str = "",
        fields: Iterable[tuple[str, str]] = (),
        end: bool = True,
    ) -> HeadersFrame:
        """Returns the frame of a request, in the connection's compression."""
        all_fields = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "t"),
            *([(":protocol", protocol)] if protocol else []),
            *fields,
        ]
        frame = HeadersFrame(stream, self.encoder.encode(all_fields))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def get(self, stream: int, path: str = "/") -> None:
        self.send(self.head(stream, path))

    def post(self, stream: int, path: str, body: bytes) -> None:
        """Sends a small body, that fits in the first windows."""
        last = DataFrame(stream, body)
        last.flags.add("END_STREAM")
        self.send(self.head(stream, path, method="POST", end=False), last)

    def reset(self, stream: int, code: int = 8) -> None:
        self.send(RstStreamFrame(stream, code))

    # --- reading

    def read_frame(self) -> Frame | None:
        """Returns the next frame, having noted what it says; None at the end of the connection."""
        while len(self._unread) < HEAD_BYTES:
            if not self._fill():
                return None
        frame, size = Frame.parse_frame_header(memoryview(self._unread[:HEAD_BYTES]))
        while len(self._unread) < HEAD_BYTES + size:
            if not self._fill():
                return None
        frame.parse_body(memoryview(self._unread[HEAD_BYTES : HEAD_BYTES + size]))
        self._unread = self._unread[HEAD_BYTES + size :]
        self._note(frame)
        return frame

    def _fill(self) -> bool:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self._unread += data
        self.closed = not data
        return not self.closed

    def _note(self, frame: Frame) -> None:
        stream = self.streams.setdefault(frame.stream_id, H2Response())
        if isinstance(frame, HeadersFrame):
            stream.heads.append(dict(self.decoder.decode(frame.data)))
        elif isinstance(frame, DataFrame):
            stream.body += frame.data
            if len(frame.data) > 0:
                self._credit(frame.stream_id, len(frame.data))
        elif isinstance(frame, RstStreamFrame):
            stream.reset = frame.error_code
        elif isinstance(frame, GoAwayFrame):
            self.goaways.append((frame.last_stream_id, frame.error_code))
        elif isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.settings |= frame.settings
            ack = SettingsFrame(0)
            ack.flags.add("ACK")
            self._try_send(ack)
        elif isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            answer = PingFrame(0, frame.opaque_data)
            answer.flags.add("ACK")
            self._try_send(answer)
        if "END_STREAM" in frame.flags:
            stream.ended = True

    def _credit(self, stream: int, count: int) -> None:
        self._try_send(WindowUpdateFrame(0, count), WindowUpdateFrame(stream, count))

    def _try_send(self, *frames: Frame) -> None:
        with contextlib.suppress(OSError):
            self.send(*frames)

    def response(self, stream: int) -> H2Response:
        """Reads until the stream is over."""
        deadline = time.monotonic() + self.timeout
        while True:
            got = self.streams.get(stream)
            if got is not None and (got.ended or got.reset is not None):
                return got
            assert time.monotonic() < deadline, f"no end of stream {stream}"
            assert self.read_frame() is not None, f"closed before the end of stream {stream}"

    def read_to_reset(self, stream: int) -> None:
        """Reads until the server resets a stream, whose response may be over."""
        deadline = time.monotonic() + self.timeout
        while self.streams[stream].reset is None:
            assert time.monotonic() < deadline, f"no reset of stream {stream}"
            assert self.read_frame() is not None, f"closed before the reset of stream {stream}"

    def read_to_close(self) -> None:
        deadline = time.monotonic() + self.timeout
        while self.read_frame() is not None:
            assert time.monotonic() < deadline, "the connection stays open"
