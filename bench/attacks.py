"""Measures what attacks cost tercel: `python bench/attacks.py`, and bench/README.md explains.

For each attack: bytes of the attacker to bytes of memory that the server holds for them, CPU of
both, after how much the server has had enough, and how long others wait, before and meanwhile.
Writes one JSON file into bench/results/; `report.py FILE --part attacks` makes a table of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "python"))

from harness import load, machine, protocols, websocket_load  # noqa: E402
from harness.bench import Running, Settings, running  # noqa: E402
from harness.hostile import ATTACKS, Attack, Effort  # noqa: E402
from harness.peak import Peak  # noqa: E402
from harness.process import MeasureError  # noqa: E402
from harness.servers import SERVERS  # noqa: E402
from harness.target import Needs  # noqa: E402
from run import RESULTS, build_programs  # noqa: E402

VICTIM_REQUESTS_PER_S = 50
SETTLE_S = 1.0


def victim(target: Running, seconds: float) -> dict[str, float]:
    """Asks politely at a fixed rate on one connection of its own; every answer is checked."""
    arguments = ["--connections", "1", "--rate", str(VICTIM_REQUESTS_PER_S), "--seconds"]
    with websocket_load.connected(
        target.settings.build,
        core=target.settings.client_core,
        port=target.port,
        arguments=["http", *arguments, str(seconds)],
    ) as client:
        client.begin()
        return client.read()


def warm(target: Running) -> None:
    """Lets the server allocate what it allocates once: that is not the price of an attack."""
    if target.needs.tls:
        target.wrk(8, SETTLE_S)
        return
    core = target.settings.client_core
    load.h2load(target.port, connections=8, in_flight=32, seconds=SETTLE_S, core=core)
    protocols.echo(target, SETTLE_S)


def measure(attack: Attack, settings: Settings) -> dict[str, Any]:
    """Runs one attack against a server of its own."""
    (tercel,) = (server for server in SERVERS if server.name == "tercel")
    with running(tercel, "victim", settings, Needs(websocket=True, tls=attack.tls)) as target:
        warm(target)
        # The polite client speaks no TLS: handshakes are charged by CPU and memory alone.
        polite = not attack.tls
        idle = victim(target, settings.seconds) if polite else {}
        time.sleep(SETTLE_S)
        before = target.tree.memory().pss
        meanwhile: dict[str, float] = {}

        def ask() -> None:
            meanwhile.update(victim(target, settings.seconds))

        polite_thread = threading.Thread(target=ask)
        if polite:
            polite_thread.start()
        effort = Effort(time.monotonic() + settings.seconds)
        cpu = target.tree.cpu()
        with Peak(lambda: target.tree.memory().pss) as peak:
            attack.run(("127.0.0.1", target.port), effort)
        cpu_s = target.tree.cpu_seconds_since(cpu)
        if polite:
            polite_thread.join()
        time.sleep(SETTLE_S)
        after = target.tree.memory().pss
    held = max(0, int(peak.most) - before)
    return {
        "source": attack.source,
        "unit": attack.unit,
        "bytes_sent": effort.bytes_sent,
        "bytes_of_one_connection": effort.bytes_of_one,
        "memory_held_bytes": held,
        "memory_per_byte": held / max(1, effort.bytes_of_one),
        "memory_kept_bytes": max(0, after - before),
        "server_cpu_s": cpu_s,
        "client_cpu_s": effort.cpu_s,
        "cpu_ratio": cpu_s / max(1e-6, effort.cpu_s),
        "connections": len(effort.counts),
        "ended_after": statistics.median(effort.counts) if effort.counts else None,
        "ended_by": sorted(effort.codes),
        "victim_idle": idle,
        "victim_attacked": meanwhile,
    }


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the command line; ends the program on a mistake in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="attacks that have this in their name")
    parser.add_argument("--seconds", type=float, default=30, help="length of each (default 30)")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the server")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--name", help="result file (default: attacks-, and the time of the start)")
    parser.add_argument("--build", type=Path, help="build directory; default: build one")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measures what `arguments` ask for. Returns 0, also when an attack could not be measured."""
    options = parse(arguments)
    load.raise_descriptor_limit()
    settings = Settings(
        python=options.python,
        build=(options.build or build_programs()).resolve(),
        server_core=options.server_core,
        client_core=options.client_core,
        seconds=options.seconds,
        warmup_s=0,
        idle_connections=0,
        transfer_bytes=0,
    )
    os.sched_setaffinity(0, {settings.client_core})
    started = datetime.now(UTC)
    path = RESULTS / f"{options.name or started.strftime('attacks-%Y-%m-%dT%H%M')}.json"
    result: dict[str, Any] = {
        "started": started.isoformat(timespec="seconds"),
        "command": shlex.join(["python", "bench/attacks.py", *arguments]),
        "commit": machine.commit(REPOSITORY),
        "machine": machine.describe(),
        "versions": machine.versions(settings.python),
        "seconds_each": options.seconds,
        "attacks": {},
    }
    for attack in ATTACKS:
        if options.only and options.only not in attack.name:
            continue
        try:
            part = measure(attack, settings)
        except (MeasureError, OSError) as error:
            part = {"failure": str(error)}
        result["attacks"][attack.name] = part
        print(f"{attack.name}: {part.get('failure') or part['cpu_ratio']}", flush=True)
        path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
