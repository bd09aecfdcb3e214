"""The faults of tests/python/test_workers_faults.py in the numbers that the checklist asks for, and
its row 19: more requests than the application can answer.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from support.crew import Site, children
from support.finalise import finalise
from support.fixtures import Ledger
from support.load import Load
from support.processes import environment_of_tests, main_thread_seconds, private_bytes
from support.server import ServerProcess
from support.stalls import client_of, p99, waits
from support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("interface", ["app", "wsgi"])
def test_a_hundred_ends_of_the_interpreter(serve: Any, ledger: Ledger, interface: str) -> None:
    """Row 20: 50 with workers, and 50 without."""
    clean = sum(finalise(serve, interface, workers, 50) for workers in (1, 2))
    assert clean == 100
    ledger(f"row 20, {interface}: {clean} of 100 servers ended with status 0 while requests lived")


STALLS = ("spin", "hold-the-lock", "wait-for-itself", "sleep")
TURNS = 5


@pytest.mark.parametrize("stall", STALLS)
def test_a_stall_does_not_slow_the_other_worker(serve: Any, ledger: Ledger, stall: str) -> None:
    """Row 18, on a machine that does little else: whoever has a connection to the other worker."""
    server: ServerProcess = serve("stalls:app", workers=2, timeout_worker=1, access_log=False)
    *_, other = children(server.pid)
    times = []
    with client_of(server, other) as neighbour:
        idle = p99(waits(neighbour, 5, lambda: False))
        for _ in range(TURNS):
            wait_until(lambda: len(children(server.pid)) == 2, "another one")
            (victim,) = set(children(server.pid)) - {other}
            with client_of(server, victim) as client:
                client.send(f"GET /{stall} HTTP/1.1\r\nHost: a\r\n\r\n")
                times += waits(neighbour, 0, lambda victim=victim: victim in children(server.pid))
                assert client.read_to_close() == b""
            # Else it is taken for a loop of crashes, and waited for.
            time.sleep(1.1)
    slow = p99(times)
    ledger(
        f"row 18, {stall}: p99 of {len(times)} requests to the other worker {slow * 1000:.1f} ms,"
        f" idle {idle * 1000:.1f} ms"
    )
    assert server.output.count("stood still for 1 s (timeout-worker)") == TURNS
    assert slow < max(3 * idle, 0.02)
    assert server.stop() == 0


def test_twenty_stalls_harm_nobody_else(serve: Any, load_client: str, ledger: Ledger) -> None:
    """Row 18, under load: whoever has a connection to the worker that stalls loses it."""
    server: ServerProcess = serve("stalls:app", workers=2, timeout_worker=1, access_log=False)
    site = Site(server)
    asked = ("--target", "/number", "--numbered", "--connections", 8, "--rate", 500)
    with Load(load_client, server.port, *asked, seconds=60) as load:
        for turn in range(20):
            before = set(site.workers())
            stall = STALLS[turn % len(STALLS)]
            with server.connect() as client:
                client.send(f"GET /{stall} HTTP/1.1\r\nHost: a\r\n\r\n")
                client.read_to_close()
            wait_until(
                lambda before=before: len(site.workers()) == 2 and before != set(site.workers()),
                "another one",
            )
            time.sleep(1.1)
        counts = load.counts()
    assert counts["wrong"] == counts["doubled"] == counts["refused"] == 0, counts
    assert counts["lost"] <= 20 * 8, counts
    ledger(
        f"row 18: {counts['lost']} of {counts['sent']} requests lost in 20 stalls, those that the"
        " stalled workers had"
    )
    assert site.stop() == 0


# --- row 19

SECONDS = 10.0
CONNECTIONS = 200
BURN_S = 0.005


def flood(server: ServerProcess, rate: float, seconds: float) -> dict[str, Any]:
    """What came of requests that were sent at that rate, whether answers came or not."""
    words = [*map(str, server.address), str(rate), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(
        [sys.executable, "-m", "support.flood", *words, f"/burn?{BURN_S}"],
        capture_output=True,
        check=True,
        timeout=seconds + 60,
        env=environment_of_tests(),
    )
    return dict(json.loads(done.stdout))


def test_overload_is_refused_at_once(serve: Any, ledger: Ledger) -> None:
    """The client, and the thread that refuses, need a processor of their own: how many answers
    there are in a second says more of the machine than of the server. What counts is that the
    thread of the application does nothing for what is refused.
    """
    server: ServerProcess = serve(
        "stalls:app", io_threads=1, limit_concurrency=4, limit_queue=8, access_log=False
    )
    flood(server, 50, 1)
    # What it can do, with as much to do as it takes and no more to refuse.
    peak = max(flood(server, rate, 3)["good"] / 3 for rate in (150, 200, 250))
    memory = private_bytes(server.pid)
    before = main_thread_seconds(server.pid)
    seen = flood(server, 10 / BURN_S, SECONDS)
    useful = seen["good"] * BURN_S / (main_thread_seconds(server.pid) - before)
    grown = private_bytes(server.pid) - memory
    begin = time.monotonic()
    with contextlib.suppress(AssertionError):
        while server.request("GET", "/pid").status != 200:
            assert time.monotonic() < begin + 10
    recovery = time.monotonic() - begin
    ledger(
        f"row 19: {seen['sent']} requests in {SECONDS:.0f} s, ten times what it can do: goodput"
        f" {seen['good'] / SECONDS:.0f} of {peak:.0f} a second, {useful:.0%} of the application's"
        f" thread, {seen['refused']} refused after"
        f" {seen['refused_median_s'] * 1000:.1f} ms (p99 {seen['refused_p99_s'] * 1000:.1f} ms),"
        f" memory {grown // 1024:+d} KiB, recovered after {recovery * 1000:.0f} ms"
    )
    assert seen["bad"] == 0, seen
    assert seen["refused"] > 0.5 * seen["sent"]
    # On a busy machine the client is late itself.
    assert seen["refused_median_s"] < max(0.01, 3 * seen["late_median_s"]), seen
    assert 0 < seen["good"] / SECONDS <= 1 / BURN_S
    assert useful >= 0.9, (useful, seen, peak)
    assert grown < 4 << 20
    assert recovery < 2
    assert server.stop() == 0
    assert len(children(server.pid)) == 0
