"""Measures tercel and its peers side by side: `python bench/run.py`, and bench/README.md explains.

Every run starts the server anew, and the runs of the servers are interleaved, so that a slow minute
of the machine hits all of them. The result is one JSON file in bench/results/, written after each
workload, with every run in it; `report.py` makes tables of it.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import load, machine, stats
from harness.bench import APPS, BENCH, Settings
from harness.process import MeasureError
from harness.servers import SERVERS, Server
from harness.target import Target
from harness.workloads import WORKLOADS, Workload

REPOSITORY = BENCH.parent
RESULTS = BENCH / "results"
BUILD = REPOSITORY / "build" / "release"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the command line; ends the program on a mistake in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAMES", help="workloads, comma-separated")
    parser.add_argument("--servers", metavar="NAMES", help="servers, comma-separated")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--seconds", type=float, default=5, help="length of a run (default 5)")
    parser.add_argument("--warmup", type=float, default=1, help="seconds before it (default 1)")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the servers")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--transfer-mib", type=int, default=1024, help="size of a large body")
    parser.add_argument("--name", help="result file (default: the time of the start)")
    parser.add_argument("--build", type=Path, help="build directory; default: build one")
    parser.add_argument("--list", action="store_true", help="print names and end")
    options = parser.parse_args(arguments)
    options.workloads = _chosen(parser, WORKLOADS, options.only)
    options.contestants = _chosen(parser, SERVERS, options.servers)
    return options


def _chosen(parser: argparse.ArgumentParser, table: Sequence[Any], names: str | None) -> list[Any]:
    """Returns the rows of `table` that the comma-separated `names` ask for, or all."""
    if names is None:
        return list(table)
    known = {row.name: row for row in table}
    if unknown := [name for name in names.split(",") if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def build_programs() -> Path:
    """Builds the C++ programs that take part, in the release preset. Returns the directory."""
    for command in (
        ["cmake", "--preset", "release", "--log-level=WARNING"],
        ["cmake", "--build", "--preset", "release", "--target", "bench_tools", "example_hello"],
    ):
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return BUILD


def measure(workload: Workload, servers: Sequence[Server], settings: Settings, runs: int) -> Any:
    """Runs one workload over all its servers, round by round. Returns its part of the result."""
    taking_part = [server for server in servers if workload.invites(server)]
    results: dict[str, list[stats.Sample]] = {server.name: [] for server in taking_part}
    failures: dict[str, str] = {}
    for _ in range(min(runs, workload.runs_max)):
        for server in taking_part:
            if server.name in failures:
                continue
            try:
                sample = workload.measure(server, settings)
            except MeasureError as error:
                failures[server.name] = str(error)
                print(f"  {server.name:12} FAILED: {error}", flush=True)
                continue
            results[server.name].append(sample)
            headline = sample[workload.headline]
            print(f"  {server.name:12} {headline:12.2f} {workload.unit}", flush=True)
    parts = {}
    for server in taking_part:
        median, mad = stats.summarise(results[server.name])
        parts[server.name] = {
            "median": median,
            "mad": mad,
            "failure": failures.get(server.name),
            "runs": results[server.name],
        }
    return {
        "question": workload.question,
        "headline": workload.headline,
        "unit": workload.unit,
        "servers": parts,
    }


def describe_servers(servers: Sequence[Server], settings: Settings) -> dict[str, Any]:
    """Returns the command line of each server and where its settings come from."""
    scratch = REPOSITORY / "build"
    scratch.mkdir(exist_ok=True)

    def target(server: Server) -> Target:
        app = server.app or "APP"
        return Target(app, server.port or 8000, "python", Path("build/release"), scratch)

    return {
        server.name: {
            "source": server.source,
            "command": shlex.join(server.command(target(server)))
            .replace(str(scratch), "SCRATCH")
            .replace(str(APPS), "bench/apps"),
        }
        for server in servers
    }


def main(arguments: Sequence[str]) -> int:
    """Measures what `arguments` ask for. Returns 0, also when a server failed a workload."""
    options = parse(arguments)
    if options.list:
        for workload in WORKLOADS:
            print(f"{workload.name:22} {workload.question}")
        for server in SERVERS:
            print(f"{server.name:22} {server.source}")
        return 0
    # The servers we started end with us, also when we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    load.raise_descriptor_limit()
    compileall.compile_dir(APPS, quiet=1)
    settings = Settings(
        python=options.python,
        build=(options.build or build_programs()).resolve(),
        server_core=options.server_core,
        client_core=options.client_core,
        seconds=options.seconds,
        warmup_s=options.warmup,
        idle_connections=options.idle,
        transfer_bytes=options.transfer_mib << 20,
    )
    os.sched_setaffinity(0, {settings.client_core})
    started = datetime.now(UTC)
    name = options.name or started.strftime("%Y-%m-%dT%H%M")
    path = RESULTS / f"{name}.json"
    result: dict[str, Any] = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": 0.0,
        "command": shlex.join(["python", "bench/run.py", *arguments]),
        "commit": machine.commit(REPOSITORY),
        "machine": machine.describe(),
        "versions": machine.versions(settings.python),
        "settings": {
            key: value for key, value in asdict(settings).items() if key not in {"python", "build"}
        },
        "servers": describe_servers(options.contestants, settings),
        "workloads": {},
    }
    began = time.monotonic()
    for workload in options.workloads:
        print(f"{workload.name}: {workload.question}", flush=True)
        part = measure(workload, options.contestants, settings, options.runs)
        if part["servers"]:
            result["workloads"][workload.name] = part
        result["seconds"] = round(time.monotonic() - began, 1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
