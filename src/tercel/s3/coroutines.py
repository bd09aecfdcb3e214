"""Coroutine functions that may hang, raise what ends a program, or ignore their cancellation.

Each call is a task of its own. Who awaits it can give it up at any time: the task is cancelled, and
whatever it does then is nobody's answer. One that goes on all the same keeps its place until it
ends, as a plain function keeps its thread (threads.py), and there are so many places.

Tested by tests/python/test_s3_policy.py.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from tercel.s3.threads import raised

__all__ = ["Coroutines"]

_log = logging.getLogger("tercel.s3")


class _Places:
    """Of the calls on one loop."""

    def __init__(self, most: int) -> None:
        self.free = asyncio.Semaphore(most)
        # Calls that have not ended. They are held here: what only waits for what nobody else has
        # would be collected, and never end.
        self.given_up: set[asyncio.Task[Any]] = set()


class Coroutines:
    """Calls coroutine functions.

    Args:
        most: calls at a time, of one loop; others wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._loops: dict[asyncio.AbstractEventLoop, _Places] = {}

    async def call(
        self, name: str, function: Callable[..., Awaitable[Any]], *arguments: Any
    ) -> Any:
        """Returns what the coroutine of a function does. Thread: that of a running loop.

        Whoever cancels this gives the call up: one that waits is not made then.

        Args:
            name: of the function, for the log.

        Raises:
            Exception: the function did. What it raised that is none is the cause of a RuntimeError.
        """
        places = self._places()
        await places.free.acquire()
        task = asyncio.get_running_loop().create_task(
            _guarded(function, *arguments), name=f"tercel-s3 {name}"
        )
        task.add_done_callback(lambda _: places.free.release())
        try:
            # Not the task itself: whoever awaits that waits until it has ended.
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            self._give_up(name, task, places)
            raise
        if task.cancelled():
            raise RuntimeError("it was cancelled")
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise raised(error)
        return task.result()

    def _places(self) -> _Places:
        loop = asyncio.get_running_loop()
        places = self._loops.get(loop)
        if places is None:
            # What is left of loops that have ended does not end.
            self._loops = {one: its for one, its in self._loops.items() if not one.is_closed()}
            places = self._loops[loop] = _Places(self._most)
        return places

    def _give_up(self, name: str, task: asyncio.Task[Any], places: _Places) -> None:
        def ended(task: asyncio.Task[Any]) -> None:
            places.given_up.discard(task)
            _drop(name, task)

        task.cancel()
        task.add_done_callback(ended)  # Later, if it is done already.
        places.given_up.add(task)
        if len(places.given_up) == self._most:
            _log.error(
                "%d calls have not ended that were given up, the last one of %s: no other coroutine"
                " function is called until one does",
                self._most,
                name,
            )


async def _guarded(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Awaits what a function returns. What it raises ends no loop, as these two would."""
    try:
        return await function(*arguments)
    except (SystemExit, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) and _is_ctrl_c():
            raise
        raise raised(error) from error


def _is_ctrl_c() -> bool:
    """Whether Python's own handler of SIGINT may have raised a KeyboardInterrupt here.

    The server has one of its own, which does not.
    """
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def _drop(name: str, task: asyncio.Task[Any]) -> None:
    """Tells of what came late."""
    if task.cancelled():
        return
    error = task.exception()
    did = "returned" if error is None else f"raised {type(error).__name__}"
    _log.error("%s %s after its time: that does not count", name, did)
