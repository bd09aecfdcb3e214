"""What is there when a server has ended, and would be waited for: tasks, and threads that hang."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import sys
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["end_process", "ending_all", "leave_threads"]

logger = logging.getLogger("tercel")

# Time that tasks have to end once they are cancelled, and functions on threads to return.
_CANCEL_S = 1.0

_T = TypeVar("_T")


async def ending_all(main: Coroutine[Any, Any, _T]) -> _T:
    """Returns what `main` does, and leaves no task behind that asyncio.Runner would wait for.

    It cancels the tasks that are left, as the Runner does, which then waits for them without a
    limit: an application that ignores CancelledError would keep the process alive for ever.
    """
    try:
        return await main
    finally:
        await _end_others()


async def _end_others() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, stubborn = await asyncio.wait(tasks, timeout=_CANCEL_S)
    if not stubborn:
        return
    names = ", ".join(sorted(task.get_name() for task in stubborn))
    logger.warning(
        "Leaving %d task(s) behind that ignore their cancellation: %s.", len(stubborn), names
    )
    for task in stubborn:
        # No longer among all_tasks(), which is where the Runner looks; and it has been told of.
        asyncio._unregister_task(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def leave_threads(loop: asyncio.AbstractEventLoop) -> bool:
    """Takes the default executor off a loop that has ended. Returns whether a thread hangs.

    That is one of it, or one that functions of a tercel.App run on. The loop would wait for the
    functions that run there, and the interpreter after it, both without a limit.
    """
    default = getattr(loop, "_default_executor", None)
    api = sys.modules.get("tercel.api.threads")
    executors = [default, *(api.take_executors() if api is not None else ())]
    threads = []
    for executor in executors:
        found = getattr(executor, "_threads", None)
        if executor is not None and found is not None:
            executor.shutdown(wait=False, cancel_futures=True)
            threads += found
    deadline = time.monotonic() + _CANCEL_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    stuck = [thread.name for thread in threads if thread.is_alive()]
    if not stuck:
        return False
    logger.warning(
        "Leaving %d thread(s) behind whose function does not return: %s.",
        len(stuck),
        ", ".join(sorted(stuck)),
    )
    if default is not None:
        loop._default_executor = None  # type: ignore[attr-defined]
    return True


def end_process(status: int) -> None:
    """Ends the process without waiting for threads, after what is to be done at its end."""
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)
