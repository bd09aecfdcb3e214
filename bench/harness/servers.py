"""The servers that are compared, each by its own documented fast settings.

Fair play, for every peer: as many workers, one if nothing else is said, its fastest event loop, no
access log, a backlog and limits that let 10,000 connections in, and keep-alive without an end to
the time or the number of requests. Where a peer's defaults would close connections under these
workloads, that limit is lifted.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import (
    api_commands,
    asgi_commands,
    load,
    native_commands,
    proxy_commands,
    wsgi_commands,
)
from harness.process import START_TIMEOUT_S, MeasureError, Tree
from harness.target import Target


@dataclass(frozen=True)
class Server:
    """One contestant. `command` also writes the configuration file, where there is one.

    Kinds: "asgi" and "wsgi" run an application, "api" a framework's own application of the typed
    API (harness/api.py), "feed" one of the message feed (harness/feed.py), "s3" forwards to object
    storage (harness/s3.py), "native" answers without Python, "bare" only imports the application,
    "floor" has no server at all.
    """

    name: str
    kind: str
    source: str  # Where the settings come from.
    command: Callable[[Target], list[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    # Python runs on the first thread of the started process, and others do the rest: the first is
    # measured by itself too.
    threaded: bool = False
    only: tuple[str, ...] = ()  # The workloads it takes part in; empty: all of its kind.
    app: str = ""  # The module it runs, whatever the workload says; empty: that of the workload.
    probe: str = "/"  # Answered once it is ready,
    probe_status: int = 200  # with this; 0: with whatever it is.
    port: int = 0  # Where it listens, whatever it is told; 0: where it is told.
    typed: bool = True  # Its JSON says so in Content-Type.


def _api(
    name: str, app: str, source: str, command: Callable[[Target], list[str]], **more: Any
) -> Server:
    return Server(name, "api", source, command, app=app, probe="/hello", **more)


_FEED = "/feeds/none/messages"
_OBJECT = "/bench/object"

SERVERS = (
    Server(
        "tercel", "asgi", "defaults, access log off, limits as for the others", asgi_commands.tercel
    ),
    Server(
        "tercel-io",
        "asgi",
        "the same with --io-threads 1",
        asgi_commands.tercel_io,
        threaded=True,
        only=("hello-1-one-core", "hello-64", "fastapi-64", "echo-64"),
    ),
    Server("uvicorn", "asgi", "uvicorn.org, Settings: uvloop, httptools", asgi_commands.uvicorn),
    Server(
        "granian",
        "asgi",
        "granian's own benchmarks/README.md: st runtime, http 1, no ws (unless asked for), uvloop",
        asgi_commands.granian,
    ),
    Server(
        "hypercorn", "asgi", "hypercorn's documentation: uvloop worker", asgi_commands.hypercorn
    ),
    Server(
        "saltare", "asgi", "saltare's README: re-executes itself with -OO", asgi_commands.saltare
    ),
    Server("tercel-wsgi", "wsgi", "defaults, as tercel", asgi_commands.tercel),
    Server(
        "granian-wsgi",
        "wsgi",
        "granian's own benchmarks/README.md: st runtime, http 1, no ws, one thread for Python",
        wsgi_commands.granian_wsgi,
    ),
    Server(
        "uwsgi",
        "wsgi",
        "uwsgi-docs, Things to know, HttpSupport: http11-socket, a thread a connection, no log",
        wsgi_commands.uwsgi,
    ),
    Server(
        "gunicorn",
        "wsgi",
        "docs.gunicorn.org, Settings: gthread, 4 threads",
        wsgi_commands.gunicorn,
    ),
    _api("tercel-api", "api_tercel", "tercel.App, served as tercel", asgi_commands.tercel),
    _api(
        "tercel-hooks",
        "api_tercel_hooks",
        "tercel.App with a hook of the response, to hold tercel-api against",
        asgi_commands.tercel,
        only=("api-hello",),
    ),
    _api(
        "tercel-asgi",
        "hello",
        "the raw ASGI hello as in hello-64, to hold tercel-api against",
        asgi_commands.tercel,
        only=("api-hello",),
    ),
    _api(
        "tercel-cpp-api",
        "",
        "bench/load/api_door.cc: api::App with functions of C++, no Python",
        native_commands.api_door,
    ),
    _api(
        "spikard",
        "api_spikard",
        "pydoc spikard.App: App.run(); no other port, no Content-Type",
        api_commands.spikard,
        port=api_commands.SPIKARD_PORT,
        typed=False,
    ),
    # Which of the two servers is the better one depends on the framework and on the body.
    *(
        _api(f"{framework}-{server}", f"api_{framework}", f"as {server}", command)
        for framework in ("fastapi", "litestar", "blacksheep", "falcon")
        for server, command in (
            ("uvicorn", asgi_commands.uvicorn),
            ("granian", asgi_commands.granian),
        )
    ),
    *(
        Server(f"{name}-feed", "feed", f"as {name}", command, app=f"feed_{app}", probe=_FEED)
        for name, app, command in (
            ("tercel", "tercel", asgi_commands.tercel),
            ("fastapi-uvicorn", "fastapi", asgi_commands.uvicorn),
            ("fastapi-granian", "fastapi", asgi_commands.granian),
            ("litestar-uvicorn", "litestar", asgi_commands.uvicorn),
            ("litestar-granian", "litestar", asgi_commands.granian),
            ("falcon-uvicorn", "falcon", asgi_commands.uvicorn),
            ("falcon-granian", "falcon", asgi_commands.granian),
        )
    ),
    Server(
        "tercel-s3",
        "s3",
        "tercel.s3.Gateway with --io-threads 1: verifies, asks once, signs anew",
        proxy_commands.tercel_s3,
        app="s3_tercel",
        probe_status=403,
    ),
    Server(
        "nginx-proxy",
        "s3",
        "nginx.org, ngx_http_upstream_module: keepalive; one worker, no buffering of requests",
        proxy_commands.nginx,
        probe=_OBJECT,
    ),
    Server(
        "object-storage-proxy",
        "s3",
        "its README, Quick start: one thread, path style, no TLS to the origin",
        proxy_commands.object_storage_proxy,
        env={"OSP_ENABLE_REQUEST_COUNTING": "false"},
        probe=_OBJECT,
        probe_status=0,
    ),
    Server(
        "haproxy",
        "s3",
        "docs.haproxy.org, http-reuse always; one thread",
        proxy_commands.haproxy,
        probe=_OBJECT,
    ),
    # No proxy can forward for less than the cheaper one of them: what one costs above is its own.
    *(
        Server(
            f"{way}-{kib}k",
            "s3",
            f"bench/load/raw_relay.cc: the system calls of a proxy and nothing else, {text}",
            proxy_commands.raw_relay(way, kib),
            probe=_OBJECT,
        )
        for way, sizes, text in (
            ("copy", (64, 1024), "recv() and send()"),
            ("pipe", (64, 128, 256, 512), "splice()"),
        )
        for kib in sizes
    ),
    _api(
        "robyn",
        "api_robyn",
        "robyn.tech, Scaling: one process, one worker, no log of requests",
        api_commands.robyn,
    ),
    Server("bare", "bare", "python -c 'import the application', and wait", asgi_commands.bare),
    Server("floor", "floor", "the applications called in a loop, bench/floor.py", lambda _: []),
    Server(
        "tercel-cpp",
        "native",
        "examples/cpp/hello.cc: a Handler, no Python",
        native_commands.tercel_cpp,
    ),
    Server(
        "tercel-cpp-json",
        "native",
        "bench/load/api_door.cc: api::App, a route whose function writes the JSON, no Python",
        native_commands.api_door,
        only=("native-1", "native-64"),
    ),
    Server("nginx", "native", "one worker, `return 200`", native_commands.nginx),
    Server("h2o", "native", "one thread, file.file (mruby costs 50% more)", native_commands.h2o),
    Server(
        "uwebsockets",
        "native",
        "bench/load/uwebsockets.cc: uWebSockets' own hello, one thread, built as its makefile does",
        native_commands.uwebsockets,
        only=("native-1", "native-64"),
    ),
    Server(
        "nghttpd",
        "native",
        "one thread, a file of the same bytes",
        native_commands.nghttpd,
        only=("native-http2",),  # It speaks nothing else without TLS.
    ),
    Server(
        "raw",
        "native",
        "epoll, one recv and one send a request, no parsing",
        native_commands.raw_answer,
    ),
)


def start(server: Server, target: Target, *, core: int | str, apps: Path) -> Tree:
    """Starts `server` pinned to `core`, and returns once it answers GET of its probe with 200.

    Raises:
        MeasureError: it ended, or did not answer within `START_TIMEOUT_S`.
    """
    tree = Tree(
        server.command(target),
        core=core,
        log=target.scratch / f"{server.name}.log",
        env={"PYTHONPATH": str(apps), **server.env},
        cwd=target.scratch,
    )

    def ready() -> bool:
        return "imported" in tree.tail() if server.kind == "bare" else _answers(server, target)

    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if not tree.alive():
            break
        if ready():
            return tree
        time.sleep(0.05)
    text = tree.tail()
    tree.stop()
    raise MeasureError(f"{server.name} did not start: {text}")


def _answers(server: Server, target: Target) -> bool:
    if target.needs.http2:
        return load.http2_answer(target.port) is not None
    connection: http.client.HTTPConnection
    if target.needs.tls:
        context = load.client_context()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", target.port, timeout=5, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    try:
        connection.request("GET", server.probe)
        return connection.getresponse().status == server.probe_status or server.probe_status == 0
    except OSError:
        return False
    finally:
        connection.close()
