"""`tercel.Server`: serves one application on the event loop that is running."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from tercel import _core
from tercel.problems import StartError
from tercel.server.attach import engine_of
from tercel.server.importer import call_factory, load_application
from tercel.server.interface import require_interface
from tercel.server.lifespan import Lifespan
from tercel.server.listening import adopt, as_setting_error, listen_on
from tercel.server.logs import (
    access_logger,
    cannot_write_access_log,
    connect_engine,
    kept_enabled,
)
from tercel.settings import Settings, load

__all__ = ["Server"]

logger = logging.getLogger("tercel")

# What an application is called that came without a name.
_APPLICATION = "The application"
# How often a server that ends looks whether it is done.
_LOOK_S = 0.02
# Time for requests that were cut off to notice, before the application is shut down; and for that
# shutdown, if whoever cut them off insists.
_CUT_S = 1.0
# How long those who ask for metrics hold up a worker that has nothing else to do.
_SCRAPE_S = 0.5


class Server:
    """An ASGI or WSGI application served over HTTP, in an event loop that is running already.

    ::

        server = tercel.Server(app, port=0)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve())
            await server.wait_started()
            print(server.addresses)
            ...
            server.shutdown()

    Any loop will do: asyncio's, uvloop's, `tercel.EventLoop` (the fastest). Signals are left alone.

    Args:
        app: the application, or its target (`main:app`).
        settings: settings as keyword arguments, see docs/reference/settings.md. Variables and files
            are not read: `tercel.serve` does that.

    Raises:
        SettingError: a value is wrong.
        TargetError: `app` is no application, and no target.
        TypeError: a keyword is not a setting, or not one of a server in a running loop.

    Attributes:
        started: True while requests are accepted.
        addresses: what is listened on, once `started`: host and port of a TCP socket, the path of a
            Unix socket.
        urls: the same as texts to show, `http://127.0.0.1:8000` or `unix:/run/app.sock`.
        metrics_url: what to open for the metrics, once `started`; empty without `metrics_bind`.
        interface: of the application, `asgi3` or `wsgi`, once it is loaded.
    """

    def __init__(self, app: Any, **settings: Any) -> None:
        for name in settings:
            if _core.is_process_only(name):
                raise TypeError(
                    f"{name!r} is for tercel.serve(): a tercel.Server lives in a process"
                    " and a loop that are there already."
                )
        self._prepare(app, load(keywords=settings))

    @classmethod
    def with_settings(
        cls, app: Any, settings: Settings, shared: _core.Shared | None = None
    ) -> Self:
        """Returns a server with settings that `tercel.settings.load` made, from any source.

        Args:
            shared: what it has in common with other processes. It accepts from those sockets.
        """
        server = cls.__new__(cls)
        server._prepare(app, settings)
        server._shared = shared
        return server

    def _prepare(self, app: Any, settings: Settings) -> None:
        self.settings = settings
        self.started = False
        self.addresses: list[tuple[str, int] | str] = []
        self.urls: list[str] = []
        self.metrics_url = ""
        # What is named by a text is imported, and looked at, when it is loaded.
        if not isinstance(app, str):
            if settings.factory:
                from tercel.server.interface_mistakes import require_factory

                require_factory(app, _APPLICATION, in_python=True)
            else:
                require_interface(app, _APPLICATION, settings.interface, in_python=True)
        self._app = app
        self._application: Any = None
        self.interface = ""
        self._shared: _core.Shared | None = None
        self._native: _core.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._start = asyncio.Event()
        self._stop = asyncio.Event()
        self._force = asyncio.Event()

    # --- what others call

    @property
    def name(self) -> str:
        """What to call the application: its target, what a function is called, or its type."""
        if isinstance(self._app, str):
            return self._app
        # Of a factory that nobody wrote: tercel.cli.gateway.
        named: str | None = getattr(self._app, "__tercel_name__", None)
        if named is not None:
            return named
        called = self._app
        while isinstance(called, functools.partial):
            called = called.func
        if inspect.isroutine(called) or inspect.isclass(called):
            return f"{called.__module__}:{called.__qualname__}"
        return type(called).__name__

    @property
    def statistics(self) -> dict[str, int]:
        """What is counted while it serves: connections, requests, their statuses; else empty."""
        return self._native.numbers if self._native is not None else {}

    def load(self) -> None:
        """Imports the application, which `serve()` does otherwise.

        Raises:
            TargetError: there is none, or it is of a kind that is not served.
            ImportFailed: it raised.
        """
        if self._application is not None:
            return
        settings = self.settings
        name, application = _APPLICATION, self._app
        in_python = not isinstance(application, str)
        with kept_enabled():
            if isinstance(application, str):
                name = application
                application = load_application(
                    name, app_dir=settings.app_dir, factory=settings.factory
                )
            elif settings.factory:
                application = call_factory(application, name, in_python=True)
        self.interface = require_interface(
            application, name, settings.interface, in_python=in_python
        )
        self._application = application

    async def wait_started(self) -> None:
        """Waits until requests are accepted. Also returns when the server ends before that."""
        await self._start.wait()

    def shutdown(self, *, force: bool = False) -> None:
        """Asks `serve()` to end: gracefully, or at once if `force` or when asked again.

        At once cuts requests off, and leaves the application's shutdown a second; asked again while
        that runs, it cancels it.

        Returns at once; `serve()` returns when all is over. From another thread, use
        `loop.call_soon_threadsafe(server.shutdown)`.
        """
        if force or self._stop.is_set():
            self._force.set()
        self._stop.set()

    def reopen_logs(self) -> None:
        """Opens the file of the access log again, after it was moved away to be kept.

        Lines that are written later go to the new file. If it cannot be opened, the old one goes on
        and the logger `tercel` says so. Without this call, the server notices by itself when it
        writes lines, within a second or two.
        """
        if self._native is not None:
            self._native.reopen_logs()

    def reload_certificates(self) -> None:
        """Reads the files of TLS again. Open connections keep what they began with.

        When they are not good, the server goes on with those it has, and the logger `tercel` says
        what to change. It warns of certificates and revocation lists that expired.
        """
        if self._native is None:
            return
        if not self.settings.ssl_certfile:
            logger.info("There are no certificates to read again.")
            return
        try:
            self._native.reload_certificates()
        except ValueError as error:
            logger.error("The certificates stay as they were. %s", error)
        else:
            logger.info("Read the certificates again.")
            _warn_of_certificates(self._native)

    async def serve(self, *, sockets: Iterable[socket.socket] | None = None) -> None:
        """Serves until `shutdown()` is called, then lets requests finish and returns. Once only.

        Cancelling it cuts requests off, shuts the application down, and raises CancelledError.

        Args:
            sockets: bound sockets to accept from instead of those of the settings, at least one.
                They stay the caller's: the server works on duplicates. It makes those listen that
                do not.

        Raises:
            StartError: an address cannot be listened on, a certificate cannot be used, or the
                application is not to be found.
            LifespanError: the application failed to start up or to shut down.
        """
        if self._loop is not None:
            raise RuntimeError("a tercel.Server serves once: make another one")
        self._loop = loop = asyncio.get_running_loop()
        connect_engine()
        settings = self.settings
        try:
            self.load()
            lifespan = Lifespan(
                self._application,
                mode="off" if self.interface == "wsgi" else settings.lifespan,
                startup_timeout=settings.timeout_lifespan_startup,
                shutdown_timeout=settings.timeout_lifespan_shutdown,
            )
            with engine_of(loop) as engine:
                with self._threads_needed(), as_setting_error():
                    native = _core.Server(
                        engine,
                        loop,
                        self._application,
                        settings,
                        lifespan.state,
                        lifespan.context,
                        wsgi=self.interface == "wsgi",
                        shared=self._shared,
                    )
                try:
                    _warn_of_certificates(native)
                    # Before the start-up, which may be long: a port in use should be known at once.
                    self._listen(native, sockets)
                    if settings.access_log:
                        _log_requests(native, settings, self._shared)
                    self._native = native
                    await self._serve(native, lifespan)
                finally:
                    self._native = None
                    native.close()
        finally:
            self.started = False
            self._start.set()

    # --- the steps of serve()

    def _listen(self, native: _core.Server, sockets: Iterable[socket.socket] | None) -> None:
        if self._shared is not None:
            # It has duplicates. A socket that nobody accepts from takes connections all the same,
            # as long as anybody has it open.
            self._shared.close()
        elif sockets is not None:
            for one in sockets:
                self.urls.append(adopt(native, one, self.settings.backlog))
            if not self.urls:
                raise StartError("Cannot listen: sockets= is empty; leave it out, or pass one.")
        else:
            self.urls = listen_on(native.listen, self.settings.binds())
        if self._shared is None and self.settings.metrics_bind:
            [self.metrics_url] = listen_on(native.listen_metrics, [self.settings.metrics_bind])
        self.addresses = list(native.addresses)

    async def _serve(self, native: _core.Server, lifespan: Lifespan) -> None:
        if not await self._started_up(lifespan):
            return
        try:
            with self._threads_needed():
                native.start()
            self.started = True
            self._start.set()
            await self._stop.wait()
            self.started = False
            await self._drain(native)
            await self._end_scrapes(native)
        finally:
            native.close()
            await self._shut_down(lifespan)

    async def _started_up(self, lifespan: Lifespan) -> bool:
        """Starts the application up. False if the server was told to end meanwhile."""
        startup = asyncio.ensure_future(lifespan.startup())
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({startup, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not startup.done():
                startup.cancel()
                await asyncio.wait({startup})
        if startup.cancelled():
            return False
        startup.result()
        return True

    async def _shut_down(self, lifespan: Lifespan) -> None:
        """Shuts the application down; cancels that when somebody insists."""
        shutdown = asyncio.ensure_future(lifespan.shutdown())
        insisted = asyncio.ensure_future(self._insisted())
        try:
            await asyncio.wait({shutdown, insisted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            insisted.cancel()
            if not shutdown.done():
                logger.warning("Cutting the application's shutdown short.")
                shutdown.cancel()
                await asyncio.wait({shutdown})
        if not shutdown.cancelled():
            shutdown.result()

    async def _insisted(self) -> None:
        """Waits until somebody insists, now. Who did it before leaves a moment for the shutdown."""
        if self._force.is_set():
            await asyncio.sleep(_CUT_S)
        else:
            await self._force.wait()

    async def _drain(self, native: _core.Server) -> None:
        """Lets requests finish, reminds long ones, and cuts off what is left at the deadline."""
        total = self.settings.timeout_graceful_shutdown
        grace = min(self.settings.timeout_stream_grace, total)
        native.drain(False)
        if native.active:
            logger.info(
                "Shutting down: %d open request(s) may finish within %g s.", native.active, total
            )
        if await self._ended(native, grace):
            return
        native.drain(True)
        if await self._ended(native, total - grace):
            return
        if native.active:
            logger.warning("Cutting off %d request(s).", native.active)
        native.close()
        await self._ended(native, _CUT_S, forced=False)

    @contextmanager
    def _threads_needed(self) -> Iterator[None]:
        """Says in one sentence that the system does not give us threads."""
        try:
            yield
        except (OSError, MemoryError) as error:
            if self.interface == "wsgi":
                what = "the threads of a WSGI application (threads)"
            elif self.settings.io_threads:
                what = f"{self.settings.io_threads} I/O thread(s)"
            else:
                raise
            # Both are an EAGAIN of pthread_create(3).
            reason = getattr(error, "strerror", None) or (
                "no memory, or no more threads, for this user"
            )
            raise StartError(f"Cannot start {what}: {reason}.") from None

    async def _end_scrapes(self, native: _core.Server) -> None:
        """Has whoever asks for metrics in that moment get them, if that takes hardly any time."""
        await self._happens(lambda: not native.scrapes, _SCRAPE_S)

    async def _ended(self, native: _core.Server, seconds: float, *, forced: bool = True) -> bool:
        """Waits until nothing is open. False if that takes too long, or somebody insists."""
        return await self._happens(
            lambda: not (native.active or native.connections), seconds, forced=forced
        )

    async def _happens(
        self, happened: Callable[[], bool], seconds: float, *, forced: bool = True
    ) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not happened():
            if loop.time() >= end or (forced and self._force.is_set()):
                return False
            await asyncio.sleep(_LOOK_S)
        return True


def _warn_of_certificates(native: _core.Server) -> None:
    for sentence in native.certificate_warnings:
        logger.warning(sentence)


def _log_requests(native: _core.Server, settings: Settings, shared: _core.Shared | None) -> None:
    try:
        logger = access_logger() if settings.access_log_file == "-" else None
        native.log_requests(logger, shared)
    except OSError as error:
        raise StartError(cannot_write_access_log(settings, error)) from None
