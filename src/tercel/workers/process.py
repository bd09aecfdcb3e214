"""A worker as its supervisor sees it."""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tercel.workers.line import HURRY, SIGNAL, order
from tercel.workers.wear import Wear

if TYPE_CHECKING:
    from tercel.workers.generation import Generation

__all__ = ["State", "Worker", "describe_exit"]


# The exit code of a process that somebody else has waited for.
UNKNOWN = 255


class State(enum.Enum):
    STARTING = "starting"
    SERVING = "serving"
    ENDING = "ending"  # Told to end: it lets requests finish.


@dataclass(eq=False)
class Worker:
    """One child process.

    Attributes:
        place: where it counts, in the memory that all share.
        pidfd: readable when the process has ended. Signals go through it: a number may be somebody
            else's by then.
        line: the supervisor's end.
        wear: when it is to be replaced.
        since: when the state began, on the monotonic clock.
        heard: when it told last that its loop turns.
        failure: what it said when it could not start, and the status it ends with.
        worn: why it is to be replaced, once it is.
        hurry_at: when it is told to cut its requests off; None: never.
        kill_at: when it is killed if it has not ended; None: never.
    """

    place: int
    pid: int
    pidfd: int
    line: socket.socket
    generation: Generation
    wear: Wear
    state: State = State.STARTING
    since: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    failure: tuple[str, int] | None = None
    worn: str = ""
    hurry_at: float | None = None
    kill_at: float | None = None

    @property
    def stands_still_at(self) -> float | None:
        """When it is to be replaced if its loop does not turn before; None: never."""
        limit = self.generation.settings.timeout_worker
        return self.heard + limit if limit and self.state is State.SERVING else None

    def enter(self, state: State) -> None:
        self.state = state
        self.since = self.heard = time.monotonic()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)
        order(self.line, SIGNAL)

    def hurry(self) -> None:
        """Has one that is ending cut its requests off."""
        order(self.line, HURRY)

    def reap(self) -> int:
        """Returns the exit code of a process that has ended: negative for a signal."""
        self.close()
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:  # The application waited for it, or has children not waited for.
            return UNKNOWN
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        os.close(self.pidfd)
        self.line.close()


def describe_exit(code: int) -> str:
    """Returns "was killed by SIGSEGV" or "ended with status 3"."""
    if code == UNKNOWN:
        return "ended"
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
