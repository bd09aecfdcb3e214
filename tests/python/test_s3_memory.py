"""A thousand uploads at once through the gateway: below 256 MiB, whoever is slow.

bench/uploads.py does it, with signed chunks, whose verification holds most; of the other kinds of
bodies, and over TLS, its results are in bench/results.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.fixtures import Ledger
from support.processes import SANITIZED, environment_of_tests

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "bench" / "uploads.py"


@pytest.mark.timeout(300)  # A thousand clients, on a machine that others use, too.
@pytest.mark.skipif(SANITIZED, reason="the sanitizer has memory of its own for each block")
def test_a_thousand_uploads(tmp_path: Path, ledger: Ledger) -> None:
    out = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--kinds", "chunks", "--out", str(out)],
        env=environment_of_tests(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "descriptors are needed" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    found = json.loads(out.read_text())["kinds"]["chunks"]
    assert found["answered_200"] == found["in_flight_at_the_backend"] == found["uploads"] == 1000
    # Where the network is our own, nobody got on any more: the buffers were full.
    assert found["blocked_clients"] in ((1000,) if "no rights" not in done.stdout else range(1001))
    assert found["pss_peak_mib"] < 256
    ledger(f"1000 uploads in flight: {found['pss_peak_mib']} MiB")


@pytest.mark.parametrize("name", ["s3-memory-2026-11-27.json", "s3-memory-2026-11-27-tls.json"])
def test_the_results_that_are_kept_are_below_the_bound(name: str) -> None:
    kept = json.loads((ROOT / "bench" / "results" / name).read_text())
    assert kept["kinds"].keys() == {"hash", "trailer", "chunks"}
    for found in kept["kinds"].values():
        assert found["answered_200"] == found["blocked_clients"] == found["uploads"] == 1000
        assert found["pss_peak_mib"] < kept["bound_mib"] == 256
