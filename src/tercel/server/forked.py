"""Children of fork() that come back to the event loop of the server they were forked from.

They have copies of the loop and of every connection, and share the epoll, which are the parent's.
Such a child is ended: an application that forks has to end its child with os._exit(), or run
another program in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

__all__ = ["SENTENCE", "end", "ending_children"]

SENTENCE = (
    "tercel: ended a child of fork() that came back from a request: its parent has the connections."
    " End a child with os._exit(), or start programs with `subprocess`."
)


@contextmanager
def ending_children() -> Iterator[None]:
    """Ends a child of fork() that leaves the context by an exception, with what it had to say.

    Neither the loop's clean-up nor what is registered with `atexit` runs: both are the parent's.
    """
    owner = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() == owner:
            raise
        end(error)


def end(error: BaseException | None) -> NoReturn:
    """Ends this process, a child, as SystemExit does: by a number, or a text on stderr and 1.

    Called from the engine, too, when a request of the child is done (python/asgi/failure.h).

    At once: a loop that is left takes from the epoll what it watches, which is the parent's.
    """
    code = error.code if isinstance(error, SystemExit) else SENTENCE
    status = 0 if code is None else 1
    if isinstance(code, int):
        status = code & 0xFF
    elif code is not None and sys.stderr is not None:
        # What the child writes may be lost with its pipe.
        with suppress(OSError, ValueError):
            print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)
