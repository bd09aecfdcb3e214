"""Where the plain functions of an application run, as they may wait: threads of its own.

Not those of asyncio's default executor, which are few, and which name lookups, files and libraries
need: handlers that wait do not make these wait. The functions are those that an application gives
away: handlers, dependencies, background tasks, `verify=` of schemes, and iterators of streams.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

__all__ = ["THREADS", "Threads", "submit", "take_executors", "to_thread"]

# For an application that does not say how many.
THREADS = 40

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """The threads of one application. They are started when they are needed.

    Args:
        size: as many functions run at a time; others wait for one to return.
    """

    def __init__(self, size: int = THREADS) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        _all.add(self)

    @property
    def executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._size, "tercel-app")
            return self._executor

    def enter(self) -> None:
        """Makes them those of what is called in this context, and in those that are made of it."""
        _current.set(self)


_all: weakref.WeakSet[Threads] = weakref.WeakSet()
_current: contextvars.ContextVar[Threads | None] = contextvars.ContextVar("threads", default=None)
# Of what is called in no context of an application: where a server runs no lifespan.
_others = Threads()


def take_executors() -> list[ThreadPoolExecutor]:
    """Returns those that have been used, and forgets them: who calls it shuts them down."""
    taken = []
    for one in _all:
        with one._lock:
            if one._executor is not None:
                taken.append(one._executor)
                one._executor = None
    return taken


def _forget() -> None:
    # Threads do not come along when a process forks.
    for one in _all:
        one._lock = threading.Lock()
        one._executor = None


os.register_at_fork(after_in_child=_forget)


def submit(
    function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs
) -> asyncio.Future[_T]:
    """Calls a function on a thread, in a copy of this context."""
    threads = _current.get() or _others
    context = contextvars.copy_context()
    call: Callable[[], Any] = functools.partial(context.run, function, *arguments, **named)
    return asyncio.get_running_loop().run_in_executor(threads.executor, call)


async def to_thread(function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Returns what a function returns that is called on a thread."""
    return await submit(function, *arguments, **named)
