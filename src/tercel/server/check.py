"""`tercel check`: everything that starting a server looks at, but for listening."""

from __future__ import annotations

import asyncio
import errno
import logging
import os

from tercel import _core
from tercel.problems import StartError
from tercel.server.listening import as_setting_error
from tercel.server.logs import cannot_write_access_log
from tercel.server.obstacles import obstacle
from tercel.server.server import Server
from tercel.server.serving import prepare
from tercel.settings import Settings

__all__ = ["check"]

logger = logging.getLogger("tercel")


def check(target: str, settings: Settings) -> str:
    """Prepares the process as `serve` does, imports the application, looks at files and sockets.

    What stays open: whether a port is free, and whether the application starts up. Nothing is made
    but what importing the application and configuring its logging make.

    Args:
        target: of the application; empty for none.

    Returns:
        Which interface the application has, as the setting `interface` names them; empty for none.

    Raises:
        As `tercel.serve`, which also logs the same warnings.
    """
    make_loop = prepare(settings)
    interface = ""
    if target:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            interface = runner.run(_load(target, settings))
    with as_setting_error():
        for sentence in _core.check_needs(settings):
            logger.warning(sentence)
    for bind in [*settings.binds(), *filter(None, [settings.metrics_bind])]:
        if reason := obstacle(bind):
            raise StartError(f"Cannot listen on {bind}: {reason}")
    _check_access_log(settings)
    return interface


async def _load(target: str, settings: Settings) -> str:
    # In a running loop, as `serve` does it.
    server = Server.with_settings(target, settings)
    server.load()
    return server.interface


def _check_access_log(settings: Settings) -> None:
    """Raises StartError if the file of the access log cannot be written. Does not make it."""
    path = settings.access_log_file
    if not settings.access_log or path == "-":
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
    except FileNotFoundError as error:
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise StartError(cannot_write_access_log(settings, error)) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            raise StartError(cannot_write_access_log(settings, denied)) from None
    except OSError as error:
        raise StartError(cannot_write_access_log(settings, error)) from None
