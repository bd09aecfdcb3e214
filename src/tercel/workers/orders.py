"""The signals that a supervisor obeys, in the order they came, as something to wait for.

Source: signal.set_wakeup_fd(), which has each written to a socket by its number.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self

from tercel.server.signals import Terminated, has_terminal, watches_terminal
from tercel.workers.orphans import inherits_orphans

__all__ = ["Orders"]


class Orders:
    """Takes the signals over while it is entered. In the main thread only.

    Until `queue` is called, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit, wherever the
    program is, as with `Signals`; the others wait.
    """

    NUMBERS = (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGTTIN,
        signal.SIGTTOU,
    )

    def __init__(self) -> None:
        self._ours, self._pythons = socket.socketpair()
        for end in (self._ours, self._pythons):
            end.setblocking(False)
        self._before: dict[signal.Signals, Any] = {}
        self._wakeup_before = -1
        self._queues = False
        self._had_terminal = watches_terminal()

    @property
    def lost_terminal(self) -> bool:
        """Whether there was one that is gone, which is a reason of the kernel's for SIGHUP."""
        return self._had_terminal and not has_terminal()

    def queue(self) -> None:
        """From now on all of them are only taken note of."""
        self._queues = True

    def fileno(self) -> int:
        """Readable when there is one."""
        return self._ours.fileno()

    def take(self) -> list[int]:
        """Returns those that came since it was called last."""
        numbers: list[int] = []
        with contextlib.suppress(BlockingIOError):
            while data := self._ours.recv(4096):
                numbers.extend(data)
        return numbers

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(
            self._pythons.fileno(), warn_on_full_buffer=False
        )
        self._before = {number: signal.signal(number, self._note) for number in self.NUMBERS}
        # What ends is to be waited for, whoever ignored that. Workers have descriptors that tell of
        # their end; for what else may end here the signal has to wake us.
        on_end = self._note if inherits_orphans() else signal.SIG_DFL
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, on_end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._close()

    def leave(self) -> None:
        """In a child of fork(): its signals are its own. The handlers stay until it has others."""
        signal.set_wakeup_fd(-1)
        if signal.getsignal(signal.SIGCHLD) == self._note:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._close()

    def _close(self) -> None:
        self._ours.close()
        self._pythons.close()

    def _note(self, number: int, frame: FrameType | None) -> None:
        """The wake-up descriptor has it."""
        if not self._queues and number in (signal.SIGINT, signal.SIGTERM):
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(128 + number)
