"""The servers that are compared, each by its own documented fast settings.

Fair play, for every peer: one worker, its fastest event loop, no access log, a backlog and limits
that let 10,000 connections in, and keep-alive without an end to the time or the number of requests.
Where a peer's defaults would close connections under these workloads, that limit is lifted.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import load
from harness.process import START_TIMEOUT_S, MeasureError, Tree

BACKLOG = 16384
KEEP_ALIVE_S = 600


@dataclass(frozen=True)
class Needs:
    """What a workload asks of a server beside HTTP/1.1 without TLS."""

    http2: bool = False
    websocket: bool = False
    tls: bool = False


PLAIN = Needs()


@dataclass(frozen=True)
class Target:
    """What a server is started with."""

    app: str  # Module in `bench/apps` that has an `app`. C++ servers ignore it.
    port: int
    python: str  # The interpreter that has the servers installed.
    build: Path  # The build directory of the C++ programs.
    scratch: Path  # A directory for configuration files.
    needs: Needs = PLAIN

    @property
    def certificate(self) -> str:
        """The file of the certificate; `load.make_certificate()` wrote it if there is TLS."""
        return str(self.scratch / "server.pem")

    @property
    def key(self) -> str:
        """The file of its key, PKCS#8."""
        return str(self.scratch / "server.key")


@dataclass(frozen=True)
class Server:
    """One contestant. `command` also writes the configuration file, where there is one.

    Kinds: "asgi" runs an application, "native" answers without Python, "bare" only imports the
    application, "floor" has no server at all.
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


def _tls_flags(target: Target, certificate: str, key: str) -> list[str]:
    return [certificate, target.certificate, key, target.key] if target.needs.tls else []


def _tercel(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "tercel", "serve", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port), "--no-access-log"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_S), "--backlog", str(BACKLOG)),
        *("--limit-request-body", "2GiB"),
        *_tls_flags(target, "--ssl-certfile", "--ssl-keyfile"),
    ]


def _tercel_io(target: Target) -> list[str]:
    return [*_tercel(target), "--io-threads", "1"]


def _uvicorn(target: Target) -> list[str]:
    # The fastest of the three that it knows; the client offers no compression.
    websocket = ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false"]
    return [
        *(target.python, "-m", "uvicorn", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        *("--backlog", str(BACKLOG), "--timeout-keep-alive", str(KEEP_ALIVE_S)),
        *(websocket if target.needs.websocket else []),
        *_tls_flags(target, "--ssl-certfile", "--ssl-keyfile"),
    ]


def _granian(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "granian", f"{target.app}:app", "--interface", "asgi"),
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--workers", "1", "--runtime-threads", "1", "--runtime-mode", "st", "--loop", "uvloop"),
        *("--http", "2" if target.needs.http2 else "1", "--no-access-log"),
        *("--ws" if target.needs.websocket else "--no-ws", "--log-level", "warning"),
        *("--backlog", str(BACKLOG), "--backpressure", str(BACKLOG)),
        *("--http1-header-read-timeout", "60000"),
        *_tls_flags(target, "--ssl-certificate", "--ssl-keyfile"),
    ]


_HYPERCORN = """\
bind = "127.0.0.1:{port}"
worker_class = "uvloop"
workers = 1
loglevel = "warning"
backlog = {backlog}
keep_alive_timeout = {keep_alive_s}
keep_alive_max_requests = 1000000000
"""


def _hypercorn(target: Target) -> list[str]:
    path = target.scratch / "hypercorn.toml"
    text = _HYPERCORN.format(port=target.port, backlog=BACKLOG, keep_alive_s=KEEP_ALIVE_S)
    if target.needs.tls:
        text += f'certfile = "{target.certificate}"\nkeyfile = "{target.key}"\n'
    path.write_text(text)
    return [target.python, "-m", "hypercorn", f"{target.app}:app", "--config", str(path)]


# Its command line knows no certificate: the function behind it does. -OO and the one arena are what
# its command line gives itself.
_SALTARE_TLS = """\
import importlib, saltare
saltare.run(
    importlib.import_module("{app}").app, "127.0.0.1", {port}, "{certificate}", "{key}",
    header_timeout={keep_alive_s}, keep_alive_timeout={keep_alive_s},
    max_concurrent_connections={backlog}, listen_backlog={backlog},
    max_keepalive_requests=1000000000, auto_raise_nofile=True,
)
"""


def _saltare(target: Target) -> list[str]:
    if target.needs.tls:
        program = _SALTARE_TLS.format(
            app=target.app,
            port=target.port,
            certificate=target.certificate,
            key=target.key,
            keep_alive_s=KEEP_ALIVE_S,
            backlog=BACKLOG,
        )
        return ["env", "MALLOC_ARENA_MAX=1", target.python, "-OO", "-c", program]
    return [
        *(target.python, "-m", "saltare", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port), "--workers", "1"),
        *("--max-concurrent-connections", str(BACKLOG), "--listen-backlog", str(BACKLOG)),
        *("--max-keepalive-requests", "1000000000", "--max-request-body", str(2 << 30)),
        *("--keep-alive-timeout", str(KEEP_ALIVE_S), "--header-timeout", str(KEEP_ALIVE_S)),
        *("--body-timeout", str(KEEP_ALIVE_S), "--write-timeout", str(KEEP_ALIVE_S)),
        "--auto-raise-nofile",
    ]


def _bare(target: Target) -> list[str]:
    program = f"import {target.app}, signal; print('imported', flush=True); signal.pause()"
    return [target.python, "-c", program]


def _raw_answer(target: Target) -> list[str]:
    return [str(target.build / "bench" / "raw_answer"), str(target.port)]


def _tercel_cpp(target: Target) -> list[str]:
    program = str(target.build / "examples" / "cpp" / "example_hello")
    files = [target.certificate, target.key] if target.needs.tls else []
    return [program, str(target.port), *files]


_NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {scratch}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 16384; multi_accept on; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout {keep_alive_s}s;
  client_body_temp_path {scratch}/nginx; proxy_temp_path {scratch}/nginx;
  fastcgi_temp_path {scratch}/nginx; uwsgi_temp_path {scratch}/nginx;
  scgi_temp_path {scratch}/nginx;
  server {{
    listen 127.0.0.1:{port} backlog={backlog}{options};
    {tls}
    default_type application/json;
    location / {{ return 200 '{{"message":"Hello"}}'; }}
  }}
}}
"""


def _nginx(target: Target) -> list[str]:
    path = target.scratch / "nginx.conf"
    needs = target.needs
    files = f"ssl_certificate {target.certificate}; ssl_certificate_key {target.key};"
    path.write_text(
        _NGINX.format(
            scratch=target.scratch,
            keep_alive_s=KEEP_ALIVE_S,
            port=target.port,
            backlog=BACKLOG,
            options=" ssl" * needs.tls + " http2" * needs.http2,
            tls=f"ssl_protocols TLSv1.2 TLSv1.3; {files}" if needs.tls else "",
        )
    )
    return ["nginx", "-c", str(path)]


_H2O = """\
user: root
num-threads: 1
max-connections: {backlog}
http1-request-timeout: {keep_alive_s}
listen:
  host: 127.0.0.1
  port: {port}{tls}
hosts:
  default:
    paths:
      "/":
        file.file: {scratch}/hello.json
    file.etag: OFF
    file.mime.addtypes: {{"application/json": ".json"}}
"""


def _h2o(target: Target) -> list[str]:
    (target.scratch / "hello.json").write_bytes(b'{"message":"Hello"}')
    path = target.scratch / "h2o.yaml"
    files = f"\n  ssl:\n    certificate-file: {target.certificate}\n    key-file: {target.key}"
    path.write_text(
        _H2O.format(
            scratch=target.scratch,
            keep_alive_s=KEEP_ALIVE_S,
            port=target.port,
            backlog=BACKLOG,
            tls=files if target.needs.tls else "",
        )
    )
    return ["h2o", "-c", str(path)]


def _nghttpd(target: Target) -> list[str]:
    (target.scratch / "index.html").write_bytes(b'{"message":"Hello"}')
    return [
        *("nghttpd", "--no-tls", "-n", "1", "-a", "127.0.0.1", "-d", str(target.scratch)),
        str(target.port),
    ]


SERVERS = (
    Server("tercel", "asgi", "defaults, access log off, limits as for the others", _tercel),
    Server(
        "tercel-io",
        "asgi",
        "the same with --io-threads 1",
        _tercel_io,
        threaded=True,
        only=("hello-1-one-core", "hello-64", "fastapi-64", "echo-64"),
    ),
    Server("uvicorn", "asgi", "uvicorn.org, Settings: uvloop, httptools", _uvicorn),
    Server(
        "granian",
        "asgi",
        "granian's own benchmarks/README.md: st runtime, http 1, no ws (unless asked for), uvloop",
        _granian,
    ),
    Server("hypercorn", "asgi", "hypercorn's documentation: uvloop worker", _hypercorn),
    Server("saltare", "asgi", "saltare's README: re-executes itself with -OO", _saltare),
    Server("bare", "bare", "python -c 'import the application', and wait", _bare),
    Server("floor", "floor", "the applications called in a loop, bench/floor.py", lambda _: []),
    Server("tercel-cpp", "native", "examples/cpp/hello.cc: a Handler, no Python", _tercel_cpp),
    Server("nginx", "native", "one worker, `return 200`", _nginx),
    Server("h2o", "native", "one thread, file.file (mruby costs 50% more)", _h2o),
    Server(
        "nghttpd",
        "native",
        "one thread, a file of the same bytes",
        _nghttpd,
        only=("native-http2",),  # It speaks nothing else without TLS.
    ),
    Server("raw", "native", "epoll, one recv and one send a request, no parsing", _raw_answer),
)


def start(server: Server, target: Target, *, core: int, apps: Path) -> Tree:
    """Starts `server` pinned to `core`, and returns once it answers `GET /` with 200.

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
    ready = _imported if server.kind == "bare" else _answers
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if not tree.alive():
            break
        if ready(tree, target):
            return tree
        time.sleep(0.05)
    text = tree.tail()
    tree.stop()
    raise MeasureError(f"{server.name} did not start: {text}")


def _imported(tree: Tree, target: Target) -> bool:
    return "imported" in tree.tail()


def _answers(tree: Tree, target: Target) -> bool:
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
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
