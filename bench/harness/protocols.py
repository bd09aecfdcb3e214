"""How HTTP/2, WebSockets and TLS are loaded: one measurement each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness import load, websocket_load
from harness.bench import Running, Settings, running, timed
from harness.servers import Server
from harness.stats import Sample
from harness.target import Needs

MESSAGE_BYTES = 64
ECHO_CONNECTIONS = 64
ROOM_CONNECTIONS = 1000


@dataclass(frozen=True)
class Http2:
    """A load of h2load on the raw hello, over HTTP/2 with prior knowledge or over HTTP/1.1."""

    expected: bytes
    connections: int = 8
    in_flight: int = 32  # On each connection.
    http1: bool = False

    def __call__(self, server: Server, settings: Settings) -> Sample:
        """Starts `server`, checks one answer, warms up, measures once."""
        with running(server, "hello", settings, Needs(http2=not self.http1)) as target:
            if self.http1:
                load.check_answer(target.port, "GET", None, self.expected, {})
            else:
                load.check_http2_answer(target.port, self.expected)
            self._apply(target, settings.warmup_s)
            return timed(target, lambda: self._apply(target, settings.seconds))

    def _apply(self, target: Running, seconds: float) -> load.Load:
        return load.h2load(
            target.port,
            connections=self.connections,
            in_flight=self.in_flight,
            seconds=seconds,
            core=target.settings.client_core,
            http1=self.http1,
        )


@contextmanager
def _client(
    target: Running, mode: str, connections: int, seconds: float, *more: str
) -> Iterator[websocket_load.Client]:
    arguments = [mode, "--connections", str(connections), "--seconds", str(seconds), *more]
    with websocket_load.connected(
        target.settings.build,
        core=target.settings.client_core,
        port=target.port,
        arguments=arguments,
    ) as client:
        yield client


def warm_by_echo(target: Running) -> load.Load:
    """Loads the echo for as long as a warm-up is."""
    return echo(target, target.settings.warmup_s)


def echo(target: Running, seconds: float) -> load.Load:
    """Loads the echo of `rooms`."""
    more = ("--bytes", str(MESSAGE_BYTES))
    with _client(target, "websocket", ECHO_CONNECTIONS, seconds, *more) as client:
        return client.apply()


def websocket_echo(server: Server, settings: Settings) -> Sample:
    """Messages there and back on connections that are open: each waits for its echo."""
    with running(server, "rooms", settings, Needs(websocket=True)) as target:
        warm_by_echo(target)
        more = ("--bytes", str(MESSAGE_BYTES))
        with _client(target, "websocket", ECHO_CONNECTIONS, settings.seconds, *more) as client:
            return timed(target, client.apply)


def websocket_broadcast(server: Server, settings: Settings) -> Sample:
    """Deliveries to a room that is full: each message waits for the last of the one before."""
    with running(server, "rooms", settings, Needs(websocket=True)) as target:
        warm_by_echo(target)
        more = ("--bytes", str(MESSAGE_BYTES), "--target", "/room")
        with _client(target, "broadcast", ROOM_CONNECTIONS, settings.seconds, *more) as client:
            return timed(target, client.apply)


@contextmanager
def hold_websockets(target: Running) -> Iterator[None]:
    """Holds idle WebSockets until the block ends; one that the server closes fails it."""
    # A server that pings them gets its pongs.
    with _client(target, "idle", target.settings.idle_connections, 1, "--websocket") as client:
        client.begin()
        yield
        client.require_open()


def tls_handshakes(server: Server, settings: Settings) -> Sample:
    """Full handshakes, and the connections around them."""
    core = settings.client_core
    with running(server, "hello", settings, Needs(tls=True)) as target:
        load.handshakes(target.port, seconds=settings.warmup_s, core=core)
        return timed(
            target, lambda: load.handshakes(target.port, seconds=settings.seconds, core=core)
        )
