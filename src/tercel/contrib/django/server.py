"""tercel in the place of Django's own development server.

`django.core.servers.basehttp.run`, which `runserver` calls, makes an object of the command's
`server_cls` and calls its methods. With the reloader that happens on a thread beside the main one,
which watches files and hears signals.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, NoReturn

from django.core.management.base import CommandError

from tercel.contrib.django import logs
from tercel.contrib.django.listening import open_socket
from tercel.problems import StartError
from tercel.server import Server
from tercel.server.serving import loop_factory, run_server
from tercel.server.signals import Signals
from tercel.settings import Settings

__all__ = ["DevelopmentServer", "Reins"]

# Time for the server to end after an edit, and for the process.
_END_S = 1.0


class Reins:
    """The role of a server that another thread ends."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._ask: Callable[[], object] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Surrounds all that the server does, from its start on, on its thread."""
        self._thread = threading.current_thread()
        try:
            yield
        finally:
            self._started.set()

    @contextmanager
    def watch(self, server: Server, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        self._ask = lambda: loop.call_soon_threadsafe(server.shutdown)
        self._started.set()
        yield

    def ending(self) -> None:
        """Django's banner said how."""

    def show_state(self, server: Server) -> None:
        """SIGUSR1 is for servers in production."""

    def end(self, status: int) -> None:
        """Ends the server, if there is one, and then this process with `status`, before long.

        It is not for the caller to wait for: a view that hangs must not hold up the next edit.
        """
        timer = threading.Timer(_END_S, _leave, (status,))
        timer.daemon = True
        timer.start()
        if self._thread is None:
            return
        # The loop may have ended by itself. A second Ctrl-C does not need a traceback.
        with suppress(RuntimeError, KeyboardInterrupt):
            self._started.wait(_END_S)
            if self._ask is not None:
                self._ask()
            self._thread.join(_END_S)


class _ServerOnSocket(Server):
    """A server with the socket that it is to accept from, whatever the settings say."""

    listener: socket.socket

    async def serve(self, *, sockets: Iterable[socket.socket] | None = None) -> None:
        await super().serve(sockets=[self.listener])


class DevelopmentServer:
    """Serves one application; a subclass has what a run needs.

    Args:
        address: host and port.
        handler_class: of `http.server`, not needed here.
        ipv6: the host is of that family.

    Attributes:
        server_port: what it listens on.
    """

    settings: ClassVar[Settings]
    inherited: ClassVar[socket.socket | None]
    reins: ClassVar[Reins]

    def __init__(self, address: tuple[str, int], handler_class: type, *, ipv6: bool = False):
        host, port = address
        self._listener = self.inherited or open_socket(
            host, port, ipv6=ipv6, backlog=self.settings.backlog
        )
        self.server_port: int = self._listener.getsockname()[1]

    def set_app(self, application: Any) -> None:
        logs.connect(self.settings)
        self._application = application

    def serve_forever(self) -> None:
        """Serves until a signal comes, on the main thread, or the reins are drawn, elsewhere.

        Raises:
            CommandError: it cannot serve.
            KeyboardInterrupt: SIGINT came, and what was under way has ended.
            SystemExit: a second signal cut that short.
        """
        try:
            server = _ServerOnSocket.with_settings(self._application, self.settings)
            server.listener = self._listener
            make_loop = loop_factory(self.settings.loop)
            with Signals() as signals, self.reins.held():
                status = run_server(server, make_loop, signals, self.reins)
        except StartError as error:
            raise CommandError(str(error)) from error
        if status:
            raise SystemExit(status)
        if signals.received == signal.SIGINT:
            raise KeyboardInterrupt


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
