"""A raw HTTP/1.1 client that is stricter than any real one: it sends exactly the bytes it is told
to, and refuses every response that is not framed to the letter.

Source: RFC 9112 sections 4 (status line), 5 (fields), 6 (body) and 7.1 (chunked).
"""

from __future__ import annotations

import re
import select
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from support.closing import Closing

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ([\t\x20-\x7e\x80-\xff]*)\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z", re.DOTALL)
CHUNK_LINE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
BODYLESS = {204, 304}

Address = tuple[str, int] | str  # host and port, or the path of a Unix socket


class BadResponse(AssertionError):
    """The server sent bytes that are not an HTTP/1.1 response, or stopped inside one."""


class Closed(BadResponse):
    """The server closed the connection where a response, or the rest of one, was due.

    Attributes:
        got: what came of the response, raw.
        reset: the connection was reset, not closed in an orderly way.
    """

    def __init__(self, got: bytes, *, reset: bool) -> None:
        super().__init__(f"connection {'reset' if reset else 'closed'} after {got[-200:]!r}")
        self.got = got
        self.reset = reset


@dataclass
class Response:
    """One final response, with the interim ones that came before it.

    `headers` and `trailers` keep the order and the case of the wire.
    """

    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    interim: list[Response] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Returns the values of every header called `name`, in any case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """Returns the value of the only header called `name`, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None


class RawClient(Closing):
    """One connection. Every wait ends after `timeout` seconds with TimeoutError."""

    def __init__(
        self,
        address: Address,
        *,
        timeout: float = 10.0,
        receive_buffer: int = 0,
        source: str | None = None,
    ) -> None:
        self.timeout = timeout
        family = (
            socket.AF_UNIX
            if isinstance(address, str)
            else socket.AF_INET6
            if ":" in address[0]
            else socket.AF_INET
        )
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if receive_buffer:
            # Before connect(): the window is agreed on then.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            if source is not None:
                self.socket.bind((source, 0))
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    # --- our direction

    def send(self, data: bytes | str) -> None:
        """Sends `data`; text as Latin-1."""
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def send_slowly(self, data: bytes, *, piece: int = 1, pause: float = 0.001) -> None:
        """Sends `data` in pieces of `piece` bytes, each in a segment of its own."""
        for start in range(0, len(data), piece):
            self.socket.sendall(data[start : start + piece])
            time.sleep(pause)

    def send_until_refused(
        self, piece: bytes, *, pause: float = 0.05, seconds: float = 10.0
    ) -> float:
        """Sends `piece` again and again until the server no longer takes it.

        Returns:
            How long that took, in seconds.

        Raises:
            AssertionError: the server still takes it after `seconds`.
        """
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            try:
                self.socket.sendall(piece)
            except OSError:
                return passed
            time.sleep(pause)
        raise AssertionError(f"the server still takes bytes after {seconds} s")

    def request(
        self,
        method: str = "GET",
        target: str = "/",
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Response:
        """Sends one request and returns its response."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))
        return self.response(head=method == "HEAD")

    def half_close(self) -> None:
        """Ends our direction (FIN); the server's stays open."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Closes with a reset (RST) instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    # --- the server's direction

    def response(self, *, head: bool = False) -> Response:
        """Returns the next final response. `head`: it answers HEAD, so it has no body.

        Raises:
            Closed: the server closed before the response was complete.
            BadResponse: it is not a well-formed response.
            TimeoutError: it did not come in time.
        """
        interim = []
        while (response := self._response_head()).status < 200 and response.status != 101:
            interim.append(response)
        response.interim = interim
        if head or response.status in BODYLESS or response.status == 101:
            return response
        self._response_body(response)
        return response

    def interim_response(self) -> Response:
        """Returns the next response, which has to be an interim (1xx) one."""
        response = self._response_head()
        if response.status >= 200:
            raise BadResponse(f"{response.status} where an interim response was due")
        return response

    def read_some(self) -> bytes:
        """Returns bytes as they come, b"" at the end of the server's direction."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            return data
        return self.socket.recv(65536)

    def read_exactly(self, count: int) -> bytes:
        """Returns the next `count` bytes; raises Closed when the server closes before."""
        return self._take(count)

    def read_to_close(self) -> bytes:
        """Returns everything until the server closes in an orderly way."""
        data = bytearray()
        while piece := self.read_some():
            data += piece
        return bytes(data)

    def expect_closed(self) -> None:
        """Asserts that nothing more comes and that the server closes in an orderly way."""
        data = self.read_to_close()
        assert not data, f"bytes where the end of the connection was due: {data[:200]!r}"

    def wait_gone(self) -> bool:
        """Waits until the server closed, and throws away what came before.

        Returns:
            True when the connection was reset, False after an orderly close.
        """
        try:
            self.read_to_close()
        except ConnectionResetError:
            return True
        return False

    def silent_for(self, seconds: float) -> bool:
        """True when for `seconds` neither a byte nor a close comes."""
        if self._buffer:
            return False
        # Not select(), which knows no descriptor above 1,023.
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(seconds * 1000)

    # --- framing

    def _fill(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            raise Closed(bytes(self._buffer), reset=True) from None
        if not data:
            raise Closed(bytes(self._buffer), reset=False)
        self._buffer += data

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadResponse(f"bare CR, LF or NUL in {line!r}")
        return line

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self._line():
            match = FIELD_LINE.match(line)
            if match is None:
                raise BadResponse(f"not a field line: {line!r}")
            fields.append((match[1].decode("latin-1"), match[2].decode("latin-1")))
        return fields

    def _response_head(self) -> Response:
        line = self._line()
        match = STATUS_LINE.match(line)
        if match is None:
            raise BadResponse(f"not a status line: {line!r}")
        return Response(
            status=int(match[1]),
            reason=match[2].decode("latin-1"),
            version=line[5:8].decode(),
            headers=self._fields(),
        )

    def _response_body(self, response: Response) -> None:
        length = response.get("content-length")
        coding = response.get("transfer-encoding")
        if coding is not None:
            if length is not None:
                raise BadResponse("Content-Length beside Transfer-Encoding")
            if coding != "chunked":
                raise BadResponse(f"Transfer-Encoding: {coding}")
            self._chunked_body(response)
        elif length is not None:
            if not length.isdecimal():
                raise BadResponse(f"Content-Length: {length}")
            response.body = self._take(int(length))
        else:
            response.body = self.read_to_close()

    def _chunked_body(self, response: Response) -> None:
        while True:
            line = self._line()
            if CHUNK_LINE.match(line) is None:
                raise BadResponse(f"not a chunk size: {line!r}")
            size = int(line, 16)
            if size == 0:
                response.trailers = self._fields()
                response.body = b"".join(response.chunks)
                return
            response.chunks.append(self._take(size))
            if self._take(2) != b"\r\n":
                raise BadResponse("chunk without its CRLF")
