"""Where the plain functions of an application run, as they may wait: threads of its own.

Not those of asyncio's default executor, which are few, and which name lookups, files and libraries
need: handlers that wait do not make these wait. The functions are those that an application gives
away: handlers, dependencies, background tasks, `verify=` of schemes, and iterators of streams.

What gives something back, behind the `yield` of a dependency and at the end of an iterator, has
threads apart: those of the others may all wait for what it gives back.
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

from tercel.api.errors import HTTPError
from tercel.api.pool import Full, Pool

__all__ = ["THREADS", "WAITING", "Threads", "release", "submit", "take_executors", "to_thread"]

# For an application that does not say how many.
THREADS = 40
# Calls that wait for a thread, before another request is refused: as many as wait for
# --limit-concurrency unless --limit-queue says otherwise. With 40 threads this is a second of calls
# that take 40 ms each: who came behind them would have left, or asked again, before the answer.
WAITING = 1024

_RETRY_AFTER_S = 1

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """The threads of one application. They are started when they are needed.

    Args:
        size: as many functions run at a time; others wait for one to return. As many again run
            that give something back: no fewer, as they may wait for one another, too.
    """

    def __init__(self, size: int = THREADS) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._pools: dict[str, Pool] = {}
        _all.add(self)

    def pool(self, name: str = "tercel-app") -> Pool:
        """Returns the one whose threads have that name."""
        with self._lock:
            if name not in self._pools:
                self._pools[name] = Pool(self._size, name)
            return self._pools[name]

    def enter(self) -> None:
        """Makes them those of what is called in this context, and in those that are made of it."""
        _current.set(self)


_all: weakref.WeakSet[Threads] = weakref.WeakSet()
_current: contextvars.ContextVar[Threads | None] = contextvars.ContextVar("threads", default=None)
# Of what is called in no context of an application: where a server runs no lifespan.
_others = Threads()


def take_executors() -> list[ThreadPoolExecutor]:
    """Returns those that have been used, and forgets them: who calls it shuts them down.

    Calls that wait are cancelled.
    """
    taken: list[Pool] = []
    for one in _all:
        with one._lock:
            taken += one._pools.values()
            one._pools = {}
    for pool in taken:
        pool.cancel_waiting()
    return [pool.executor for pool in taken]


def _forget() -> None:
    # Threads do not come along when a process forks.
    for one in _all:
        one._lock = threading.Lock()
        one._pools = {}


os.register_at_fork(after_in_child=_forget)


def _threads() -> Threads:
    return _current.get() or _others


def _in_this_context(
    function: Callable[..., _T], /, *arguments: Any, **named: Any
) -> Callable[[], _T]:
    return functools.partial(contextvars.copy_context().run, function, *arguments, **named)


def submit(
    function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs
) -> asyncio.Future[_T]:
    """Calls a function on a thread, in a copy of this context.

    However many wait: for a request whose answer has begun, or is sent. There is one such call at a
    time for each of them.
    """
    call = _in_this_context(function, *arguments, **named)
    return asyncio.wrap_future(_threads().pool().submit(call))


async def to_thread(function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Returns what a function returns that is called on a thread.

    Raises:
        HTTPError: 503; WAITING calls wait already.
    """
    call = _in_this_context(function, *arguments, **named)
    try:
        future = _threads().pool().submit(call, WAITING)
    except Full:
        raise HTTPError(
            503,
            "Too many requests wait for a thread.",
            headers={"retry-after": str(_RETRY_AFTER_S)},
        ) from None
    return await asyncio.wrap_future(future)


def release(
    function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs
) -> asyncio.Future[_T]:
    """Calls a function that gives something back, on a thread for such ones.

    It is called even if who waits for it is cancelled.
    """
    call = _in_this_context(function, *arguments, **named)
    future = _threads().pool("tercel-app-release").submit(call)
    return asyncio.shield(asyncio.wrap_future(future))
