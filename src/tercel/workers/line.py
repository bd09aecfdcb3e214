"""The line between a supervisor and one of its workers: a pair of sockets that keep messages apart.

A worker says that it is `ready`, that it `failed` to start and why, and that it is `alive`. The
supervisor says that it sent a signal, which the application may have blocked, and that a worker is
to hurry: a second signal does not say so, for whoever signals all processes of a service sends a
worker one, and the supervisor another. That its end is closed is how a worker learns that it is
alone.
"""

from __future__ import annotations

import contextlib
import socket

__all__ = ["GONE", "HURRY", "SIGNAL", "hear", "make_line", "order", "read_messages", "tell"]

SIGNAL = b"signal"
HURRY = b"hurry"
GONE = b""
_BYTES_MAX = 64 * 1024
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
    # Not as JSON, whose encoder is a lot to write to for a worker that only says that it is alive.
    message = f"{what} {status} {text[:_TEXT_MAX]}"
    with contextlib.suppress(OSError):
        end.send(message.encode(errors="surrogatepass"))


def order(end: socket.socket, what: bytes) -> None:
    """Tells a worker. Never waits: one that does not read will be killed."""
    with contextlib.suppress(OSError):
        end.send(what)


def hear(end: socket.socket) -> bytes | None:
    """Returns what the supervisor said, GONE if it is gone, or None if there is nothing."""
    try:
        return end.recv(_BYTES_MAX)
    except BlockingIOError:
        return None
    except OSError:
        return GONE


def read_messages(end: socket.socket) -> tuple[list[tuple[str, str, int]], bool]:
    """Returns what has arrived, as `tell` was given it, and whether the other end is open."""
    messages: list[tuple[str, str, int]] = []
    while True:
        try:
            data = end.recv(_BYTES_MAX)
        except BlockingIOError:
            return messages, True
        except OSError:
            return messages, False
        if not data:
            return messages, False
        what, status, text = data.decode(errors="surrogatepass").split(" ", 2)
        messages.append((what, text, int(status)))
