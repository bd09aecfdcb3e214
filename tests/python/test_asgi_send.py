"""send(), line by line of the checklist: what leaves the server, and what is refused.

Source: ASGI HTTP & WebSocket message format 2.5, "Response Start", "Response Body", "Disconnected
Client".
"""

from __future__ import annotations

import asyncio
import http
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import tercel
from support.asgi import (
    DISPATCHES,
    LOOPS,
    WAIT_S,
    AsgiServer,
    Message,
    Receive,
    Scope,
    Send,
    respond,
)
from support.http1 import Closed, RawClient, Response
from support.processes import environment_of_tests

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]


def start(status: Any = 200, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, **more}


def body(data: Any = b"", **more: Any) -> Message:
    return {"type": "http.response.body", "body": data, **more}


def sending(*messages: Message) -> Any:
    """An application that sends these messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def answer(*messages: Message, method: str = "GET") -> Response:
    """What a client gets from an application that sends these messages."""
    with AsgiServer(sending(*messages)) as server:
        return server.request(method)


class Attempt:
    """An application that tries messages, keeps what send() raised for each, and then answers."""

    def __init__(self, *messages: Any, before: tuple[Message, ...] = ()) -> None:
        self._messages = messages
        self._before = before
        self.raised: list[BaseException | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self._before:
            await send(message)
        for message in self._messages:
            try:
                await send(message)
                self.raised.append(None)
            except BaseException as error:
                self.raised.append(error)
        if not self._before:
            await send(start())
        await send(body(b"fine"))


def refusals(*messages: Any, before: tuple[Message, ...] = ()) -> list[BaseException | None]:
    """What send() raises for each message; the response afterwards is whole."""
    app = Attempt(*messages, before=before)
    with AsgiServer(app) as server:
        assert server.request().body == b"fine"
    return app.raised


def refusal(message: Any, *, before: tuple[Message, ...] = ()) -> BaseException:
    (error,) = refusals(message, before=before)
    assert error is not None, "nothing was raised"
    return error


# --- the head


def test_headers_are_optional_and_so_is_the_body():
    response = answer(start(204), {"type": "http.response.body"})
    assert response.status == 204
    response = answer(start(200), {"type": "http.response.body"})
    assert (response.status, response.body, response.get("content-length")) == (200, b"", "0")


@pytest.mark.parametrize("more_body", [False, None])
def test_a_single_body_gets_its_length(more_body):
    message = body(b"hello") if more_body is None else body(b"hello", more_body=more_body)
    response = answer(start(), message)
    assert response.get("content-length") == "5"
    assert response.get("transfer-encoding") is None
    assert response.body == b"hello"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-a", b"1"), (b"x-b", b"2")],
        ((b"x-a", b"1"), (b"x-b", b"2")),
        [[b"x-a", b"1"], [b"x-b", b"2"]],
        {b"x-a": b"1", b"x-b": b"2"}.items(),
        [(bytearray(b"x-a"), memoryview(b"1")), (memoryview(b"x-b"), bytearray(b"2"))],
        iter([iter((b"x-a", b"1")), (b"x-b", b"2")]),
    ],
    ids=["list", "tuple", "lists", "view", "buffers", "iterator"],
)
def test_headers_may_be_any_iterable_of_pairs_of_bytes(headers):
    response = answer(start(headers=headers), body())
    assert [pair for pair in response.headers if pair[0].startswith("x-")] == [
        ("x-a", "1"),
        ("x-b", "2"),
    ]


def test_headers_keep_their_order_and_are_written_in_lower_case():
    pairs = [(b"X-B", b"1"), (b"Set-Cookie", b"a"), (b"x-a", b"2"), (b"set-cookie", b"b")]
    response = answer(start(headers=pairs), body())
    sent = [pair for pair in response.headers if pair[0] in ("x-a", "x-b", "set-cookie")]
    assert sent == [("x-b", "1"), ("set-cookie", "a"), ("x-a", "2"), ("set-cookie", "b")]


def test_many_headers():
    pairs = [(b"x-%d" % i, b"v" * 100) for i in range(1000)]
    response = answer(start(headers=pairs), body())
    assert len([name for name, _ in response.headers if name.startswith("x-")]) == 1000
    error = refusal(start(headers=[(b"x", b"y")] * 1025))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("status", [200, 299, 404, 599, http.HTTPStatus.ACCEPTED])
def test_status(status):
    assert answer(start(status), body()).status == int(status)


def test_default_headers_are_not_doubled_when_the_application_sets_them():
    response = answer(start(headers=[(b"server", b"mine"), (b"date", b"now")]), body())
    assert (response.get("server"), response.get("date")) == ("mine", "now")
    response = answer(start(), body())
    assert response.get("server") == "tercel"
    assert response.get("date") is not None


def test_framing_is_the_servers():
    pairs = [(b"transfer-encoding", b"chunked"), (b"keep-alive", b"x"), (b"upgrade", b"y")]
    response = answer(start(headers=pairs), body(b"hello"))
    assert response.all("transfer-encoding") == []
    assert response.all("keep-alive") == response.all("upgrade") == []
    assert response.body == b"hello"


def test_connection_close_is_honoured():
    app = sending(start(headers=[(b"connection", b"close")]), body(b"hello"))
    with AsgiServer(app) as server, server.connect() as client:
        response = client.request()
        assert response.get("connection") == "close"
        client.expect_closed()


@pytest.mark.parametrize(
    "pair",
    [
        (b"x-a", b"1\r\nx-b: 2"),
        (b"x-a", b"1\n"),
        (b"x-a", b"\r"),
        (b"x-a", b"a\0b"),
        (b"x-a\r\nx-b", b"1"),
        (b"x a", b"1"),
        (b"x:a", b"1"),
        (b"", b"1"),
    ],
)
def test_header_injection_is_refused_before_a_byte_leaves(pair):
    error = refusal(start(headers=[(b"x-before", b"1"), pair]))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (None, TypeError),
        ("http.response.start", TypeError),
        ([("type", "http.response.start")], TypeError),
        ({}, KeyError),
        ({"type": None}, TypeError),
        ({"type": b"http.response.start"}, TypeError),
        ({"type": "http.response.start"}, KeyError),
        (start(None), TypeError),
        (start("200"), TypeError),
        (start(200.0), TypeError),
        (start(99), ValueError),
        (start(100), ValueError),
        (start(600), ValueError),
        (start(-1), ValueError),
        (start(10**30), ValueError),
        (start(headers=None), TypeError),
        (start(headers=1), TypeError),
        (start(headers=[("x", "y")]), TypeError),
        (start(headers=[(b"x", "y")]), TypeError),
        (start(headers=[("x", b"y")]), TypeError),
        (start(headers=[(b"x", 1)]), TypeError),
        (start(headers=[(b"x",)]), TypeError),
        (start(headers=[(b"x", b"y", b"z")]), TypeError),
        (start(headers=[b"xy"]), TypeError),
        (start(headers=["xy"]), TypeError),
        (start(headers=[None]), TypeError),
        (start(headers={b"xy": b"z"}), TypeError),
        (start(headers=[(b"content-length", b"1x")]), ValueError),
        (start(headers=[(b"content-length", b"-1")]), ValueError),
        (start(headers=[(b"content-length", b"1"), (b"content-length", b"2")]), ValueError),
        ({"type": "http.response.nonsense"}, RuntimeError),
        ({"type": "websocket.send"}, RuntimeError),
        ({"type": "http.response.debug", "info": {}}, RuntimeError),
        ({"type": "http.response.body"}, RuntimeError),
        ({"type": "http.response.trailers", "headers": []}, RuntimeError),
        ({"type": "http.response.pathsend", "path": "/x"}, RuntimeError),
    ],
    ids=repr,
)
def test_what_is_wrong_before_the_start_is_refused(message, error):
    assert type(refusal(message)) is error


def test_an_http_application_cannot_leave_http():
    """Not even one that was asked to switch: nobody would speak the other protocol."""
    seen: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start(101))
        except ValueError as refused:
            seen.append(refused)
        await send(start(200))
        await send(body(b"hello"))

    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    with AsgiServer(app, ws="none") as server, server.connect() as client:
        for _ in range(2):
            assert client.request(headers=upgrade).body == b"hello"
    assert len(seen) == 2


def test_an_iterable_of_headers_that_raises_raises_from_send():
    def headers() -> Any:
        yield (b"x-a", b"1")
        raise LookupError("mine")

    assert isinstance(refusal(start(headers=headers())), LookupError)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (start(), RuntimeError),
        (body("text"), TypeError),
        (body(1), TypeError),
        (body([b"x"]), TypeError),
        (body(None), TypeError),
        (body(memoryview(b"abcd")[::2]), BufferError),
        ({"type": "http.response.trailers", "headers": []}, RuntimeError),
        ({"type": "http.response.nonsense"}, RuntimeError),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", repr(value)),
)
def test_what_is_wrong_after_the_start_is_refused(message, error):
    assert type(refusal(message, before=(start(),))) is error


def test_after_the_response_is_complete_messages_are_refused():
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"done")
        for message in (start(), body(b"more"), {"type": "http.response.early_hint", "links": []}):
            with pytest.raises(RuntimeError, match="the response is complete") as info:
                await send(message)
            errors.append(info.value)

    with AsgiServer(app) as server, server.connect() as client:
        assert client.request().body == b"done"
        assert client.request().body == b"done"
    assert [type(error) for error in errors] == [RuntimeError] * 6


def test_extra_keys_are_ignored():
    assert answer(start(extra=1, reason="x"), body(b"hello", extra=2)).body == b"hello"


def test_messages_may_be_of_a_subclass_of_dict():
    class Mine(dict[str, Any]):
        pass

    assert answer(Mine(start()), Mine(body(b"hello"))).body == b"hello"


# --- the body


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("size", [0, 1, 300, 2048, 100_000, 3_000_000])
def test_body_types_and_sizes(kind, size):
    data = bytes(i % 251 for i in range(size))
    assert answer(start(), body(kind(data))).body == data


def test_a_slice_of_a_memoryview_is_sent_alone():
    data = memoryview(b"x" * 5000 + b"y" * 5000)
    assert answer(start(), body(data[4000:9000])).body == b"x" * 1000 + b"y" * 4000


def test_a_bytearray_may_change_as_soon_as_send_is_through():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        data = bytearray(b"a" * 100_000)
        await send(start())
        await send(body(data, more_body=True))
        data[:] = b"b" * 50_000  # Also resizes: nobody holds its buffer.
        await send(body(data))
        data.clear()

    with AsgiServer(app) as server:
        assert server.request().body == b"a" * 100_000 + b"b" * 50_000


def test_parts_are_chunked():
    response = answer(start(), body(b"a", more_body=True), body(b"", more_body=True), body(b"bc"))
    assert response.get("transfer-encoding") == "chunked"
    assert response.chunks == [b"a", b"bc"]


def test_parts_with_a_content_length_are_not_chunked():
    head = start(headers=[(b"content-length", b"3")])
    response = answer(head, body(b"a", more_body=True), body(b"bc"))
    assert response.get("content-length") == "3"
    assert response.get("transfer-encoding") is None
    assert response.body == b"abc"


def test_each_part_leaves_before_the_next_is_made():
    go_on = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(headers=[(b"content-type", b"text/event-stream")]))
        await send(body(b"", more_body=True))
        await asyncio.to_thread(go_on.wait, WAIT_S)
        go_on.clear()
        await send(body(b"data: 1\n\n", more_body=True))
        await asyncio.to_thread(go_on.wait, WAIT_S)
        await send(body(b""))

    # With I/O threads the parts of one chunk may arrive one by one.
    with AsgiServer(app, io_threads=0) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        head = client.read_some()
        assert head.startswith(b"HTTP/1.1 200")
        assert head.endswith(b"\r\n\r\n")
        go_on.set()
        assert client.read_some() == b"9\r\ndata: 1\n\n\r\n"
        go_on.set()
        assert client.read_some() == b"0\r\n\r\n"


@pytest.mark.parametrize("status", [200, 304])
@pytest.mark.parametrize("length", [None, b"5"])
def test_head_and_304_have_no_body_and_keep_the_length(status, length):
    pairs = [(b"content-length", length)] if length else []
    app = sending(start(status, headers=pairs), body(b"hello"))
    with AsgiServer(app) as server, server.connect() as client:
        method = "HEAD" if status == 200 else "GET"
        response = client.request(method)
        assert response.status == status
        if length:
            assert response.get("content-length") == "5"
        assert client.request(method).status == status  # Nothing was left on the connection.


def test_205_says_that_there_is_nothing():
    response = answer(start(205, headers=[(b"content-length", b"5")]), body(b"hello"))
    assert (response.status, response.get("content-length"), response.body) == (205, "0", b"")


def test_a_body_where_none_is_allowed_is_told_of_once():
    """In a process of its own: it is told once a process."""
    program = (
        "import support.asgi as a\n"
        "async def app(scope, receive, send):\n"
        "    await a.respond(send, b'hello', status=204)\n"
        "with a.AsgiServer(app) as server:\n"
        "    for _ in range(3):\n"
        "        assert server.request().status == 204\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment_of_tests(),
        check=True,
    )
    assert done.stderr.count("status 204") == 1


def test_204_has_neither_body_nor_length():
    app = sending(start(204, headers=[(b"content-length", b"5")]), body(b"hello"))
    with AsgiServer(app) as server, server.connect() as client:
        response = client.request()
        assert (response.status, response.get("content-length")) == (204, None)
        assert client.request().status == 204


def test_a_body_longer_than_its_length_is_refused_and_its_excess_not_sent(caplog):
    app = Attempt(body(b"hello world"), before=(start(headers=[(b"content-length", b"5")]),))
    with AsgiServer(app) as server, server.connect() as client:
        response = client.request()
        assert response.body == b"hello"
    assert isinstance(app.raised[0], RuntimeError)
    assert "longer than its Content-Length" in str(app.raised[0])


def test_a_body_shorter_than_its_length_cuts_the_connection(caplog):
    with (
        AsgiServer(
            sending(
                start(headers=[(b"content-length", b"9")]),
                body(b"abc", more_body=True),
                body(b"de"),
            )
        ) as server,
        server.connect() as client,
        pytest.raises(Closed),
    ):
        client.request()
    assert "shorter than its Content-Length" in caplog.text


def test_pipelined_requests_are_answered_in_order():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.05)
        await respond(send, scope["path"])

    with AsgiServer(app) as server, server.connect() as client:
        paths = ["/slow", "/a", "/b", "/slow", "/c"]
        client.send("".join(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n" for path in paths))
        assert [client.response().body.decode() for _ in paths] == paths


# --- pressure


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_client_suspends_send(loop, dispatch):
    chunk = b"x" * 65536
    sent: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        for _ in range(512):
            await send(body(chunk, more_body=True))
            sent.append(len(chunk))
        await send(body(b""))

    with (
        AsgiServer(app, loop=loop, dispatch=dispatch) as server,
        server.connect(receive_buffer=4096) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        # The kernel takes a few megabytes, the server less than one; then it has to wait.
        before = -1
        while before != len(sent):
            before = len(sent)
            time.sleep(0.05)
        assert 0 < len(sent) < 512
        assert len(client.response().body) == 512 * len(chunk)
    assert len(sent) == 512


def test_send_that_is_suspended_raises_when_the_client_leaves():
    raised: list[BaseException] = []
    done = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            while True:
                await send(body(b"x" * 65536, more_body=True))
        except BaseException as error:
            raised.append(error)
            raise
        finally:
            done.set()

    with AsgiServer(app) as server:
        client = server.connect(receive_buffer=4096)
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert not done.wait(0.1)
        client.reset()
        assert done.wait(WAIT_S)
        assert server.errors == []
    assert type(raised[0]) is tercel.ClientDisconnected


def test_a_cancelled_send_raises():
    heard: list[str] = []
    done = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())

        async def flood() -> None:
            while True:
                await send(body(b"x" * 65536, more_body=True))

        try:
            await asyncio.wait_for(flood(), 0.1)
        except TimeoutError:
            heard.append("timeout")
        done.set()

    with AsgiServer(app) as server, server.connect(receive_buffer=4096) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert done.wait(WAIT_S)
    assert heard == ["timeout"]


# --- the client is gone


def gone(
    act: Callable[[Send], Awaitable[None]], *, dispatch: str = "auto", loop: str = "tercel"
) -> tuple[list[BaseException | None], AsgiServer]:
    """Calls `act` twice after the client has reset, and returns what it raised."""
    raised: list[BaseException | None] = []
    called, done = threading.Event(), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        called.set()
        assert await receive() == {"type": "http.disconnect"}
        for _ in range(2):
            try:
                await act(send)
                raised.append(None)
            except BaseException as error:
                raised.append(error)
        done.set()

    with AsgiServer(app, dispatch=dispatch, loop=loop) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert called.wait(WAIT_S)
        client.reset()
        assert done.wait(WAIT_S)
    return raised, server


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("message", [start(), body(b"x"), body(b"x", more_body=True)], ids=repr)
def test_send_after_the_client_left_raises_an_oserror(message, dispatch, caplog):
    raised, server = gone(lambda send: send(message), dispatch=dispatch)
    assert [type(error) for error in raised] == [tercel.ClientDisconnected] * 2
    assert issubclass(tercel.ClientDisconnected, OSError)
    assert server.errors == []
    assert caplog.text == ""


def test_wrong_messages_are_refused_after_the_client_left_too():
    raised, _ = gone(lambda send: send({"type": 1}))
    assert [type(error) for error in raised] == [TypeError] * 2


def test_send_may_be_kept_for_ever():
    kept: list[Send] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kept.append(send)
        await respond(send)

    with AsgiServer(app) as server:
        server.request()
    with pytest.raises(RuntimeError, match="the response is complete"):
        kept[0](body(b"late"))


def test_send_takes_one_positional_argument():
    errors: list[type[BaseException]] = []

    async def app(scope: Scope, receive: Receive, send: Any) -> None:
        for call in (lambda: send(), lambda: send(start(), 1), lambda: send(message=start())):
            try:
                await call()
            except TypeError as error:
                errors.append(type(error))
        await respond(send, b"ok")

    with AsgiServer(app) as server:
        assert server.request().body == b"ok"
    assert errors == [TypeError] * 3


def test_send_returns_an_awaitable_that_tasks_take():
    async def app(scope: Scope, receive: Receive, send: Any) -> None:
        await asyncio.create_task(send(start()))
        await asyncio.gather(send(body(b"a", more_body=True)), send(body(b"b", more_body=True)))
        assert await send(body(b"c")) is None

    with AsgiServer(app) as server:
        assert server.request().body == b"abc"


def test_http_1_0_gets_its_end_by_the_close_of_the_connection():
    app = sending(start(), body(b"a", more_body=True), body(b"bc"))
    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        response = client.response()
    assert response.get("transfer-encoding") is None
    assert response.body == b"abc"


def test_a_unix_socket_serves_too(tmp_path):
    path = str(tmp_path / "socket")
    with AsgiServer(sending(start(), body(b"hello")), bind=f"unix:{path}"):
        with RawClient(path) as client:
            assert client.request().body == b"hello"
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(path)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        (b"x bad", b"a", "b'x bad'"),
        (b"x-split", b"a\r\nx: y", "b'x-split'"),
        (b"\xff\n", b"a", r"b'\xff\n'"),
        (b"", b"a", "b''"),
        (b"x" * 64 + b"\x00", b"a", f"b'{'x' * 64}'..."),
    ],
)
def test_a_malformed_field_is_named_and_its_value_is_not(name: bytes, value: bytes, shown: str):
    fields = [(b"x-good", b"1"), (name, value), (b"also bad", b"2")]
    error = refusal(start(headers=fields))
    assert type(error) is ValueError
    assert str(error) == f"a response header field has a forbidden name or byte: {shown}"


def test_a_malformed_early_hint_is_named():
    error = refusal({"type": "http.response.early_hint", "links": [b"<a>", b"b\r\n"]})
    assert str(error).endswith(": b'link'")


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_a_task_left_behind_learns_that_the_application_ended_the_response(
    started: bool, fails: bool
):
    raised: list[BaseException] = []
    over = threading.Event()

    async def late(send: Send) -> None:
        await asyncio.sleep(0.05)
        try:
            await send(body(b"late") if started else start())
        except BaseException as error:
            raised.append(error)
        over.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        app.task = asyncio.create_task(late(send))  # type: ignore[attr-defined]
        if started:
            await send(start())
            await send(body(b"part", more_body=True))
        if fails:
            raise ValueError("failed")

    with AsgiServer(app) as server, server.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert over.wait(WAIT_S)
    assert [type(error) for error in raised] == [RuntimeError]
    assert str(raised[0]) == (
        "the server has ended the response: the application returned or failed before it was"
        " complete"
    )


def test_a_task_left_behind_that_waits_for_room_is_told_too():
    raised: list[BaseException] = []
    over = threading.Event()

    async def late(send: Send) -> None:
        try:
            while True:
                await send(body(bytes(1 << 20), more_body=True))
        except BaseException as error:
            raised.append(error)
        over.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        app.task = asyncio.create_task(late(send))  # type: ignore[attr-defined]
        await asyncio.sleep(0.3)

    with AsgiServer(app) as server, server.connect(receive_buffer=4096) as client:
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert over.wait(WAIT_S)
    assert [type(error) for error in raised] == [RuntimeError]
