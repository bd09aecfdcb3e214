"""The start-up and shutdown conversation with an ASGI application.

The application is called once with a scope of type `lifespan`, in a task that lives as long as the
server. What it puts into `state`, and the context variables it sets, are there for every request.
Source: ASGI, "Lifespan Protocol" 2.0.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tercel.problems import LifespanError

__all__ = ["Lifespan"]

logger = logging.getLogger("tercel")

_STARTUP = "lifespan.startup"
_SHUTDOWN = "lifespan.shutdown"
# Time that an application has to end once it is cancelled. It may ignore that, for ever.
_CANCEL_S = 1.0


class Lifespan:
    """One application's lifespan on the running loop. `startup()` once, then `shutdown()` once.

    Args:
        mode: `on`: an application without lifespan is an error; `auto`: it is served without;
            `off`: it is not asked.
        startup_timeout: seconds, 0 for no limit.
        shutdown_timeout: seconds, 0 for no limit.

    Attributes:
        state: filled by the application; each request gets a shallow copy.
        context: the context the lifespan runs in; each request runs in a copy.
    """

    def __init__(
        self,
        application: Callable[..., Awaitable[None]],
        *,
        mode: str = "auto",
        startup_timeout: float = 0.0,
        shutdown_timeout: float = 0.0,
    ) -> None:
        self.state: dict[str, Any] = {}
        self.context = contextvars.copy_context()
        self._application = application
        self._mode = mode
        self._startup_timeout = startup_timeout or None
        self._shutdown_timeout = shutdown_timeout or None
        self._task: asyncio.Task[None] | None = None
        self._phases = {_STARTUP: _Phase(), _SHUTDOWN: _Phase()}

    async def startup(self) -> None:
        """Tells the application to start up, and waits until it did.

        Cancelling it cancels the application's start-up.

        Raises:
            LifespanError: the application failed, took too long, or, in mode `on`, has no lifespan.
        """
        if self._mode == "off":
            return
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), name="lifespan", context=self.context)
        phase = self._phases[_STARTUP]
        phase.begun.set()
        try:
            in_time = await self._answered(phase, self._startup_timeout)
        except asyncio.CancelledError:
            await self._cancel()
            raise
        if not in_time:
            await self._cancel()
            raise LifespanError(
                f"The application did not start up within {self._startup_timeout:g} s:"
                " raise timeout-lifespan-startup if it needs longer."
            )
        if phase.failure is not None:
            _log_failure("start-up", phase.failure)
            await self._cancel()
            raise LifespanError(f"The application failed to start up{_summary(phase.failure)}.")
        if not phase.complete:
            self._do_without()
        else:
            self._task.add_done_callback(self._on_end_while_serving)

    async def shutdown(self) -> None:
        """Tells the application to shut down, waits until it did, and ends its task.

        Cancelling it cancels the application's shutdown.

        Raises:
            LifespanError: the application failed or took too long.
        """
        task = self._task
        if task is None or task.done():
            return
        task.remove_done_callback(self._on_end_while_serving)
        phase = self._phases[_SHUTDOWN]
        phase.begun.set()
        try:
            in_time = await self._answered(phase, self._shutdown_timeout)
            error = task.exception() if task.done() and not task.cancelled() else None
        finally:
            await self._cancel()
        if not in_time:
            raise LifespanError(
                f"The application did not shut down within {self._shutdown_timeout:g} s:"
                " raise timeout-lifespan-shutdown if it needs longer."
            )
        if phase.failure is not None:
            _log_failure("shutdown", phase.failure)
            raise LifespanError(f"The application failed to shut down{_summary(phase.failure)}.")
        if error is not None and not phase.complete:
            logger.error("The application raised while it shut down.", exc_info=error)
            raise LifespanError(f"The application failed to shut down: {type(error).__name__}.")

    # --- the application's side

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._application(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, str]:
        for message, phase in self._phases.items():
            if not phase.told:
                await phase.begun.wait()
                phase.told = True
                return {"type": message}
        # There is nothing more to say: wait until the task is cancelled.
        never: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        return await never

    async def _send(self, message: dict[str, Any]) -> None:
        name, _, answer = message["type"].rpartition(".")
        phase = self._phases.get(name)
        if phase is None or answer not in ("complete", "failed"):
            raise RuntimeError(f"{message['type']!r} is not a message of the lifespan")
        if not phase.begun.is_set() or phase.answered.is_set():
            raise RuntimeError(f"{message['type']!r} is out of order")
        if answer == "failed":
            phase.failure = str(message.get("message", ""))
        else:
            phase.complete = True
        phase.answered.set()

    # --- our side

    async def _answered(self, phase: _Phase, limit: float | None) -> bool:
        """Waits until the application answered or its task ended. False: neither, in time."""
        assert self._task is not None
        answered = asyncio.ensure_future(phase.answered.wait())
        try:
            done, _ = await asyncio.wait(
                {answered, self._task}, timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            answered.cancel()
        return bool(done)

    async def _cancel(self) -> None:
        """Ends the task. What it raises now is of no interest, and it is left if it goes on."""
        assert self._task is not None
        self._task.cancel()
        done, _ = await asyncio.wait({self._task}, timeout=_CANCEL_S)
        if not done:
            logger.warning(
                "The application's lifespan was cancelled, and still runs after %g s: it ignores"
                " CancelledError.",
                _CANCEL_S,
            )
        elif not self._task.cancelled():
            self._task.exception()

    def _do_without(self) -> None:
        """The task ended without an answer to the start-up. Raises LifespanError in mode `on`."""
        assert self._task is not None
        error = None if self._task.cancelled() else self._task.exception()
        if self._mode == "on":
            reason = f"raised {type(error).__name__}" if error else "returned"
            if error:
                logger.error("The application raised while it started up.", exc_info=error)
            raise LifespanError(
                f"The application {reason} instead of handling its start-up: use --lifespan auto"
                " to serve it without."
            )
        if error is not None and self._phases[_STARTUP].told:
            # It had begun to start up, so this is a defect, not a lack. The specification says to
            # continue.
            logger.warning(
                "The application raised while it started up, and is served all the same;"
                " --lifespan on makes this an error.",
                exc_info=error,
            )
        else:
            logger.debug("The application does not handle lifespan events.", exc_info=error)

    def _on_end_while_serving(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            logger.error("The application's lifespan was cancelled while it serves.")
        elif error := task.exception():
            logger.error("The application's lifespan raised while it serves.", exc_info=error)


class _Phase:
    """Start-up or shutdown: whether it was begun, told to the application, and answered by it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.told = False
        self.answered = asyncio.Event()
        self.complete = False
        self.failure: str | None = None


def _log_failure(what: str, message: str) -> None:
    # Frameworks put the whole traceback into the message.
    if "\n" in message:
        logger.error("The application reports that its %s failed:\n%s", what, message.rstrip())


def _summary(message: str) -> str:
    """Returns the last line of `message`, which of a traceback is the exception, for a sentence."""
    lines = message.strip().splitlines()
    return f": {lines[-1].strip().rstrip('.')}" if lines else ""
