"""A strict object store of a test's own, which fails where it is told to.

    with Origin() as origin:
        origin.fail("body", "reset", after=100)
        ...
        assert origin.seen[-1].signed_by == KEY.access_key

It verifies every signature with support/sigv4.py, keeps an object only when its body came to the
end and is what was signed, and writes down all requests. Objects are kept in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from support.listening import Listening
from support.sigv4 import BadSignature, Key, verify

__all__ = ["KEY", "Origin", "Seen"]

KEY = Key("BACKENDKEY", "the secret of the backend")
WAIT_S = 20.0
_GARBAGE = b"\x16\x03\x01SSH-2.0-nonsense\r\n\r\n\0\0\0"
# Where it can fail, in the order of a request.
POINTS = ("accept", "head", "body", "answer", "answer head", "answer body", "idle")


class _Hangs(Exception):
    """This connection is over."""


@dataclass
class Seen:
    """A request that came, with what there was of it.

    Attributes:
        body: of it, decoded neither here nor there.
        complete: all of the body came.
        signed_by: the access key; or the token of a bearer.
        wrong: why it was refused.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    complete: bool = False
    signed_by: str = ""
    wrong: str = ""


@dataclass
class _Fault:
    point: str
    what: str
    after: int
    release: threading.Event = field(default_factory=threading.Event)


class Origin(Listening):
    """Listens on a port of 127.0.0.1, by default a free one, until it is closed.

    Args:
        context: of its TLS; None: it has none.
        bearer: a token that it takes instead of signatures.
        keys: whose signatures it takes.
        host: an address of this machine.
        port: 0: a free one.

    Attributes:
        objects: the bodies of what it keeps, by path: "/bucket/key".
        answers: what it says instead, by method and path, whoever asks: status, body, fields.
        seen: every request, in the order of their heads.
        completed: what it answers to a POST.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        bearer: str | None = None,
        keys: Iterable[Key] = (KEY,),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(socket.create_server((host, port), backlog=128))
        self.objects: dict[str, bytes] = {}
        self.answers: dict[tuple[str, str], tuple[int, bytes, dict[str, str]]] = {}
        self.seen: list[Seen] = []
        self.completed = b"<CompleteMultipartUploadResult/>"
        self._context = context
        self._bearer = bearer
        self._keys = {key.access_key: key for key in keys}
        self._faults: deque[_Fault] = deque()
        self._armed: list[_Fault] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if context else ''}://{host}:{self.port}"
        self.start()

    def close(self) -> None:
        self.release()
        super().close()

    # --- what a test tells it

    def fail(self, point: str, what: str, *, after: int = 0, times: int = 1) -> None:
        """Fails the next request that comes to `point`.

        Args:
            point: one of POINTS.
            what: "reset", "close", "stall" until release(), "garbage", "slow", "drip" (a byte in
                a fifth of a second, twelve times), "continue" (the answer is 100 Continue, again
                and again), a status as "503"; at the point "idle" "extra", an answer that nobody
                asked for behind the other one.
            after: bytes of the body that are read, or written, before.
        """
        assert point in POINTS
        self._faults.extend(_Fault(point, what, after) for _ in range(times))

    def release(self) -> None:
        """Ends all that stalls, and forgets faults that nobody came to."""
        self._faults.clear()
        for fault in self._armed:
            fault.release.set()
        self._armed.clear()

    @property
    def stalled(self) -> int:
        """How many requests stall now."""
        return sum(fault.what == "stall" and not fault.release.is_set() for fault in self._armed)

    def wait_for(self, count: int, *, timeout: float = 10.0) -> None:
        """Waits until `count` requests came."""
        end = time.monotonic() + timeout
        while len(self.seen) < count:
            assert time.monotonic() < end, f"{len(self.seen)} requests came, not {count}"
            time.sleep(0.005)

    # --- connections

    def serve_connection(self, raw: socket.socket, _number: int) -> None:
        connection = raw
        try:
            raw.settimeout(WAIT_S)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._meet("accept", raw)
            connection = self.secure(raw, self._context)
            with connection.makefile("rb") as reader:
                while self._one(connection, reader):
                    pass
        except (OSError, _Hangs, ValueError):
            pass
        finally:
            self.forget(raw)
            self.forget(connection)
            connection.close()

    def _meet(self, point: str, connection: socket.socket, sent: int | None = None) -> str:
        """Does what it was told to do at `point`; returns what is left to the caller."""
        with self._lock:
            if not self._faults or self._faults[0].point != point:
                return ""
            if sent is not None and sent < self._faults[0].after:
                return ""
            fault = self._faults.popleft()
            self._armed.append(fault)
        if fault.what == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            raise _Hangs
        if fault.what == "close":
            connection.shutdown(socket.SHUT_RDWR)
            raise _Hangs
        if fault.what == "stall":
            self._stall(fault, connection)
        elif fault.what == "garbage":
            connection.sendall(_GARBAGE)
            raise _Hangs
        elif fault.what == "continue":
            for _ in range(200):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif fault.what.isdigit():
            connection.sendall(_answer(int(fault.what), b"", close=True))
            raise _Hangs
        return fault.what

    @staticmethod
    def _stall(fault: _Fault, connection: socket.socket) -> None:
        """Until it is released, or the peer went."""
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        end = time.monotonic() + WAIT_S
        while not fault.release.wait(0.01):
            if poll.poll(0) or time.monotonic() > end:
                fault.release.set()
                raise _Hangs

    # --- requests

    def _one(self, connection: socket.socket, reader) -> bool:
        line = reader.readline(65536)
        if not line:
            return False
        method, target, version = line.decode("latin-1").split()
        headers: dict[str, str] = {}
        while (text := reader.readline(65536).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = text.partition(":")
            assert name.lower() not in headers, f"{name} is there twice"
            headers[name.lower()] = value.strip()
        assert version == "HTTP/1.1"
        seen = Seen(method, target, headers)
        with contextlib.suppress(BadSignature):
            seen.signed_by = self._signer(seen)
        self.seen.append(seen)
        self._meet("head", connection)
        path = unquote(urlsplit(target).path)
        if "expect" in headers and (method, path) in self.answers:  # Without its body.
            status, body, fields = self.answers[method, path]
            connection.sendall(_answer(status, body, fields, close=True))
            return False
        if seen.signed_by and headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif "expect" in headers:  # The body of who is refused is not wanted.
            connection.sendall(_answer(403, _error("SignatureDoesNotMatch"), close=True))
            return False
        self._read_body(seen, connection, reader)
        self._meet("answer", connection)
        return self._write(connection, seen, *self._answer(seen))

    def _signer(self, seen: Seen) -> str:
        if self._bearer is not None:
            if seen.headers.get("authorization") != f"Bearer {self._bearer}":
                seen.wrong = "another token"
                raise BadSignature(seen.wrong)
            return self._bearer
        try:
            return verify(seen.method, seen.target, seen.headers, self._keys)
        except (BadSignature, KeyError, ValueError) as error:
            seen.wrong = repr(error)
            raise BadSignature(seen.wrong) from None

    def _read_body(self, seen: Seen, connection: socket.socket, reader) -> None:
        if "chunked" in seen.headers.get("transfer-encoding", ""):
            while size := int(reader.readline(1024).split(b";")[0], 16):
                self._read_part(seen, connection, reader, size)
                assert reader.readline(1024) == b"\r\n"
            while reader.readline(1024) not in (b"\r\n", b""):
                pass
        else:
            self._read_part(seen, connection, reader, int(seen.headers.get("content-length", 0)))
        seen.complete = True

    def _read_part(self, seen: Seen, connection: socket.socket, reader, size: int) -> None:
        end = len(seen.body) + size
        parts = bytearray(seen.body)
        while len(parts) < end:
            self._meet("body", connection, len(parts))
            piece = reader.read1(min(end - len(parts), 65536))
            if not piece:
                raise _Hangs
            parts += piece
            seen.body = bytes(parts) if len(parts) < 1 << 20 or len(parts) == end else seen.body

    # --- answers

    def _answer(self, seen: Seen) -> tuple[int, bytes, dict[str, str]]:
        path = unquote(urlsplit(seen.target).path)
        if answer := self.answers.get((seen.method, path)):
            return answer
        if not seen.signed_by:
            return 403, _error("SignatureDoesNotMatch"), {}
        if seen.method == "PUT":
            return self._keep(seen, path)
        if seen.method == "POST":  # CompleteMultipartUpload and DeleteObjects.
            return 200, self.completed, {"Content-Type": "application/xml"}
        if seen.method == "DELETE":
            self.objects.pop(path, None)
            return 204, b"", {}
        if path not in self.objects:
            return 404, _error("NoSuchKey"), {"Content-Type": "application/xml"}
        body = self.objects[path]
        return 200, body, {"ETag": _etag(body), "Content-Type": "application/octet-stream"}

    def _keep(self, seen: Seen, path: str) -> tuple[int, bytes, dict[str, str]]:
        body, said = seen.body, seen.headers["x-amz-content-sha256"] if not self._bearer else ""
        if said == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
            body = _unchunked(body)
            if len(body) != int(seen.headers["x-amz-decoded-content-length"]):
                return 400, _error("IncompleteBody"), {}
        elif said not in ("", "UNSIGNED-PAYLOAD") and hashlib.sha256(body).hexdigest() != said:
            return 400, _error("XAmzContentSHA256Mismatch"), {}
        if "x-amz-copy-source" in seen.headers:
            body = self.objects["/" + unquote(seen.headers["x-amz-copy-source"]).lstrip("/")]
        self.objects[path] = body
        return 200, b"", {"ETag": _etag(body)}

    def _write(
        self,
        connection: socket.socket,
        seen: Seen,
        status: int,
        body: bytes,
        fields: dict[str, str],
    ) -> bool:
        data = _answer(status, body, fields, head=seen.method == "HEAD")
        if self._meet("idle", connection) == "extra":
            connection.sendall(data + _answer(200, b"for somebody else"))
            return True
        head = data.index(b"\r\n\r\n") + 4
        if self._faults and self._faults[0].point == "answer head":
            connection.sendall(data[:20])
            if self._meet("answer head", connection) == "slow":
                for byte in data[20:head]:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.002)
            else:
                connection.sendall(data[20:head])
        else:
            connection.sendall(data[:head])
        rest = data[head:]
        if self._faults and self._faults[0].point == "answer body":
            begun = self._faults[0].after
            connection.sendall(rest[:begun])
            what = self._meet("answer body", connection)
            if what == "drip":
                for byte in rest[begun : begun + 12]:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.2)
                connection.sendall(rest[begun + 12 :])
            elif what == "slow":
                for start in range(begun, len(rest), 100):
                    connection.sendall(rest[start : start + 100])
                    time.sleep(0.005)
            else:
                connection.sendall(rest[begun:])
        else:
            connection.sendall(rest)
        return True


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>of the origin</Message></Error>".encode()


def _answer(
    status: int,
    body: bytes,
    fields: dict[str, str] | None = None,
    *,
    head: bool = False,
    close: bool = False,
) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    if status == 204:
        del lines[1]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head else body)


def _unchunked(body: bytes) -> bytes:
    """Returns what an aws-chunked body carries; its trailers are not looked at."""
    data = b""
    while True:
        line, _, body = body.partition(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return data
        data, body = data + body[:size], body[size + 2 :]
