"""A soak: mixed traffic for minutes, and nothing grows.

$TERCEL_SOAK_SECONDS is how long it is looked at the memory (300), after a warm-up.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import signal
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.crew import children
from support.fixtures import Ledger
from support.load import Load
from support.processes import cpu_seconds, open_files
from support.server import ServerProcess
from support.tls import Authority
from support.tls import connect as connect_tls
from support.traffic import Exchanges, ExchangesInClear, Traffic
from support.waiting import wait_until

SECONDS = float(os.environ.get("TERCEL_SOAK_SECONDS", "300"))
WARM_UP_S = SECONDS / 4
PERIOD_S = 2.0
# Of each process, over the time it is looked at.
DRIFT_MAX = 1 << 20

# All but the kept-alive GETs and long WebSockets, which the load client does.
MIXED_RATE = 100
GET_RATE = 5000
MESSAGE_RATE = 500
FLAT_OUT = 1e6

pytestmark = pytest.mark.timeout(SECONDS * 1.5 + 120)


@dataclass
class Sample:
    """What one process had at a time."""

    at: float
    resident: int
    proportional: int
    private_dirty: int

    @classmethod
    def of(cls, pid: int) -> Sample:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(rest.split()[0]) * 1024 for name, rest in map(_halves, lines)}
        return cls(time.monotonic(), sizes["Rss"], sizes["Pss"], sizes["Private_Dirty"])


def _halves(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(":")
    return name, rest


def drift(samples: list[Sample], name: str) -> float:
    """By how many bytes that size grew from the first to the last: by the slope of Theil and Sen,
    which no single sample moves.
    """

    def size(sample: Sample) -> int:
        return int(getattr(sample, name))

    slopes = [(size(b) - size(a)) / (b.at - a.at) for a, b in itertools.combinations(samples, 2)]
    return statistics.median(slopes) * (samples[-1].at - samples[0].at)


def holdings(server: ServerProcess) -> list[tuple[int, int]]:
    """Descriptors and threads of the supervisor and of each worker."""
    pids = [server.pid, *children(server.pid)]
    return [(open_files(pid), len(os.listdir(f"/proc/{pid}/task"))) for pid in pids]


def state(server: ServerProcess) -> dict[str, Any]:
    server.send_signal(signal.SIGUSR1)
    return dict(json.loads(server.wait_for(r"State: (.*)$")[1]))


Loads = dict[str, tuple[object, ...]]


@pytest.fixture(params=["asgi", "wsgi", "tls"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(serve: Any, kind: str, log: Path, authority: Authority) -> ServerProcess:
    settings: dict[str, Any] = {"workers": 2, "access_log_file": log}
    if kind == "tls":
        certificate, key = authority.issue("localhost", file="server")
        settings |= {"ssl_certfile": certificate, "ssl_keyfile": key}
    started: ServerProcess = serve(
        "wsgi_apps.soak:app" if kind == "wsgi" else "live:app", **settings
    )
    return started


def traffic_of(kind: str, server: ServerProcess, authority: Authority) -> tuple[Exchanges, Loads]:
    """What is asked in Python, and what by the load client, which has no TLS."""
    if kind == "tls":
        context = authority.client_context()
        exchanges = Exchanges(functools.partial(connect_tls, server.address, context))
        exchanges.shares["kept alive"] = (10, exchanges.kept_alive)
        return exchanges, {}
    loads: Loads = {"http": ("--target", "/number", "--numbered", "--rate", GET_RATE)}
    if kind == "asgi":
        loads["websocket"] = ("--rate", MESSAGE_RATE, "--bytes", 200)
    return ExchangesInClear(server, websockets=kind == "asgi"), loads


def test_nothing_grows(
    kind: str,
    server: ServerProcess,
    authority: Authority,
    load_client: str,
    log: Path,
    ledger: Ledger,
) -> None:
    exchanges, loads = traffic_of(kind, server, authority)
    # What each process opens once, it has opened then, and its pools and heaps, those of each
    # thread of WSGI too, are as large as they get: that takes thousands of large bodies.
    with Traffic(exchanges, rate=FLAT_OUT, only=("posted", "streamed")) as traffic:
        time.sleep(WARM_UP_S)
    assert not traffic.errors, traffic.errors[:5]
    traffic, _ = run(server, exchanges, load_client, loads, seconds=SECONDS / 20)
    assert not traffic.errors, traffic.errors[:5]
    before = settled(server, None)
    workers = children(server.pid)
    samples: dict[int, list[Sample]] = {pid: [] for pid in [server.pid, *workers]}
    cpu, begin = sum(map(cpu_seconds, workers)), time.monotonic()
    traffic, counts = run(server, exchanges, load_client, loads, seconds=SECONDS, samples=samples)
    share = (sum(map(cpu_seconds, workers)) - cpu) / (time.monotonic() - begin)
    after = settled(server, before)

    assert not traffic.errors, traffic.errors[:5]
    for count in counts:
        assert count["right"] == count["sent"], count
        assert count["doubled"] == 0, count
    assert children(server.pid) == workers
    assert after == before
    total = state(server)["total"]
    assert (total["connections"], total["active"], total["waiting"]) == (0, 0, 0)
    drifts = {
        name: [round(drift(samples[pid], name) / 1024) for pid in samples]
        for name in ("resident", "proportional", "private_dirty")
    }
    done = sum(traffic.counts.values()) + sum(count["right"] for count in counts)
    ledger(
        f"soak, {kind}: {SECONDS:.0f} s, {done} exchanges, 0 wrong; drift of the supervisor and 2"
        f" workers in KiB: {drifts}; descriptors and threads {before} before and after; both"
        f" workers at {share:.0%} of a core; of the mixed kinds {dict(traffic.counts)}"
    )
    assert max(drifts["resident"]) * 1024 < DRIFT_MAX, drifts
    assert server.stop() == 0
    assert "Traceback" not in server.output
    assert log.read_text().count("\n") == total["requests"]


def run(
    server: ServerProcess,
    exchanges: Exchanges,
    load_client: str,
    loads: Loads,
    *,
    seconds: float,
    samples: dict[int, list[Sample]] | None = None,
) -> tuple[Traffic, list[dict[str, Any]]]:
    """Makes the traffic for that time, and takes samples."""
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(
                Load(load_client, server.port, *arguments, mode=mode, seconds=seconds)
            )
            for mode, arguments in loads.items()
        ]
        with Traffic(exchanges, rate=MIXED_RATE) as traffic:
            while (left := begin + seconds - time.monotonic()) > 0:
                for pid, taken in (samples or {}).items():
                    taken.append(Sample.of(pid))
                time.sleep(min(PERIOD_S, left))
        return traffic, [client.counts() for client in clients]


def settled(server: ServerProcess, expected: list[tuple[int, int]] | None) -> list[tuple[int, int]]:
    """What is held once all connections are closed, and so for a second."""
    seen = [holdings(server)]

    def is_settled() -> bool:
        time.sleep(1)
        seen.append(holdings(server))
        return seen[-1] == (expected or seen[-2])

    with contextlib.suppress(AssertionError):
        wait_until(is_settled, "no connection is left", 10)
    return seen[-1]
