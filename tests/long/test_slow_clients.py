"""slowhttptest against a server with short time limits: attackers are cut off, others are served.

During an attack a client that behaves sends ten requests a second, on a connection that it keeps
and on new ones: every one of them is answered.

-H sends heads that never end, -B bodies that never end, -X reads responses slowly, and -R asks for
many overlapping ranges, which tercel simply answers.
A head has a time limit that its bytes extend, and so have a body and a response.
Source: docs/reference/settings.md, "Time limits"; slowhttptest(1).
"""

from __future__ import annotations

import csv
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import Ledger
from support.http1 import RawClient
from support.processes import cpu_seconds, open_files
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


class Bystander(threading.Thread):
    """A client that behaves, in a thread, until it is stopped.

    Attributes:
        waits: how long each answer took, in seconds.
        harmed: what went wrong instead of an answer.
        files: how many descriptors the server had open, with the time.
    """

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._over = threading.Event()
        self.waits: list[float] = []
        self.harmed: list[str] = []
        self.files: list[tuple[float, int]] = []

    def ask(self, client: RawClient) -> None:
        begin = time.monotonic()
        assert client.request("GET", "/hello?id=by").body == b"hello by"
        self.waits.append(time.monotonic() - begin)

    def run(self) -> None:
        with self._server.connect() as kept:
            while not self._over.wait(0.2):
                self.files.append((time.monotonic(), open_files(self._server.pid)))
                try:
                    self.ask(kept)
                    with self._server.connect() as client:
                        self.ask(client)
                except (OSError, AssertionError) as error:
                    self.harmed.append(repr(error))
                    return

    def stop(self) -> None:
        self._over.set()
        self.join(15)


def attack(server: ServerProcess, path: str, *options: str, report: Path) -> tuple[bool, bool]:
    """Runs slowhttptest.

    Returns:
        Whether the server served it at every look, and whether all its connections were closed
        before its time was up: then it ends.
    """
    done = subprocess.run(
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
        stdout=subprocess.PIPE,
        text=True,
    )
    with report.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    served = all(int(row["Service Available"]) for row in rows)
    return served, "No open connections left" in done.stdout


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
    serve: Any, tmp_path: Path, path: str, options: list[str], ledger: Ledger
) -> None:
    server: ServerProcess = serve("live:app", **LIMITS)
    server.assert_serves()
    before = open_files(server.pid) + 1  # The connection that the bystander keeps.
    bystander = Bystander(server)
    bystander.start()
    cpu, begin = cpu_seconds(server.pid), time.monotonic()
    served, all_closed = attack(server, path, *options, report=tmp_path / "report")
    end = time.monotonic()
    share = (cpu_seconds(server.pid) - cpu) / (end - begin)
    bystander.stop()
    assert served
    assert bystander.harmed == []
    # A slow reader does not see that it was reset before it has read what was on its way, so the
    # server is asked: what it held at most, and a second before the attackers went away.
    most = max(files for _, files in bystander.files) - before
    held = [files for at, files in bystander.files if at < end - 1][-1] - before
    assert most > CONNECTIONS / 2, "that was no attack"
    left = 0 if all_closed else max(held, 0)  # The bystander may just be away.
    assert left <= CONNECTIONS * 0.05
    assert share < 0.2, f"{share:.0%} of a core"
    server.assert_serves()
    waits = bystander.waits
    ledger(
        f"section 6, {options[0]}: {left} of {CONNECTIONS} attackers not cut off, 0 of"
        f" {len(waits)} requests of others harmed, {statistics.median(waits) * 1000:.1f} ms each"
    )


def test_overlapping_ranges_are_simply_answered(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("live:app", **LIMITS)
    served, _ = attack(server, "/hello", "-R", "-a", "10", "-b", "3000", report=tmp_path / "report")
    assert served
    server.assert_serves()
