"""A Redis that is asked by many, that answers nonsense, and that is told at the very end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from support.redis_server import RedisServer
from support.s3_gateway import origin_fixture
from support.s3_shared import MakeFront, fronts_fixture, redis_fixture
from support.waiting import wait_until
from tercel.s3 import Redis
from tercel.s3.redis import COMMANDS_MAX
from tercel.s3.shared_changes import SharedChanges, Unsaid
from tercel.s3.store import Store

origin = origin_fixture(b"kept")
redis = redis_fixture()
fronts = fronts_fixture()

Value = TypeVar("Value")


def with_store(
    server: RedisServer,
    use: Callable[[Store, asyncio.Queue[bool]], Awaitable[Value]],
    timeout: float,
) -> Value:
    """Returns what `use` returns, which is given what the store says of its rests, too."""

    async def run() -> Value:
        rests: asyncio.Queue[bool] = asyncio.Queue()
        store = Store(Redis(server.url, timeout=timeout), rests.put_nowait)
        try:
            return await use(store, rests)
        finally:
            await store.close()

    return asyncio.run(run())


def test_that_we_ask_much_does_not_make_it_rest(redis: RedisServer) -> None:
    async def use(store: Store, rests: asyncio.Queue[bool]) -> tuple[list[Any], bool]:
        async def wait(client: Any) -> str:
            await client.blpop("nothing", timeout=0.7)
            return "waited"

        found = await asyncio.gather(*(store.run(wait) for _ in range(3 * COMMANDS_MAX)))
        assert await store.run(lambda client: client.echo("here")) == b"here"
        return found, rests.empty()

    found, never_rested = with_store(redis, use, timeout=1)
    # The last third had no place in time.
    assert found == ["waited"] * 2 * COMMANDS_MAX + [None] * COMMANDS_MAX
    assert never_rested


def test_nonsense_makes_it_rest_and_ends_nothing(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(store: Store, rests: asyncio.Queue[bool]) -> bytes | None:
        async def parse(client: Any) -> int:
            return int(await client.echo("no number"))

        assert await store.run(parse) is None
        assert rests.get_nowait()
        assert await store.run(lambda client: client.echo("here")) is None
        assert not await asyncio.wait_for(rests.get(), 20)
        return await store.run(lambda client: client.echo("here"))

    assert with_store(redis, use, timeout=1) == b"here"
    assert "answered nonsense" in caplog.text


def test_what_nobody_was_told_is_said_at_the_end(
    fronts: MakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = True
    one, other = fronts(), fronts(authorize=lambda request: allowed)
    assert other.send("GET", "/back/key").status == 200
    allowed = False
    assert other.send("GET", "/back/key").status == 200

    async def never(self: SharedChanges) -> bool:
        return False

    said = SharedChanges._say_all
    closing = SharedChanges.close

    async def close(self: SharedChanges) -> None:
        monkeypatch.setattr(SharedChanges, "_say_all", said)
        await closing(self)

    monkeypatch.setattr(SharedChanges, "_say_all", never)
    monkeypatch.setattr(SharedChanges, "close", close)
    one.gateway.invalidate()
    one.close()
    wait_until(lambda: other.send("GET", "/back/key").status == 403)


def test_what_is_unsaid_is_bounded() -> None:
    unsaid = Unsaid()
    for number in range(64):
        unsaid.add(("", f"i{number}", ""))
        unsaid.add(("", "i0", ""))
    assert len(unsaid.take()) == 64
    assert not unsaid
    for number in range(65):
        unsaid.add(("", f"i{number}", ""))
    assert unsaid.take() == [("", "", "")]
