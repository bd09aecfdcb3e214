"""wsgi.input: reading a request body as a file, as it comes.

Source: PEP 3333, "Input and Error Streams".
"""

from __future__ import annotations

import contextlib
import io
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import tercel
from support.fixtures import ServeThread
from support.server import ServerThread
from support.wsgi import Environ, Kept, StartResponse, plain, validated

pytestmark = pytest.mark.sanitize

TEXT = b"one\ntwo\n\nfour\r\nlast without an end"
# Longer than what is collected before the application gets the request.
LARGE = bytes(random.Random(3).choices(b"abcdefgh\n", k=300_000))

Use = Callable[[Any], Any]


class Reader:
    """A server whose application does to wsgi.input what the test says, and answers the repr."""

    def __init__(self, serve_here: ServeThread, *, check: bool = True) -> None:
        self.use: Use = lambda stream: stream.read(10)
        self.server: ServerThread = serve_here(validated(self._app) if check else self._app)

    def _app(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return plain(start_response, repr(self.use(environ["wsgi.input"])))

    def post(self, body: bytes, *, chunks: int = 0) -> str:
        """Posts `body`, chunked in pieces of `chunks` bytes unless that is 0."""
        with self.server.connect() as client:
            if chunks:
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                pieces = [body[at : at + chunks] for at in range(0, len(body), chunks)]
                for piece in pieces:
                    client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                client.send(b"0\r\n\r\n")
                response = client.response()
            else:
                response = client.request("POST", body=body)
            assert response.status == 200
            return response.body.decode()


@pytest.fixture
def reader(serve_here: ServeThread) -> Reader:
    return Reader(serve_here)


@pytest.fixture
def free_reader(serve_here: ServeThread) -> Reader:
    """Without the validator, which wants one argument for each call."""
    return Reader(serve_here, check=False)


# Each is done to wsgi.input and to a BytesIO of the same bytes, and has to have the same result.
USES: dict[str, Use] = {
    "read": lambda stream: stream.read(),
    "read-none": lambda stream: stream.read(None),
    "read-negative": lambda stream: stream.read(-1),
    "read-zero": lambda stream: (stream.read(0), stream.read(2)),
    "read-in-pieces": lambda stream: [stream.read(7) for _ in range(len(LARGE) // 7 + 3)][-4:],
    "read-too-much": lambda stream: (stream.read(10**9), stream.read(1), stream.read()),
    "readline": lambda stream: [stream.readline() for _ in range(7)],
    "readline-size": lambda stream: [stream.readline(2) for _ in range(9)],
    "readline-zero": lambda stream: (stream.readline(0), stream.readline()),
    "readline-negative": lambda stream: stream.readline(-1),
    "readline-none": lambda stream: stream.readline(None),
    "readlines": lambda stream: stream.readlines(),
    "readlines-hint": lambda stream: [stream.readlines(5), stream.readlines(5), stream.read()],
    "readlines-zero": lambda stream: stream.readlines(0),
    "readlines-none": lambda stream: stream.readlines(None),
    "iteration": lambda stream: list(stream),
    "iteration-twice": lambda stream: (list(stream), list(stream)),
    "mixed": lambda stream: (
        stream.readline(), stream.read(2), next(stream, b""), stream.readline(3),
        stream.readlines(1), stream.read(),
    ),
    "next-at-the-end": lambda stream: (stream.read(), next(stream, "end")),
    "line-after-read": lambda stream: (stream.read(4), stream.readline(), stream.read()),
}  # fmt: skip


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_it_reads_as_a_file_does(free_reader: Reader, use: Use):
    free_reader.use = use
    for body in (TEXT, b"", b"\n", LARGE):
        expected = repr(use(io.BytesIO(body)))
        assert free_reader.post(body) == expected
        assert free_reader.post(body, chunks=40_000) == expected
    assert free_reader.post(TEXT, chunks=5) == repr(use(io.BytesIO(TEXT)))


@pytest.mark.parametrize("name", ["read", "readline", "readlines"])
def test_arguments_that_are_none_of_it_raise(free_reader: Reader, name: str):
    def use(stream: Any) -> list[type]:
        raised = []
        for arguments in [("1",), (1.5,), (1, 2)]:
            try:
                getattr(stream, name)(*arguments)
            except TypeError as error:
                raised.append(type(error))
        return [*raised, stream.read()]

    free_reader.use = use
    assert free_reader.post(b"kept") == f"[{', '.join([repr(TypeError)] * 3)}, b'kept']"


def test_the_validator_has_nothing_to_say(reader: Reader):
    reader.use = lambda stream: (stream.read(4), stream.readline(9), list(stream))
    assert (
        reader.post(TEXT)
        == "(b'one\\n', b'two\\n', [b'\\n', b'four\\r\\n', b'last without an end'])"
    )


def test_a_request_without_a_body_is_at_its_end(free_reader: Reader):
    free_reader.use = lambda stream: (stream.read(), stream.readline(), list(stream))
    with free_reader.server.connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().body == b"(b'', b'', [])"
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().body == b"(b'', b'', [])"


def test_nothing_is_read_beyond_the_body(free_reader: Reader):
    free_reader.use = lambda stream: stream.read(1000)
    post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
    with free_reader.server.connect() as client:
        client.send(post + "one" + post + "two")
        assert client.response().body == b"b'one'"
        assert client.response().body == b"b'two'"


def test_a_read_has_what_is_there_before_the_rest_comes(serve_here: ServeThread):
    kept = Kept()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        stream = environ["wsgi.input"]
        for size in (4, 10, 3):
            kept.put(stream.read(size))
        return plain(start_response)

    with serve_here(app).connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70017\r\n\r\n")
        client.send(b"head")
        assert kept.get() == b"head"
        client.send(b"0123456789")
        assert kept.get() == b"0123456789"
        client.send(b"end" + b"x" * 70_000)
        assert kept.get() == b"end"
        assert client.response().status == 200


def test_a_line_that_comes_in_pieces_is_one_line(free_reader: Reader):
    free_reader.use = lambda stream: list(stream)
    with free_reader.server.connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n")
        line = b"l" * 39_999 + b"\n"
        for start in range(0, 40_000, 10_000):
            client.send(line[start : start + 10_000])
            time.sleep(0.005)
        client.send(line)
        assert client.response().body.decode() == repr([line, line])


def test_a_body_that_nobody_reads_holds_its_client_back(serve_here: ServeThread):
    go_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        go_on.wait(20)
        size = 0
        while part := environ["wsgi.input"].read(65536):
            size += len(part)
        return plain(start_response, str(size))

    size = 50_000_000
    with serve_here(app).connect() as client:
        client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
        client.socket.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < size:
                sent += client.socket.send(bytes(min(65536, size - sent)))
        # What the buffers of both sockets take.
        assert sent < 20_000_000
        go_on.set()
        client.socket.settimeout(20)
        client.socket.sendall(bytes(size - sent))
        assert client.response().body == b"50000000"


def test_continue_is_sent_when_the_application_reads(serve_here: ServeThread):
    go_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        go_on.wait(20)
        return plain(start_response, environ["wsgi.input"].read())

    with serve_here(app).connect() as client:
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.silent_for(0.2)
        go_on.set()
        assert client.interim_response().status == 100
        client.send("hi")
        assert client.response().body == b"hi"


def test_continue_is_not_sent_to_an_application_that_does_not_read(serve_here: ServeThread):
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        return plain(start_response, "unread")

    with serve_here(app).connect() as client:
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        response = client.response()
        assert (response.status, response.interim, response.body) == (200, [], b"unread")


def test_an_answer_before_the_end_of_the_body_is_not_lost(serve_here: ServeThread):
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("413 Too Much", [])
        return [environ["wsgi.input"].read(3)]

    with serve_here(app).connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "x" * 70_000)
        response = client.response()
        assert (response.status, response.body) == (413, b"xxx")


class TestBodiesThatEndTooEarly:
    @pytest.fixture
    def raised(self, serve_here: ServeThread) -> tuple[ServerThread, Kept]:
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            stream = environ["wsgi.input"]
            kept.put("called")
            try:
                while part := stream.read(65536):
                    del part
            except OSError as error:
                kept.put(error)
                try:
                    stream.readline()
                except OSError as again:
                    kept.put(again)
                raise
            return plain(start_response, "complete")

        return serve_here(app), kept

    @pytest.mark.parametrize(
        "head", ["Content-Length: 100000", "Transfer-Encoding: chunked"], ids=["length", "chunked"]
    )
    def test_a_read_raises_client_disconnected(self, raised, caplog, head: str):
        server, kept = raised
        begin = b"18000\r\n" + b"x" * 70_000 if "chunked" in head else b"x" * 70_000
        with server.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n")
            client.send(begin)
            assert kept.get() == "called"
            client.reset()
            assert isinstance(kept.get(), tercel.ClientDisconnected)
            assert isinstance(kept.get(), tercel.ClientDisconnected)
        # Its own fault: nobody is told of it.
        assert server.request("POST", body=b"").body == b"complete"
        assert not [record for record in caplog.records if record.levelname == "ERROR"]

    def test_a_broken_chunk_is_no_end(self, raised):
        server, kept = raised
        with server.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(b"18000\r\n" + b"x" * 0x18000 + b"\r\n")
            assert kept.get() == "called"
            client.send(b"no size\r\n")
            assert isinstance(kept.get(), tercel.ClientDisconnected)
            assert client.response().status == 400

    def test_one_of_moderate_size_never_reaches_the_application(self, raised):
        server, kept = raised
        with server.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            time.sleep(0.05)
            client.reset()
        with server.connect() as client:
            client.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"
            )
            assert client.response().status == 400
        assert server.request("POST", body=b"").body == b"complete"
        assert kept.get() == "called"  # By the last request.
        with pytest.raises(Exception):  # noqa: B017, PT011 - the queue's own.
            kept._queue.get_nowait()

    def test_half_a_close_within_the_body_is_an_end_of_it(self, raised):
        server, kept = raised
        with server.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            client.send(b"x" * 70_000)
            assert kept.get() == "called"
            client.half_close()
            assert isinstance(kept.get(), tercel.ClientDisconnected)
            assert client.response().status == 400
            client.expect_closed()


def test_it_is_of_no_use_after_the_request(serve_here: ServeThread):
    kept = Kept()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.put(environ["wsgi.input"])
        return plain(start_response)

    serve_here(app).request("POST", body=b"unread")
    stream = kept.get()
    time.sleep(0.05)
    with pytest.raises(RuntimeError, match="over"):
        stream.read()
