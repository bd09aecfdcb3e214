"""The command lines of the servers of ASGI applications; tercel's is that for WSGI, too."""

from __future__ import annotations

from harness.target import BACKLOG, KEEP_ALIVE_S, Target


def _tls_flags(target: Target, certificate: str, key: str) -> list[str]:
    return [certificate, target.certificate, key, target.key] if target.needs.tls else []


def tercel(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "tercel", "serve", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port), "--no-access-log"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_S), "--backlog", str(BACKLOG)),
        *("--limit-request-body", "2GiB"),
        *("--workers", str(target.needs.workers)),
        *_tls_flags(target, "--ssl-certfile", "--ssl-keyfile"),
    ]


def tercel_io(target: Target) -> list[str]:
    return [*tercel(target), "--io-threads", "1"]


def uvicorn(target: Target) -> list[str]:
    # The fastest of the three that it knows; the client offers no compression.
    websocket = ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false"]
    return [
        *(target.python, "-m", "uvicorn", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        *("--backlog", str(BACKLOG), "--timeout-keep-alive", str(KEEP_ALIVE_S)),
        *("--workers", str(target.needs.workers)),
        *(websocket if target.needs.websocket else []),
        *_tls_flags(target, "--ssl-certfile", "--ssl-keyfile"),
    ]


def granian(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "granian", f"{target.app}:app", "--interface", "asgi"),
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--workers", str(target.needs.workers), "--loop", "uvloop"),
        *("--runtime-threads", "1", "--runtime-mode", "st"),
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


def hypercorn(target: Target) -> list[str]:
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


def saltare(target: Target) -> list[str]:
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
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--workers", str(target.needs.workers)),
        *("--max-concurrent-connections", str(BACKLOG), "--listen-backlog", str(BACKLOG)),
        *("--max-keepalive-requests", "1000000000", "--max-request-body", str(2 << 30)),
        *("--keep-alive-timeout", str(KEEP_ALIVE_S), "--header-timeout", str(KEEP_ALIVE_S)),
        *("--body-timeout", str(KEEP_ALIVE_S), "--write-timeout", str(KEEP_ALIVE_S)),
        "--auto-raise-nofile",
    ]


def bare(target: Target) -> list[str]:
    program = f"import {target.app}, signal; print('imported', flush=True); signal.pause()"
    return [target.python, "-c", program]
