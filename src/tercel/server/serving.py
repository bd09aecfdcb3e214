"""Runs one server in this process, on a loop of its own, until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from tercel import _core
from tercel.problems import SettingError
from tercel.server import banner, logs
from tercel.server.forked import ending_children
from tercel.server.leftovers import end_process, ending_all, leave_threads
from tercel.server.server import Server
from tercel.server.signals import Signals
from tercel.settings import Settings, misspelt_variables

__all__ = ["Alone", "Role", "loop_factory", "prepare", "run_server"]

logger = logging.getLogger("tercel")


class Role(Protocol):
    """Whom a server that runs in a process tells how it is doing."""

    def watch(
        self, server: Server, loop: asyncio.AbstractEventLoop
    ) -> AbstractContextManager[None]:
        """Called once `server` accepts requests; it is left when the server has ended."""

    def ending(self) -> None:
        """The server that was accepting is told to end."""

    def show_state(self, server: Server) -> None:
        """SIGUSR1 came."""


class Alone:
    """A server that is the whole service: it tells the person and the service manager.

    Args:
        signals: those that stop it.
    """

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._managed = not {"NOTIFY_SOCKET", "WATCHDOG_USEC"}.isdisjoint(os.environ)

    def watch(
        self, server: Server, loop: asyncio.AbstractEventLoop
    ) -> AbstractContextManager[None]:
        banner.show(server, loop, stopped_by_signals=self._signals.heard)
        if not self._managed:
            return nullcontext()
        from tercel.server import systemd

        systemd.notify("READY=1")
        return systemd.watchdog(loop)

    def ending(self) -> None:
        if self._managed:
            from tercel.server import systemd

            systemd.notify("STOPPING=1")

    def show_state(self, server: Server) -> None:
        state = {"pid": os.getpid(), "urls": server.urls, "total": server.statistics}
        logger.info("State: %s", json.dumps(state))


def run_server(
    server: Server,
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    signals: Signals,
    role: Role,
    *,
    own_process: bool = False,
) -> int:
    """Serves until a signal ends it, then lets requests finish.

    Args:
        make_loop: from `prepare`.
        signals: entered already.
        own_process: the process does nothing else, so what belongs to all of it may be changed: the
            limit of descriptors is raised, and once the server has started, memory is given back
            and what is there by then is taken out of the garbage collector's sight.

    Returns:
        The exit status: 0, or 128 and the number of the signal that cut the server short.

    Raises:
        As `tercel.serve`.
    """
    if own_process:
        _core.raise_descriptor_limit()
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner, ending_children():
            served = runner.run(ending_all(_serve(server, signals, role, own_process=own_process)))
            hangs = own_process and leave_threads(runner.get_loop())
    finally:
        # What was frozen is collected with everything else when the process ends.
        if own_process:
            gc.unfreeze()
    cut_short = signals.count > 1 or (signals.count == 1 and not served)
    status = signals.exit_status if cut_short else 0
    if hangs:
        end_process(status)
    return status


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
        from tercel.server.env_file import load_env_file

        load_env_file(settings.env_file)
    return make_loop


async def _serve(server: Server, signals: Signals, role: Role, *, own_process: bool) -> bool:
    """Runs `server` until a signal ends it. Returns whether it ever accepted requests."""
    # Inside the loop: there are applications that look for the running one when they are imported.
    # Until this is done a signal interrupts; there is no point at which it could be asked to end.
    server.load()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if server.started:
            role.ending()
        server.shutdown()

    def reopen() -> None:
        server.reopen_logs()
        role.show_state(server)

    def reload() -> None:
        server.reload_certificates()
        # Of an application that has files of its own: tercel.s3.file.
        again = getattr(server._application, "__tercel_reload__", None)
        if again is not None:
            again()

    signals.deliver_to(loop, end, reopen, reload)
    serving = asyncio.ensure_future(server.serve())
    await server.wait_started()
    served = server.started
    if not served:
        await serving
        return False
    if own_process:
        _compact()
    with role.watch(server, loop):
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
