"""An application behind tercel's server, on an event loop that turns only while somebody waits.

The server is the one of `tercel serve`, with its parsers, limits, router and writers; a connection
is one end of a socket pair, so there is no port. The loop turns in the thread of whoever waits, so
handlers run in the thread of the test, as they run in the main thread when they are served. Why it
is made so: docs/decisions/0008-typed-api.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping
from typing import Any

from tercel import _core
from tercel.loop import EventLoop
from tercel.problems import LifespanError
from tercel.server.interface import require_interface
from tercel.server.lifespan import Lifespan
from tercel.settings import load
from tercel.testing.observed import observe

__all__ = ["Pipeline"]

# What the application takes for the ends of a connection.
_CLIENT = ("127.0.0.1", 50000)
_SERVER = "127.0.0.1"
# How often to look whether an application that works on after its answer is done.
_LOOK_S = 0.001


class Pipeline:
    """Serves `app` on the connections that `connect()` makes.

    Args:
        settings: those of `tercel.Server`, as keyword arguments.
        lifespan: whether to start the application up, and to shut it down.
        note: keep the exceptions that the application raises, for `take_raised()`.

    Raises:
        SettingError: a value is wrong.
        TargetError: `app` is no application.
        TypeError: `app` is a WSGI application.
        LifespanError: the application failed to start up; if exceptions are kept, what it raised.
    """

    def __init__(
        self, app: Any, settings: Mapping[str, Any], *, lifespan: bool, note: bool
    ) -> None:
        loaded = load(keywords=settings)
        if require_interface(app, "The application", loaded.interface, in_python=True) == "wsgi":
            raise TypeError("a TestClient is for ASGI applications: for WSGI, use LiveServer.")
        self._note = note
        self._raised: list[BaseException] = []
        self._sockets: set[socket.socket] = set()
        self._observed = observe(app, self._raised.append if note else _forget)
        self._runner = asyncio.Runner(loop_factory=EventLoop)
        self._loop = self._runner.get_loop()
        self._lifespan = Lifespan(
            self._observed,
            mode=loaded.lifespan if lifespan else "off",
            startup_timeout=loaded.timeout_lifespan_startup,
            shutdown_timeout=loaded.timeout_lifespan_shutdown,
        )
        try:
            self._run_lifespan(self._lifespan.startup())
            assert isinstance(self._loop, EventLoop)
            assert self._loop.engine is not None
            self._native: Any = _core.Server(
                self._loop.engine,
                self._loop,
                self._observed,
                loaded,
                self._lifespan.state,
                self._lifespan.context,
            )
        except BaseException:
            self._runner.close()
            raise

    # --- connections

    def connect(self, *, secure: bool) -> socket.socket:
        """Returns the client's end of a new connection, which does not block."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        server = (_SERVER, 443 if secure else 80)
        try:
            self._native.serve_socket(theirs.detach(), _CLIENT, server, secure)
        except BaseException:
            ours.close()
            raise
        self._sockets.add(ours)
        return ours

    def disconnect(self, connection: socket.socket) -> None:
        """Closes what `connect()` returned."""
        self._sockets.discard(connection)
        connection.close()

    # --- time goes on

    def wait(
        self, connection: socket.socket, timeout: float | None, *, writable: bool = False
    ) -> bool:
        """Lets the server work until `connection` is readable, or perhaps writable.

        May return earlier than that. False: `timeout` seconds went by.
        """
        loop = self._loop
        loop.add_reader(connection, loop.stop)
        if writable:
            loop.add_writer(connection, loop.stop)
        expiry = loop.call_later(timeout, loop.stop) if timeout is not None else None
        try:
            loop.run_forever()
        finally:
            loop.remove_reader(connection)
            if writable:
                loop.remove_writer(connection)
            if expiry is not None:
                expiry.cancel()
        return expiry is None or loop.time() < expiry.when()

    def settle(self, timeout: float | None) -> None:
        """Lets applications finish that work on after their answer, for `timeout` seconds at most.

        REQUIRES: no request is open.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while self._native.active and (end is None or time.monotonic() < end):
            self._loop.call_later(_LOOK_S, self._loop.stop)
            self._loop.run_forever()

    def take_raised(self) -> BaseException | None:
        """Returns the first exception that the application raised since the last call."""
        if not self._raised:
            return None
        first = self._raised[0]
        self._raised.clear()
        return first

    # --- the end

    def close(self) -> None:
        """Cuts off what is open, shuts the application down, and closes the loop.

        Raises:
            LifespanError: as the constructor.
        """
        try:
            self._close_connections()
            self._run_lifespan(self._lifespan.shutdown())
        finally:
            self._runner.close()
            self._native = None  # httpx leaves cycles that lead here: its descriptors go at once.

    def abandon(self) -> None:
        """Gives everything back without another turn of the loop, if that was not done yet."""
        if not self._loop.is_closed():
            self._close_connections()
            self._loop.close()
            self._native = None

    def _close_connections(self) -> None:
        while self._sockets:
            self._sockets.pop().close()
        self._native.close()

    def _run_lifespan(self, step: Any) -> None:
        with contextlib.closing(step):
            try:
                self._loop.run_until_complete(step)
            except LifespanError as failure:
                raised = self._observed.lifespan_error
                if self._note and raised is not None:
                    raise raised from failure
                raise


def _forget(error: BaseException) -> None:
    """Nobody asks for it."""
