"""Threads for functions that may hang: they keep no process alive, and are made up for.

An executor of `concurrent.futures` is waited for when the interpreter ends, for ever where a
function does not return. These are daemon threads. Who gives a call up says so, and another thread
may take the place of the one that is stuck in it, up to a limit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Threads", "raised"]

_IDLE_S = 60.0


@dataclass(slots=True)
class _Job:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: Future[Any] = field(default_factory=Future)
    given_up: bool = False
    begun: bool = False
    stuck: bool = False


class Threads:
    """A pool of daemon threads.

    Args:
        usual: threads at most, not counting those whose call was given up.
        most: threads at most, all counted.
    """

    def __init__(self, name: str, usual: int, most: int) -> None:
        self._name = name
        self._usual = usual
        self._most = most
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0  # Those that wait for a job, less the jobs that wait for them.
        self._stuck = 0

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Returns what the function does, called on one of the threads.

        Whoever cancels this gives the call up: if it has begun its thread counts as stuck until it
        returns; if not it is not made.
        """
        job = _Job(function, arguments)
        with self._lock:
            self._idle -= 1
            self._start_if_needed()
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            self._give_up(job)
            raise

    def _start_if_needed(self) -> None:
        """REQUIRES: the lock is held."""
        may = self._threads - self._stuck < self._usual and self._threads < self._most
        if self._idle < 0 and may:
            self._threads += 1
            self._idle += 1
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _give_up(self, job: _Job) -> None:
        with self._lock:
            job.given_up = True
            if job.begun and not job.future.done():
                job.stuck = True
                self._stuck += 1
                self._start_if_needed()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._idle <= 0:
                        continue  # A job is on its way.
                    self._idle -= 1
                    self._threads -= 1
                    return
            with self._lock:
                job.begun = not job.given_up
            if job.begun and job.future.set_running_or_notify_cancel():
                self._run(job)
            with self._lock:
                self._idle += 1
                if job.stuck:
                    self._stuck -= 1
                if self._threads - self._stuck > self._usual:
                    self._threads -= 1
                    self._idle -= 1
                    return

    @staticmethod
    def _run(job: _Job) -> None:
        try:
            result = job.function(*job.arguments)
        except (StopIteration, CancelledError) as error:  # A future of asyncio takes neither.
            job.future.set_exception(raised(error))
        except Exception as error:
            job.future.set_exception(error)
        except BaseException as error:  # That of a function's own, which must not end the server.
            job.future.set_exception(raised(error))
        else:
            job.future.set_result(result)


def raised(error: BaseException) -> RuntimeError:
    """Returns what is to be raised where an exception of a function would do harm."""
    said = RuntimeError(f"it raised {error!r}")
    said.__cause__ = error
    return said
