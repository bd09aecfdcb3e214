"""receive(), line by line of the checklist: what it delivers, when it waits; nothing is lost.

Source: ASGI HTTP & WebSocket message format 2.5, "Request", "Disconnect".
"""

from __future__ import annotations

import asyncio
import collections.abc
import inspect
import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from support.asgi import (
    DISPATCHES,
    LOOPS,
    WAIT_S,
    AsgiServer,
    Message,
    Receive,
    Scope,
    Send,
    read_body,
    respond,
)

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

DISCONNECT: Message = {"type": "http.disconnect"}


def request_message(body: bytes = b"", *, more_body: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more_body}


class Log:
    """Messages that an application heard, and a way for the test to wait for them."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def add(self, item: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.items) >= count, WAIT_S), self.items
        return self.items


POST = b"POST / HTTP/1.1\r\nHost: test\r\n"


def test_first_message_of_a_request_without_a_body_is_an_empty_request():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        await respond(send)

    with AsgiServer(app) as server:
        server.request("GET")
        server.request("POST", headers=[("Content-Length", "0")])
    assert log.items == [request_message(), request_message()]


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_a_small_body_is_one_message(dispatch):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        await respond(send)

    with AsgiServer(app, dispatch=dispatch) as server:
        server.request("POST", body=b"hello")
    assert log.items == [request_message(b"hello")]


def test_a_body_that_comes_in_parts_is_delivered_in_parts():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["more_body"]:
            log.add(message)
        log.add(message)
        await respond(send)

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + b"Content-Length: 9\r\n\r\nabc")
        log.wait(1)
        client.send(b"def")
        log.wait(2)
        client.send(b"ghi")
        client.response()
    assert log.items == [
        request_message(b"abc", more_body=True),
        request_message(b"def", more_body=True),
        request_message(b"ghi"),
    ]


def test_a_chunked_body_is_delivered_without_its_chunks():
    bodies = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append(await read_body(receive))
        await respond(send)

    with AsgiServer(app) as server, server.connect() as client:
        data = b"3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n"
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + data)
        client.response()
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        client.send_slowly(data)
        client.response()
    assert bodies == [b"abcdefg", b"abcdefg"]


def test_a_large_body_arrives_whole():
    body = bytes(range(256)) * 8192  # 2 MiB

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, str((await read_body(receive)) == body))

    with AsgiServer(app) as server:
        assert server.request("POST", body=body).body == b"True"


def test_messages_are_new_dicts():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        log.add(dict(message))
        message.clear()
        await respond(send)
        message = await receive()
        log.add(dict(message))
        message.clear()
        log.add(await receive())

    with AsgiServer(app) as server:
        server.request()
        server.request()
        log.wait(6)
    assert log.items == [request_message(), DISCONNECT, DISCONNECT] * 2


# --- after the body


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
def test_after_the_body_receive_waits_for_the_disconnect(loop, dispatch):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        log.add("waits")
        for _ in range(3):
            log.add(await receive())

    with AsgiServer(app, loop=loop, dispatch=dispatch) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        log.wait(1)
        assert client.silent_for(0.05)
        assert log.items == ["waits"]
        client.reset()
        log.wait(4)
    assert log.items == ["waits", DISCONNECT, DISCONNECT, DISCONNECT]


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_after_the_response_receive_reports_the_disconnect(dispatch):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        log.add(await receive())
        log.add(await receive())

    with AsgiServer(app, dispatch=dispatch) as server, server.connect() as client:
        client.request()
        log.wait(2)
        client.request("POST", body=b"unread")
        log.wait(4)
    assert log.items == [DISCONNECT] * 4


def test_a_receive_that_waits_hears_the_end_of_the_response():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

        async def listen() -> None:
            log.add(await receive())

        listener = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await respond(send)
        await listener

    with AsgiServer(app) as server, server.connect() as client:
        client.request()
        assert log.wait(1) == [DISCONNECT]
        client.request()
        assert log.wait(2) == [DISCONNECT] * 2


def test_receive_may_be_kept_for_ever():
    kept: list[Receive] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kept.append(receive)
        await respond(send)

    with AsgiServer(app) as server:
        server.request()
        server.request()

        async def ask() -> list[Message]:
            return [await receive() for receive in kept]

        heard = asyncio.run_coroutine_threadsafe(ask(), server.loop).result(WAIT_S)
        assert heard == [DISCONNECT, DISCONNECT]
    # The server is gone.
    assert asyncio.run(ask()) == [DISCONNECT, DISCONNECT]


# --- the peer leaves


def test_a_half_closed_peer_counts_as_gone_after_a_while_but_gets_its_answer():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        log.add(await receive())
        await respond(send, b"answer")

    with AsgiServer(app, timeout_half_close="0.05") as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        client.half_close()
        assert client.response().body == b"answer"
    assert log.items == [request_message(), DISCONNECT]


def test_a_half_closed_peer_is_answered_without_a_disconnect_in_time():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        waits = asyncio.create_task(receive())
        await asyncio.wait({waits}, timeout=0.1)
        log.add(waits.done())
        waits.cancel()
        await respond(send, b"answer")

    with AsgiServer(app, timeout_half_close="10") as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        client.half_close()
        assert client.response().body == b"answer"
    assert log.items == [request_message(), False]


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 10\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("how", ["half_close", "close", "reset"])
def test_a_body_that_breaks_off_ends_in_a_disconnect_not_in_a_last_request(sent, how):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            log.add(await receive())

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + sent)
        log.wait(1)
        getattr(client, how)()
        log.wait(3)
    assert log.items == [request_message(b"abc", more_body=True), DISCONNECT, DISCONNECT]


def test_a_malformed_chunk_ends_in_a_disconnect():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        log.add(await receive())

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        log.wait(1)
        client.send(b"zz\r\n")
        log.wait(2)
        assert client.response().status == 400
    assert log.items == [request_message(b"abc", more_body=True), DISCONNECT]


def test_draining_tells_requests_that_wait():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add(await receive())
        log.add(await receive())
        log.add(await receive())
        await respond(send, b"bye")

    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        log.wait(1)
        server.call(lambda: server.native.drain(False))
        assert client.silent_for(0.05)
        assert log.items == [request_message()]
        server.call(lambda: server.native.drain(True))
        assert client.response().body == b"bye"
    assert log.items == [request_message(), DISCONNECT, DISCONNECT]


# --- Expect: 100-continue

EXPECT = POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"


def test_continue_is_sent_when_the_body_is_awaited():
    log = Log()
    release = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add("called")
        waiting = receive()  # Not awaited yet.
        await asyncio.to_thread(release.wait, WAIT_S)
        log.add(await waiting)
        await respond(send)

    with AsgiServer(app) as server, server.connect() as client:
        client.send(EXPECT)
        log.wait(1)
        assert client.silent_for(0.05)
        release.set()
        assert client.interim_response().status == 100
        client.send(b"abc")
        assert client.response().status == 200
    assert log.items == ["called", request_message(b"abc")]


def test_continue_is_not_sent_when_the_body_is_not_wanted():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"no", status=403)

    with AsgiServer(app) as server, server.connect() as client:
        client.send(EXPECT)
        response = client.response()
    assert (response.status, response.interim) == (403, [])


def test_continue_is_not_sent_to_http_1_0():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, await read_body(receive))

    with AsgiServer(app) as server, server.connect() as client:
        client.send(EXPECT.replace(b"1.1", b"1.0", 1) + b"abc")
        response = client.response()
    assert (response.body, response.interim) == (b"abc", [])


# --- several at once, and cancelled ones


@pytest.mark.parametrize("loop", LOOPS)
def test_concurrent_receives_get_a_message_each(loop):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def one() -> None:
            log.add(await receive())

        tasks = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.sleep(0)
        log.add("waiting")
        await asyncio.wait(tasks)
        await respond(send)

    with AsgiServer(app, loop=loop) as server, server.connect() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        log.wait(1)
        client.send(b"1\r\na\r\n")
        log.wait(2)
        client.send(b"1\r\nb\r\n")
        log.wait(3)
        client.send(b"0\r\n\r\n")
        client.response()
    assert log.items == [
        "waiting",
        request_message(b"a", more_body=True),
        request_message(b"b", more_body=True),
        request_message(),
    ]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_receive_raises_and_loses_nothing(loop):
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        try:
            log.add(await waiting)
        except asyncio.CancelledError:
            log.add("cancelled")
        log.add(await receive())
        await respond(send)

    with AsgiServer(app, loop=loop) as server, server.connect() as client:
        client.send(POST + b"Content-Length: 3\r\n\r\n")
        log.wait(1)
        client.send(b"abc")
        client.response()
    assert log.items == ["cancelled", request_message(b"abc")]


def test_a_receive_that_is_cancelled_when_its_message_is_here_loses_nothing():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        early = asyncio.create_task(receive())  # Cancelled before it runs.
        early.cancel()
        await asyncio.wait({early})
        log.add(early.cancelled())
        receive()  # Never awaited.
        receive().close()
        waiting = receive()
        try:
            waiting.throw(RuntimeError("mine"))
        except RuntimeError as error:
            log.add(str(error))
        log.add(await receive())
        await respond(send)

    with AsgiServer(app) as server:
        server.request("POST", body=b"abc")
    assert log.items == [True, "mine", request_message(b"abc")]


def test_a_woken_receive_that_is_cancelled_leaves_the_message_to_the_next():
    log = Log()
    tasks: list[asyncio.Task[Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def one(name: str) -> None:
            log.add((name, await receive()))

        tasks.extend(asyncio.create_task(one(name)) for name in "ab")
        await asyncio.sleep(0)
        log.add("waiting")
        # Both are woken in the turn that this watcher runs in: `a` dies before its step.
        while not tasks[0]._fut_waiter.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.wait(tasks)
        await respond(send)

    with AsgiServer(app, dispatch="task") as server, server.connect() as client:
        client.send(POST + b"Content-Length: 3\r\n\r\n")
        log.wait(1)
        client.send(b"abc")
        client.response()
    # Whether or not the cancellation came in time, the message was delivered exactly once.
    messages = [item[1] for item in log.items[1:]]
    assert messages[0] == request_message(b"abc")
    assert messages[1:] in ([], [DISCONNECT])


def test_waiting_with_a_time_limit_again_and_again_leaves_nothing_behind():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        timeouts = 0
        for _ in range(50):
            try:
                await asyncio.wait_for(receive(), 0.0005)
            except TimeoutError:
                timeouts += 1
        assert timeouts == 50
        await respond(send, await read_body(receive))

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + b"Content-Length: 3\r\n\r\n")
        assert client.silent_for(0.2)
        client.send(b"abc")
        assert client.response().body == b"abc"


def test_anyio_and_asyncio_take_receive_for_a_coroutine():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waiting = receive()
        assert isinstance(waiting, collections.abc.Coroutine)
        assert inspect.isawaitable(waiting)
        assert asyncio.iscoroutine(waiting)
        body = (await waiting)["body"]
        async with anyio.create_task_group() as group:
            group.start_soon(receive)
            await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        with anyio.move_on_after(0.001):
            await receive()
        await respond(send, body)

    with AsgiServer(app) as server:
        assert server.request("POST", body=b"abc").body == b"abc"


def test_an_awaitable_is_used_once():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waiting = receive()
        await waiting
        with pytest.raises(RuntimeError, match="already awaited"):
            await waiting
        await respond(send, b"ok")

    with AsgiServer(app) as server:
        assert server.request().body == b"ok"


def test_driven_by_hand_it_stops_with_its_message():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for drive in (lambda waiting: waiting.send(None), next):
            with pytest.raises(StopIteration) as stop:
                drive(receive())
            log.add(stop.value.value)
        await respond(send)

    # An I/O thread may make one part of the two.
    with AsgiServer(app, io_threads=0) as server, server.connect() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n")
        client.send(b"0\r\n\r\n")
        assert client.response().status == 200
    assert [message["body"] for message in log.items] == [b"abc", b"def"]


def test_receive_takes_no_arguments():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(TypeError, match="takes no arguments"):
            receive(1)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="takes no arguments"):
            receive(timeout=1)  # type: ignore[call-arg]
        await respond(send, b"ok")

    with AsgiServer(app) as server:
        assert server.request().body == b"ok"


def test_a_response_may_start_before_the_body_is_read():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + b"Content-Length: 6\r\n\r\nabc")
        client.send(b"def")
        assert client.response().body == b"abcdef"


def test_a_client_that_resets_while_its_body_is_awaited_is_noticed():
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log.add("called")
        log.add(await receive())
        log.add(await receive())

    with AsgiServer(app) as server, server.connect() as client:
        client.send(POST + b"Content-Length: 3\r\n\r\n")
        log.wait(1)
        client.reset()
        log.wait(3)
    assert log.items == ["called", DISCONNECT, DISCONNECT]
