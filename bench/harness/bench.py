"""One started server with the two cores, and the throughput measurement most workloads share."""

from __future__ import annotations

import dataclasses
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import load, servers
from harness.machine import CoreTimes
from harness.process import MeasureError, Tree
from harness.servers import Server
from harness.stats import Sample
from harness.target import PLAIN, Needs, Target

BENCH = Path(__file__).resolve().parent.parent
APPS = BENCH / "apps"


@dataclass(frozen=True)
class Settings:
    """What the whole run shares. `seconds` is the length of one timed throughput run."""

    python: str
    build: Path
    server_core: int
    client_core: int
    seconds: float
    warmup_s: float
    idle_connections: int
    transfer_bytes: int


@dataclass(frozen=True)
class Running:
    """A server that has answered its first request."""

    server: Server
    tree: Tree
    port: int
    settings: Settings
    scratch: Path
    needs: Needs

    @property
    def url(self) -> str:
        """The root of the server."""
        scheme = "https" if self.needs.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/"

    def wrk(self, connections: int, seconds: float, script: Path | None = None) -> load.Load:
        """Loads the server with wrk from the client's core."""
        return load.wrk(
            self.url,
            connections=connections,
            seconds=seconds,
            core=self.settings.client_core,
            script=script,
        )


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    server: Server, app: str, settings: Settings, needs: Needs = PLAIN
) -> Iterator[Running]:
    """Starts `server` with `app` on the server's core, and stops it after the block.

    A server that has its own application runs that.
    """
    with tempfile.TemporaryDirectory(prefix="tercel-bench-") as name:
        scratch = Path(name)
        port = server.port or free_port()
        target = Target(server.app or app, port, settings.python, settings.build, scratch, needs)
        if needs.tls:
            load.make_certificate(target.certificate, target.key)
        core: int | str = settings.server_core
        if needs.threads:
            core = f"{settings.server_core},{settings.client_core}"
        tree = servers.start(server, target, core=core, apps=APPS)
        try:
            yield Running(server, tree, target.port, settings, scratch, needs)
        finally:
            tree.stop()


@dataclass(frozen=True)
class Throughput:
    """A load of wrk: so many connections, each with one request at a time."""

    app: str
    connections: int
    expected: bytes
    body: bytes | None = None
    script: Path | None = None
    idle_beside: Callable[[Settings], int] = lambda _: 0
    one_core: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = PLAIN

    def __call__(self, server: Server, settings: Settings) -> Sample:
        """Starts `server`, checks one answer, warms up, measures once."""
        if self.one_core:
            settings = dataclasses.replace(settings, client_core=settings.server_core)
        with running(server, self.app, settings, self.needs) as target:
            method = "GET" if self.body is None else "POST"
            load.check_answer(target.port, method, self.body, self.expected, self.headers)
            with load.idle_connections(target.port, self.idle_beside(settings)):
                target.wrk(self.connections, settings.warmup_s, self.script)
                return timed(
                    target, lambda: target.wrk(self.connections, settings.seconds, self.script)
                )


def timed(target: Running, apply: Callable[[], load.Load]) -> Sample:
    """Measures one run of the load that `apply` makes.

    `others` is the part of the used cores' time that neither server nor client used: the noise that
    other programs on the machine made.
    """
    settings = target.settings
    cores = CoreTimes.now()
    cpu = target.tree.cpu()
    first_thread_s = target.tree.first_thread_seconds()
    began = time.monotonic()
    done = apply()
    wall_s = time.monotonic() - began
    first_thread_s = target.tree.first_thread_seconds() - first_thread_s
    server_cpu_s = target.tree.cpu_seconds_since(cpu)
    if server_cpu_s <= 0:
        raise MeasureError("the server used no CPU time: not the process that answered")
    now = CoreTimes.now()
    used = {settings.server_core, settings.client_core}
    busy_s = sum(now.busy_since(cores, core) for core in used)
    python_only = {"python_us_per_request": first_thread_s / done.requests * 1e6}
    return {
        "cpu_us_per_request": server_cpu_s / done.requests * 1e6,
        **(python_only if target.server.threaded else {}),
        "requests_per_cpu_s": done.requests / server_cpu_s,
        "requests_per_s": done.requests / done.seconds,
        "requests": done.requests,
        "server_core": server_cpu_s / wall_s,
        "client_core": done.client_cpu_s / wall_s,
        "others": max(0.0, busy_s - server_cpu_s - done.client_cpu_s) / wall_s / len(used),
    }
