"""The lazy task against a real one, on every application of tests/python/apps.

Each application is asked all that it can do, in every dispatch on every loop; and with its task
looked at before its first line, or in every receive() and send(): a lazy task becomes a real one at
each of these places. What clients got, what was printed and logged, with the functions in
tracebacks, and what the task told of itself is compared with what a Task that asyncio scheduled
came to.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import time
import traceback
from collections.abc import Iterable
from typing import Any

import pytest

from support import scripts
from support.asgi import DISPATCHES, LOOPS, WAIT_S, AsgiServer, Message, Receive, Scope, Send
from support.scripts import SCRIPTS
from tercel.problems import LifespanError
from tercel.server.lifespan import Lifespan

NOT_HERE = {
    "frameworks.channels_chat": "speaks WebSocket only, and wants to configure Django once more",
    "frameworks.fastapi_chat": "speaks WebSocket only",
    "websocket_echo": "speaks WebSocket only",
    "api_around": "compared by test_api_around.py, which asks it natively and through ASGI",
    "api_auth": "compared by test_auth_credentials.py, which asks it natively and through ASGI",
    "api_websockets": "compared by test_api_websockets.py, and nearly all of it is WebSockets",
    "api_converters": "compared by test_api_converters.py, which asks it natively and through ASGI",
    "api_corners": "compared by test_testing_agrees.py, and no request of it is an ASGI one",
    "api_types": "is for the OpenAPI document of its types",
    "api_asgi": "is api_things behind a function",
    "api_depends": "compared by test_api_depends.py, and no request of it is an ASGI one",
    "api_files": "compared by test_api_files.py, and no request of it is an ASGI one",
    "api_forms": "compared by test_api_forms.py, which asks it natively and through ASGI",
    "api_lifespan": "compared by test_api_app.py, and no request of it is an ASGI one",
    "api_hostile": "is asked what is wrong only, by test_api_hostile.py",
    "api_limits": "compared by test_api_limits.py, which asks it natively and through ASGI",
    "api_errors": "compared by test_api_errors.py, which asks it natively and through ASGI",
    "api_threads": "is asked by test_api_threads.py for its threads, which do not return",
    "api_things": "compared by test_api_app.py, and no request of it is an ASGI one",
    "crew": "ends the process that it runs in",
    "load_client": "takes its WebSockets from bench/apps",
    "proxy_apps": "is for what it forwards, which is C++",
    "observer": "compared by test_asgi_dispatch.py, observation by observation",
    "s3_gateway": "is no application: what it serves is C++",
    "slow_import": "takes a minute to import",
    "slow_start": "never finishes its start-up",
    "stalls": "stands still, or closes what is the server's",
    "torture": "fails at another allocation in each dispatch",
}
NOT_ASKED = {
    "conformance:app": "is what tools/conformance.sh serves",
    "process:slow_start": "never finishes its start-up",
    "process:stubborn_start": "never finishes its start-up",
    "process:slow_shutdown": "is about its shutdown only",
    "process:stubborn_shutdown": "is about its shutdown only",
}

# Longer than any task of an application lives on after its request.
BACKGROUND_S = 0.15

LOOKS = ["never", "first", "always"]


def without_repeats(items: Iterable[Any]) -> list[Any]:
    """`items` without those that equal the one, or the one but one, before them.

    How deep a recursion gets, and how much is sent before a client is seen to have left, differs by
    nature; what is done again and again does not.
    """
    kept: list[Any] = []
    for item in items:
        if item not in kept[-2:]:
            kept.append(item)
    return kept


class Notes(list[Any]):
    """What one request's task told of itself, and when."""

    def note(self, place: str, mine: asyncio.Task[Any] | None = None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.append(
            (
                place,
                mine is None or task is mine,
                type(task).__name__,
                re.sub(r"\d+", "N", task.get_name()),
                (task.done(), task.cancelled(), task.cancelling()),
                task in asyncio.all_tasks(),
            )
        )

    def end(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        self.append(("end", task.cancelled(), repr(error)))


class Looking:
    """Wraps an application, looks at its task as `look` says, and keeps notes of each request."""

    def __init__(self, app: Any, look: str) -> None:
        self.app = app
        self.look = look
        self.seen: list[Notes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.look == "never" or scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        notes = Notes()
        self.seen.append(notes)
        if self.look == "first":
            notes.note("begin")
            task = asyncio.current_task()
            assert task is not None
            task.add_done_callback(notes.end)
            await self.app(scope, receive, send)
            notes.note("return", task)
            return

        async def looking_receive() -> Message:
            notes.note("receive")
            message = await receive()
            notes.note("received " + message["type"])
            return message

        async def looking_send(message: Message) -> None:
            notes.note("send")
            await send(message)
            notes.note("sent")

        await self.app(scope, looking_receive, looking_send)


def told(record: logging.LogRecord) -> Any:
    """A line of the log, in a form to compare."""
    text = re.sub(r"\d+|0x[0-9a-f]+", "N", record.getMessage())
    if not record.exc_info or record.exc_info[1] is None:
        return record.name, record.levelname, text
    error, frames = record.exc_info[1], traceback.extract_tb(record.exc_info[2])
    functions = without_repeats(frame.name for frame in frames)
    return record.name, record.levelname, text, repr(error), functions


def settle(server: AsgiServer) -> None:
    """Waits until no application runs."""
    end = time.monotonic() + WAIT_S
    while server.call(lambda: server.native.active):
        assert time.monotonic() < end


def run_script(target: str, loop: str, dispatch: str, look: str) -> dict[str, Any]:
    """Asks the application everything, and returns what there is to compare."""
    app = Looking(scripts.application(target), look)
    lifespan = Lifespan(app)
    found: dict[str, Any] = {"answers": [], "lifespan": []}
    server = AsgiServer(
        app,
        loop=loop,
        dispatch=dispatch,
        # How much of an unread body has arrived, and so whether the connection stays, is chance
        # when another thread receives it.
        io_threads=0,
        state=lifespan.state,
        context=lifespan.context,
        setup=lambda loop: loop.run_until_complete(lifespan.startup()),
    )
    try:
        with server:
            for step in SCRIPTS[target]:
                # Twice: the second finds what the first left behind.
                for _ in range(2 if look == "never" else 1):
                    with server.connect() as client:
                        found["answers"].append(step(client))
                    settle(server)
            server.run(asyncio.sleep(BACKGROUND_S))
            server.call(gc.collect)
            server.run(lifespan.shutdown())
    except LifespanError as error:
        found["lifespan"].append(repr(error))
    found["seen"] = [without_repeats(notes) for notes in app.seen]
    found["errors"] = [re.sub(r"\d+|0x[0-9a-f]+", "N", str(e["message"])) for e in server.errors]
    return found


class Watch:
    """Runs scripts, and adds what was printed and logged meanwhile."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.capsys = capsys
        self.caplog = caplog

    def run(self, *args: str) -> dict[str, Any]:
        self.capsys.readouterr()
        self.caplog.clear()
        found = run_script(*args)
        # How much of a body one read brings is up to the kernel.
        printed = re.sub(r"(sipped \S+) \d+", r"\1 N", self.capsys.readouterr().out)
        found["printed"] = printed.splitlines()
        found["logged"] = [
            told(record)
            for record in self.caplog.records
            if "(told once)" not in record.getMessage()  # A process, not a request.
        ]
        return found


@pytest.fixture
def watch(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Watch:
    return Watch(capsys, caplog)


@pytest.fixture(scope="module")
def references() -> dict[tuple[str, str], dict[str, Any]]:
    return {}


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("target", SCRIPTS)
def test_a_lazy_task_makes_no_difference(
    target: str,
    loop: str,
    dispatch: str,
    watch: Watch,
    references: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for look in LOOKS if dispatch == "direct" and loop in ("tercel", "uvloop") else LOOKS[:1]:
        if (target, look) not in references:
            references[target, look] = watch.run(target, "asyncio", "task", look)
        expected = references[target, look]
        found = watch.run(target, loop, dispatch, look)
        for what, value in expected.items():
            assert found[what] == value, f"{what}, task looked at: {look}"


def test_every_application_is_compared() -> None:
    targets = set()
    for module in scripts.modules():
        if module not in NOT_HERE:
            targets.update(scripts.applications(module))
    assert targets - NOT_ASKED.keys() == set(SCRIPTS)
