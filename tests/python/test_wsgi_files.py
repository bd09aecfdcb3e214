"""wsgi.file_wrapper: files as the body of a response, by the kernel where that is right.

Source: PEP 3333, "Optional Platform-Specific File Handling".
"""

from __future__ import annotations

import gzip
import io
import os
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import ServeThread
from support.http1 import Closed, Response
from support.server import ServerThread
from support.wsgi import PLAIN, Environ, StartResponse, until, validated

pytestmark = pytest.mark.sanitize

CONTENT = random.Random(5).randbytes(300_000)

Opened = Callable[[Path], Any]


class Wrapping:
    """A server whose application wraps what `make` opens, and keeps it.

    Attributes:
        opened: the file-like object of the last request.
        reads: the sizes it was asked for, if it is a `Counted`.
        headers: of the response.
        block: the second argument of the wrapper, if there is one.
    """

    def __init__(self, serve_here: ServeThread, path: Path, *, check: bool = False) -> None:
        self.path = path
        self.make: Opened = lambda path: path.open("rb")
        self.headers = PLAIN
        self.block: int | None = None
        self.opened: Any = None
        self.server: ServerThread = serve_here(validated(self._app) if check else self._app)

    def _app(self, environ: Environ, start_response: StartResponse) -> Any:
        self.opened = self.make(self.path)
        start_response("200 OK", self.headers)
        arguments = [self.opened] + ([self.block] if self.block else [])
        return environ["wsgi.file_wrapper"](*arguments)

    def get(self, method: str = "GET") -> Response:
        return self.server.request(method)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content.bin"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def wrapping(serve_here: ServeThread, path: Path) -> Wrapping:
    return Wrapping(serve_here, path)


class Counted(io.BytesIO):
    """Has no descriptor, and counts how it is read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int] = []
        self.closes = 0

    def read(self, size: int = -1, /) -> bytes:  # type: ignore[override]
        self.reads.append(size)
        return super().read(size)

    def close(self) -> None:
        self.closes += 1
        super().close()


class OnlyRead:
    """The least that can be wrapped."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._data.read(size)


def at(offset: int, mode: str = "rb", **options: Any) -> Opened:
    def opened(path: Path) -> Any:
        file = open(path, mode, **options)  # noqa: SIM115 - the server closes it.
        file.seek(offset)
        return file

    return opened


def read_ahead(path: Path) -> Any:
    file = path.open("rb")
    file.read(10)  # Reads a whole buffer from the descriptor.
    return file


def temporary(path: Path) -> Any:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it.
    file.write(CONTENT)
    file.seek(100)
    return file


@pytest.mark.parametrize(
    ("make", "offset"),
    [
        (at(0), 0),
        (at(1234), 1234),
        (at(len(CONTENT)), len(CONTENT)),
        (at(len(CONTENT) + 50), len(CONTENT)),
        (at(77, "rb", buffering=0), 77),
        (at(77, "r+b"), 77),
        (read_ahead, 10),
        (temporary, 100),
    ],
    ids=["start", "offset", "end", "beyond", "unbuffered", "random", "read-ahead", "temporary"],
)
def test_a_regular_file_is_sent_from_where_it_stands(wrapping: Wrapping, make: Opened, offset: int):
    wrapping.make = make
    response = wrapping.get()
    assert response.get("content-length") == str(len(CONTENT) - offset)
    assert response.body == CONTENT[offset:]
    assert until(lambda: wrapping.opened.closed)


@pytest.mark.parametrize("length", [0, 1, 1000, len(CONTENT) - 50])
def test_as_much_of_a_file_as_was_declared_is_sent(wrapping: Wrapping, caplog, length: int):
    wrapping.make = at(50)
    wrapping.headers = [("Content-Length", str(length))]
    with wrapping.server.connect() as client:
        for _ in range(2):
            response = client.request()
            assert response.body == CONTENT[50 : 50 + length]
            assert until(lambda: wrapping.opened.closed)
    assert caplog.messages == []


def test_a_file_that_is_shorter_than_was_declared_is_no_answer(wrapping: Wrapping, caplog):
    wrapping.headers = [("Content-Length", str(len(CONTENT) + 1))]
    assert wrapping.get().status == 500  # Nothing has left yet.
    assert until(lambda: wrapping.opened.closed and caplog.records)
    assert "shorter" in str(caplog.records[0].exc_info[1])


@pytest.mark.parametrize(("known", "moved"), [(True, 0), (False, len(CONTENT))])
def test_the_kernel_reads_a_regular_file_and_the_application_others(
    wrapping: Wrapping, known: bool, moved: int
):
    shared = []

    def make(path: Path) -> Any:
        file = path.open("rb", buffering=0)
        shared.append(os.dup(file.fileno()))  # With the position of the other.
        return file if known else Unknown(file)

    wrapping.make = make
    assert wrapping.get().body == CONTENT
    [descriptor] = shared
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == moved
    os.close(descriptor)


class Unknown:
    """A wrapper with a descriptor, of which nobody knows what read() makes of it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.fileno = file.fileno
        self.tell = file.tell
        self.close = file.close
        self.closed = False

    def read(self, size: int) -> bytes:
        return self._file.read(size)


class Doubles(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size) * 2


@pytest.mark.parametrize("kind", ["gzip", "buffered-gzip", "own-read", "pipe", "descriptor"])
def test_what_reads_other_bytes_than_its_descriptor_has_is_read(
    wrapping: Wrapping, path: Path, kind: str
):
    expected = CONTENT
    if kind in ("gzip", "buffered-gzip"):
        path.write_bytes(gzip.compress(CONTENT))
        wrapping.make = gzip.open if kind == "gzip" else buffered_gzip  # type: ignore[assignment]
    elif kind == "own-read":
        wrapping.make = lambda path: Doubles(io.FileIO(path))
        expected = b"".join(CONTENT[at : at + 65536] * 2 for at in range(0, len(CONTENT), 65536))
    elif kind == "pipe":
        wrapping.make = pipe
    else:
        wrapping.make = lambda path: Unknown(path.open("rb"))
    response = wrapping.get()
    assert response.get("transfer-encoding") == "chunked"
    assert response.body == expected


def buffered_gzip(path: Path) -> Any:
    return io.BufferedReader(gzip.open(path))  # type: ignore[arg-type]


def pipe(path: Path) -> Any:
    reader, writer = os.pipe()

    def fill() -> None:
        with open(writer, "wb") as file:
            file.write(CONTENT)

    threading.Thread(target=fill).start()
    return open(reader, "rb")


@pytest.mark.parametrize("make", [Counted, OnlyRead])
def test_any_object_with_read_will_do(wrapping: Wrapping, make: Any):
    wrapping.make = lambda path: make(CONTENT)
    assert wrapping.get().body == CONTENT


def test_the_size_of_blocks_is_that_of_the_application(wrapping: Wrapping):
    wrapping.make = lambda path: Counted(b"x" * 250)
    wrapping.block = 100
    assert wrapping.get().body == b"x" * 250
    assert wrapping.opened.reads == [100] * 4


def test_the_validator_has_nothing_to_say(serve_here: ServeThread, path: Path):
    assert Wrapping(serve_here, path, check=True).get().body == CONTENT


@pytest.mark.parametrize("make", [at(0), lambda _: Counted(CONTENT)], ids=["file", "object"])
def test_head_sends_nothing_and_closes(wrapping: Wrapping, make: Opened):
    wrapping.make = make
    with wrapping.server.connect() as client:
        for _ in range(2):
            response = client.request("HEAD")
            assert (response.status, response.body) == (200, b"")
    assert until(lambda: wrapping.opened.closed)


def test_the_file_is_closed_once(wrapping: Wrapping):
    wrapping.make = lambda path: Counted(CONTENT)
    wrapping.get()
    assert until(lambda: wrapping.opened.closes)
    assert wrapping.opened.closes == 1


def test_the_application_may_close_its_file_before_it_is_sent(wrapping: Wrapping):
    # As soon as the server calls close(): by then it has a descriptor of its own.
    with wrapping.server.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert until(lambda: wrapping.opened is not None and wrapping.opened.closed)
        assert client.response().body == CONTENT


def test_descriptors_are_given_back(wrapping: Wrapping):
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    wrapping.get()
    before = count()
    for _ in range(20):
        with wrapping.server.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.read_some()
            client.reset()
    assert until(lambda: count() <= before)


def test_something_written_before_comes_first(serve_here: ServeThread, path: Path):
    def app(environ: Environ, start_response: StartResponse) -> Any:
        start_response("200 OK", PLAIN)(b"before ")
        return environ["wsgi.file_wrapper"](path.open("rb"))

    assert serve_here(app).request().body == b"before " + CONTENT


def test_the_wrapper_can_be_iterated_by_others(serve_here: ServeThread, path: Path):
    """Middleware does: it neither knows nor cares what the server made."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        wrapped = environ["wsgi.file_wrapper"](path.open("rb"), 1000)
        assert iter(wrapped) is wrapped
        try:
            for block in wrapped:
                yield block[::-1]
        finally:
            wrapped.close()

    body = serve_here(app).request().body
    assert body == b"".join(CONTENT[at : at + 1000][::-1] for at in range(0, len(CONTENT), 1000))


def test_arguments_that_are_none_of_it_raise(serve_here: ServeThread):
    raised = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        wrapper = environ["wsgi.file_wrapper"]
        for arguments in [(), (io.BytesIO(), 0), (io.BytesIO(), -1), (io.BytesIO(), "x")]:
            try:
                wrapper(*arguments)
            except (TypeError, ValueError) as error:
                raised.append(type(error))
        start_response("200 OK", PLAIN)
        return []

    serve_here(app).request()
    assert raised == [TypeError, ValueError, ValueError, TypeError]


def test_a_read_that_fails_midway_cuts_the_connection(wrapping: Wrapping, caplog):
    class Fails(Counted):
        def read(self, size: int = -1, /) -> bytes:  # type: ignore[override]
            if len(self.reads) == 2:
                raise OSError("the disk is gone")
            return super().read(size)

    wrapping.make = lambda path: Fails(CONTENT)
    with wrapping.server.connect() as client, pytest.raises(Closed):
        client.request()
    assert until(lambda: wrapping.opened.closes == 1 and caplog.records)
    assert "the disk is gone" in str(caplog.records[0].exc_info[1])
