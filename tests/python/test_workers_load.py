"""No request is lost while workers are replaced, killed and upgraded: counted by a client that
checks every answer. In full: tests/long/test_workers_long.py.
"""

from __future__ import annotations

import signal
from typing import Any

from support.crew import Site
from support.fixtures import Ledger
from support.load import Load

CONNECTIONS = 32
# Of a request on a connection of a worker that is killed, nobody knows whether it was done.
PER_KILL = CONNECTIONS


def nothing_wrong(counts: dict[str, Any]) -> bool:
    return all(counts[kind] == 0 for kind in ("wrong", "doubled", "refused", "unreachable"))


def test_nothing_is_lost_while_workers_are_replaced(
    serve: Any, load_client: str, ledger: Ledger
) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    site = Site(server)
    arguments = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)
    with Load(load_client, server.port, *arguments, seconds=50) as load:
        for _ in range(2):
            site.reload()
        site.upgrade()
        site.reload()
        counts = load.end()
    assert counts["lost"] == 0, counts["faults"]
    assert nothing_wrong(counts), counts
    ledger(f"row 16: 0 of {counts['sent']} requests lost in 3 reloads and an upgrade")
    site.stop()


def test_a_killed_worker_takes_only_its_own_requests(
    serve: Any, load_client: str, ledger: Ledger
) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    site = Site(server)
    arguments = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)
    with Load(load_client, server.port, *arguments, seconds=50) as load:
        for _ in range(2):
            site.kill_worker(2)
        counts = load.end()
    assert nothing_wrong(counts), counts
    assert counts["lost"] <= 2 * PER_KILL, counts
    assert counts["lost_timed_out"] == 0, counts
    ledger(f"row 1: {counts['lost']} of {counts['sent']} requests lost to 2 killed workers")
    assert site.stop() == 0


def test_what_was_asked_before_the_end_is_answered(serve: Any, load_client: str) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    arguments = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)
    with Load(load_client, server.port, *arguments, seconds=50) as load:
        Site(server).reload()
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        counts = load.end()
    # Nobody listens any more; but whatever was sent to somebody who did was answered.
    assert (counts["lost"], counts["wrong"], counts["doubled"]) == (0, 0, 0), counts
    assert counts["refused"] > 0
