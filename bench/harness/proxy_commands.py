"""The command lines of plain proxies in front of the origin of harness/s3.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from harness.native_commands import nginx_with
from harness.target import BACKLOG, KEEP_ALIVE_S, Target

_APPS = Path(__file__).resolve().parent.parent / "apps"


def _origin() -> str:
    return urlsplit(os.environ.get("S3_ORIGIN", "http://127.0.0.1:0")).netloc


def tercel_s3(target: Target) -> list[str]:
    return [
        *(target.python, "-m", "tercel", "serve", f"{target.app}:app"),
        *("--host", "127.0.0.1", "--port", str(target.port), "--no-access-log"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_S), "--backlog", str(BACKLOG)),
        *("--limit-request-body", "0", "--io-threads", str(target.needs.threads or 1)),
    ]


def raw_relay(way: str, kib: int) -> Callable[[Target], list[str]]:
    """Returns what builds the command line: "copy" or "pipe", so many KiB at a time."""

    def command(target: Target) -> list[str]:
        origin = _origin().rpartition(":")[2]
        program = str(target.build / "bench" / "raw_relay")
        return [program, way, str(kib), str(target.port), origin]

    return command


def object_storage_proxy(target: Target) -> list[str]:
    return [target.python, str(_APPS / "s3_osp.py"), str(target.port)]


def nginx(target: Target) -> list[str]:
    location = (
        "proxy_pass http://origin; proxy_http_version 1.1;"
        ' proxy_set_header Connection ""; proxy_set_header Host $http_host;'
        " proxy_request_buffering off; proxy_buffers 8 64k; proxy_buffer_size 64k;"
        " proxy_max_temp_file_size 0;"
    )
    kept = "keepalive 128; keepalive_requests 1000000000;"
    return nginx_with(target, location, f"upstream origin {{ server {_origin()}; {kept} }}")


_HAPROXY = """\
global
  nbthread {threads}
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client {keep_alive_s}s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog {backlog}
  default_backend origin
backend origin
  server one {origin}
"""


def haproxy(target: Target) -> list[str]:
    path = target.scratch / "haproxy.cfg"
    path.write_text(
        _HAPROXY.format(
            threads=target.needs.threads or 1,
            keep_alive_s=KEEP_ALIVE_S,
            port=target.port,
            backlog=BACKLOG,
            origin=_origin(),
        )
    )
    return ["haproxy", "-db", "-q", "-f", str(path)]
