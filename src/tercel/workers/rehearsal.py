"""The start of a worker, gone through once before the fork, with an application that does nothing.

CPython learns while it runs: where a method was found, with a counted reference to its name; which
names are interned; which version a class has. What it learns before the fork is memory that the
workers have in common. What it learns after it, each writes into its own copy of pages that lie all
over those of the application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tercel.server.server import Server
from tercel.workers.line import make_line, tell

__all__ = ["rehearse"]

logger = logging.getLogger("tercel")


def rehearse(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Starts a server that nobody can reach, and ends it: a loop, its lifespan, its line.

    Nothing is left open, and signals stay as they are. Whatever goes wrong is no reason not to
    fork: a worker for which it matters says so. Cost: a millisecond or two.

    Args:
        make_loop: what makes the loops of the workers. One that holds more than descriptors, as
            uvloop's does, may not be one to make before a fork.
    """
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_start_and_end())
    except Exception:
        logger.debug("The start of a worker cannot be rehearsed.", exc_info=True)


async def _start_and_end() -> None:
    server = _Unreachable(_application, access_log=False, lifespan="on")
    serving = asyncio.ensure_future(server.serve())
    await server.wait_started()
    try:
        _converse(asyncio.get_running_loop())
    finally:
        server.shutdown()
        await serving


def _converse(loop: asyncio.AbstractEventLoop) -> None:
    ends = make_line()
    with ends[0], ends[1] as line:
        loop.add_reader(line.fileno(), line.fileno)
        tell(line, "ready")
        loop.call_later(1.0, line.fileno).cancel()
        loop.remove_reader(line.fileno())


async def _application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


class _Unreachable(Server):
    """A server that accepts from no socket."""

    def _listen(self, native: Any, sockets: Any) -> None:
        """There is nothing to listen on."""
