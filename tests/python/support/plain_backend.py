"""An HTTP server of a test's own, which does with every connection what a function says.

    with PlainBackend() as backend: ...                   # Answers with what it was asked.
    with PlainBackend(raw(b"HTTP/1.1 200 OK\\r\\n...")) as backend: ...

What it reads it takes apart to the letter, so that a test sees what went over the wire.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from support.listening import Listening

__all__ = ["Asked", "PlainBackend", "Talk", "answer_all", "raw"]

WAIT_S = 20.0


@dataclass
class Asked:
    """A request, with what there was of it."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] | None = None  # None: the body did not come to its end.

    def all(self, name: str) -> list[str]:
        """Returns the values of every field called `name`, which is in lower case."""
        return [value for key, value in self.fields if key == name]

    def get(self, name: str) -> str | None:
        """Returns the value of the only field called `name`, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None


class Talk:
    """One connection."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.connection = connection
        self.number = number  # From 1, in the order in which they came.
        self._reader = connection.makefile("rb")

    def head(self) -> Asked | None:
        """Returns the next request without its body; None: the client closed."""
        line = self._reader.readline()
        if not line:
            return None
        method, target, version = line.decode("latin-1").removesuffix("\r\n").split(" ")
        assert version == "HTTP/1.1", line
        return Asked(method, target, self._fields())

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while (line := self._reader.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), line
            name, colon, value = line[:-2].decode("latin-1").partition(": ")
            assert colon, line
            assert name == name.lower(), line
            fields.append((name, value))
        return fields

    def pieces(self, asked: Asked):
        """Yields the body as it comes; ends where the client breaks off."""
        if asked.get("transfer-encoding") == "chunked":
            while (line := self._reader.readline()) and (size := int(line, 16)):
                yield self._reader.read(size)
                assert self._reader.read(2) == b"\r\n"
            if line:
                asked.trailers = self._fields()
            return
        left = int(asked.get("content-length") or 0)
        while left and (piece := self._reader.read1(min(left, 65536))):
            left -= len(piece)
            yield piece
        if not left:
            asked.trailers = []

    def read_body(self, asked: Asked) -> Asked:
        for piece in self.pieces(asked):
            asked.body += piece
        return asked

    def read(self, count: int) -> bytes:
        """Returns that many bytes, or fewer at the end."""
        return self._reader.read(count)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()
        self.connection.close()

    def wait_gone(self) -> bool:
        """Waits until the client left; True: the connection was reset."""
        try:
            while self.connection.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return False


def answer(status: int = 200, body: bytes = b"", *fields: str) -> bytes:
    """Returns a response with a length."""
    lines = [f"HTTP/1.1 {status} Said", *fields, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer_all(talk: Talk, backend: PlainBackend) -> None:
    """Answers every request with what it was."""
    while (asked := talk.head()) is not None:
        backend.seen.append(asked)
        if (asked.get("expect") or "").lower() == "100-continue":
            talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.read_body(asked)
        if asked.trailers is None:
            return
        said = json.dumps([asked.method, asked.target, asked.fields, len(asked.body)]).encode()
        talk.send(answer(200, b"" if asked.method == "HEAD" else said, "X-Backend: plain"))


def raw(*parts: bytes, end: str = "close") -> Callable[[Talk, PlainBackend], None]:
    """Returns what reads a whole request, and then sends these bytes, whatever they are.

    Args:
        end: what it does then: "close", "reset", or "wait" until the client leaves.
    """

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        if asked is None:
            return
        backend.seen.append(asked)
        talk.read_body(asked)
        for part in parts:
            talk.send(part)
        if end == "reset":
            talk.reset()
        elif end == "wait":
            backend.left.append(talk.wait_gone())

    return talk_so


class PlainBackend(Listening):
    """Listens on a free port of 127.0.0.1, or at a Unix socket, until it is closed.

    Args:
        talk: called with each connection, in a thread of its own.
        context: of its TLS; None: it has none.
        path: of the Unix socket.

    Attributes:
        seen: the requests that `talk` noted.
        left: for each connection that waited: whether the client reset it.
        raised: what `talk` raised, other than that the connection went.
    """

    def __init__(
        self,
        talk: Callable[[Talk, PlainBackend], None] = answer_all,
        *,
        context: ssl.SSLContext | None = None,
        path: str | None = None,
    ) -> None:
        self.talk = talk
        self.seen: list[Asked] = []
        self.left: list[bool] = []
        self.raised: list[BaseException] = []
        self._context = context
        if path is None:
            listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            scheme = "https" if context else "http"
            self.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(128)
            self.url = f"unix:{path}"
        super().__init__(listener)
        self.start()

    def close(self) -> None:
        super().close()
        assert not self.raised, self.raised

    def wait(self, true: Callable[[], bool], *, timeout: float = 10.0) -> None:
        """Waits until `true()`."""
        end = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < end, f"in vain, after {self.seen}"
            time.sleep(0.005)

    def serve_connection(self, connection: socket.socket, number: int) -> None:
        try:
            connection.settimeout(WAIT_S)
            connection = self.secure(connection, self._context)
            self.talk(Talk(connection, number), self)
        except OSError:
            pass
        except BaseException as error:
            self.raised.append(error)
        finally:
            self.forget(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
