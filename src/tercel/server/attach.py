"""Finds the engine of an event loop, or gives it one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tercel import _core

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
    from tercel.server.nested import nested_engine

    with nested_engine(loop) as engine:
        yield engine
