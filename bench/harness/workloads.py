"""Every workload: its question, who takes part, and how one run of it is measured."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from harness import api, feed, instructions, latency, load, protocols, s3
from harness.bench import APPS, BENCH, Running, Settings, Throughput, running
from harness.servers import Server
from harness.stats import Sample
from harness.target import PLAIN, Needs

HELLO = b'{"message":"Hello"}'
HELLO_HEADERS = {"content-type": "application/json", "content-length": str(len(HELLO))}
ECHO = b"x" * 10240
SETTLE_S = 1.0
WAITING_REQUESTS = 100


@dataclass(frozen=True)
class Workload:
    """One table of the report.

    `unit` is what its headline counts, and lower is better in each of them.
    """

    name: str
    question: str
    kinds: tuple[str, ...]
    headline: str
    unit: str
    measure: Callable[[Server, Settings], Sample]
    runs_max: int = 1000
    names: tuple[str, ...] = ()  # When given, only these take part.

    def invites(self, server: Server) -> bool:
        """True if `server` takes part."""
        return (
            server.kind in self.kinds
            and (not self.names or server.name in self.names)
            and (not server.only or self.name in server.only)
        )


def idle_memory(server: Server, settings: Settings, needs: Needs = PLAIN) -> Sample:
    """Memory of the FastAPI hello: after start-up and one request, and after a second of load."""
    with running(server, "fastapi_hello", settings, needs) as target:
        time.sleep(SETTLE_S)
        fresh = target.tree.memory()
        sample = {
            "pss_mib": fresh.pss / 2**20,
            "private_mib": fresh.private / 2**20,
            "rss_mib": fresh.rss / 2**20,
            "processes": float(len(target.tree.pids())),
        }
        if server.kind != "bare":
            target.wrk(64, settings.warmup_s)
            time.sleep(SETTLE_S)
            sample["pss_after_load_mib"] = target.tree.memory().pss / 2**20
    return sample


def connection_memory(
    app: str,
    needs: Needs,
    warm: Callable[[Running], object],
    hold: Callable[[Running], AbstractContextManager[None]],
) -> Callable[[Server, Settings], Sample]:
    """Returns the measurement of the bytes for each idle connection that `hold` holds."""

    def measure(server: Server, settings: Settings) -> Sample:
        with running(server, app, settings, needs) as target:
            # What the first requests allocate once for all is not the price of a connection.
            warm(target)
            time.sleep(SETTLE_S)
            before = target.tree.memory()
            count = settings.idle_connections
            with hold(target):
                time.sleep(SETTLE_S)
                held = target.tree.memory()
                cpu = target.tree.cpu()
                time.sleep(SETTLE_S)
                idle_cpu_s = target.tree.cpu_seconds_since(cpu)
            time.sleep(SETTLE_S)
            after = target.tree.memory()
        return {
            "pss_bytes": (held.pss - before.pss) / count,
            "private_bytes": (held.private - before.private) / count,
            "kept_after_close_bytes": (after.pss - before.pss) / count,
            "core_while_idle": idle_cpu_s / SETTLE_S,
        }

    return measure


def _warm_by_wrk(target: Running) -> load.Load:
    return target.wrk(64, target.settings.warmup_s)


def _hold_http(target: Running) -> AbstractContextManager[None]:
    context = load.client_context() if target.needs.tls else None
    return load.idle_connections(target.port, target.settings.idle_connections, context)


def transfer(send: Callable[..., load.Load]) -> Callable[[Server, Settings], Sample]:
    """Returns the measurement of one large body: growth of the peak RSS, CPU and speed."""

    def measure(server: Server, settings: Settings) -> Sample:
        with running(server, "transfer", settings) as target:
            time.sleep(SETTLE_S)
            target.tree.reset_peak()
            before = target.tree.memory()
            cpu = target.tree.cpu()
            extra = {"scratch": target.scratch} if send is load.upload else {}
            done = send(target.port, settings.transfer_bytes, core=settings.client_core, **extra)
            cpu_s = target.tree.cpu_seconds_since(cpu)
            growth = target.tree.memory().peak_rss - before.rss
        gib = settings.transfer_bytes / 2**30
        return {
            "growth_mib": growth / 2**20,
            "cpu_s_per_gib": cpu_s / gib,
            "gib_per_s": gib / done.seconds,
        }

    return measure


def waiting(server: Server, settings: Settings) -> Sample:
    """CPU of the server while 100 requests sleep 5 s, accepting and answering them included."""
    with running(server, "sleep", settings) as target:
        time.sleep(SETTLE_S)
        cpu = target.tree.cpu()
        seconds = load.ask_together(target.port, WAITING_REQUESTS, b"/sleep")
        cpu_s = target.tree.cpu_seconds_since(cpu)
    return {"core_percent": cpu_s / seconds * 100, "seconds": seconds}


def floor(server: Server, settings: Settings) -> Sample:
    """CPU nanoseconds of one call of each application, without any server."""
    command = [settings.python, str(BENCH / "floor.py"), str(APPS)]
    text, _ = load.run_pinned(command, core=settings.server_core, timeout_s=120)
    sample: Mapping[str, float] = json.loads(text)
    return dict(sample)


def _idle_beside(settings: Settings) -> int:
    return settings.idle_connections


def _throughput(
    name: str,
    question: str,
    kinds: tuple[str, ...],
    measure: Callable[[Server, Settings], Sample],
    *,
    what: str = "request",
    names: tuple[str, ...] = (),
) -> Workload:
    unit = f"us of CPU/{what}"
    return Workload(name, question, kinds, "cpu_us_per_request", unit, measure, names=names)


_ASGI = ("asgi",)
_WITH_WORKERS = ("tercel", "uvicorn", "granian", "saltare")
_CONNECTIONS = (1, 64, 256, 1000)
# The first is a rate that every server holds, the second one that the fast ones do.
_LATENCY_RATES = (3000, 20000)

WORKLOADS = (
    Workload(
        "floor",
        "What does the application cost without a server?",
        ("floor",),
        "hello_ns",
        "ns of CPU/call",
        floor,
    ),
    *(
        _throughput(
            f"hello-{count}",
            f"What does a server add to a trivial ASGI application, {count} connection(s)?",
            _ASGI,
            Throughput("hello", count, HELLO, headers=HELLO_HEADERS),
        )
        for count in _CONNECTIONS
    ),
    _throughput(
        "hello-64-beside-idle",
        "Do idle connections cost the busy ones anything?",
        _ASGI,
        Throughput("hello", 64, HELLO, idle_beside=_idle_beside),
    ),
    _throughput(
        "hello-1-one-core",
        "The same at 1 connection when no core has to wake another: both on the server's core.",
        ("asgi", "native"),
        Throughput("hello", 1, HELLO, one_core=True),
    ),
    _throughput(
        "fastapi-64",
        "What is left of the difference under FastAPI?",
        _ASGI,
        Throughput("fastapi_hello", 64, HELLO, headers=HELLO_HEADERS),
    ),
    _throughput(
        "echo-64",
        "What do bodies cost: 10 KiB read and streamed back?",
        _ASGI,
        Throughput("echo", 64, ECHO, ECHO, BENCH / "load" / "echo.lua"),
    ),
    *(
        _throughput(
            f"wsgi-hello-{count}",
            f"What does a server add to a trivial WSGI application, {count} connection(s)?",
            ("wsgi",),
            Throughput("wsgi_hello", count, HELLO, headers=HELLO_HEADERS),
        )
        for count in (1, 64)
    ),
    _throughput(
        "wsgi-falcon-64",
        "What is left of the difference under Falcon?",
        ("wsgi",),
        Throughput("falcon_wsgi_hello", 64, HELLO, headers=HELLO_HEADERS),
    ),
    _throughput(
        "hello-64-2-workers",
        "What do two worker processes cost a request, where they share a core?",
        _ASGI,
        Throughput("hello", 64, HELLO, headers=HELLO_HEADERS, needs=Needs(workers=2)),
        names=_WITH_WORKERS,
    ),
    *(
        _throughput(
            f"native-{count}",
            f"Is the engine itself as fast as the fastest servers in C, {count} connections?",
            ("native",),
            Throughput("hello", count, HELLO),
        )
        for count in (1, 64)
    ),
    _throughput(
        "http2-hello",
        "What does HTTP/2 cost: 8 connections with 32 streams each, without TLS?",
        _ASGI,
        protocols.Http2(HELLO),
        names=("tercel", "granian", "hypercorn"),
    ),
    _throughput(
        "http1-hello",
        "The same client over HTTP/1.1 with as many requests under way: 256 connections.",
        _ASGI,
        protocols.Http2(HELLO, connections=256, in_flight=1, http1=True),
        names=("tercel", "granian", "hypercorn"),
    ),
    _throughput(
        "http1-pipelined-hello",
        "The same over 8 connections of HTTP/1.1 with 32 pipelined requests, as no client does.",
        _ASGI,
        protocols.Http2(HELLO, http1=True),
        names=("tercel", "granian", "hypercorn"),
    ),
    _throughput(
        "native-http2",
        "Is HTTP/2 as fast as in the fastest servers in C: 8 connections with 32 streams each?",
        ("native",),
        protocols.Http2(HELLO),
        names=("tercel-cpp", "nginx", "h2o", "nghttpd"),
    ),
    _throughput(
        "websocket-echo-64",
        "What does a WebSocket message cost: 64 bytes echoed on 64 connections?",
        _ASGI,
        protocols.websocket_echo,
        what="message",
    ),
    _throughput(
        "websocket-broadcast-1000",
        "What does a message to everybody in a room of 1,000 cost each of them?",
        _ASGI,
        protocols.websocket_broadcast,
        what="delivery",
    ),
    _throughput(
        "tls-handshakes",
        "What does a full handshake cost: TLS 1.3, ECDSA P-256, with the connection's two ends?",
        ("asgi", "native"),
        protocols.tls_handshakes,
        what="handshake",
        names=("tercel", "uvicorn", "granian", "tercel-cpp", "nginx", "h2o"),
    ),
    _throughput(
        "api-hello",
        "What does a typed function that returns a JSON object cost, 64 connections?",
        ("api",),
        api.Api(api.HELLO),
    ),
    _throughput(
        "api-params",
        "What do an integer of the path, an integer and a boolean of the query cost?",
        ("api",),
        api.Api(api.PARAMS, api.PARAMS_ALSO),
    ),
    _throughput(
        "api-post",
        "What does a validated body of 1 KB cost, answered with a typed object?",
        ("api",),
        api.Api(api.POST, api.ORDERS_ALSO),
    ),
    _throughput(
        "api-invalid",
        "What does a body cost whose last item is wrong?",
        ("api",),
        api.Api(api.INVALID, api.ORDERS_ALSO),
    ),
    *(
        _throughput(
            f"feed-{size}-{requests}",
            f"What does a page of {size} KiB from Redis cost, {requests} request(s) a connection?",
            ("feed",),
            feed.Feed(size, requests),
        )
        for size in (0, 1, 64)
        for requests in (1, 10)
    ),
    *(
        _throughput(f"s3-{name}", f"What does {question} cost?", ("s3",), traffic)
        for name, question, traffic in (
            ("get-1k", "a GET of an object of 1 KiB", s3.S3("GET", 1024)),
            ("get-64k", "a GET of an object of 64 KiB", s3.S3("GET", 64 << 10)),
            ("get-1m", "a GET of an object of 1 MiB", s3.S3("GET", 1 << 20)),
            ("put-64k", "a PUT of 64 KiB whose hash is signed", s3.S3("PUT", 64 << 10)),
            ("put-1m", "a PUT of 1 MiB whose hash is signed", s3.S3("PUT", 1 << 20)),
            (
                "put-1m-trailer",
                "a PUT of 1 MiB in aws-chunked, not signed, with a checksum behind it",
                s3.S3("PUT", 1 << 20, trailer=True),
            ),
        )
    ),
    *(
        Workload(
            f"s3-{name}-{threads}-threads",
            f"How fast do GETs of {size} bytes go through {threads} thread(s) on both cores, which"
            " client and origin use too?",
            ("s3",),
            "wall_us_per_request",
            "us of time/request",
            s3.S3("GET", size, threads=threads),
            names=("tercel-s3", "nginx-proxy", "haproxy"),
        )
        for name, size in (("get-1k", 1024), ("get-1m", 1 << 20))
        for threads in (1, 2)
    ),
    *(
        Workload(
            f"latency-{rate}",
            f"How long do clients wait at {rate} requests/s, 64 connections?",
            _ASGI,
            "p99_us",
            "us at p99",
            latency.at_rate(rate),
        )
        for rate in _LATENCY_RATES
    ),
    Workload(
        "memory-idle",
        "What does the server add to the memory of the imported application?",
        ("bare", "asgi"),
        "pss_mib",
        "MiB of PSS",
        idle_memory,
    ),
    *(
        Workload(
            f"memory-idle-{count}-workers",
            f"How much memory do {count} worker processes take, with what supervises them?",
            _ASGI,
            "pss_mib",
            "MiB of PSS",
            functools.partial(idle_memory, needs=Needs(workers=count)),
            names=_WITH_WORKERS,
        )
        for count in (2, 4)
    ),
    Workload(
        "memory-connections",
        "What does an idle kept-alive connection cost in user memory?",
        ("asgi", "native"),
        "pss_bytes",
        "bytes of PSS/connection",
        connection_memory("hello", PLAIN, _warm_by_wrk, _hold_http),
    ),
    Workload(
        "memory-idle-tls",
        "What does an idle TLS connection cost in user memory, after one request?",
        ("asgi", "native"),
        "pss_bytes",
        "bytes of PSS/connection",
        connection_memory("hello", Needs(tls=True), _warm_by_wrk, _hold_http),
        names=("tercel", "uvicorn", "granian", "hypercorn", "saltare", "tercel-cpp", "nginx"),
    ),
    Workload(
        "memory-idle-websocket",
        "What does an idle WebSocket cost in user memory?",
        _ASGI,
        "pss_bytes",
        "bytes of PSS/connection",
        connection_memory(
            "rooms",
            Needs(websocket=True),
            protocols.warm_by_echo,
            protocols.hold_websockets,
        ),
    ),
    Workload(
        "upload",
        "Does a large upload stay out of memory?",
        _ASGI,
        "growth_mib",
        "MiB of growth",
        transfer(load.upload),
        runs_max=3,
    ),
    Workload(
        "download",
        "Does a large streamed response stay out of memory?",
        _ASGI,
        "growth_mib",
        "MiB of growth",
        transfer(load.download),
        runs_max=3,
    ),
    Workload(
        "sleep",
        "Do waiting requests cost CPU?",
        _ASGI,
        "core_percent",
        "% of a core",
        waiting,
    ),
    Workload(
        "instructions",
        "How many instructions does a request take outside the kernel?",
        ("asgi", "native"),
        "per_request",
        "instructions/request",
        instructions.measure,
        runs_max=1,
        # callgrind_control does not reach the processes that nginx and h2o fork.
        names=("tercel", "uvicorn", "granian", "hypercorn", "saltare", "tercel-cpp", "raw"),
    ),
    Workload(
        "api-instructions",
        "How many instructions does a request to each route take outside the kernel?",
        ("api",),
        "hello_instructions",
        "instructions/request",
        instructions.measure_api,
        runs_max=1,
        names=("tercel-api", "tercel-cpp-api"),
    ),
    Workload(
        "s3-instructions",
        "How many instructions does a request of 1 KiB take outside the kernel?",
        ("s3",),
        "get_instructions",
        "instructions/request",
        instructions.measure_s3,
        runs_max=1,
        # As above; and object-storage-proxy, under valgrind, closes its connections.
        names=("tercel-s3",),
    ),
)
