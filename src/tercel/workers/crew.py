"""The workers there are: how they are forked, heard, told to end, and buried.

How many there should be, and of which generation, is the supervisor's to decide.
"""

from __future__ import annotations

import itertools
import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator

from tercel import _core
from tercel.workers.generation import Generation
from tercel.workers.line import make_line, read_messages
from tercel.workers.orders import Orders
from tercel.workers.process import State, Worker
from tercel.workers.wear import Wear
from tercel.workers.worker import become_worker

__all__ = ["HURRY_S", "Crew"]

logger = logging.getLogger("tercel")

# For what a worker does beside its requests when it ends, before it is killed.
_SLACK_S = 5.0
# Of a worker that was told to hurry: it cuts its requests off, and the application has a second.
HURRY_S = 3.0
# How often it is looked whether workers are worn.
_WEAR_S = 0.25


class Crew:
    """Workers, as a list of what is known of each.

    Args:
        selector: to be told of them by.
        shared: what they have in common.
    """

    def __init__(self, selector: selectors.BaseSelector, shared: _core.Shared) -> None:
        self.workers: list[Worker] = []
        self._selector = selector
        self._shared = shared
        self._wear_due = 0.0

    def __iter__(self) -> Iterator[Worker]:
        return iter(self.workers)

    def among(self, *states: State) -> list[Worker]:
        """Those in one of these states, the longest there first."""
        return [worker for worker in self.workers if worker.state in states]

    # --- one worker

    def fork(self, generation: Generation, leave: Callable[[], None]) -> None:
        """Starts one more. In the child it calls `leave`, and does not return.

        Raises:
            OSError: the system has no process to give.
        """
        ours, theirs = make_line()
        taken = {worker.place for worker in self.workers}
        place = self._shared.place = next(n for n in itertools.count() if n not in taken)
        # What comes between the fork and the child's own handlers waits, and is not lost.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, Orders.NUMBERS)
        try:
            pid = os.fork()
            if pid == 0:
                ours.close()
                leave()
                self._leave()
                become_worker(generation.server, generation.make_loop, theirs)
            pidfd = _pidfd_of(pid)
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        worker = Worker(place, pid, pidfd, ours, generation, Wear(generation.settings))
        self.workers.append(worker)
        self._selector.register(worker.pidfd, selectors.EVENT_READ)
        self._selector.register(worker.line, selectors.EVENT_READ)

    def _leave(self) -> None:
        """In a child: closes what the parent knows its siblings by."""
        for worker in self.workers:
            worker.close()

    def end(self, worker: Worker) -> None:
        """Lets it finish its requests and end."""
        if worker.state is State.ENDING:
            return
        settings = worker.generation.settings
        worker.enter(State.ENDING)
        worker.send(signal.SIGTERM)
        if settings.timeout_lifespan_shutdown:
            limits = settings.timeout_graceful_shutdown + settings.timeout_lifespan_shutdown
            worker.kill_at = worker.since + limits + _SLACK_S

    def hurry(self, worker: Worker) -> None:
        """Has it cut off its requests and end."""
        worker.hurry_at = None
        worker.hurry()
        worker.kill_at = time.monotonic() + HURRY_S

    def kill(self, worker: Worker) -> None:
        logger.warning("Worker %d has not ended in time: killed.", worker.pid)
        worker.hurry_at = worker.kill_at = None
        worker.send(signal.SIGKILL)

    def _abort(self, worker: Worker) -> None:
        logger.error(
            "Worker %d stood still for %g s (timeout-worker): its stacks follow, and another one"
            " takes its place.",
            worker.pid,
            worker.generation.settings.timeout_worker,
        )
        worker.enter(State.ENDING)
        worker.send(signal.SIGABRT)
        worker.kill_at = worker.since + HURRY_S

    # --- all of them

    def enforce(self, now: float) -> None:
        """Does to each worker what is due."""
        for worker in self.workers:
            if worker.kill_at is not None and now >= worker.kill_at:
                self.kill(worker)
            elif worker.hurry_at is not None and now >= worker.hurry_at:
                self.hurry(worker)
            elif worker.stands_still_at is not None and now >= worker.stands_still_at:
                self._abort(worker)
        if now >= self._wear_due:
            self._wear_due = now + _WEAR_S
            for worker in self.among(State.SERVING):
                if not worker.worn and (reason := self._wear_of(worker, now)):
                    worker.worn = reason
                    logger.info("Worker %d is to be replaced (%s).", worker.pid, reason)

    def _wear_of(self, worker: Worker, now: float) -> str:
        if not worker.wear.limited:
            return ""
        return worker.wear.reason(now, self._shared.numbers(worker.place)["requests"], worker.pid)

    def due(self) -> Iterator[float]:
        """When `enforce` has something to do if nothing happens."""
        for worker in self.workers:
            for when in (worker.kill_at, worker.hurry_at, worker.stands_still_at):
                if when is not None:
                    yield when
            if worker.wear.limited and worker.state is State.SERVING and not worker.worn:
                yield self._wear_due

    def hear(self, ready: set[int]) -> list[tuple[Worker, int]]:
        """Takes in what workers say whose descriptors are `ready`.

        Returns:
            Those that have ended, with their exit codes. They are not in the crew any more.
        """
        ended = []
        for worker in list(self.workers):
            if worker.line.fileno() in ready or worker.pidfd in ready:
                self._listen_to(worker)
            if worker.pidfd in ready:
                self._forget(worker.pidfd, worker.line.fileno())
                self.workers.remove(worker)
                ended.append((worker, worker.reap()))
                self._shared.retire(worker.place)
        return ended

    def _listen_to(self, worker: Worker) -> None:
        messages, is_open = read_messages(worker.line)
        if not is_open:
            # From here on only its end is of interest.
            self._forget(worker.line.fileno())
        for what, text, status in messages:
            worker.heard = time.monotonic()
            if what == "failed":
                worker.failure = (text, status)
            elif what == "ready" and worker.state is State.STARTING:
                worker.enter(State.SERVING)
                worker.generation.proven = True

    def _forget(self, *descriptors: int) -> None:
        for one in descriptors:
            if one in self._selector.get_map():
                self._selector.unregister(one)


def _pidfd_of(pid: int) -> int:
    """Returns a descriptor of a child; without one to give, the child is ended: nobody knows it.

    Raises:
        OSError: there is no descriptor left.
    """
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
