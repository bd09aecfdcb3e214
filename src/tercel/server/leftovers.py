"""The tasks that are there when a server has ended, and that its loop would wait for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["ending_all"]

logger = logging.getLogger("tercel")

# Time that tasks have to end once they are cancelled.
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
