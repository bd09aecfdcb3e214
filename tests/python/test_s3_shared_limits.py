"""Limits that several gateways, or worker processes, share: exact where requests are few, and no
further off than what is held ahead where they are many.

What needs no Redis is in tests/cpp/edge/budget_shares_test.cc.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.redis_server import RedisServer
from support.s3_gateway import ALICE, BOB, Front, backend, error_code, file_server, origin_fixture
from support.s3_origin import Origin
from support.s3_shared import KEY, MakeFront, client_of, fronts_fixture, redis_fixture
from support.waiting import wait_until
from tercel.s3 import Limit, Redis
from tercel.s3.shared_limits import SharedLimits, plain_name
from tercel.s3.store import Store

SLOW = 0.001  # Requests a second: none comes while a test runs.
MIB = 1 << 20
TENTH = 0.1  # Of a second: how much of a rate is held ahead.

origin = origin_fixture(b"kept")
redis = redis_fixture()
fronts = fronts_fixture()


def statuses(front: Front, count: int, path: str = "/back/key", **options: Any) -> list[int]:
    return [front.send("GET", path, **options).status for _ in range(count)]


def asked_about(*fronts: Front) -> int:
    return sum(front.gateway.counts()["limits_asked"] for front in fronts)


@pytest.mark.parametrize("io_threads", [1, 2])
def test_two_gateways_let_as_many_pass_as_one(fronts: MakeFront, io_threads: int) -> None:
    settings = {"io_threads": io_threads}
    both = [fronts(limits=[Limit(rate=SLOW, burst=25)], settings=settings) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        send = lambda number: both[number % 2].send("GET", "/back/key").status  # noqa: E731
        found = list(pool.map(send, range(80)))
    assert (found.count(200), found.count(503)) == (25, 55)
    assert all(200 in found[number::2] for number in range(2))
    refused = both[0].send("GET", "/back/key")
    assert error_code(refused) == "SlowDown"
    assert 900 < int(refused.get("retry-after") or 0) <= 1000
    assert statuses(both[1], 1, key=BOB) == [200]


def test_who_is_over_the_limit_costs_no_question(fronts: MakeFront, redis: RedisServer) -> None:
    front = fronts(limits=[Limit(rate=SLOW, burst=2)])
    assert statuses(front, 2) == [200, 200]
    before = asked_about(front)
    began = time.monotonic()
    assert statuses(front, 50) == [503] * 50
    assert asked_about(front) - before <= 1 + (time.monotonic() - began) // 1
    assert front.gateway.counts()["limited"] == 50
    with client_of(redis) as client:
        (name,) = client.keys("tercel:limit:*")
        assert 1_900_000 < client.pttl(name) <= 2_000_001  # It is gone when it says nothing more.


def test_many_requests_take_few_questions(fronts: MakeFront) -> None:
    both = [fronts(limits=[Limit(rate=2000, burst=4000)], redis_options={"timeout": 5})] * 1
    both.append(fronts(limits=[Limit(rate=2000, burst=4000)], redis_options={"timeout": 5}))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: statuses(both[n % 2], 100), range(8)))
    assert found == [[200] * 100] * 8
    assert asked_about(*both) < 400


def test_the_sum_is_within_its_bound(fronts: MakeFront) -> None:
    rate, burst = 100, 20
    both = [fronts(limits=[Limit(rate=rate, burst=burst)]) for _ in range(2)]
    began = time.monotonic()
    end = began + 2

    def send(front: Front) -> int:
        count = 0
        while time.monotonic() < end:
            count += front.send("GET", "/back/key").status == 200
        return count

    with ThreadPoolExecutor(4) as pool:
        passed = sum(pool.map(send, both * 2))
    took = time.monotonic() - began
    assert passed <= burst + rate * took + 2 * rate * TENTH
    assert passed >= burst + rate * 2 * 0.5  # Much of it is used, on any machine.


def test_who_stays_below_is_not_refused(fronts: MakeFront) -> None:
    both = [fronts(limits=[Limit(rate=40, burst=4)]) for _ in range(2)]
    for _ in range(20):
        assert statuses(both[0], 1) + statuses(both[1], 1) == [200, 200]
        time.sleep(0.06)


def test_who_is_refused_by_one_limit_uses_nothing_of_another(fronts: MakeFront) -> None:
    limits = [Limit(rate=SLOW, burst=6), Limit(per="bucket", bucket="back", rate=SLOW, burst=2)]
    one, other = fronts(limits=limits), fronts(limits=limits)
    assert statuses(one, 2) == [200, 200]
    assert statuses(other, 3) + statuses(one, 3) == [503] * 6
    # Alice's are left, but for what each process holds of a question.
    found = statuses(one, 5, "/else/key") + statuses(other, 5, "/else/key")
    assert found.count(404) in (3, 4)


def test_kinds_have_budgets_of_their_own(fronts: MakeFront) -> None:
    limits = [
        Limit(per="pair", rate=SLOW, burst=2),
        Limit(per="all", rate=SLOW, burst=7),
    ]
    one, other = fronts(limits=limits), fronts(limits=limits)
    assert statuses(one, 1) + statuses(other, 2) == [200, 200, 503]
    assert statuses(other, 1, "/else/key") + statuses(one, 2, "/else/key") == [404, 404, 503]
    assert statuses(other, 1, key=BOB) + statuses(one, 2, key=BOB) == [200, 200, 503]
    assert statuses(other, 3, "/else/key", key=BOB) == [404, 503, 503]


def test_strangers_are_counted_by_their_address(fronts: MakeFront, origin: Origin) -> None:
    buckets = {"*": backend(origin, anonymous="read")}
    limits = [Limit(identity="", rate=SLOW, burst=3)]
    one, other = fronts(buckets, limits=limits), fronts(buckets, limits=limits)
    found = [
        front.send_raw("GET", "/back/key", {"Host": front.host}).status
        for front in (one, other, one, other, one)
    ]
    assert found == [200, 200, 200, 503, 503]
    assert statuses(one, 4) == [200] * 4


def test_places_are_each_gateways_own(fronts: MakeFront, origin: Origin) -> None:
    one, other = (fronts(limits=[Limit(concurrent=1, rate=1000)]) for _ in range(2))
    origin.fail("answer", "stall")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(statuses, one, 1)
        origin.wait_for(1)
        assert statuses(one, 1) == [503]
        assert statuses(other, 1) == [200]
        origin.release()
        assert first.result() == [200]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_transfers_of_all_gateways_share_a_rate(
    fronts: MakeFront, origin: Origin, method: str
) -> None:
    body = os.urandom(4 * MIB)
    origin.objects["/back/big"] = body
    limits = [Limit(per="bucket", bandwidth=MIB)]
    both = [fronts(limits=limits) for _ in range(2)]

    def transfer(front: Front) -> bool:
        answer = front.send(method, "/back/big", body=body if method == "PUT" else None, timeout=40)
        return answer.status == 200 and (method == "PUT" or answer.body == body)

    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(transfer, both)) == [True, True]
    # Eight seconds' worth, of which each may have one at once. Each by itself: three.
    assert 5 < time.monotonic() - began < 30
    assert asked_about(*both) == 2


def test_another_limit_counts_within_a_second(fronts: MakeFront) -> None:
    one, other = (fronts(limits=[Limit(rate=SLOW, burst=1)]) for _ in range(2))
    assert statuses(one, 1) + statuses(other, 1) == [200, 503]
    one.gateway.update(limits=[Limit(rate=SLOW, burst=3)])  # What was used stays used.
    time.sleep(1.1)
    assert statuses(one, 3) == [200, 200, 503]
    one.gateway.update(limits=[])
    assert statuses(one, 3) == [200] * 3


def test_gateways_without_a_key_share_limits(fronts: MakeFront, redis: RedisServer) -> None:
    limits = [Limit(rate=SLOW, burst=3)]
    both = [fronts(limits=limits, redis_options={"key": None}) for _ in range(2)]
    assert statuses(both[0], 2) + statuses(both[1], 2) == [200, 200, 200, 503]
    with client_of(redis) as client:
        (name,) = client.keys("*")
    assert b"alice" not in name
    both[0].gateway.invalidate()
    assert statuses(both[0], 1, key=BOB) == [200]


def test_workers_share(redis: RedisServer, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("her secret")
    (tmp_path / "back").write_text("the secret of the backend")
    path = tmp_path / "s3.toml"
    path.write_text(
        f"""
        [server]
        port = 0
        workers = 2
        [buckets."*"]
        endpoint = "{origin.url}"
        access_key = "BACKENDKEY"
        secret_key = {{ file = "{tmp_path}/back" }}
        [identities.alice]
        secret = {{ file = "{tmp_path}/secret" }}
        [[policies]]
        allow = true
        [[limits]]
        rate = {SLOW}
        burst = 25
        [redis]
        url = "{redis.url}"
        timeout = 1
        """
    )
    with file_server(path) as server:
        from support.http1 import RawClient
        from support.s3_gateway import fields_of, raw_request

        def send(_: int) -> int:
            with RawClient(("127.0.0.1", server.port), timeout=20) as client:
                host = f"127.0.0.1:{server.port}"
                fields = fields_of("GET", "/back/key", host, None, key=ALICE)
                client.send(raw_request("GET", "/back/key", fields))
                return client.response().status

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(send, range(80)))
    assert (found.count(200), found.count(503)) == (25, 55)


# --- a Redis that is away


def test_alone_each_gateway_limits_for_itself(
    fronts: MakeFront, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = (fronts(limits=[Limit(rate=SLOW, burst=5)]) for _ in range(2))
    assert statuses(one, 2) + statuses(other, 1) == [200] * 3
    redis.kill()
    assert statuses(one, 5) == [200] * 3 + [503] * 2  # It knows the two that it let pass.
    assert statuses(other, 6) == [200] * 4 + [503] * 2
    redis.start()
    wait_until(lambda: caplog.text.count("answers again") == 2)
    assert sorted(statuses(one, 3) + statuses(other, 4)) == [200] * 5 + [503] * 2


def test_a_redis_that_hangs_refuses_nobody(fronts: MakeFront, redis: RedisServer) -> None:
    front = fronts(limits=[Limit(rate=SLOW, burst=50)], redis_options={"timeout": 0.5})
    assert statuses(front, 2) == [200, 200]
    redis.pause()
    try:
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: statuses(front, 2), range(8)))
        assert found == [[200, 200]] * 8
        assert time.monotonic() - began < 5
    finally:
        redis.resume()


@pytest.mark.parametrize("forged", ["nan", "-nan", "inf", "-inf", "x", "", "9e300", "list"])
def test_a_budget_that_others_wrote_is_one_all_the_same(
    fronts: MakeFront, redis: RedisServer, forged: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = fronts(limits=[Limit(rate=5, burst=3)])
    assert statuses(one, 1) == [200]
    with client_of(redis) as client:
        (name,) = client.keys("tercel:limit:*")
        client.delete(name)
        if forged == "list":
            client.rpush(name, "x")
        else:
            client.set(name, forged)
    other = fronts(limits=[Limit(rate=5, burst=3)])
    wait_until(lambda: statuses(other, 1) == [200])  # Whatever it says, it is full in a second.
    wait_until(lambda: statuses(other, 1) == [503])
    assert "goes on by itself" not in caplog.text


# --- the script


class Engine:
    """What is granted."""

    def __init__(self) -> None:
        self.wants = 0
        self.granted: list[tuple[int, float]] = []
        self.taken: list[int] = []
        self.held_up: list[float] = []
        self.left: list[int] = []

    def wanted(self, key: int, token_ns: int, burst: int) -> int:
        return self.wants

    def grant(self, key: int, count: int, wait: float) -> None:
        self.granted.append((count, wait))

    def take_bytes(self, key: int) -> int:
        return self.taken.pop(0) if self.taken else 0

    def leave_bytes(self, key: int) -> bool:
        self.left.append(key)
        return len(self.left) > 1

    def hold_up(self, key: int, seconds: float) -> None:
        self.held_up.append(seconds)


def test_the_script_grants_what_is_there(redis: RedisServer) -> None:
    async def run() -> list[tuple[int, float]]:
        store = Store(Redis(redis.url, key=KEY, timeout=5), lambda resting: None)
        limits, engine = SharedLimits(store, "t:", plain_name), Engine()
        for budget, wants, token_ns, burst in (
            (b"slow", 0, 10**9, 5),
            (b"slow", 3, 10**9, 5),
            (b"slow", 4, 10**9, 5),
            (b"slow", 1, 10**9, 5),
            (b"slow", 1, 10**9, 9),  # Other numbers: what was used stays used.
            (b"slow", 7, 10**9, 3),
            (b"fast", 3, 1_000, 1_000_000),
            (b"fast", 2_000_000, 1_000, 1_000_000),
        ):
            engine.wants = wants
            await limits.ask((3, 7, budget, token_ns, burst, 0), engine)
        await store.close()
        return engine.granted

    nothing, three, two, none, more, least, fast, all_of_it = asyncio.run(run())
    assert (nothing, three) == ((0, 0), (3, 0))
    assert two[0] == 2
    assert 0.5 < two[1] <= 1
    assert none[0] == 0
    assert 0.5 < none[1] <= 1
    assert more == (1, 0)
    assert least[0] == 0
    assert 0.5 < least[1] <= 1
    assert fast == (3, 0)
    assert 900_000 < all_of_it[0] <= 1_000_000
    assert 0 < all_of_it[1] < 0.001


def test_the_script_adds_bytes_up(redis: RedisServer) -> None:
    async def run() -> list[Engine]:
        store = Store(Redis(redis.url, key=KEY, timeout=5), lambda resting: None)
        both = [Engine(), Engine()]
        for engine, taken in zip(both, ([500_000, 0, 0], [1_000_000, -100_000]), strict=True):
            limits = SharedLimits(store, "t:", plain_name)
            engine.taken = taken
            await limits.ask((3, 7, b"budget", 0, 1, 1_000_000), engine)
            await asyncio.sleep(0.35)
            await limits.close()
        await store.close()
        return both

    one, other = asyncio.run(run())
    assert (one.granted, other.granted) == ([], [])
    (half,) = one.held_up
    assert 0.49 < half <= 0.5
    more, less = other.held_up
    assert 1 <= more < 1.5  # What the other one had reserved is there, less what went by.
    assert more - 0.35 < less < more - 0.15
    assert one.left == [7, 7]  # It was in use, and then it was not.


@pytest.mark.parametrize("forged", ["nan", "inf", "9e300", "x", "list"])
def test_bytes_that_others_wrote_hold_nobody_up_for_long(redis: RedisServer, forged: str) -> None:
    name = f"t:bytes:{plain_name(b'budget')}"

    async def run() -> list[float]:
        store = Store(Redis(redis.url, key=KEY, timeout=5), lambda resting: None)
        limits, engine = SharedLimits(store, "t:", plain_name), Engine()
        engine.taken = [1000]
        await limits.ask((3, 7, b"budget", 0, 1, 1_000_000), engine)
        await asyncio.sleep(0.25)
        await limits.close()
        await store.close()
        return engine.held_up

    with client_of(redis) as client:
        if forged == "list":
            client.rpush(name, "x")
        else:
            client.set(name, forged)
        (held_up,) = asyncio.run(run())
        assert held_up == (60 if forged in ("inf", "9e300") else 0.001)
        assert client.pttl(name) != -1
