"""`tercel.serve()`: runs an application in this process until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from typing import Any

from tercel import _core
from tercel.problems import SettingError
from tercel.server import banner, logs, systemd
from tercel.server.forked import ending_children
from tercel.server.importer import load_env_file
from tercel.server.leftovers import ending_all
from tercel.server.server import Server
from tercel.server.signals import Signals
from tercel.settings import Settings, load, misspelt_variables

__all__ = ["loop_factory", "prepare", "run", "serve"]

logger = logging.getLogger("tercel")


def serve(app: Any, *, config: str | os.PathLike[str] | None = None, **settings: Any) -> None:
    """Serves an application until SIGINT or SIGTERM, then lets requests finish and returns.

    ::

        tercel.serve("main:app", port=9000)

    The settings are those of the keyword arguments, of `TERCEL_*` variables and of the TOML file,
    in this order of strength. It makes a loop of its own; inside a running one use `tercel.Server`.

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
        SystemExit: a second signal cut the shutdown short, or one came during the start.
    """
    _require_no_loop()
    inherited = systemd.inherited_binds(os.environ)
    status = run(app, load(keywords=settings, environ=os.environ, file=config, inherited=inherited))
    if status != 0:
        raise SystemExit(status)


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "tercel.serve() makes an event loop of its own, and one is running in this thread already:"
        " use `await tercel.Server(app).serve()`."
    )


def run(app: Any, settings: Settings, *, own_process: bool = False) -> int:
    """Serves `app` as `serve` does, with settings from anywhere.

    Args:
        own_process: the process does nothing else, so what belongs to all of it may be changed: the
            limit of descriptors is raised, and once the server has started, memory is given back
            and what is there by then is taken out of the garbage collector's sight.

    Returns:
        The exit status: 0, or 128 and the number of the signal that cut the server short.

    Raises:
        As `serve`.
    """
    make_loop = prepare(settings)
    if own_process:
        _core.raise_descriptor_limit()
    server = Server.with_settings(app, settings)
    try:
        with (
            Signals() as signals,
            asyncio.Runner(loop_factory=make_loop) as runner,
            ending_children(),
        ):
            served = runner.run(ending_all(_serve(server, signals, own_process=own_process)))
    finally:
        # What was frozen is collected with everything else when the process ends.
        if own_process:
            gc.unfreeze()
    cut_short = signals.count > 1 or (signals.count == 1 and not served)
    return signals.exit_status if cut_short else 0


def prepare(settings: Settings) -> Callable[[], asyncio.AbstractEventLoop]:
    """Sets up logging and environment of this process, and returns what makes its loop.

    Raises:
        SettingError: a file cannot be read, or what makes the loop is not installed.
    """
    make_loop = loop_factory(settings.loop)
    logs.configure(settings)
    for sentence in misspelt_variables(os.environ):
        logger.warning(sentence)
    if settings.env_file:
        load_env_file(settings.env_file)
    return make_loop


async def _serve(server: Server, signals: Signals, *, own_process: bool) -> bool:
    """Runs `server` until a signal ends it. Returns whether it ever accepted requests."""
    # Inside the loop: there are applications that look for the running one when they are imported.
    # Until this is done a signal interrupts; there is no point at which it could be asked to end.
    server.load()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if server.started:
            systemd.notify("STOPPING=1")
        server.shutdown()

    reload = server.reload_certificates if server.settings.ssl_certfile else None
    signals.deliver_to(loop, end, server.reopen_logs, reload)
    serving = asyncio.ensure_future(server.serve())
    await server.wait_started()
    served = server.started
    if not served:
        await serving
        return False
    if own_process:
        _compact()
    banner.show(server, loop, stopped_by_signals=signals.heard)
    systemd.notify("READY=1")
    with systemd.watchdog(loop):
        await serving
    return True


def _compact() -> None:
    """Collects garbage, freezes what survived, and returns free memory to the system."""
    gc.collect()
    gc.freeze()
    _core.trim_memory()


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Returns what makes the loop of the setting `loop`.

    Raises:
        SettingError: uvloop is asked for and not installed.
    """
    if name == "uvloop":
        try:
            import uvloop
        except ImportError:
            raise SettingError(
                "loop is uvloop, which is not installed: pip install uvloop, or choose auto."
            ) from None
        return uvloop.new_event_loop
    if name == "asyncio":
        return asyncio.SelectorEventLoop
    from tercel.loop import EventLoop

    return EventLoop
