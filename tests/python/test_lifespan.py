"""The lifespan conversation: every answer an application may give, in every mode."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from typing import Any

import pytest

from tercel.problems import LifespanError
from tercel.server.lifespan import Lifespan

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")


async def good(scope, receive, send):
    assert scope == {
        "type": "lifespan",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "state": {},
    }
    assert await receive() == {"type": "lifespan.startup"}
    scope["state"]["pool"] = "open"
    VAR.set("of the lifespan")
    await send({"type": "lifespan.startup.complete"})
    assert await receive() == {"type": "lifespan.shutdown"}
    scope["state"]["pool"] = "closed"
    await send({"type": "lifespan.shutdown.complete"})


def answering(**answers: dict[str, Any]):
    """An application that answers start-up and shutdown with the given messages."""

    async def app(scope, receive, send):
        for name in ("startup", "shutdown"):
            await receive()
            await send(answers.get(name, {"type": f"lifespan.{name}.complete"}))

    return app


async def without(scope, receive, send):
    assert scope["type"] == "http", "only http here"


async def raises_in_startup(scope, receive, send):
    await receive()
    raise ValueError("no database")


async def returns_at_once(scope, receive, send):
    return


async def never_answers(scope, receive, send):
    await asyncio.sleep(3600)


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario(), 20))


def start_and_stop(app, **options) -> Lifespan:
    async def scenario():
        lifespan = Lifespan(app, **options)
        await lifespan.startup()
        await lifespan.shutdown()
        return lifespan

    return run(scenario)


def failure_of(app, **options) -> str:
    with pytest.raises(LifespanError) as caught:
        start_and_stop(app, **options)
    return str(caught.value)


class TestGoodApplication:
    @pytest.mark.parametrize("mode", ["auto", "on"])
    def test_starts_up_and_shuts_down(self, mode: str):
        async def scenario():
            before = asyncio.all_tasks()
            lifespan = Lifespan(good, mode=mode)
            await lifespan.startup()
            assert lifespan.state == {"pool": "open"}
            await lifespan.shutdown()
            assert lifespan.state == {"pool": "closed"}
            assert asyncio.all_tasks() == before

        run(scenario)

    def test_is_not_asked_when_lifespan_is_off(self):
        async def never(scope, receive, send):
            raise AssertionError("it was asked")

        assert start_and_stop(never, mode="off").state == {}

    def test_leaves_its_context_variables_for_the_requests(self):
        async def scenario():
            VAR.set("of the server")
            lifespan = Lifespan(good)
            assert lifespan.context[VAR] == "of the server"
            await lifespan.startup()
            assert lifespan.context[VAR] == "of the lifespan"
            assert VAR.get() == "of the server"
            await lifespan.shutdown()

        run(scenario)

    def test_may_return_after_the_start_up(self):
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})

        start_and_stop(app, mode="on")

    def test_may_stay_after_the_shutdown(self):
        async def app(scope, receive, send):
            await answering()(scope, receive, send)
            await asyncio.sleep(3600)

        start_and_stop(app, mode="on")

    def test_hears_nothing_after_the_shutdown(self):
        heard = []

        async def app(scope, receive, send):
            await answering()(scope, receive, send)
            heard.append(await receive())

        start_and_stop(app)
        assert heard == []

    def test_of_a_framework(self):
        starlette = pytest.importorskip("starlette.applications")
        import contextlib

        seen = []

        @contextlib.asynccontextmanager
        async def lifespan(app):
            seen.append("up")
            yield {"key": 1}
            seen.append("down")

        result = start_and_stop(starlette.Starlette(lifespan=lifespan), mode="on")
        assert result.state == {"key": 1}
        assert seen == ["up", "down"]


class TestApplicationWithoutLifespan:
    @pytest.mark.parametrize("app", [without, returns_at_once])
    def test_is_served_without_in_mode_auto(self, app, caplog):
        with caplog.at_level(logging.INFO, "tercel"):
            assert start_and_stop(app, mode="auto").state == {}
        assert caplog.records == []

    def test_is_an_error_in_mode_on(self):
        assert failure_of(without, mode="on") == (
            "The application raised AssertionError instead of handling its start-up: use --lifespan"
            " auto to serve it without."
        )
        assert failure_of(returns_at_once, mode="on").startswith("The application returned instead")

    def test_that_had_begun_to_start_up_is_served_with_a_warning(self, caplog):
        start_and_stop(raises_in_startup, mode="auto")
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert "no database" in caplog.text


class TestFailure:
    def test_of_the_start_up(self):
        failed = {"type": "lifespan.startup.failed", "message": "no database."}
        assert failure_of(answering(startup=failed)) == (
            "The application failed to start up: no database."
        )

    def test_without_a_message(self):
        failed = {"type": "lifespan.startup.failed"}
        assert failure_of(answering(startup=failed)) == "The application failed to start up."

    def test_that_is_a_traceback_is_logged_in_full(self, caplog):
        message = "Traceback (most recent call last):\n  File x\nValueError: no database\n"
        failed = {"type": "lifespan.startup.failed", "message": message}
        assert failure_of(answering(startup=failed)) == (
            "The application failed to start up: ValueError: no database."
        )
        assert "File x" in caplog.text

    def test_of_the_shutdown(self):
        failed = {"type": "lifespan.shutdown.failed", "message": "stuck"}
        assert failure_of(answering(shutdown=failed)) == (
            "The application failed to shut down: stuck."
        )

    def test_by_an_exception_in_the_shutdown(self, caplog):
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            raise ValueError("stuck")

        assert failure_of(app) == "The application failed to shut down: ValueError."
        assert "stuck" in caplog.text

    def test_while_it_serves_is_logged_and_survived(self, caplog):
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            raise ValueError("too early")

        async def scenario():
            lifespan = Lifespan(app)
            await lifespan.startup()
            await asyncio.sleep(0.01)
            await lifespan.shutdown()

        run(scenario)
        assert "raised while it serves" in caplog.text
        assert "too early" in caplog.text


class TestTime:
    def test_a_start_up_has_a_limit(self):
        assert failure_of(never_answers, startup_timeout=0.05) == (
            "The application did not start up within 0.05 s: raise timeout-lifespan-startup if it"
            " needs longer."
        )

    def test_a_shutdown_has_a_limit(self):
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await asyncio.sleep(3600)

        assert failure_of(app, shutdown_timeout=0.05) == (
            "The application did not shut down within 0.05 s: raise timeout-lifespan-shutdown if it"
            " needs longer."
        )

    @pytest.mark.parametrize("during", ["start up", "shut down"])
    def test_the_limit_holds_for_who_ignores_cancellation(self, during: str, caplog):
        released = asyncio.Event()

        async def app(scope, receive, send):
            await receive()
            if during == "shut down":
                await send({"type": "lifespan.startup.complete"})
                await receive()
            while not released.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await released.wait()

        async def scenario():
            begin = asyncio.get_running_loop().time()
            lifespan = Lifespan(app, startup_timeout=0.05, shutdown_timeout=0.05)
            if during == "shut down":
                await lifespan.startup()
            step = lifespan.startup if during == "start up" else lifespan.shutdown
            with pytest.raises(LifespanError, match=f"did not {during} within"):
                await step()
            assert asyncio.get_running_loop().time() - begin < 5
            released.set()

        run(scenario)
        assert "it ignores CancelledError" in caplog.text

    def test_cancelling_the_start_up_cancels_the_application(self):
        cancelled = []

        async def app(scope, receive, send):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async def scenario():
            startup = asyncio.create_task(Lifespan(app).startup())
            await asyncio.sleep(0.01)
            startup.cancel()
            with pytest.raises(asyncio.CancelledError):
                await startup

        run(scenario)
        assert cancelled == [True]


class TestWrongMessages:
    @pytest.mark.parametrize(
        ("message", "sentence"),
        [
            ({"type": "http.response.start"}, "is not a message of the lifespan"),
            ({"type": "lifespan.startup.done"}, "is not a message of the lifespan"),
            ({"type": "lifespan.shutdown.complete"}, "is out of order"),
        ],
    )
    def test_raise_in_the_application(self, message: dict[str, str], sentence: str):
        errors = []

        async def app(scope, receive, send):
            await receive()
            try:
                await send(message)
            except RuntimeError as error:
                errors.append(str(error))
            await send({"type": "lifespan.startup.complete"})

        start_and_stop(app)
        assert len(errors) == 1
        assert sentence in errors[0]

    def test_the_same_answer_twice(self):
        errors = []

        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            try:
                await send({"type": "lifespan.startup.complete"})
            except RuntimeError as error:
                errors.append(str(error))

        start_and_stop(app)
        assert errors == ["'lifespan.startup.complete' is out of order"]
