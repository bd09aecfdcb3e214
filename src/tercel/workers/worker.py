"""What a worker process runs: the server, with the supervisor as whoever wants to know.

A worker that loses its supervisor lets its requests finish and ends: nobody would replace it, and
nobody else would hear of it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from tercel.problems import ImportFailed, StartError
from tercel.server.server import Server
from tercel.server.serving import run_server
from tercel.server.signals import Signals
from tercel.workers.line import GONE, HURRY, SIGNAL, hear, tell

__all__ = ["become_worker"]

logger = logging.getLogger("tercel")


def become_worker(
    server: Server, make_loop: Callable[[], asyncio.AbstractEventLoop], line: socket.socket
) -> NoReturn:
    """Serves until SIGTERM, or until the supervisor is gone, and ends this process, a child.

    Whatever called the supervisor is not returned to: that is the parent's to go on with.

    Args:
        server: not started; its application may be loaded already.
        line: the worker's end.
    """
    status = 1
    try:
        status = _run(server, make_loop, line)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _exit(status)


def _run(
    server: Server, make_loop: Callable[[], asyncio.AbstractEventLoop], line: socket.socket
) -> int:
    # Of a crash, and of SIGABRT, which is what a worker gets that stands still.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            faulthandler.enable()
    with Signals(worker=True) as signals:
        # Blocked since before the fork: what came meanwhile comes now.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        try:
            return run_server(server, make_loop, signals, _Link(line, signals), own_process=True)
        except StartError as error:
            tell(line, "failed", str(error), error.exit_status)
            if isinstance(error, ImportFailed) and error.__cause__ is not None:
                from tercel.server.import_mistakes import application_traceback

                print(application_traceback(error.__cause__), file=sys.stderr, end="")
            return error.exit_status


def _exit(status: int) -> NoReturn:
    """Ends the process as the interpreter does, but for what the parent has to finalise."""
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


class _Link:
    """The worker's part of the line, as the role of its server."""

    def __init__(self, line: socket.socket, signals: Signals) -> None:
        self._line, self._signals = line, signals

    @contextlib.contextmanager
    def watch(self, server: Server, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        def on_line() -> None:
            said = hear(self._line)
            if said == SIGNAL:
                # It waits if the application blocked it. A pause in which it must not come, the
                # application has left by now: this is the loop.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, Signals.OF_WORKERS)
            elif said == HURRY:
                self._signals.hurry()
            elif said == GONE:
                loop.remove_reader(descriptor)
                logger.warning("The supervisor has gone: worker %d ends.", os.getpid())
                server.shutdown()

        # By number: asyncio looks it up first, and what is not registered is shown as text.
        descriptor = self._line.fileno()
        loop.add_reader(descriptor, on_line)
        beat = _Beat(loop, self._line, server.settings.timeout_worker)
        tell(self._line, "ready")
        try:
            yield
        finally:
            beat.stop()
            loop.remove_reader(descriptor)

    def ending(self) -> None:
        """The supervisor knows: it is who ended it."""

    def show_state(self, server: Server) -> None:
        """The supervisor shows that of all workers."""


class _Beat:
    """Tells four times in `limit` seconds that the loop turns; never if `limit` is 0."""

    def __init__(self, loop: asyncio.AbstractEventLoop, line: socket.socket, limit: float) -> None:
        self._loop, self._line, self._pause = loop, line, limit / 4
        self._timer: asyncio.TimerHandle | None = None
        if limit:
            self._tell()

    def _tell(self) -> None:
        tell(self._line, "alive")
        self._timer = self._loop.call_later(self._pause, self._tell)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
