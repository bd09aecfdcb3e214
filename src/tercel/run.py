"""`tercel.serve()`: runs an application until a signal ends it, in this process or in workers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any

from tercel.server.server import Server
from tercel.server.serving import Alone, prepare, run_server
from tercel.server.signals import Signals
from tercel.settings import Settings, load
from tercel.workers import UPGRADE_VARIABLE

__all__ = ["inherited_binds", "run", "serve"]


def serve(app: Any, *, config: str | os.PathLike[str] | None = None, **settings: Any) -> None:
    """Serves an application until SIGINT or SIGTERM, then lets requests finish and returns.

    ::

        tercel.serve("main:app", port=9000)

    The settings are those of the keyword arguments, of `TERCEL_*` variables and of the TOML file,
    in this order of strength. It makes a loop of its own; inside a running one use `tercel.Server`.
    With `workers` this process is their supervisor, and they are forked from it: they do not return
    from here.

    Args:
        app: the application, or its target (`main:app`).
        config: path of a TOML file; TERCEL_CONFIG names one if this is None.
        settings: see docs/reference/settings.md.

    Raises:
        SettingError: a value is wrong.
        StartError: the application is not to be found, raised while it was imported, failed to
            start up or shut down (LifespanError), or an address cannot be listened on.
        TypeError: a keyword is not a setting.
        RuntimeError: an event loop is running in this thread.
        SystemExit: a second signal cut the shutdown short, one came during the start, or no worker
            could start.
    """
    _require_no_loop()
    inherited = inherited_binds(os.environ)

    def read() -> Settings:
        return load(keywords=settings, environ=os.environ, file=config, inherited=inherited)

    status = run(app, read(), read)
    if status != 0:
        raise SystemExit(status)


def inherited_binds(environ: Mapping[str, str]) -> list[str]:
    """Returns what to listen on where the settings do not say it, as `bind` has it.

    It is what the supervisor listened on that this process takes over from, or else the sockets of
    a service manager.
    """
    if UPGRADE_VARIABLE in environ:
        from tercel.workers.upgrade import handed_over

        if binds := handed_over(environ):
            return binds
    if "LISTEN_PID" not in environ:
        return []
    from tercel.server import systemd

    return systemd.inherited_binds(environ)


def run(
    app: Any, settings: Settings, reread: Callable[[], Settings], *, own_process: bool = False
) -> int:
    """Serves `app` as `serve` does, with settings from anywhere.

    Args:
        reread: returns the settings of the same sources, as they are now.
        own_process: the process does nothing else, see `run_server`.

    Returns:
        The exit status: 0, 128 and the number of the signal that cut the server short, or that of a
        worker that could not start.

    Raises:
        As `serve`.
    """
    if _needs_supervisor(settings):
        from tercel.workers.supervisor import supervise

        return supervise(app, settings, reread)
    make_loop = prepare(settings)
    server = Server.with_settings(app, settings)
    with Signals() as signals:
        return run_server(server, make_loop, signals, Alone(signals), own_process=own_process)


def _needs_supervisor(settings: Settings) -> bool:
    recycles = (
        settings.limit_max_requests
        or settings.limit_worker_lifetime
        or settings.limit_worker_memory
    )
    return bool(
        settings.workers != 1 or settings.reload or recycles or UPGRADE_VARIABLE in os.environ
    )


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "tercel.serve() makes an event loop of its own, and one is running in this thread already:"
        " use `await tercel.Server(app).serve()`."
    )
