"""The extensions of HTTP responses: trailers, early hints, path send, zero copy send, push.

Source: ASGI, "Extensions".
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from pathlib import Path
from typing import Any

import pytest

from support.asgi import AsgiServer, Message, Receive, Scope, Send
from support.http1 import Closed, Response

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]


def start(status: int = 200, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, **more}


def body(data: Any = b"", **more: Any) -> Message:
    return {"type": "http.response.body", "body": data, **more}


def trailers(*pairs: tuple[bytes, bytes], **more: Any) -> Message:
    return {"type": "http.response.trailers", "headers": list(pairs), **more}


def hint(*links: Any) -> Message:
    return {"type": "http.response.early_hint", "links": list(links)}


def pathsend(path: Any) -> Message:
    return {"type": "http.response.pathsend", "path": path}


def zerocopy(file: Any, **more: Any) -> Message:
    return {"type": "http.response.zerocopysend", "file": file, **more}


class Sending:
    """An application that sends messages, and keeps the exception that ends it."""

    def __init__(self, *messages: Message) -> None:
        self._messages = messages
        self.raised: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            for message in self._messages:
                await send(message)
        except BaseException as error:
            self.raised = error
            raise


def answer(
    *messages: Message, headers: tuple[tuple[str, str], ...] = (), method: str = "GET"
) -> Response:
    app = Sending(*messages)
    with AsgiServer(app) as server, server.connect() as client:
        response = client.request(method, headers=headers)
        if app.raised is None:  # Nothing is left on the connection.
            assert client.request(method, headers=headers).status == response.status
    return response


TE = (("TE", "trailers"),)


# --- http.response.trailers


def test_trailers_follow_the_body_of_a_client_that_asked_for_them():
    response = answer(
        start(trailers=True, headers=[(b"trailer", b"x-sum")]),
        body(b"abc", more_body=True),
        body(b"def"),
        trailers((b"x-sum", b"42")),
        headers=TE,
    )
    assert response.body == b"abcdef"
    assert response.trailers == [("x-sum", "42")]
    assert response.get("transfer-encoding") == "chunked"


def test_trailers_may_come_in_several_messages():
    response = answer(
        start(trailers=True),
        body(b"abc"),
        trailers((b"x-a", b"1"), more_trailers=True),
        trailers((b"x-b", b"2"), (b"X-C", b"3"), more_trailers=True),
        trailers(),
        headers=TE,
    )
    assert response.body == b"abc"
    assert response.trailers == [("x-a", "1"), ("x-b", "2"), ("x-c", "3")]


def test_trailers_that_nobody_asked_for_are_left_out():
    response = answer(start(trailers=True), body(b"abc"), trailers((b"x-sum", b"42")))
    assert response.body == b"abc"
    assert response.trailers == []
    assert response.get("content-length") == "3"


def test_a_head_response_has_no_trailers():
    response = answer(
        start(trailers=True), body(b"abc"), trailers((b"x", b"y")), headers=TE, method="HEAD"
    )
    assert (response.status, response.body, response.trailers) == (200, b"", [])


def test_promised_trailers_that_do_not_come_cut_the_response():
    app = Sending(start(trailers=True), body(b"abc"))
    with AsgiServer(app) as server, server.connect() as client, pytest.raises(Closed):
        client.request(headers=TE)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (trailers(("x", "y")), TypeError),  # type: ignore[arg-type]
        (trailers((b"x", b"y\r\n")), ValueError),
        ({"type": "http.response.trailers", "headers": 1}, TypeError),
        (body(b"more"), RuntimeError),
    ],
    ids=repr,
)
def test_what_is_wrong_after_the_body_is_refused(message, error):
    app = Sending(start(trailers=True), body(b"abc"), message)
    with AsgiServer(app) as server, server.connect() as client, contextlib.suppress(Closed):
        client.request(headers=TE)
    assert type(app.raised) is error


# --- http.response.early_hint


def test_early_hints_are_interim_responses():
    response = answer(hint(b"</a.css>; rel=preload"), start(), body(b"abc"))
    assert [interim.status for interim in response.interim] == [103]
    assert response.interim[0].all("link") == ["</a.css>; rel=preload"]
    assert response.body == b"abc"


def test_early_hints_may_follow_the_start_and_be_several():
    response = answer(
        hint(b"</a>"), start(), hint(b"</b>", bytearray(b"</c>")), hint(), body(b"abc")
    )
    assert [interim.all("link") for interim in response.interim] == [["</a>"], ["</b>", "</c>"], []]
    assert response.body == b"abc"


def test_http_1_0_gets_no_early_hints():
    app = Sending(hint(b"</a>"), start(), body(b"abc"))
    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        response = client.response()
    assert (response.interim, response.body) == ([], b"abc")


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([{"type": "http.response.early_hint"}], KeyError),
        ([hint("</a>")], TypeError),
        ([{"type": "http.response.early_hint", "links": 1}], TypeError),
        ([hint(b"</a>\r\nx: y")], ValueError),
        ([start(), body(b"a", more_body=True), hint(b"</a>")], RuntimeError),
    ],
    ids=repr,
)
def test_wrong_early_hints_are_refused(messages, error):
    app = Sending(*messages)
    with AsgiServer(app) as server, server.connect() as client, contextlib.suppress(Closed):
        client.request()
    assert type(app.raised) is error


# --- http.response.push


def test_a_push_is_ignored():
    push = {"type": "http.response.push", "path": "/x", "headers": []}
    assert answer(push, start(), push, body(b"abc")).body == b"abc"


# --- http.response.pathsend


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(i % 251 for i in range(300_000)))
    return path


def length_of(path: Path) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", str(path.stat().st_size).encode())]


def test_a_path_is_the_whole_body(file):
    response = answer(start(headers=length_of(file)), pathsend(str(file)))
    assert response.body == file.read_bytes()


def test_a_path_without_a_content_length_gets_one(file):
    response = answer(start(), pathsend(str(file)))
    assert response.get("content-length") == "300000"
    assert response.body == file.read_bytes()


def test_an_empty_file(tmp_path):
    (tmp_path / "empty").touch()
    assert answer(start(), pathsend(str(tmp_path / "empty"))).body == b""


def test_a_path_may_be_pathlike_and_have_any_name(tmp_path):
    path = tmp_path / "ü \udc80"
    path.write_bytes(b"abc")
    assert answer(start(), pathsend(path)).body == b"abc"
    assert answer(start(), pathsend(str(path))).body == b"abc"


def test_head_sends_no_file(file):
    response = answer(start(headers=length_of(file)), pathsend(str(file)), method="HEAD")
    assert response.get("content-length") == "300000"


def test_trailers_may_follow_a_path(file):
    response = answer(start(trailers=True), pathsend(str(file)), trailers((b"x", b"y")), headers=TE)
    assert response.body == file.read_bytes()
    assert response.trailers == [("x", "y")]


def test_the_file_may_be_gone_when_send_is_through(file):
    data = file.read_bytes()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(pathsend(str(file)))
        file.unlink()

    with AsgiServer(app) as server:
        assert server.request().body == data


def test_a_path_that_cannot_be_sent_raises_before_anything_left(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    cases: list[tuple[Any, type[BaseException]]] = [
        (str(tmp_path / "missing"), FileNotFoundError),
        (str(tmp_path), IsADirectoryError),
        (str(tmp_path / "fifo"), OSError),
        ("/dev/null", OSError),
        ("relative", ValueError),
        ("", ValueError),
        (str(tmp_path / "a\0b"), ValueError),
        (1, TypeError),
        (None, TypeError),
    ]
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        for path, _ in cases:
            try:
                await send(pathsend(path))
            except BaseException as error:
                raised.append(error)
        await send(body(b"fallback"))

    with AsgiServer(app) as server:
        assert server.request().body == b"fallback"
    assert len(raised) == len(cases)
    for error, (path, expected) in zip(raised, cases, strict=True):
        assert isinstance(error, expected), (path, error)
    assert raised[0].filename == str(tmp_path / "missing")  # type: ignore[attr-defined]


@pytest.mark.parametrize("before", [[], [start(), body(b"a", more_body=True)]], ids=repr)
def test_a_path_does_not_mix_with_a_body(before, file, caplog):
    app = Sending(*before, pathsend(str(file)))
    with AsgiServer(app) as server, server.connect() as client, contextlib.suppress(Closed):
        client.request()
    assert type(app.raised) is RuntimeError


def test_no_descriptor_is_left_open(file):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(pathsend(str(file)))

    with AsgiServer(app) as server, server.connect() as client:
        client.request()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            client.request()
        with server.connect() as left:
            left.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            left.reset()
        client.request()
        assert len(os.listdir("/proc/self/fd")) <= before + 1


# --- http.response.zerocopysend


def test_a_whole_file_object(file):
    with file.open("rb") as opened:
        response = answer_once(start(), zerocopy(opened))
        assert not opened.closed
        assert opened.fileno() >= 0
    assert response.body == file.read_bytes()


def answer_once(*messages: Message) -> Response:
    app = Sending(*messages)
    with AsgiServer(app) as server:
        return server.request()


def test_a_descriptor_number(file):
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert answer_once(start(), zerocopy(descriptor)).body == file.read_bytes()
        os.fstat(descriptor)  # Still open.
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        (None, None, (0, 300_000)),
        (0, 10, (0, 10)),
        (100_000, None, (100_000, 300_000)),
        (299_990, 100, (299_990, 300_000)),  # As os.sendfile(): what there is.
        (400_000, 10, (0, 0)),
        (5, 0, (0, 0)),
    ],
)
def test_offset_and_count(file, offset, count, expected):
    parts = {"offset": offset, "count": count}
    with file.open("rb", buffering=0) as opened:
        response = answer_once(start(), zerocopy(opened, **parts))
    assert response.body == file.read_bytes()[slice(*expected)]


def test_without_an_offset_the_position_of_the_file_is_used_and_moved(file):
    data = file.read_bytes()
    with file.open("rb", buffering=0) as opened:
        opened.seek(1000)
        response = answer_once(
            start(),
            zerocopy(opened, count=500, more_body=True),
            zerocopy(opened, count=500, offset=0, more_body=True),
            zerocopy(opened, count=500),
        )
        assert opened.tell() == 2000
    assert response.body == data[1000:1500] + data[:500] + data[1500:2000]


def test_it_mixes_with_bodies(file):
    with file.open("rb", buffering=0) as opened:
        response = answer_once(
            start(),
            body(b"<", more_body=True),
            zerocopy(opened, count=100_000, more_body=True),
            body(b">"),
        )
    assert response.body == b"<" + file.read_bytes()[:100_000] + b">"


def test_the_application_may_close_the_file_at_once(file):
    data = file.read_bytes()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        with file.open("rb") as opened:
            await send(zerocopy(opened, more_body=True))
        await send(body())

    with AsgiServer(app) as server:
        assert server.request().body == data


def test_a_slow_client_suspends_it(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"x" * 1_000_000)
    done: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        with path.open("rb") as opened:
            for i in range(32):
                await send(zerocopy(opened, offset=0, more_body=True))
                done.append(i)
        await send(body())

    with AsgiServer(app) as server, server.connect(receive_buffer=4096) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")

        async def settle() -> None:
            await asyncio.sleep(0.2)

        asyncio.run(settle())
        assert len(done) < 32
        assert len(client.response().body) == 32_000_000


def test_what_is_not_a_regular_file_is_refused(file):
    reader, writer = os.pipe()
    cases: list[tuple[Message, type[BaseException]]] = [
        ({"type": "http.response.zerocopysend"}, KeyError),
        (zerocopy(io.BytesIO(b"x")), io.UnsupportedOperation),
        (zerocopy("file"), TypeError),
        (zerocopy(-1), ValueError),
        (zerocopy(reader), OSError),
        (zerocopy(12345), OSError),
        (zerocopy(0, offset="1"), TypeError),
        (zerocopy(0, offset=-1), ValueError),
        (zerocopy(0, count=1.5), TypeError),
        (zerocopy(0, count=-1), ValueError),
    ]
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        with file.open("rb") as opened:
            for message, _ in cases:
                if message.get("file") == 0:
                    message["file"] = opened
                try:
                    await send(message)
                except BaseException as error:
                    raised.append(error)
        await send(body(b"fallback"))

    try:
        with AsgiServer(app) as server:
            assert server.request().body == b"fallback"
    finally:
        os.close(reader)
        os.close(writer)
    assert len(raised) == len(cases)
    for error, (message, expected) in zip(raised, cases, strict=True):
        assert isinstance(error, expected), (message, error)
