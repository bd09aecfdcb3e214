"""Limits of a gateway: how many requests, how many at once, how many bytes a second, and of whom.

What is measured with a clock of its own is in tests/cpp/edge/budget_test.cc and
tests/cpp/gateway/limits_test.cc.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.http1 import Response
from support.s3_gateway import (
    ALICE,
    BOB,
    Front,
    backend,
    error_code,
    fields_of,
    origin_fixture,
    raw_request,
)
from support.s3_origin import Origin
from support.sigv4 import Key
from tercel.s3 import Backend, Hmac, Limit

SLOW = 0.001  # Requests a second: none comes while a test runs.
MIB = 1 << 20

origin = origin_fixture(b"kept")


@pytest.fixture
def limited(origin: Origin) -> Iterator[Callable[..., Front]]:
    """Returns what makes a gateway of two loops with limits."""
    fronts: list[Front] = []

    def make(*limits: Limit, **options: Any) -> Front:
        settings = {"io_threads": 2}
        front = Front({"*": backend(origin)}, limits=limits, settings=settings, **options)
        fronts.append(front)
        return front

    yield make
    for front in fronts:
        front.close()


def statuses(front: Front, count: int, path: str = "/back/key", key: Key = ALICE) -> list[int]:
    return [front.send("GET", path, key=key).status for _ in range(count)]


def test_above_a_rate_the_answer_is_slow_down(
    limited: Callable[..., Front], origin: Origin
) -> None:
    front = limited(Limit(rate=SLOW, burst=3))
    assert statuses(front, 3) == [200] * 3
    front.asked.clear()
    refused = front.send("GET", "/back/other")
    assert (refused.status, error_code(refused)) == (503, "SlowDown")
    assert 900 < int(refused.get("retry-after") or 0) <= 1000
    assert refused.get("content-type") == "application/xml"
    assert not front.asked
    assert len(origin.seen) == 3
    assert front.gateway.counts()["limited"] == 1
    assert statuses(front, 1, key=BOB) == [200]


def test_a_rate_lets_requests_come_again(limited: Callable[..., Front]) -> None:
    front = limited(Limit(rate=4, burst=1))
    assert statuses(front, 2) == [200, 503]
    ends = time.monotonic() + 5
    while statuses(front, 1) != [200]:
        assert time.monotonic() < ends


def test_who_is_not_verified_uses_up_nothing(limited: Callable[..., Front]) -> None:
    front = limited(Limit(rate=SLOW, burst=2), Limit(per="bucket", rate=SLOW, burst=2))
    forger = Key(ALICE.access_key, "not her secret")
    for _ in range(5):
        assert error_code(front.send("GET", "/back/key", key=forger)) == "SignatureDoesNotMatch"
        unsigned = front.send_raw("GET", "/back/key", {"Host": front.host})
        assert error_code(unsigned) == "AccessDenied"
    assert statuses(front, 3) == [200, 200, 503]


def test_a_body_that_is_refused_is_not_waited_for(limited: Callable[..., Front]) -> None:
    front = limited(Limit(rate=SLOW, burst=1))
    assert statuses(front, 1) == [200]
    fields = fields_of("PUT", "/back/key", front.host, b"x" * 100) | {"expect": "100-continue"}
    with front.connect() as client:
        client.send(raw_request("PUT", "/back/key", fields))
        refused = client.response()
    assert (refused.status, refused.interim) == (503, [])


def test_loops_share_a_limit(limited: Callable[..., Front]) -> None:
    front = limited(Limit(rate=SLOW, burst=25))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: front.send("GET", "/back/key").status, range(60)))
    assert (found.count(200), found.count(503)) == (25, 35)


def test_so_many_are_under_way_at_once(limited: Callable[..., Front], origin: Origin) -> None:
    front = limited(Limit(concurrent=3), Limit(per="bucket", bucket="other", concurrent=1))
    origin.fail("answer", "stall", times=3)
    answers: list[Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(front.send("GET", "/back/key")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    origin.wait_for(3)
    refused = front.send("GET", "/back/key")
    assert (refused.status, error_code(refused)) == (503, "SlowDown")
    assert refused.get("retry-after") == "1"
    assert statuses(front, 2, key=BOB) == [200, 200]
    origin.release()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 3
    assert statuses(front, 5) == [200] * 5


# Whoever goes away gives its place back.
def test_a_client_that_leaves_has_no_place(limited: Callable[..., Front], origin: Origin) -> None:
    front = limited(Limit(concurrent=1))
    origin.fail("answer", "stall")
    with front.connect() as client:
        client.send(
            raw_request("GET", "/back/key", fields_of("GET", "/back/key", front.host, None))
        )
        origin.wait_for(1)
        assert statuses(front, 1) == [503]
        client.reset()
    ends = time.monotonic() + 5
    while statuses(front, 1) != [200]:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_identities_buckets_and_pairs(limited: Callable[..., Front], origin: Origin) -> None:
    origin.objects["/second/key"] = b"kept"
    front = limited(
        Limit(identity=BOB.access_key, per="pair", rate=SLOW, burst=2),
        Limit(per="bucket", bucket=["sec*", "third"], rate=SLOW, burst=3),
    )
    assert statuses(front, 5) == [200] * 5
    assert statuses(front, 3, key=BOB) == [200, 200, 503]
    assert statuses(front, 3, "/second/key", BOB) == [200, 200, 503]
    assert statuses(front, 2, "/second/key") == [200, 503]
    assert statuses(front, 2, "/") == [200, 200]  # A list of buckets is on none.


def test_who_has_no_signature_is_counted(origin: Origin) -> None:
    buckets = {"*": backend(origin, anonymous="read")}
    with Front(buckets, limits=[Limit(identity="", rate=SLOW, burst=2)]) as front:
        target = {"Host": front.host}
        found = [front.send_raw("GET", "/back/key", target).status for _ in range(3)]
        assert found == [200, 200, 503]
        assert statuses(front, 3) == [200] * 3


def test_another_limit_counts_from_the_next_request(limited: Callable[..., Front]) -> None:
    front = limited()
    assert statuses(front, 5) == [200] * 5
    front.gateway.update(limits=[Limit(rate=SLOW, burst=2)])
    assert statuses(front, 3) == [200, 200, 503]
    front.gateway.update(limits=[Limit(rate=SLOW, burst=3)])  # What was used stays used.
    assert statuses(front, 2) == [200, 503]
    front.gateway.update({"*": backend_of(front)})
    assert statuses(front, 1) == [503]
    front.gateway.update(limits=[])
    assert statuses(front, 5) == [200] * 5


def backend_of(front: Front) -> Any:
    return front.gateway._buckets["*"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_bytes_have_a_rate(limited: Callable[..., Front], origin: Origin, method: str) -> None:
    body = os.urandom(3 * MIB)
    origin.objects["/back/big"] = body
    front = limited(Limit(bandwidth=MIB))
    began = time.monotonic()
    answer = front.send(method, "/back/big", body=body if method == "PUT" else None, timeout=30)
    took = time.monotonic() - began
    assert answer.status == 200
    assert (answer.body if method == "GET" else origin.seen[-1].body) == body
    assert 1.9 < took < 20  # A second's worth goes at once.
    assert statuses(front, 1, key=BOB) == [200]


def test_transfers_share_a_rate(limited: Callable[..., Front], origin: Origin) -> None:
    origin.objects["/back/big"] = body = os.urandom(MIB)
    front = limited(Limit(per="bucket", bandwidth=MIB))
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        sent = lambda i: front.send(  # noqa: E731
            "GET", "/back/big", key=(ALICE, BOB)[i % 2], timeout=30
        )
        answers = list(pool.map(sent, range(4)))
    assert [answer.body == body for answer in answers] == [True] * 4
    assert 2.9 < time.monotonic() - began < 20


def test_what_is_held_up_is_not_in_memory(limited: Callable[..., Front]) -> None:
    sent = 0

    def stream(listener: socket.socket) -> None:
        nonlocal sent
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
            while True:
                sent += connection.send(bytes(65536))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=stream, args=(listener,), daemon=True).start()
        front = limited(Limit(bandwidth=MIB))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        front.gateway.update({"*": Backend(url, creds=Hmac("AK", "SK"))})
        with front.connect() as client:
            fields = fields_of("GET", "/back/big", front.host, None)
            client.send(raw_request("GET", "/back/big", fields))
            received, ends = 0, time.monotonic() + 2
            while time.monotonic() < ends:
                received += len(client.socket.recv(65536))
        assert MIB < received < 6 * MIB
        assert sent - received < 32 * MIB  # The buffers of two sockets, and no more.
