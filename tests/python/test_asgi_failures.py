"""Applications that fail, in every way they can, in every dispatch.

Before the start of the response the client gets 500, after it a response that is visibly cut; the
failure is logged with its traceback; the server goes on.
Source: python/asgi/failure.h; ASGI "Disconnected Client".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

import tercel
from support.asgi import DISPATCHES, LOOPS, WAIT_S, AsgiServer, Receive, Scope, Send, respond
from support.http1 import Closed

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"part", "more_body": True}

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class OwnError(Exception):
    pass


class OwnBaseError(BaseException):
    pass


def raising(
    make: Callable[[], BaseException], *, suspend: bool, started: bool
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if started:
            await send(START)
            await send(PART)
        if suspend:
            await asyncio.sleep(0.001)
        raise make()

    return app


def outcome(app: Any, *, loop: str = "tercel", dispatch: str = "auto") -> str:
    """`status`, or "cut": what a client sees; the connection and the server serve on afterwards."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/alive":
            await respond(send, b"alive")
        else:
            await app(scope, receive, send)

    with AsgiServer(guarded, loop=loop, dispatch=dispatch) as server:
        with server.connect() as client:
            try:
                result = str(client.request().status)
            except Closed:
                result = "cut"
        assert server.request("GET", "/alive").body == b"alive"
        assert server.errors == []
        return result


RAISED: dict[str, Callable[[], BaseException]] = {
    "exception": lambda: OwnError("mine"),
    "base-exception": lambda: OwnBaseError("mine"),
    "generator-exit": GeneratorExit,
    "stop-iteration": StopIteration,
    "stop-async-iteration": StopAsyncIteration,
    "recursion": lambda: RecursionError("deep"),
    "memory": lambda: MemoryError("much"),
    "oserror": lambda: OSError("mine"),
    "group": lambda: ExceptionGroup("many", [ValueError("one"), TypeError("two")]),
}


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("started", [False, True], ids=["before-start", "after-start"])
@pytest.mark.parametrize("suspend", [False, True], ids=["at-once", "later"])
@pytest.mark.parametrize("name", RAISED)
def test_an_exception_is_answered_and_logged(name, suspend, started, dispatch, caplog):
    app = raising(RAISED[name], suspend=suspend, started=started)
    assert outcome(app, dispatch=dispatch) == ("cut" if started else "500")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tercel", logging.ERROR)
    assert record.getMessage() == "Exception in ASGI application"
    assert record.exc_info is not None
    functions = [frame.name for frame in traceback.extract_tb(record.exc_info[2])]
    assert functions[0] == "guarded", "the traceback shows the application and nothing else"


@pytest.mark.parametrize("loop", LOOPS)
def test_an_exception_is_handled_alike_on_every_loop(loop, caplog):
    for suspend in (False, True):
        app = raising(OwnError, suspend=suspend, started=False)
        assert outcome(app, loop=loop) == "500"
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("suspend", [False, True], ids=["at-once", "later"])
def test_an_application_that_returns_without_an_answer(suspend, dispatch, caplog):
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        if suspend:
            await asyncio.sleep(0)

    async def only_start(scope: Scope, receive: Receive, send: Send) -> None:
        await nothing(scope, receive, send)
        await send(START)

    async def only_part(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(PART)
        await nothing(scope, receive, send)

    assert outcome(nothing, dispatch=dispatch) == "500"
    assert outcome(only_start, dispatch=dispatch) == "500"  # Nothing had left the server.
    assert outcome(only_part, dispatch=dispatch) == "cut"
    assert [record.getMessage() for record in caplog.records] == [
        "ASGI application returned without starting a response",
        "ASGI application returned without completing its response",
        "ASGI application returned without completing its response",
    ]


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_a_cancelled_application(dispatch, caplog):
    async def itself(scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(WAIT_S)

    async def raises(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    for app in (itself, raises):
        assert outcome(app, dispatch=dispatch) == "500"
    message = "ASGI application was cancelled before its response was complete"
    assert [record.getMessage() for record in caplog.records] == [message] * 2


def test_after_the_response_an_exception_is_logged_and_the_client_not_harmed(caplog):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"whole")
        if scope["path"] == "/later":
            await asyncio.sleep(0.001)
        raise OwnError("background")

    with AsgiServer(app) as server, server.connect() as client:
        assert client.request("GET", "/later").body == b"whole"
        assert client.request("GET", "/now").body == b"whole"
        assert client.request("GET", "/now").body == b"whole"
        while server.call(lambda: server.native.active):
            pass
    assert [record.getMessage() for record in caplog.records] == [
        "Exception in ASGI application"
    ] * 3


# --- what is no ASGI application


class NotAwaitable:
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        return 42


class OnlyAwait:
    """An awaitable that is no coroutine."""

    def __init__(self, app: App, *args: Any) -> None:
        self._coroutine = app(*args)

    def __await__(self) -> Any:
        return self._coroutine.__await__()


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize(
    "app",
    [
        NotAwaitable(),
        lambda scope, receive, send: None,
        lambda: None,
        42,
    ],
    ids=["number", "none", "arity", "not-callable"],
)
def test_what_is_no_application_is_answered_500(app, dispatch, caplog):
    with AsgiServer(app, dispatch=dispatch) as server:
        assert server.request().status == 500
        assert server.request().status == 500
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [TypeError] * 2


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("pause", [None, 0, 0.001])
def test_any_awaitable_will_do(pause, dispatch):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if pause is not None:
            await asyncio.sleep(pause)
        await respond(send, b"ok")

    with AsgiServer(lambda *args: OnlyAwait(app, *args), dispatch=dispatch) as server:
        assert server.request().body == b"ok"


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_what_asyncio_refuses_to_wait_for_is_raised_in_the_application(dispatch):
    class Odd:
        def __await__(self) -> Any:
            yield 42

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError, match="Task got bad yield: 42"):
            await Odd()
        await respond(send, b"ok")

    with AsgiServer(app, dispatch=dispatch) as server:
        assert server.request().body == b"ok"


# --- the client is gone


class FrameworkError(Exception):
    pass


async def plain(send: Send) -> None:
    await send(START)


async def wrapped_in_context(send: Send) -> None:
    try:
        await send(START)
    except OSError:
        raise FrameworkError  # noqa: B904


async def wrapped_from_cause(send: Send) -> None:
    try:
        await send(START)
    except OSError as error:
        raise FrameworkError from error


async def wrapped_in_group(send: Send) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(plain, send)


async def in_finally(send: Send) -> None:
    try:
        await send(START)
    finally:
        raise KeyError("a defect")


async def unrelated(send: Send) -> None:
    raise KeyError("a defect")


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize(
    ("act", "level"),
    [
        (plain, None),
        (wrapped_in_context, logging.DEBUG),
        (wrapped_from_cause, logging.DEBUG),
        (wrapped_in_group, logging.DEBUG),
        (in_finally, logging.DEBUG),
        (unrelated, logging.ERROR),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_departure_of_a_client_is_no_error(act, level, dispatch, caplog):
    caplog.set_level(logging.DEBUG, "tercel")
    called, done = threading.Event(), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
            called.set()
            assert (await receive())["type"] == "http.disconnect"
            await act(send)
        finally:
            done.set()

    with AsgiServer(app, dispatch=dispatch) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert called.wait(WAIT_S)
        client.reset()
        assert done.wait(WAIT_S)
        server.call(lambda: None)
        assert server.errors == []
    assert [record.levelno for record in caplog.records] == ([] if level is None else [level])


def test_an_application_may_return_without_an_answer_when_the_client_is_gone(caplog):
    called, done = threading.Event(), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        called.set()
        await receive()
        done.set()

    with AsgiServer(app) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert called.wait(WAIT_S)
        client.reset()
        assert done.wait(WAIT_S)
        server.call(lambda: None)
    assert caplog.records == []


# --- cancel_on_disconnect


def disconnected(
    app: App, heard: list[str], *, expect: int, loop: str = "tercel", **settings: Any
) -> None:
    """Runs `app` until the client resets, and waits until it heard `expect` things."""
    with AsgiServer(app, loop=loop, **settings) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        while not heard:
            server.call(lambda: None)
        client.reset()
        limit = threading.Event()
        for _ in range(100):
            if len(heard) >= expect:
                break
            limit.wait(0.01)
        server.call(lambda: None)
        assert server.errors == []


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("cancels", [True, False])
def test_the_task_of_a_client_that_left_is_cancelled_if_asked_for(cancels, loop, dispatch, caplog):
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append("called")
        try:
            await asyncio.sleep(0.2)
            heard.append("slept")
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    disconnected(app, heard, expect=2, loop=loop, dispatch=dispatch, cancel_on_disconnect=cancels)
    assert heard == ["called", "cancelled" if cancels else "slept"]
    assert caplog.records == []


def test_after_the_response_nothing_is_cancelled():
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        heard.append("answered")
        await asyncio.sleep(0.05)
        heard.append("slept")

    disconnected(app, heard, expect=2, cancel_on_disconnect=True)
    assert heard == ["answered", "slept"]


def test_closing_the_server_cancels_what_still_runs(caplog):
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append("called")
        try:
            await asyncio.sleep(WAIT_S)
        finally:
            heard.append("cancelled")

    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        while not heard:
            server.call(lambda: None)
        assert server.call(lambda: server.native.active) == 1
    assert heard == ["called", "cancelled"]
    assert caplog.records == []


def test_applications_that_work_on_after_their_answer_are_active():
    go_on = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        await asyncio.to_thread(go_on.wait, WAIT_S)

    with AsgiServer(app) as server, server.connect() as client:
        client.request()
        # An I/O thread counts its requests after each turn.
        while server.call(lambda: server.native.active) != 1:
            pass
        go_on.set()
        while server.call(lambda: server.native.active):
            pass


# --- what would end a program


def ending(ends: type[BaseException], *, touch: bool, suspend: bool) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if touch:
            task = asyncio.current_task()
            assert task is not None
            task.get_name()
        if suspend:
            await asyncio.sleep(0.001)
        if scope["path"] == "/end":
            raise ends(7)
        await respond(send)

    return app


@pytest.fixture
def no_interrupts() -> Iterator[None]:
    """SIGINT has a handler of its own, as under `tercel serve`."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("no_interrupts")
@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", ["tercel", "slow", "asyncio"])
@pytest.mark.parametrize("suspend", [False, True], ids=["at-once", "later"])
@pytest.mark.parametrize("touch", [False, True], ids=["lazy", "touched"])
@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit])
def test_what_would_end_a_program_ends_its_request(ends, touch, suspend, loop, dispatch, caplog):
    app = ending(ends, touch=touch, suspend=suspend)
    with AsgiServer(app, loop=loop, dispatch=dispatch) as server, server.connect() as client:
        assert client.request("GET", "/end").status == 500
        assert client.request("GET", "/").status == 200
    assert server.raised is None
    [record] = [record for record in caplog.records if record.name == "tercel"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ends


@pytest.mark.parametrize("suspend", [False, True], ids=["at-once", "later"])
@pytest.mark.parametrize("loop", ["tercel", "slow", "asyncio"])
def test_ctrl_c_leaves_the_loop_where_nobody_else_handles_it(loop, suspend, caplog):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    app = ending(KeyboardInterrupt, touch=False, suspend=suspend)
    with AsgiServer(app, loop=loop) as server, server.connect() as client:
        with contextlib.suppress(Closed):  # If the loop was left before the answer was.
            assert client.request("GET", "/end").status == 500
        server.join()
    assert type(server.raised) is KeyboardInterrupt
    assert [record.getMessage() for record in caplog.records if record.name == "tercel"] == []


def test_client_disconnected_is_public():
    assert issubclass(tercel.ClientDisconnected, OSError)
    assert tercel.ClientDisconnected.__module__ == "tercel"
