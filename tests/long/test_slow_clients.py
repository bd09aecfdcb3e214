"""slowhttptest against a server with short time limits: attackers are cut off, others are served.

-H sends heads that never end, -B bodies that never end, -X reads responses slowly, and -R asks for
many overlapping ranges, which tercel simply answers.
Source: reliability.md section 6; slowhttptest(1).
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from support.processes import cpu_seconds
from support.server import ServerProcess

CONNECTIONS = 200
SECONDS = 20
LIMITS = {
    "timeout_request_head": 3,
    "timeout_request_body": 3,
    "timeout_write": 3,
    "timeout_keep_alive": 5,
    "access_log": False,
}

pytestmark = [
    pytest.mark.skipif(shutil.which("slowhttptest") is None, reason="slowhttptest is missing"),
    pytest.mark.timeout(120),
]


def attack(server: ServerProcess, path: str, *options: str, report: Path) -> list[dict[str, int]]:
    """Runs slowhttptest, and returns its statistics: a row a second.

    The columns are Closed, Pending, Connected (counts) and Service Available (0, or not 0).
    """
    subprocess.run(
        [
            "slowhttptest",
            *options,
            "-c",
            str(CONNECTIONS),
            "-r",
            "100",
            "-l",
            str(SECONDS),
            "-p",
            "3",
            "-g",
            "-o",
            report,
            "-u",
            f"{server.url}{path}",
        ],
        timeout=SECONDS + 30,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    with report.with_suffix(".csv").open() as file:
        return [
            {name.strip(): int(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/hello", ["-H", "-i", "1", "-t", "GET"]),
        ("/count", ["-B", "-i", "1", "-t", "POST", "-s", "100000"]),
        (
            "/stream?n=1000&size=10000",
            ["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "1"],
        ),
    ],
    ids=["slow-heads", "slow-bodies", "slow-reads"],
)
def test_attackers_are_cut_off_and_others_served(
    serve: Any, tmp_path: Path, path: str, options: list[str]
) -> None:
    server: ServerProcess = serve("live:app", **LIMITS)
    cpu, begin = cpu_seconds(server.pid), time.monotonic()
    rows = attack(server, path, *options, report=tmp_path / "report")
    share = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begin)
    assert all(row["Service Available"] for row in rows), rows
    last = rows[-1]
    assert last["Closed"] >= CONNECTIONS * 0.95, last
    assert last["Connected"] <= CONNECTIONS * 0.05, last
    assert share < 0.2, f"{share:.0%} of a core"
    server.assert_serves()


def test_overlapping_ranges_are_simply_answered(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("live:app", **LIMITS)
    rows = attack(server, "/hello", "-R", "-a", "10", "-b", "3000", report=tmp_path / "report")
    assert all(row["Service Available"] for row in rows), rows
    server.assert_serves()
