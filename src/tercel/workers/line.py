"""The line between a supervisor and one of its workers: a pair of sockets that keep messages apart.

A worker says that it is `ready`, that it `failed` to start and why, and that it is `alive`. The
supervisor only says that it sent a signal: the application may have blocked signals. That its end
is closed is how a worker learns that it is alone.
"""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

__all__ = ["hears_of_signal", "make_line", "read_messages", "tell", "tell_of_signal"]

_BYTES_MAX = 64 * 1024
_SIGNAL = b"signal"
# Of a sentence, so that a message always fits.
_TEXT_MAX = 4096


def make_line() -> tuple[socket.socket, socket.socket]:
    """Returns the supervisor's end, and the worker's. Neither blocks."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends


def tell(end: socket.socket, what: str, text: str = "", status: int = 0) -> None:
    """Sends a message. Never waits: a supervisor that does not read does not need it."""
    message = {"what": what, "text": text[:_TEXT_MAX], "status": status}
    with contextlib.suppress(OSError):
        end.send(json.dumps(message).encode())


def tell_of_signal(end: socket.socket) -> None:
    """Says that a signal was sent. Never waits: a worker that does not read will be killed."""
    with contextlib.suppress(OSError):
        end.send(_SIGNAL)


def hears_of_signal(end: socket.socket) -> bool:
    """Whether it was that, once the worker's end is readable; else the other end is closed."""
    try:
        return end.recv(_BYTES_MAX) == _SIGNAL
    except BlockingIOError:
        return True
    except OSError:
        return False


def read_messages(end: socket.socket) -> tuple[list[dict[str, Any]], bool]:
    """Returns what has arrived, and whether the other end is open."""
    messages: list[dict[str, Any]] = []
    while True:
        try:
            data = end.recv(_BYTES_MAX)
        except BlockingIOError:
            return messages, True
        except OSError:
            return messages, False
        if not data:
            return messages, False
        messages.append(json.loads(data))
