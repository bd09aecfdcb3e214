"""`tercel check`: everything that starting a server looks at, but for listening."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from typing import Any

from tercel import _core
from tercel.problems import StartError
from tercel.server.listening import as_setting_error
from tercel.server.logs import cannot_write_access_log
from tercel.server.obstacles import obstacle
from tercel.server.server import Server
from tercel.server.serving import prepare
from tercel.settings import Settings

__all__ = ["cannot_append", "check", "check_files"]

logger = logging.getLogger("tercel")


def check(target: Any, settings: Settings) -> str:
    """Prepares the process as `serve` does, imports the application, looks at files and sockets.

    What stays open: whether a port is free, and whether the application starts up. Nothing is made
    but what importing the application and configuring its logging make.

    Args:
        target: of the application, or itself; empty for none.

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
    for sentence in check_files(settings):
        logger.warning(sentence)
    for bind in [*settings.binds(), *filter(None, [settings.metrics_bind])]:
        if reason := obstacle(bind):
            raise StartError(f"Cannot listen on {bind}: {reason}")
    return interface


def check_files(settings: Settings) -> list[str]:
    """Looks at the files that settings name, but for those of `prepare`, and changes nothing.

    Returns:
        Warnings about certificates.

    Raises:
        StartError: one of them keeps a server from starting.
    """
    with as_setting_error():
        warnings = _core.check_needs(settings)
    path = settings.access_log_file
    if settings.access_log and path != "-" and (error := cannot_append(path)):
        raise StartError(cannot_write_access_log(settings, error))
    return warnings


def cannot_append(path: str) -> OSError | None:
    """Returns why nothing can be written behind a file; None: it can. Does not make the file."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
    except FileNotFoundError as error:
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            return error
        if not os.access(folder, os.W_OK | os.X_OK):
            return PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        return error
    return None


async def _load(target: Any, settings: Settings) -> str:
    # In a running loop, as `serve` does it.
    server = Server.with_settings(target, settings)
    server.load()
    return server.interface
