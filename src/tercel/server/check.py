"""`tercel check`: everything that starting a server looks at, but for listening."""

from __future__ import annotations

import asyncio

from tercel import _core
from tercel.problems import StartError
from tercel.server import logs
from tercel.server.listening import good_certificates, obstacle
from tercel.server.run import prepare
from tercel.server.server import Server
from tercel.settings import Settings

__all__ = ["check"]


def check(target: str, settings: Settings) -> None:
    """Prepares the process as `serve` does, imports the application, looks at files and sockets.

    What stays open: whether a port is free, and whether the application starts up. Nothing is made
    but what importing the application and configuring its logging make.

    Args:
        target: of the application; empty for none.

    Raises:
        As `tercel.serve`.
    """
    make_loop = prepare(settings)
    if target:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_load(target, settings))
    with good_certificates():
        _core.check_certificates(settings)
    for bind in settings.binds():
        if reason := obstacle(bind):
            raise StartError(f"Cannot listen on {bind}: {reason}")
    logs.check_access_log(settings)


async def _load(target: str, settings: Settings) -> None:
    # In a running loop, as `serve` does it.
    Server.with_settings(target, settings).load()
