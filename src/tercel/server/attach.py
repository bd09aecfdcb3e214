"""Finds the engine of an event loop, or gives it one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tercel import _core
from tercel.server.forked import end, ending_in_children

__all__ = ["engine_of"]


@contextmanager
def engine_of(loop: asyncio.AbstractEventLoop) -> Iterator[_core.Engine]:
    """The engine that runs on `loop`, for as long as the context lasts.

    `tercel.EventLoop` has one. Any other loop that can watch a descriptor gets one nested into it:
    the engine's descriptor is readable when the engine has something to do.
    """
    if isinstance(loop, _core.LoopCore) and loop.engine is not None:
        yield loop.engine
        return
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
    with ending_in_children(loop):
        try:
            yield engine
        finally:
            # A child of fork() shares the epoll of the outer loop: the engine is the parent's.
            if os.getpid() == owner:
                loop.remove_reader(engine.fileno())
            engine.close()
