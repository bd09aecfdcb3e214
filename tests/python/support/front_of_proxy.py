"""A tercel.proxy.Forward that serves in this process: alone, or mounted in a tercel.App.

with PlainBackend() as backend, start(Way(mounted=True, io_threads=0), backend.url) as proxy:
    assert proxy.ask("GET", "/path").status == 200
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import tercel
from support.closing import Closing
from support.http1 import RawClient, Response
from support.plain_backend import PlainBackend
from support.server import ServerThread
from tercel.proxy import Forward

__all__ = [
    "PREFIX",
    "Front",
    "Way",
    "backend_fixture",
    "fields_at",
    "proxy_fixture",
    "start",
    "way_fixture",
]

PREFIX = "/old"


@dataclass(frozen=True)
class Way:
    """How a proxy is served."""

    mounted: bool
    io_threads: int

    def __str__(self) -> str:
        return f"{'mounted' if self.mounted else 'alone'}, io_threads={self.io_threads}"


_WAYS = [Way(False, 1), Way(False, 2), Way(True, 0), Way(True, 2)]


class Front(Closing):
    """A server with a proxy.

    Attributes:
        mounted: the backend sees what is behind the prefix.
    """

    def __init__(self, server: ServerThread, way: Way) -> None:
        self.server = server
        self.mounted = way.mounted
        self.server.__enter__()

    def close(self) -> None:
        self.server.__exit__(None, None, None)

    def target(self, target: str) -> str:
        """Returns what a client asks for, so that the backend is asked for `target`."""
        return PREFIX + target if self.mounted else target

    def connect(self, *, timeout: float = 10.0) -> RawClient:
        return self.server.connect(timeout=timeout)

    def ask(self, method: str = "GET", target: str = "/", **parts: Any) -> Response:
        """Sends one request on a connection of its own."""
        return self.server.request(method, self.target(target), **parts)

    def refused(self, response: Response, status: int) -> bool:
        """Whether it is the proxy's own answer with `status`, in its way."""
        kind = response.get("content-type") or ""
        ours = "problem+json" in kind if self.mounted else kind.startswith("text/plain")
        return response.status == status and ours


def start(way: Way, url: str, *, settings: dict[str, Any] | None = None, **options: Any) -> Front:
    """Returns a proxy for the backend at `url`, which serves until it is closed."""
    application: Any = Forward(url, **options)
    if way.mounted:
        forward, application = application, tercel.App()
        application.mount(PREFIX, forward)
        application.get("/here")(lambda: "here")
    return Front(
        ServerThread(application, **{"io_threads": way.io_threads, **(settings or {})}), way
    )


def backend_fixture() -> Any:
    """Returns a fixture: a server that answers with what it was asked."""

    @pytest.fixture
    def backend() -> Iterator[PlainBackend]:
        with PlainBackend() as one:
            yield one

    return backend


def way_fixture() -> Any:
    """Returns a fixture: every way in which a proxy is served, one after the other."""

    @pytest.fixture(params=_WAYS, ids=str)
    def way(request: pytest.FixtureRequest) -> Any:
        return request.param

    return way


def proxy_fixture() -> Any:
    """Returns a fixture: a proxy for the fixture `backend`, in the way of the fixture `way`."""

    @pytest.fixture
    def proxy(way: Way, backend: PlainBackend) -> Iterator[Front]:
        with start(way, backend.url) as one:
            yield one

    return proxy


def fields_at(backend: PlainBackend) -> dict[str, str]:
    """Returns the fields of the last request, each of which came once."""
    fields = dict(backend.seen[-1].fields)
    assert len(fields) == len(backend.seen[-1].fields), backend.seen[-1].fields
    return fields
