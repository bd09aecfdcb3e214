"""The targets of the project, each computed from one result file.

A target reads medians only. It is not judged when a server it compares is missing or failed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# "No worse a ratio" allows for the noise of two ratios.
SAME = 0.97
# Not everywhere can the first be had, and older results lack the second.
_NOT_IN_EVERY_RUN = {"uwebsockets", "tercel-cpp-json"}


class NotAskedError(KeyError):
    """The run had no such workload."""


class Medians:
    """Medians of one result: `get("hello-64", "uvicorn", "cpu_us_per_request")`."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._workloads = result["workloads"]

    def get(self, workload: str, server: str, metric: str) -> float:
        """Returns a median. Raises NotAskedError, or KeyError when it could not be measured."""
        if workload not in self._workloads:
            raise NotAskedError(workload)
        servers = self._workloads[workload]["servers"]
        if server in _NOT_IN_EVERY_RUN and server not in servers:
            raise NotAskedError(workload)
        part = servers[server]
        if part["failure"]:
            raise KeyError(server)
        value: float = part["median"][metric]
        return value

    def cpu_us(self, workload: str, server: str) -> float:
        """CPU microseconds a request."""
        return self.get(workload, server, "cpu_us_per_request")

    def best_cpu_us(self, workload: str, servers: Iterable[str]) -> float:
        """CPU microseconds a request of the best of `servers` that could be measured."""
        found = []
        for server in servers:
            try:
                found.append(self.cpu_us(workload, server))
            except NotAskedError:
                raise
            except KeyError:
                continue
        if not found:
            raise KeyError(workload)
        return min(found)

    def gain(self, workload: str, over: str) -> float:
        """How many times the requests of `over` tercel answers in the same CPU time."""
        return self.cpu_us(workload, over) / self.cpu_us(workload, "tercel")


@dataclass(frozen=True)
class Bar:
    """One target: what is measured, `is_met(measured, bound)`, and the unit of both."""

    text: str
    unit: str
    measured: Callable[[Medians], float]
    bound: Callable[[Medians], float]
    is_met: Callable[[float, float], bool]


def _at_least(text: str, bound: float, measured: Callable[[Medians], float]) -> Bar:
    return Bar(text, "x", measured, lambda _: bound, operator.ge)


def _gain(workload: str, over: str, bound: float) -> Bar:
    return _at_least(
        f"{workload}: requests per CPU-second over {over}", bound, lambda m: m.gain(workload, over)
    )


def _no_worse_than_64(workload: str, over: str) -> Bar:
    return Bar(
        f"{workload}: gain over {over}, against the gain at 64 connections",
        "x",
        lambda m: m.gain(workload, over),
        lambda m: SAME * m.gain("hello-64", over),
        operator.ge,
    )


def _at_most(text: str, unit: str, bound: float, measured: Callable[[Medians], float]) -> Bar:
    return Bar(text, unit, measured, lambda _: bound, operator.le)


def _growth(workload: str) -> Bar:
    return _at_most(
        f"{workload} of 1 GiB: growth of memory",
        "MiB",
        8,
        lambda m: m.get(workload, "tercel", "growth_mib"),
    )


def _best_native(m: Medians) -> float:
    return min(m.cpu_us("native-64", "nginx"), m.cpu_us("native-64", "h2o"))


def _best_http2(m: Medians) -> float:
    return min(m.cpu_us("native-http2", "h2o"), m.cpu_us("native-http2", "nghttpd"))


def _wsgi_gain(workload: str, over: str, bound: float) -> Bar:
    return _at_least(
        f"{workload}: requests per CPU-second over {over}",
        bound,
        lambda m: m.cpu_us(workload, over) / m.cpu_us(workload, "tercel-wsgi"),
    )


API_PEERS = (
    *(
        f"{framework}-{server}"
        for framework in ("fastapi", "litestar", "blacksheep", "falcon")
        for server in ("uvicorn", "granian")
    ),
    "spikard",
    "robyn",
)


def _api_gains(workload: str, over_best: float, over_fastapi: float) -> tuple[Bar, Bar]:
    text = f"{workload}: requests per CPU-second over"
    return (
        _at_least(
            f"{text} the best of the other frameworks",
            over_best,
            lambda m: m.best_cpu_us(workload, API_PEERS) / m.cpu_us(workload, "tercel-api"),
        ),
        _at_least(
            f"{text} FastAPI on granian",
            over_fastapi,
            lambda m: m.cpu_us(workload, "fastapi-granian") / m.cpu_us(workload, "tercel-api"),
        ),
    )


def _s3_cost(workload: str, most: float) -> Bar:
    return _at_most(
        f"{workload}: CPU of a request over that of nginx as a proxy without signatures",
        "x",
        most,
        lambda m: m.cpu_us(workload, "tercel-s3") / m.cpu_us(workload, "nginx-proxy"),
    )


def _s3_gain(workload: str) -> Bar:
    return _at_least(
        f"{workload}: requests per CPU-second over object-storage-proxy",
        3,
        lambda m: m.cpu_us(workload, "object-storage-proxy") / m.cpu_us(workload, "tercel-s3"),
    )


def _further_worker_mib(m: Medians, metric: str) -> float:
    """What each of the third and the fourth worker adds to the tree."""
    four, two = (m.get(f"memory-idle-{count}-workers", "tercel", metric) for count in (4, 2))
    return (four - two) / 2


def _lowest(workload: str, text: str) -> tuple[Bar, ...]:
    """Memory below that of each peer: one row for each, as a peer may have failed."""

    def bound(over: str) -> Callable[[Medians], float]:
        return lambda m: m.get(workload, over, "pss_bytes")

    return tuple(
        Bar(
            f"{text}: PSS, against {over}",
            "bytes",
            lambda m: m.get(workload, "tercel", "pss_bytes"),
            bound(over),
            operator.lt,
        )
        for over in ("uvicorn", "granian", "saltare")
    )


BARS = (
    _gain("hello-64", "uvicorn", 2.0),
    _gain("hello-64", "granian", 1.4),
    _gain("hello-1", "uvicorn", 1.6),
    *(
        _no_worse_than_64(workload, over)
        for workload in ("hello-256", "hello-1000", "hello-64-beside-idle")
        for over in ("uvicorn", "granian")
    ),
    _gain("fastapi-64", "uvicorn", 1.3),
    _gain("fastapi-64", "granian", 1.1),
    _gain("echo-64", "granian", 1.5),
    _at_most(
        "C++ handler: CPU over the better of nginx and h2o",
        "x",
        1.1,
        lambda m: m.cpu_us("native-64", "tercel-cpp") / _best_native(m),
    ),
    _at_least(
        "C++ handler: requests per CPU-second over uWebSockets",
        0.9,
        lambda m: m.cpu_us("native-64", "uwebsockets") / m.cpu_us("native-64", "tercel-cpp"),
    ),
    _at_least(
        "C++ route that writes JSON: requests per CPU-second over the better of nginx and h2o",
        0.9,
        lambda m: _best_native(m) / m.cpu_us("native-64", "tercel-cpp-json"),
    ),
    _at_least(
        "C++ route that writes JSON: requests per CPU-second over uWebSockets",
        0.9,
        lambda m: m.cpu_us("native-64", "uwebsockets") / m.cpu_us("native-64", "tercel-cpp-json"),
    ),
    Bar(
        "FastAPI, idle: PSS, against the bare import and 2 MiB",
        "MiB",
        lambda m: m.get("memory-idle", "tercel", "pss_mib"),
        lambda m: m.get("memory-idle", "bare", "pss_mib") + 2,
        operator.le,
    ),
    Bar(
        "FastAPI, idle: PSS, against saltare",
        "MiB",
        lambda m: m.get("memory-idle", "tercel", "pss_mib"),
        lambda m: m.get("memory-idle", "saltare", "pss_mib"),
        operator.lt,
    ),
    _at_most(
        "an idle connection: PSS",
        "bytes",
        300,
        lambda m: m.get("memory-connections", "tercel", "pss_bytes"),
    ),
    _growth("upload"),
    _growth("download"),
    _at_most(
        "100 requests that sleep: CPU",
        "% of a core",
        1,
        lambda m: m.get("sleep", "tercel", "core_percent"),
    ),
    _at_least(
        "http2-hello: requests per CPU-second over tercel's own HTTP/1.1",
        0.9,
        lambda m: m.cpu_us("http1-hello", "tercel") / m.cpu_us("http2-hello", "tercel"),
    ),
    _gain("http2-hello", "granian", 1.5),
    _at_least(
        "C++ handler over HTTP/2: requests per CPU-second over the better of h2o and nghttpd",
        0.8,
        lambda m: _best_http2(m) / m.cpu_us("native-http2", "tercel-cpp"),
    ),
    _gain("websocket-echo-64", "uvicorn", 2.0),
    _gain("websocket-echo-64", "granian", 1.5),
    _at_least(
        "tls-handshakes: per CPU-second, C++ handler over nginx",
        1.0,
        lambda m: m.cpu_us("tls-handshakes", "nginx") / m.cpu_us("tls-handshakes", "tercel-cpp"),
    ),
    _gain("tls-handshakes", "nginx", 1.0),
    *(
        _wsgi_gain(workload, over, bound)
        for workload in ("wsgi-hello-64", "wsgi-falcon-64")
        for over, bound in (("granian-wsgi", 1.2), ("uwsgi", 1.2), ("gunicorn", 5.0))
    ),
    _at_least(
        "hello-64-2-workers: requests per CPU-second over those of one",
        0.95,
        lambda m: m.cpu_us("hello-64", "tercel") / m.cpu_us("hello-64-2-workers", "tercel"),
    ),
    Bar(
        "FastAPI, 4 workers, idle: PSS, against saltare",
        "MiB",
        lambda m: m.get("memory-idle-4-workers", "tercel", "pss_mib"),
        lambda m: m.get("memory-idle-4-workers", "saltare", "pss_mib"),
        operator.lt,
    ),
    _at_most(
        "FastAPI, a further worker, idle: PSS",
        "MiB",
        5,
        lambda m: _further_worker_mib(m, "pss_mib"),
    ),
    _at_most(
        "FastAPI, a further worker, after a load: PSS",
        "MiB",
        5,
        lambda m: _further_worker_mib(m, "pss_after_load_mib"),
    ),
    *_lowest("memory-idle-tls", "an idle TLS connection"),
    *_lowest("memory-idle-websocket", "an idle WebSocket"),
    *_api_gains("api-hello", 2.0, 4.0),
    *_api_gains("api-params", 2.0, 4.0),
    *_api_gains("api-post", 2.0, 3.0),
    _at_least(
        "api-hello: requests per CPU-second over tercel's own raw ASGI hello",
        SAME,
        lambda m: m.cpu_us("api-hello", "tercel-asgi") / m.cpu_us("api-hello", "tercel-api"),
    ),
    _at_least(
        "api-invalid: requests per CPU-second over the API in C++",
        SAME,
        lambda m: m.cpu_us("api-invalid", "tercel-cpp-api") / m.cpu_us("api-invalid", "tercel-api"),
    ),
    _s3_cost("s3-get-1k", 1.3),
    _s3_cost("s3-get-1m", 1.0),
    *(
        _s3_gain(workload)
        for workload in ("s3-get-1k", "s3-get-1m", "s3-put-1m", "s3-put-1m-trailer")
    ),
)


def _unavoidable_us(m: Medians, application: str) -> float:
    """The system calls of a request and one call of the application, in CPU microseconds."""
    return m.cpu_us("native-64", "raw") + m.get("floor", "floor", f"{application}_ns") / 1e3


def _share_outside(server: str) -> Callable[[Medians], float]:
    return lambda m: (
        1 - m.get("floor", "floor", "fastapi_ns") / 1e3 / m.cpu_us("fastapi-64", server)
    )


# Reported, without a target: what there is to win, and how much of it is won.
SHARES: tuple[tuple[str, Callable[[Medians], float]], ...] = (
    (
        "hello-64: tercel's CPU over the sum of system calls and application",
        lambda m: m.cpu_us("hello-64", "tercel") / _unavoidable_us(m, "hello"),
    ),
    (
        "hello-64: uvicorn's CPU over that sum, the most that can be gained",
        lambda m: m.cpu_us("hello-64", "uvicorn") / _unavoidable_us(m, "hello"),
    ),
    (
        "fastapi-64: uvicorn's CPU over that sum, the most that can be gained",
        lambda m: m.cpu_us("fastapi-64", "uvicorn") / _unavoidable_us(m, "fastapi"),
    ),
    ("fastapi-64: share of tercel's CPU outside the application", _share_outside("tercel")),
    ("fastapi-64: share of uvicorn's CPU outside the application", _share_outside("uvicorn")),
    ("fastapi-64: share of granian's CPU outside the application", _share_outside("granian")),
)
