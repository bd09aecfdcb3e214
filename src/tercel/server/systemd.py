"""What a service manager that speaks systemd's protocols asks of a service.

Readiness, the end and the watchdog are datagrams to the socket that `NOTIFY_SOCKET` names; sockets
that it opened are the descriptors from 3 on. Without its variables nothing here does anything.

Source: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["inherited_binds", "notify", "watchdog", "watchdog_interval"]

logger = logging.getLogger("tercel")

_FIRST_DESCRIPTOR = 3


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tells the service manager `state` (`READY=1`), if there is one. Never waits, never raises.

    Returns:
        Whether it was sent.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    # An abstract name is written with @ for its first byte, which is zero.
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), address)
    except OSError as error:
        logger.debug("The service manager was not told %s: %s.", state, error)
        return False
    return True


def inherited_binds(environ: Mapping[str, str]) -> list[str]:
    """Returns the sockets that the service manager opened for this process, as `bind` has them.

    They are for the process that LISTEN_PID names: a child that inherited the variables has none.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = _number(environ.get("LISTEN_FDS", ""), digits=4)
    return [f"fd://{_FIRST_DESCRIPTOR + number}" for number in range(count)]


def watchdog_interval(environ: Mapping[str, str]) -> float | None:
    """Returns how often to tell that all is well, in seconds: twice as often as is asked for.

    None if nobody asks, or asks another process.
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return _number(environ.get("WATCHDOG_USEC", ""), digits=18) / 2_000_000 or None


def _number(text: str, *, digits: int) -> int:
    """Returns what `text` is in at most that many decimal digits; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else 0


@contextmanager
def watchdog(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While it lasts, `loop` tells the service manager that it turns, if that wants to know.

    A loop that stops turning, because the application blocks it, says nothing, and the service
    manager ends the process.
    """
    interval = watchdog_interval(os.environ)
    if interval is None:
        yield
        return
    timer: asyncio.TimerHandle

    def tell() -> None:
        nonlocal timer
        notify("WATCHDOG=1")
        timer = loop.call_later(interval, tell)

    tell()
    try:
        yield
    finally:
        timer.cancel()
