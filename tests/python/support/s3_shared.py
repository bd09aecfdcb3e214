"""Gateways that share a Redis, and a look at what lies there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.redis_server import RedisServer
from support.s3_gateway import Front, backend
from support.s3_origin import Origin
from support.waiting import wait_until
from tercel.s3 import Redis

__all__ = ["KEY", "MakeFront", "entries_of", "fronts_fixture", "redis_fixture"]

KEY = "0123456789abcdef0123456789abcdef"

MakeFront = Callable[..., Front]


def redis_fixture() -> Any:
    @pytest.fixture
    def redis(tmp_path: Path) -> Iterator[RedisServer]:
        with RedisServer(tmp_path) as server:
            yield server

    return redis


def fronts_fixture() -> Any:
    """Returns a fixture: what makes gateways before one origin, with one Redis."""

    @pytest.fixture
    def fronts(redis: RedisServer, origin: Origin) -> Iterator[MakeFront]:
        made: list[Front] = []

        def make(
            buckets: Mapping[str, Any] | None = None,
            *,
            redis_options: Mapping[str, Any] | None = None,
            **options: Any,
        ) -> Front:
            # A machine that is busy is not a Redis that is away.
            shared = {"url": redis.url, "key": KEY, "timeout": 1, **(redis_options or {})}
            front = Front(buckets or {"*": backend(origin)}, shared=Redis(**shared), **options)
            made.append(front)
            # It has heard what was said before, and forgotten everything for it.
            if shared["key"] is not None:
                wait_until(lambda: front.gateway._sharing._changes.listening)
            return front

        yield make
        for front in made:
            front.close()

    return fronts


def client_of(server: RedisServer) -> Any:
    import redis

    return redis.Redis.from_url(server.url)


def entries_of(server: RedisServer) -> dict[str, bytes]:
    """Returns what lies there of answers, by key."""
    with client_of(server) as client:
        names = [name.decode() for name in client.keys("tercel:*")]
        return {
            name: client.get(name) for name in names if name.count(":") == 1 and "epoch" not in name
        }


def wait_for_entries(server: RedisServer, count: int) -> dict[str, bytes]:
    wait_until(lambda: len(entries_of(server)) >= count)
    return entries_of(server)
