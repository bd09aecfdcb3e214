"""Runs Autobahn|Testsuite's fuzzing client and judges its report; see conformance_autobahn.sh.

Serves tests/python/apps/websocket_echo.py with limits that let the cases through: Autobahn sends
messages of 16 MiB. Writes a line for each section, and exits 1 when a case is neither OK nor
INFORMATIONAL.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

from support.server import ServerProcess  # noqa: E402

GOOD = {"OK", "INFORMATIONAL"}
TITLES = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "closing",
    9: "limits and performance",
    10: "auto-fragmentation",
    12: "compression, different payloads",
    13: "compression, different parameters",
}


def run(arguments: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Returns what the client reports of each case."""
    out = arguments.work / "report"
    with ServerProcess("websocket_echo:app") as server:
        spec = {
            "outdir": str(out),
            "servers": [{"agent": "tercel", "url": f"ws://127.0.0.1:{server.address[1]}"}],
            "cases": [f"{section}.*" for section in arguments.sections],
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        config = arguments.work / "fuzzingclient.json"
        config.write_text(json.dumps(spec))
        command = "from autobahntestsuite.wstest import run; run()"
        subprocess.run(
            [arguments.python, "-c", command, "-m", "fuzzingclient", "-s", str(config)],
            env={**os.environ, "PYTHONPATH": str(arguments.site), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
            timeout=5400,
            check=True,
        )
    report: dict[str, dict[str, dict[str, str]]] = json.loads((out / "index.json").read_text())
    return report["tercel"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("sections", type=int, nargs="+")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.site = arguments.site.resolve()
    cases = run(arguments)
    bad = {
        case: (seen["behavior"], seen["behaviorClose"])
        for case, seen in cases.items()
        if seen["behavior"] not in GOOD or seen["behaviorClose"] not in GOOD
    }
    for section in arguments.sections:
        verdicts = Counter(
            seen["behavior"] for case, seen in cases.items() if case.split(".")[0] == str(section)
        )
        counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        print(f"autobahn {section:2d} {TITLES[section]}: {counts}")
    for case, (behavior, closing) in sorted(bad.items()):
        print(f"autobahn: case {case}: {behavior}, closing {closing}", file=sys.stderr)
    print(f"autobahn: {len(cases) - len(bad)} of {len(cases)} cases OK or INFORMATIONAL")
    return 1 if bad or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
