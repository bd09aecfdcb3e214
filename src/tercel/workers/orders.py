"""The signals that a supervisor obeys, in the order they came, as something to wait for.

Source: signal.set_wakeup_fd(), which has each written to a socket by its number.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Orders"]


class Orders:
    """Takes the signals over while it is entered. In the main thread only."""

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
        self._before = {number: signal.signal(number, _note) for number in self.NUMBERS}
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
        self._close()

    def _close(self) -> None:
        self._ours.close()
        self._pythons.close()


def _note(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor has it."""
