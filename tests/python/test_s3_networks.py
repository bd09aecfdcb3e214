"""The gateway in bad networks, and with name servers that fail: what arrives is whole, what cannot
is said within its time.

Rows 14 and 15 of the faults. Each test has a network of its own (support/apart.py): packets to the
backend, or to the gateway, are lost, late, in another order, small or few.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from support.apart import AAAA, CNAME, A, NameServer, Network, Way, addresses, answer, apart
from support.fixtures import Ledger
from support.http1 import Response
from support.s3_gateway import Front, backend, error_code
from support.s3_origin import Origin

KEPT = os.urandom(300_000)
BIG = os.urandom(1_000_000)
SMALL = os.urandom(20_000)

# --- 15: packets

WAYS = {
    "loss of 5%": (Way(loss=0.05), 1500, BIG),
    "delay of 200 ms": (Way(delay_s=0.2), 1500, SMALL),
    "another order": (Way(delay_s=0.001, jitter_s=0.02), 1500, BIG),
    "MTU of 576": (Way(), 576, BIG),
    "64 kbit/s": (Way(bits_per_s=64_000), 1500, SMALL[:6000]),
    "all at once": (Way(loss=0.03, delay_s=0.02, jitter_s=0.02), 576, BIG[:300_000]),
}


@contextmanager
def far_origin(network: Network) -> Iterator[tuple[Origin, str]]:
    """An origin behind the way, and its URL."""
    with Origin(host=network.near) as origin:
        yield origin, f"http://{network.far}:{origin.port}"


@pytest.mark.parametrize("name", WAYS)
def test_objects_are_whole_whatever_the_way_to_the_backend_does(name: str, ledger: Ledger) -> None:
    way, mtu, data = WAYS[name]

    def body(network: Network) -> None:
        network.lossy(way, mtu=mtu)
        with far_origin(network) as (origin, url):
            with Front({"*": backend(origin, endpoint=url)}) as front:
                for number in range(3):
                    target = f"/back/{number}"
                    assert front.send("PUT", target, body=data, timeout=60).status == 200
                    assert front.send("GET", target, timeout=60).body == data
            assert [seen.method for seen in origin.seen] == ["PUT", "GET"] * 3  # Nothing twice.
            assert origin.objects == {f"/back/{number}": data for number in range(3)}
        ledger(f"row 15: {name}: 6 of 6 whole, {network.lost} of {network.packets} packets lost")

    apart(body)


@pytest.mark.parametrize("name", ["loss of 5%", "another order", "MTU of 576"])
def test_objects_are_whole_whatever_the_way_of_the_client_does(name: str) -> None:
    way, mtu, data = WAYS[name]

    def body(network: Network) -> None:
        network.lossy(way, mtu=mtu)
        with Origin() as origin:
            settings = {"host": network.near}
            with Front({"*": backend(origin)}, settings=settings, host=network.far) as front:
                assert front.send("PUT", "/back/new", body=data, timeout=60).status == 200
                assert front.send("GET", "/back/new", timeout=60).body == data
            assert origin.objects == {"/back/new": data}

    apart(body)


def test_a_way_that_is_gone_for_a_while_harms_nothing() -> None:
    def body(network: Network) -> None:
        network.lossy(Way())
        with (
            far_origin(network) as (origin, url),
            Front({"*": backend(origin, endpoint=url)}) as front,
        ):
            origin.objects["/back/key"] = KEPT
            assert front.send("GET", "/back/key").body == KEPT
            network.way.loss = 1.0
            back = threading.Timer(1.0, setattr, (network.way, "loss", 0.0))
            back.start()
            assert front.send("PUT", "/back/new", body=BIG, timeout=60).status == 200
            back.join()
            assert origin.objects["/back/new"] == BIG
            assert front.send("GET", "/back/key").body == KEPT

    apart(body)


def test_a_backend_that_nobody_comes_to_is_told_of_in_time() -> None:
    """No answer to a SYN for five seconds."""

    def body(network: Network) -> None:
        network.lossy(Way(loss=1.0))
        with Origin() as origin:
            buckets = {
                "gone": backend(origin, endpoint=f"http://{network.far}:80"),
                "*": backend(origin),
            }
            origin.objects["/back/key"] = KEPT
            with Front(buckets) as front:
                answers, took = ask_beside(front, "/gone/key", "/back/key")
        assert (answers[0].status, error_code(answers[0])) == (504, "GatewayTimeout")
        assert 5.0 <= took < 5.5

    apart(body)


def ask_beside(front: Front, target: str, other: str) -> tuple[list[Response], float]:
    """Asks for `target`, and for `other` meanwhile, which has to be there. Returns the answers for
    the first, and how long it took."""
    answers: list[Response] = []
    begun = time.monotonic()
    ask = threading.Thread(target=lambda: answers.append(front.send("GET", target, timeout=60)))
    ask.start()
    while ask.is_alive():
        assert front.send("GET", other, timeout=5).body == KEPT
        time.sleep(0.02)
    ask.join()
    return answers, time.monotonic() - begun


def test_a_backend_that_closes_its_window_holds_up_its_client_only() -> None:
    def body(_: Network) -> None:
        with Origin() as origin, Front({"*": backend(origin)}) as front:
            origin.objects["/back/key"] = KEPT
            origin.fail("body", "stall", after=1000)
            answers: list[Response] = []
            put = threading.Thread(
                target=lambda: answers.append(
                    front.send("PUT", "/back/new", body=BIG * 20, timeout=60)
                )
            )
            put.start()
            for _ in range(20):
                assert front.send("GET", "/back/key").body == KEPT
                time.sleep(0.05)
            assert not answers
            origin.release()
            put.join(30)
            assert answers[0].status == 200
            assert origin.objects["/back/new"] == BIG * 20

    apart(body)


# --- 14: names

RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"
HOST = "backend.test"


def named(
    script: Callable[[bytes, str, int, bool], bytes | None],
    check: Callable[[NameServer, Origin, Front], None],
    *,
    before: Callable[[Network], None] = lambda _: None,
) -> None:
    """Runs `check` with a backend whose host is a name that `script` answers for."""

    def body(network: Network) -> None:
        before(network)
        with NameServer(script) as names, Origin() as origin:
            origin.objects["/back/key"] = KEPT
            url = f"http://{HOST}:{origin.port}"
            there = backend(origin, endpoint=url, bucket="back", style="path")
            buckets = {"named": there, "*": backend(origin)}
            with Front(buckets) as front:
                check(names, origin, front)

    apart(body, resolv_conf=RESOLV_CONF)


def loop_of_names(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
    other = "a.test" if name != "a.test" else "b.test"
    return answer(query, [(name, CNAME, 60, b"\1" + other[0].encode() + b"\4test\0")])


FAILING: dict[str, Callable[[bytes, str, int, bool], bytes | None]] = {
    "NXDOMAIN": lambda query, name, kind, tcp: answer(query, [], code=3),
    "SERVFAIL": lambda query, name, kind, tcp: answer(query, [], code=2),
    "REFUSED": lambda query, name, kind, tcp: answer(query, [], code=5),
    "no answer": lambda query, name, kind, tcp: None,
    "no address": lambda query, name, kind, tcp: answer(query, []),
    "garbage": lambda query, name, kind, tcp: query[:2] + os.urandom(40),
    "another name": lambda query, name, kind, tcp: answer(
        query, [("other.test", A, 60, socket.inet_aton("127.0.0.1"))]
    ),
    "a loop": loop_of_names,
    "truncated for ever": lambda query, name, kind, tcp: answer(query, [], truncated=True),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_name_without_an_address_is_unavailable(name: str) -> None:
    def check(names: NameServer, origin: Origin, front: Front) -> None:
        answers, took = ask_beside(front, "/named/key", "/back/key")  # No loop waits for a name.
        assert (answers[0].status, error_code(answers[0])) == (503, "ServiceUnavailable")
        assert names.asked
        assert took < 15

    named(FAILING[name], check)


def test_an_answer_that_is_cut_is_asked_for_over_tcp() -> None:
    whole = addresses("127.0.0.1")

    def script(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
        return whole(query, name, kind, tcp) if tcp else answer(query, [], truncated=True)

    def check(names: NameServer, origin: Origin, front: Front) -> None:
        assert front.send("GET", "/named/key").body == KEPT
        assert (HOST, A, True) in names.asked

    named(script, check)


def test_a_thousand_addresses_are_not_too_many() -> None:
    many = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    whole = addresses(*many)

    def script(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
        return whole(query, name, kind, tcp) if tcp else answer(query, [], truncated=True)

    def check(names: NameServer, origin: Origin, front: Front) -> None:
        response = front.send("GET", "/named/key", timeout=30)
        assert response.status in (200, 503)  # Whether the one that listens is among those tried.
        assert front.send("GET", "/back/key").body == KEPT

    named(script, check)


def test_a_name_may_move() -> None:
    """What is kept of an answer ends with its time; connections that are there stay."""
    hosts = ["127.0.0.1"]

    def script(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
        return addresses(*hosts, seconds=0)(query, name, kind, tcp)

    def check(names: NameServer, origin: Origin, front: Front) -> None:
        assert front.send("GET", "/named/key").body == KEPT
        with Origin(host="127.0.0.2", port=origin.port) as other:
            other.objects["/back/key"] = b"moved"
            hosts[:] = ["127.0.0.2"]
            end = time.monotonic() + 20
            while front.send("GET", "/named/key").body != b"moved":
                assert time.monotonic() < end, "it still goes to where the name was"
                origin.hang_up()
                time.sleep(0.1)

    named(script, check)


def test_the_last_answer_is_used_while_nobody_answers() -> None:
    dead = threading.Event()

    def script(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
        return None if dead.is_set() else addresses("127.0.0.1", seconds=1)(query, name, kind, tcp)

    def check(names: NameServer, origin: Origin, front: Front) -> None:
        assert front.send("GET", "/named/key").body == KEPT
        dead.set()
        for _ in range(5):
            time.sleep(0.5)
            origin.hang_up()
            begun = time.monotonic()
            assert front.send("GET", "/named/key").body == KEPT
            assert time.monotonic() - begun < 1
        assert names.asked

    named(script, check)


def test_a_silent_address_of_ipv6_is_not_waited_for() -> None:
    networks: list[Network] = []

    def silent_ipv6(network: Network) -> None:
        network.lossy(Way())
        network.add_address("2001:db8:9::1/64")
        networks.append(network)

    def check(names: NameServer, origin: Origin, front: Front) -> None:
        begun = time.monotonic()
        assert front.send("GET", "/named/key").body == KEPT
        assert time.monotonic() - begun < 2
        assert (HOST, AAAA, False) in names.asked
        assert networks[0].ipv6_connects > 0

    named(addresses("2001:db8:9::2", "127.0.0.1"), check, before=silent_ipv6)
