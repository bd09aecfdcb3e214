"""SIGINT and SIGTERM: the first asks the server to end, the second insists, the third kills.

SIGUSR1 has the logs opened again and the state shown, SIGHUP the certificates read again. SIGHUP
is also what the kernel sends when the terminal of a process goes away: that ends it.

They are plain Python handlers rather than the loop's own, so that they are heard while application
code keeps the loop busy, on every kind of loop, and before there is a loop at all. Python runs such
a handler between two bytecodes only, so a signal that comes just before the loop begins to wait
would not be noticed until something else ends the wait: a wake-up descriptor ends it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["INTERRUPTIONS", "Signals", "Terminated", "has_terminal", "watches_terminal"]

_TERMINAL = "/dev/tty"


class Terminated(SystemExit):
    """SIGTERM came before anything could be asked to end."""


# What `Signals` raises while there is no loop to deliver to, and what only Ctrl-C does.
INTERRUPTIONS = (KeyboardInterrupt, Terminated)


class Signals:
    """Takes over the signals while it is entered. Does nothing outside of the main thread.

    Until `deliver_to` is called, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit, wherever
    the program is: nothing is served that could be lost. SIGUSR1 does nothing: no log is open.

    Args:
        worker: SIGTERM and SIGUSR1 are heard, which come from the supervisor. The others are
            ignored: a terminal sends SIGINT and SIGHUP to the supervisor and its workers alike.

    Attributes:
        received: the last signal to end that came, 0 if none.
        count: how many came.
    """

    # What a worker hears.
    OF_WORKERS = (signal.SIGTERM, signal.SIGUSR1)

    def __init__(self, *, worker: bool = False) -> None:
        self.received = 0
        self.count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Callable[[], object] | None = None
        self._reopen: Callable[[], object] | None = None
        self._reload: Callable[[], object] | None = None
        self._worker = worker
        self._told = False  # The loop, to end.
        # A worker that loses its terminal is told by its supervisor.
        self._had_terminal = not worker and watches_terminal()
        self._before: dict[signal.Signals, Any] = {}
        self._wake_up: tuple[socket.socket, socket.socket] | None = None

    @property
    def heard(self) -> bool:
        """True while signals come here: not in a thread other than the main one."""
        return bool(self._before)

    @property
    def exit_status(self) -> int:
        """What a shell reports for a process that the signal ended."""
        return 128 + self.received

    def deliver_to(
        self,
        loop: asyncio.AbstractEventLoop,
        end: Callable[[], object],
        reopen: Callable[[], object],
        reload: Callable[[], object],
    ) -> None:
        """From now on, calls `end` on `loop` for each SIGINT and SIGTERM, `reopen` for SIGUSR1, and
        `reload` for SIGHUP.
        """
        self._loop, self._end, self._reopen, self._reload = loop, end, reopen, reload
        if self._before:
            self._let_signals_wake(loop)

    def _let_signals_wake(self, loop: asyncio.AbstractEventLoop) -> None:
        ours, pythons = socket.socketpair()
        for end in (ours, pythons):
            end.setblocking(False)
        before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
        if before != -1:  # The loop has one of its own (uvloop does).
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)
            ours.close()
            pythons.close()
            return
        self._wake_up = (ours, pythons)
        # By number: asyncio looks it up first, and what is not registered is shown as text.
        loop.add_reader(ours.fileno(), ours.recv, 4096)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, to) for number, to in self._handlers().items()
            }
        return self

    def _handlers(self) -> dict[signal.Signals, Any]:
        heard = {signal.SIGTERM: self._handle, signal.SIGUSR1: self._handle_reopen}
        if self._worker:
            ignored = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU)
            return heard | dict.fromkeys(ignored, signal.SIG_IGN)
        # There is no supervisor that SIGUSR2 could be for.
        alone = {signal.SIGHUP: self._handle_reload, signal.SIGUSR2: signal.SIG_IGN}
        return heard | alone | {signal.SIGINT: self._handle}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._wake_up is not None:
            # The application may have put another one there meanwhile, with add_signal_handler().
            now = signal.set_wakeup_fd(-1)
            if now != self._wake_up[1].fileno():
                signal.set_wakeup_fd(now)
            for end in self._wake_up:
                end.close()

    def hurry(self) -> None:
        """In a worker, in its loop: cuts off what a signal has it finish."""
        self.count += 1
        if self._end is not None:
            self._end()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._worker and self._told:
            return  # From whoever signals all processes of a service: see tercel.workers.line.
        self.received = number
        self.count += 1
        if self.count > 2:
            os._exit(self.exit_status)
        if self._loop is None or self._end is None or self._loop.is_closed():
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(self.exit_status)
        self._told = True
        self._loop.call_soon_threadsafe(self._end)

    def _handle_reload(self, number: int, frame: FrameType | None) -> None:
        if self._had_terminal and not has_terminal():
            self._handle(number, frame)
        elif self._loop is not None and self._reload is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._reload)

    def _handle_reopen(self, number: int, frame: FrameType | None) -> None:
        if self._loop is not None and self._reopen is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._reopen)


def watches_terminal() -> bool:
    """Whether this process is to end with its terminal: it has one, and was not started by
    nohup(1).
    """
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and has_terminal()


def has_terminal() -> bool:
    """Whether this process has a controlling terminal that is still there."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
