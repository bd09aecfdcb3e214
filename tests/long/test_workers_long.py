"""A server that never drops a request, in full: what issue 4 asks for, and rows 1 and 16 of the
faults. A shorter form: tests/python/test_workers_load.py.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.crew import Site
from support.fixtures import Ledger
from support.load import Load
from support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)

CONNECTIONS = 64
NUMBERED = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)


def nothing_wrong(counts: dict[str, Any]) -> bool:
    return all(counts[kind] == 0 for kind in ("wrong", "doubled", "refused", "unreachable"))


def test_reloads_upgrades_kills_and_recycling_under_full_load(
    serve: Any, load_client: str, ledger: Ledger
) -> None:
    """All of it at once: 10 SIGHUP, 10 SIGUSR2, 20 SIGKILL, a new worker for every 1,000 requests,
    and SIGTERM at the end.
    """
    server = serve("crew:app", workers=2, access_log=False, limit_max_requests=1000)
    site = Site(server)
    seconds = 120
    with Load(load_client, server.port, *NUMBERED, seconds=seconds) as load:
        begin = time.monotonic()
        for turn in range(10):
            site.reload()
            site.kill_worker(2)
            site.upgrade()
            site.kill_worker(2)
            wait_until(
                lambda turn=turn: time.monotonic() > begin + seconds / 11 * (turn + 1), "turn", 60
            )
        assert load.running
        counts = load.counts()
    site.stop()
    assert nothing_wrong(counts), counts
    assert counts["lost_timed_out"] == 0, counts
    # Of a killed worker's connections, each may have had one request under way.
    assert counts["lost"] <= 20 * CONNECTIONS, counts
    assert counts["sent"] >= 500_000, counts
    recycled = server.output.count("is to be replaced (limit-max-requests)")
    assert recycled >= 50
    ledger(
        f"issue 4: {counts['lost']} of {counts['sent']} requests lost, all of killed workers, in 10"
        f" reloads, 10 upgrades, 20 kills and {recycled} recyclings"
    )


def test_a_hundred_reloads_lose_nothing(serve: Any, load_client: str, ledger: Ledger) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    site = Site(server)
    seconds = 120
    with Load(load_client, server.port, *NUMBERED, seconds=seconds) as load:
        begin = time.monotonic()
        for turn in range(100):
            site.reload()
            wait_until(
                lambda turn=turn: time.monotonic() > begin + seconds / 110 * (turn + 1), "turn", 60
            )
        counts = load.counts()
    assert counts["lost"] == 0, counts
    assert nothing_wrong(counts), counts
    assert counts["sent"] >= 1_000_000
    ledger(f"row 16: 0 of {counts['sent']} requests lost, wrong or doubled in 100 reloads")
    assert site.stop() == 0


def test_sixty_killed_workers(serve: Any, load_client: str, ledger: Ledger) -> None:
    """Row 1: one of four workers is killed every two seconds, at 2,000 requests a second."""
    server = serve("crew:app", workers=4, access_log=False)
    site = Site(server)
    with Load(load_client, server.port, *NUMBERED, "--rate", 2000, seconds=125) as load:
        begin = time.monotonic()
        for turn in range(60):
            site.kill_worker(4)
            wait_until(lambda turn=turn: time.monotonic() > begin + 2 * (turn + 1), "turn", 60)
        counts = load.counts()
    assert nothing_wrong(counts), counts
    assert counts["lost_timed_out"] == 0, counts
    assert counts["lost"] <= 60 * CONNECTIONS, counts
    ledger(f"row 1: {counts['lost']} of {counts['sent']} requests lost to 60 killed workers")
    assert site.stop() == 0
