"""The HTTP/1.1 vectors, judged by the judge that comes with them: each whole, byte by byte, and
split in half.

The suite lies beside the repository (`../shared/suites/http1`, or $TERCEL_HTTP1_SUITE), and its
tests are skipped where it is not. Each vector names its RFC section; `level` says how much depends
on it. At `must` and `should` a vector has to pass. At `strict` the RFC lets a server be lenient;
tercel is not, so those have to pass as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.server import ServerProcess
from support.vectors import SUITE, VECTORS, vectors

# Limits and timeouts that the `needs` of the vectors ask for, in seconds and bytes.
# The preface of HTTP/2 is one of the vectors, as what HTTP/1 makes of it.
PROFILE = {
    "http": 1,
    "timeout_request_head": 2,
    "timeout_request_body": 2,
    "limit_request_body": 100_000,
}


def parameters() -> list[Any]:
    """Returns one parameter a vector; without the suite, one that is skipped and says why."""
    if not VECTORS.exists():
        absent = pytest.mark.skip(reason=f"the vectors are not at {VECTORS}")
        return [pytest.param("none", marks=absent)]
    return [
        pytest.param(vector["name"], id=f"{vector['level']}-{vector['name']}")
        for vector in vectors()
    ]


@pytest.fixture(scope="module", params=["whole", "byte", "half"])
def verdicts(
    request: pytest.FixtureRequest,
    serve_shared: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    """Runs all vectors with one way of splitting them, and returns the judgement of each."""
    if not VECTORS.exists():
        pytest.skip(f"the vectors are not at {VECTORS}")
    server: ServerProcess = serve_shared("echo:app", **PROFILE)
    report = tmp_path_factory.mktemp("vectors") / "report.json"
    judge = [
        sys.executable,
        SUITE / "run_vectors.py",
        "127.0.0.1",
        str(server.port),
        "-q",
        "--echo",
    ]
    subprocess.run(
        [*judge, "--split", request.param, "--json", report],
        timeout=180,
        check=False,  # The exit status tells that some vector failed; the report tells which.
        env={**os.environ, "LD_PRELOAD": ""},
    )
    server.assert_serves()
    return {verdict["name"]: verdict for verdict in json.loads(report.read_text())}


@pytest.mark.sanitize
@pytest.mark.parametrize("name", parameters())
def test_vector_passes(verdicts: dict[str, dict[str, Any]], name: str) -> None:
    verdict = verdicts[name]
    assert verdict["verdict"] == "PASS", (
        f"{verdict['why'] or 'wrong answer'}: got {verdict['got']}, closed {verdict['closed']}"
    )


def test_default_limits_refuse_what_is_too_much(serve: Any, tmp_path: Path) -> None:
    if not VECTORS.exists():
        pytest.skip(f"the vectors are not at {VECTORS}")
    names = [
        vector["name"]
        for vector in vectors()
        if "limit" in vector.get("needs", "") and vector["name"] != "chunk-body-over-limit"
    ]
    server: ServerProcess = serve("echo:app")
    report = tmp_path / "report.json"
    judge = [sys.executable, SUITE / "run_vectors.py", "127.0.0.1", str(server.port), "-q"]
    subprocess.run([*judge, "--only", ",".join(names), "--json", report], timeout=60, check=False)
    found = {verdict["name"]: verdict["verdict"] for verdict in json.loads(report.read_text())}
    assert found == dict.fromkeys(names, "PASS")
