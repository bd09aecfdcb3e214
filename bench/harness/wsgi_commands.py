"""The command lines of the servers of WSGI applications."""

from __future__ import annotations

from pathlib import Path

from harness.target import BACKLOG, KEEP_ALIVE_S, Target


def granian_wsgi(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "granian", f"{target.app}:app", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(target.port)),
        *("--workers", "1", "--blocking-threads", "1"),
        *("--runtime-threads", "1", "--runtime-mode", "st"),
        *("--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning"),
        *("--backlog", str(BACKLOG), "--backpressure", str(BACKLOG)),
        *("--http1-header-read-timeout", "60000"),
    ]


def uwsgi(target: Target) -> list[str]:
    # The worker's own parser: a thread for each connection, kept open or not. The router in front
    # of it (--http) needs four threads for any number of connections, and twice the CPU.
    return [
        *(str(Path(target.python).parent / "uwsgi"), "--http11-socket", f"127.0.0.1:{target.port}"),
        *("--http-timeout", str(KEEP_ALIVE_S), "--socket-timeout", str(KEEP_ALIVE_S)),
        *("--master", "--processes", "1", "--threads", "72", "--die-on-term"),
        *("--listen", str(_most_that_the_system_listens_for())),
        *("--disable-logging", "--need-app"),
        *("--module", f"{target.app}:app", "--virtualenv", str(Path(target.python).parent.parent)),
    ]


def _most_that_the_system_listens_for() -> int:
    """uWSGI does not start with a backlog beyond it."""
    return int(Path("/proc/sys/net/core/somaxconn").read_text())


def gunicorn(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "gunicorn", f"{target.app}:app", "--bind"),
        *(f"127.0.0.1:{target.port}", "--workers", "1", "--worker-class", "gthread"),
        *("--threads", "4", "--worker-connections", str(BACKLOG), "--backlog", str(BACKLOG)),
        *("--keep-alive", str(KEEP_ALIVE_S), "--log-level", "warning"),
    ]
