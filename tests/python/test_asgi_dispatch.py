"""What an application can observe is the same in every dispatch, on every loop.

The reference is a scheduled task on asyncio's own loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
from typing import Any

import pytest

from apps import observer
from support.asgi import DISPATCHES, LOOPS, WAIT_S, AsgiServer, Receive, Scope, Send, respond
from tercel import _core

pytestmark = pytest.mark.sanitize

# The observations of what happened later belong behind those that they are about.
NAMES = list(observer.OBSERVATIONS)


def observations(loop: str, dispatch: str, **options: Any) -> dict[str, str]:
    """What each observation came to. Twice, on one connection: the second finds what the first
    left behind."""
    observer.ENDED.clear()
    found: dict[str, str] = {}
    with AsgiServer(observer.app, loop=loop, dispatch=dispatch, **options) as server:
        with server.connect() as client:
            for name in NAMES:
                first = client.request("GET", f"/{name}")
                if name != "what_happened_later":
                    client.request("GET", "/what_happened_later")
                    observer.ENDED.clear()
                second = client.request("GET", f"/{name}")
                assert (first.status, second.status) == (200, 200), name
                found[name] = f"{first.body.decode()} | {second.body.decode()}"
                found[f"{name}, later"] = client.request(
                    "GET", "/what_happened_later"
                ).body.decode()
        assert server.errors == []
    return found


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return observations("asyncio", "task")


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
def test_observations_are_the_same(loop, dispatch, reference, caplog):
    assert observations(loop, dispatch) == reference
    assert caplog.records == []


def test_the_reference_is_what_it_should_be(reference):
    def once(name: str) -> str:
        first, _, second = reference[name].partition(" | ")
        assert first == second
        return first

    assert once("timeout") == "('timeout', True, 0)"
    assert once("cancels_itself") == "(\"CancelledError('message')\", 1, 0)"
    assert once("all_tasks_before_anything_else") == "(True, 1)"
    assert once("variables_do_not_leak") == "('unset', 'mine')"
    assert once("sniff") == "'asyncio'"
    assert reference["done_callback_without_suspension, later"] == "[(True, None)]"
    assert reference["keeps_its_task_without_looking, later"] == "[(True, False, True)]"


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
def test_requests_inherit_the_lifespans_variables(loop, dispatch):
    context = contextvars.Context()
    context.run(observer.variable.set, "of the lifespan")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen = observer.variable.get()
        observer.variable.set("of a request")
        if scope["path"] == "/later":
            await asyncio.sleep(0)
        await respond(send, seen)

    with AsgiServer(app, loop=loop, dispatch=dispatch, context=context) as server:
        for path in ("/now", "/later", "/now", "/later"):
            assert server.request("GET", path).body == b"of the lifespan"
    assert context[observer.variable] == "of the lifespan"


# --- the ways


def ways(**options: Any) -> tuple[str, ...]:
    """How the application was called: what the stack below it shows."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        # A task that was made before the application was called is in the set of all tasks by its
        # own doing; a lazy one is of another type until it is touched.
        seen.append(type(task).__module__ + "." + type(task).__name__)
        seen.append("task" if type(task) is asyncio.Task else "lazy")
        await respond(send)

    with AsgiServer(app, **options) as server:
        server.request()
    return tuple(seen)


@pytest.mark.skipif(not _core.lazy_tasks_supported, reason="no lazy tasks here")
def test_auto_is_direct_where_lazy_tasks_are_supported():
    assert ways(dispatch="auto") == ways(dispatch="direct") == ("_asyncio.Task", "lazy")


def test_tasks_are_made_when_asked_for():
    assert ways(dispatch="task")[1] == "task"


def test_a_task_factory_is_used():
    made: list[Any] = []

    def factory(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        made.append(task)
        return task

    assert ways(setup=lambda loop: loop.set_task_factory(factory))[1] == "task"
    assert "application()" in repr(made[0])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are of Python 3.12")
def test_an_eager_task_factory_is_used():
    factory = asyncio.eager_task_factory  # type: ignore[attr-defined]
    assert observations("tercel", "auto", setup=lambda loop: loop.set_task_factory(factory))


def test_in_debug_mode_tasks_are_made():
    assert ways(setup=lambda loop: loop.set_debug(True))[1] == "task"


def test_switching_to_debug_mode_is_noticed():
    kinds: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kinds.append(type(asyncio.current_task()) is asyncio.Task)
        await respond(send)

    with AsgiServer(app) as server, server.connect() as client:
        client.request()
        server.call(lambda: server.loop.set_debug(True))
        client.request()
        server.call(lambda: server.loop.set_debug(False))
        client.request()
    direct = _core.lazy_tasks_supported
    assert kinds == [not direct, True, not direct]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 has eager tasks")
def test_eager_is_refused_before_python_3_12():
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    server = AsgiServer(app, dispatch="eager")
    with pytest.raises(ValueError, match=r"needs Python 3\.12"), server:
        pass


# --- what is not left behind


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
def test_no_current_task_is_left(loop, dispatch):
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        running = asyncio.get_running_loop()
        running.call_soon(lambda: seen.append(asyncio.current_task(running)))
        if scope["path"] == "/raise":
            raise ValueError
        if scope["path"] == "/later":
            await asyncio.sleep(0.001)
        await respond(send)

    with AsgiServer(app, loop=loop, dispatch=dispatch) as server:
        for path in ("/now", "/later", "/raise"):
            server.request("GET", path)
        server.call(lambda: None)
    assert seen == [None, None, None]


def test_a_suspended_application_is_not_collected():
    """asyncio keeps weak references to tasks only: somebody has to hold the others."""
    go_on: list[asyncio.Future[None]] = []
    called = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waited = asyncio.get_running_loop().create_future()

        class Holder:
            """A cycle of future and task that nothing else refers to."""

            def __del__(self) -> None:
                go_on.append(waited)

        holder = Holder()
        called.set()
        await waited
        del holder

    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert called.wait(WAIT_S)
        server.call(gc.collect)
        assert go_on == []
        assert server.call(lambda: server.native.active) == 1


def test_a_task_may_be_cancelled_from_outside():
    heard: list[Any] = []
    called = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append(asyncio.current_task())
        called.set()
        try:
            await asyncio.sleep(WAIT_S)
        except asyncio.CancelledError as error:
            heard.append(error.args)
            await respond(send, b"cancelled")

    with AsgiServer(app) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert called.wait(WAIT_S)
        assert server.call(lambda: heard[0].cancel("why")) is True
        assert client.response().body == b"cancelled"
    assert heard[1] == ("why",)


def test_two_servers_on_one_loop():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        await respond(send, str(scope["server"][1]))

    with AsgiServer(app) as server:

        def add() -> Any:
            second = _core.Server(
                server.loop.engine,  # type: ignore[attr-defined]
                server.loop,
                app,
                _core.Settings(),
                None,
                contextvars.Context(),
            )
            second.listen("127.0.0.1:0")
            second.start()
            return second

        second = server.call(add)
        first_port, second_port = server.address[1], second.addresses[0][1]
        assert server.request().body == str(first_port).encode()
        server.address = ("127.0.0.1", second_port)
        assert server.request().body == str(second_port).encode()
        server.call(second.close)
