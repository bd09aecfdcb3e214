"""What the neighbour of a worker that stands still has of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from support.http1 import RawClient
from support.server import ServerProcess


def client_of(server: ServerProcess, pid: int) -> RawClient:
    """A connection that this worker has."""
    for _ in range(100):
        client = server.connect()
        if int(client.request("GET", "/pid").body) == pid:
            return client
        client.close()
    raise AssertionError(f"worker {pid} does not answer")


def waits(client: RawClient, seconds: float, meanwhile: Callable[[], bool]) -> list[float]:
    """Asks for `seconds`, and as long as `meanwhile` says: how long each answer took."""
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or meanwhile():
        begin = time.monotonic()
        assert client.request("GET", "/pid").status == 200
        times.append(time.monotonic() - begin)
        time.sleep(0.005)
    return times


def p99(times: list[float]) -> float:
    """What one of a hundred took longer than."""
    return sorted(times)[len(times) * 99 // 100]
