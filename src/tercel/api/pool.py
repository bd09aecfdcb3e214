"""Threads, and calls that wait for one of them: counted, and gone when they are cancelled.

The queue of a `ThreadPoolExecutor` has no limit, and keeps what was cancelled, with its arguments,
until a thread comes to it: never, where all of them hang. Here the executor has no queue to speak
of: it is asked for threads, and these fetch the calls. Tested by tests/python/test_api_pool.py.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["Full", "Pool"]

_T = TypeVar("_T")


class Full(Exception):
    """As many calls wait as may."""


class Pool:
    """Some threads, which are started when they are needed.

    Args:
        size: threads at most.
        name: of the threads, with a number behind it.

    Attributes:
        executor: whose threads they are. Who shuts it down calls `cancel_waiting()` first.
    """

    def __init__(self, size: int, name: str) -> None:
        self.executor = ThreadPoolExecutor(size, name)
        self._size = size
        self._lock = threading.Lock()
        # Calls that no thread has fetched, in their order.
        self._waiting: OrderedDict[Future[Any], Callable[[], Any]] = OrderedDict()
        # Threads that fetch calls, and those of them that the executor was asked for only.
        self._busy = 0
        self._asked: set[object] = set()

    def submit(self, function: Callable[[], _T], most: int | None = None) -> Future[_T]:
        """Calls a function on a thread. Cancelled before that, nothing is kept of it.

        Args:
            most: calls that may wait already; None: any number.

        Raises:
            Full: more wait.
            RuntimeError: the system has no thread.
        """
        future: Future[_T] = Future()
        thread: object | None = None
        with self._lock:
            if self._busy < self._size:
                self._busy += 1
                thread = object()
                self._asked.add(thread)
            elif most is not None and len(self._waiting) >= most:
                raise Full
            self._waiting[future] = function
        future.add_done_callback(self._drop)
        if thread is not None:
            try:
                self.executor.submit(self._serve, thread)
            except BaseException:
                with self._lock:
                    # The executor may have kept it, or a thread have begun with it.
                    if thread in self._asked:
                        self._asked.remove(thread)
                        self._busy -= 1
                future.cancel()
                raise
        return future

    def cancel_waiting(self) -> None:
        """Cancels the calls that no thread has fetched."""
        with self._lock:
            waiting = list(self._waiting)
        for future in waiting:
            future.cancel()

    def _drop(self, future: Future[Any]) -> None:
        if future.cancelled():
            with self._lock:
                # The function goes when the lock is free: what goes with it may call anything.
                function = self._waiting.pop(future, None)
            del function

    def _serve(self, thread: object) -> None:
        """What a thread does: it makes the calls, until none waits."""
        with self._lock:
            if thread not in self._asked:
                return
            self._asked.remove(thread)
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy -= 1
                    return
                future, function = self._waiting.popitem(last=False)
            _call(future, function)
            del future, function  # Not kept while it waits for the lock.


def _call(future: Future[Any], function: Callable[[], Any]) -> None:
    try:
        if future.set_running_or_notify_cancel():
            future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del future, function  # The traceback has this frame.
