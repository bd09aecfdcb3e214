"""An engine in a loop that is not tercel's: the loop watches its descriptor, and calls it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tercel import _core
from tercel.server.forked import SENTENCE, end

__all__ = ["nested_engine"]

# The loops that do not notice that they are in a child, and would wait there for ever.
_unaware: set[asyncio.AbstractEventLoop] = set()
_registered = False


@contextmanager
def nested_engine(loop: asyncio.AbstractEventLoop) -> Iterator[_core.Engine]:
    """An engine of its own for `loop`, for as long as the context lasts."""
    engine = _core.Engine()
    engine.set_nested(True)
    owner = os.getpid()

    def on_ready() -> None:
        try:
            engine.on_ready()
        except BaseException as error:
            if os.getpid() == owner:
                raise
            end(error)

    loop.add_reader(engine.fileno(), on_ready)
    with _ending_in_children(loop):
        try:
            yield engine
        finally:
            # A child of fork() shares the epoll of the outer loop: the engine is the parent's.
            if os.getpid() == owner:
                loop.remove_reader(engine.fileno())
            engine.close()


@contextmanager
def _ending_in_children(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """As long as the context lasts, a child of fork() ends at the next turn of `loop` in it."""
    _register_once()
    _unaware.add(loop)
    try:
        yield
    finally:
        _unaware.discard(loop)


def _register_once() -> None:
    global _registered
    if not _registered:
        _registered = True
        os.register_at_fork(after_in_child=_after_in_child)


def _after_in_child() -> None:
    for loop in _unaware:
        loop.call_soon(_leave)


def _leave() -> NoReturn:
    end(SystemExit(SENTENCE))
