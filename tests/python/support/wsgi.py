"""WSGI applications for the tests, and what they are wrapped in."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.validate import validator

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], None]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

WAIT_S = 10.0
PLAIN = [("Content-Type", "text/plain")]


def validated(app: Application) -> Application:
    """Wraps `app` in wsgiref's checks of both sides: one that fails is an exception, so a 500."""
    checked = validator(app)

    # The validator takes any arguments, so it does not look like what it is.
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return checked(environ, start_response)

    return application


def plain(start_response: StartResponse, body: bytes | str = b"") -> list[bytes]:
    """Starts a response of text, and returns its body."""
    start_response("200 OK", PLAIN)
    return [body.encode() if isinstance(body, str) else body]


class Parts:
    """An iterable of a response that counts what the server does with it.

    Args:
        parts: what it yields; an exception among them is raised.
        begin: called before the first.
    """

    def __init__(self, parts: Iterable[Any], begin: Callable[[], Any] | None = None) -> None:
        self._parts = iter(parts)
        self._begin = begin
        self.closed = 0
        self.events: list[str] = []

    def __iter__(self) -> Parts:
        return self

    def __next__(self) -> bytes:
        if self._begin is not None:
            self._begin()
            self._begin = None
        part = next(self._parts)
        self.events.append("part")
        if isinstance(part, BaseException):
            raise part
        return part

    def close(self) -> None:
        self.closed += 1
        self.events.append("close")


def until(condition: Callable[[], Any], *, seconds: float = WAIT_S) -> bool:
    """Waits for `condition`, and returns whether it came true."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return bool(condition())


class Kept:
    """Keeps what an application saw for the test's thread: `kept.put(x)`, `kept.get()`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.put = self._queue.put

    def get(self) -> Any:
        return self._queue.get(timeout=WAIT_S)
