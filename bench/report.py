"""Makes Markdown tables of a result: `python bench/report.py [RESULT.json] [--part PART]`.

Without a file: the newest in bench/results/. Parts: `machine`, `overview` (a few rows for those
who have a minute), `bars` (the project's targets), `summary` (CPU per request of all servers),
`api` (the typed API: requests per CPU-second, and what tercel is worth beside each), `detail`
(every metric); of a result of attacks.py, `attacks`. All of them without `--part`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.bars import BARS, SHARES, Medians, NotAskedError

RESULTS = Path(__file__).resolve().parent / "results"
# Throughput counts only where the server was the limit.
BUSY = 0.95


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table, numbers to the right of their column."""
    lines = [f"| {' | '.join(head)} |", "|" + "|".join(["---", *["--:"] * (len(head) - 1)]) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def number(value: float) -> str:
    """Returns `value` with three significant digits, and thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"


def machine(result: Mapping[str, Any]) -> str:
    """Returns what the numbers were measured on and with."""
    about = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        f"Measured {result['started']} on {about['cpu']} ({about['cores']} cores),",
        f"{about['distribution']}, kernel {about['kernel']}; governor: {about['governor']}.",
        f"Commit {result['commit']}; `{result['command']}`.",
        f"Versions: {versions}.",
    ]
    return "\n".join(lines)


# What the overview shows of the servers of ASGI applications: text, workload, metric.
OVERVIEW = (
    ("ASGI hello, 64 connections: requests per CPU-second", "hello-64", "requests_per_cpu_s"),
    ("the same, 1 connection", "hello-1", "requests_per_cpu_s"),
    ("the same, 1,000 connections", "hello-1000", "requests_per_cpu_s"),
    ("FastAPI, JSON, 64 connections", "fastapi-64", "requests_per_cpu_s"),
    ("10 KiB read and streamed back, 64 connections", "echo-64", "requests_per_cpu_s"),
    ("99th percentile at 3,000 requests/s, us", "latency-3000", "p99_us"),
    ("HTTP/2 hello, 8 x 32 streams: requests per CPU-second", "http2-hello", "requests_per_cpu_s"),
    (
        "WebSocket echo of 64 bytes: messages per CPU-second",
        "websocket-echo-64",
        "requests_per_cpu_s",
    ),
    ("WSGI hello, 64 connections: requests per CPU-second", "wsgi-hello-64", "requests_per_cpu_s"),
    ("Falcon (WSGI), JSON, 64 connections", "wsgi-falcon-64", "requests_per_cpu_s"),
    ("S3, GET of 1 KiB: requests per CPU-second", "s3-get-1k", "requests_per_cpu_s"),
    ("GET of 1 MiB", "s3-get-1m", "requests_per_cpu_s"),
    ("PUT of 1 MiB", "s3-put-1m", "requests_per_cpu_s"),
    ("PUT of 1 MiB, checksum behind it", "s3-put-1m-trailer", "requests_per_cpu_s"),
    ("memory, FastAPI, idle: PSS in MiB", "memory-idle", "pss_mib"),
    ("memory, FastAPI, 4 workers, idle: PSS in MiB", "memory-idle-4-workers", "pss_mib"),
    ("the same after a load", "memory-idle-4-workers", "pss_after_load_mib"),
    ("memory of an idle connection: bytes", "memory-connections", "pss_bytes"),
    ("memory of an idle TLS connection: bytes", "memory-idle-tls", "pss_bytes"),
    ("memory of an idle WebSocket: bytes", "memory-idle-websocket", "pss_bytes"),
    ("growth of memory by an upload of 1 GiB: MiB", "upload", "growth_mib"),
)
# What has no Python in it, and what is no server.
OVERVIEW_WITHOUT = {"tercel-cpp", "nginx", "h2o", "nghttpd", "raw", "bare", "floor"}
OVERVIEW_WITHOUT |= {"copy-64k", "pipe-256k"}


def overview(result: Mapping[str, Any]) -> str:
    """Returns one row for each thing that people ask first."""
    asked = [
        (text, _by_product(result["workloads"][workload]["servers"]), metric)
        for text, workload, metric in OVERVIEW
        if workload in result["workloads"]
    ]
    servers = list(
        dict.fromkeys(
            server for _, parts, _ in asked for server in parts if server not in OVERVIEW_WITHOUT
        )
    )
    rows = [
        [text, *(_median(parts.get(server), metric) for server in servers)]
        for text, parts, metric in asked
    ]
    return table(["", *servers], rows) if rows else ""


# The columns of the typed API's table.
API_WORKLOADS = ("api-hello", "api-params", "api-post", "api-invalid")


def api(result: Mapping[str, Any]) -> str:
    """Returns one row a framework: its requests per CPU-second, and tercel's as a multiple.

    Returns:
        the table, or an empty text when the run had none of these workloads.
    """
    chosen = {
        name: result["workloads"][name]["servers"]
        for name in API_WORKLOADS
        if name in result["workloads"]
    }
    servers = list(dict.fromkeys(server for parts in chosen.values() for server in parts))
    rows = [
        [server, *(_api_cell(parts, server) for parts in chosen.values())] for server in servers
    ]
    return table(["requests per CPU-second (tercel's to it)", *chosen], rows) if chosen else ""


def _api_cell(parts: Mapping[str, Any], server: str) -> str:
    text, own = _median(parts.get(server), "requests_per_cpu_s"), parts.get("tercel-api")
    if text in ("", "failed") or server == "tercel-api" or own is None or own["failure"]:
        return text
    metric = "requests_per_cpu_s"
    times = own["median"][metric] / parts[server]["median"][metric]
    return f"{text} ({times:.1f}x)"


def _by_product(servers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `servers` by the name of the product: one runs both kinds of application."""
    return {name.removesuffix("-wsgi"): part for name, part in servers.items()}


def _median(server: Mapping[str, Any] | None, metric: str) -> str:
    if server is None:
        return ""
    return "failed" if server["failure"] else number(server["median"][metric])


def summary(result: Mapping[str, Any]) -> str:
    """Returns one row a workload: CPU microseconds per request of each server."""
    chosen = {
        name: part
        for name, part in result["workloads"].items()
        if part["headline"] == "cpu_us_per_request"
    }
    tables: dict[str, dict[str, Any]] = {"asgi": {}, "wsgi": {}, "api": {}, "native": {}}
    for name, part in chosen.items():
        tables[_table_of(name)][name] = part
    texts = []
    for parts in filter(None, tables.values()):
        servers = list(
            dict.fromkeys(server for part in parts.values() for server in part["servers"])
        )
        rows = [
            [name, *(_headline(part, part["servers"].get(server)) for server in servers)]
            for name, part in parts.items()
        ]
        texts.append(table(["CPU us/request, median ± MAD", *servers], rows))
    return "\n\n".join(texts)


def _table_of(workload: str) -> str:
    kind = workload.partition("-")[0]
    return {"wsgi": "wsgi", "api": "api", "native": "native", "tls": "native"}.get(kind, "asgi")


def _headline(part: Mapping[str, Any], server: Mapping[str, Any] | None) -> str:
    if server is None:
        return ""
    if server["failure"]:
        return "failed"
    name = part["headline"]
    return f"{number(server['median'][name])} ± {number(server['mad'][name])}"


def bars(result: Mapping[str, Any]) -> str:
    """Returns the targets of the run's workloads with what was measured; "-" where it failed."""
    medians = Medians(result)
    rows = []
    for bar in BARS:
        try:
            measured, bound = bar.measured(medians), bar.bound(medians)
        except NotAskedError:
            continue
        except KeyError:
            rows.append([bar.text, "", "-", ""])
            continue
        met = "yes" if bar.is_met(measured, bound) else "**no**"
        rows.append(
            [bar.text, f"{number(bound)} {bar.unit}", f"{number(measured)} {bar.unit}", met]
        )
    for text, share in SHARES:
        try:
            rows.append([text, "", f"{share(medians):.2f}", ""])
        except NotAskedError:
            continue
        except KeyError:
            rows.append([text, "", "-", ""])
    return table(["target", "bound", "measured", "met"], rows)


def detail(result: Mapping[str, Any]) -> str:
    """Returns one table a workload with the medians of every metric, and the failures."""
    sections = []
    for name, part in result["workloads"].items():
        servers = part["servers"]
        metrics = list(dict.fromkeys(key for one in servers.values() for key in one["median"]))
        rows = [
            [server, *(_cell(one, metric) for metric in metrics), str(len(one["runs"]))]
            for server, one in servers.items()
            if one["runs"]
        ]
        failures = [
            f"- {server}: {one['failure']}" for server, one in servers.items() if one["failure"]
        ]
        texts = [f"### {name}", part["question"], table([part["unit"], *metrics, "runs"], rows)]
        if failures:
            texts.append("Failed:\n\n" + "\n".join(" ".join(line.split()) for line in failures))
        sections.append("\n\n".join(texts))
    return "\n\n".join(sections)


def _cell(server: Mapping[str, Any], metric: str) -> str:
    """Returns a median; throughput that the server's core did not limit is in brackets."""
    median = server["median"]
    if metric not in median:
        return ""
    text = number(median[metric])
    idle = metric == "requests_per_s" and median["server_core"] < BUSY
    return f"({text})" if idle else text


def attacks(result: Mapping[str, Any]) -> str:
    """Returns what each attack cost: memory against bytes, CPU against CPU, and the others."""
    rows, failures = [], []
    for name, part in result["attacks"].items():
        if failure := part.get("failure"):
            failures.append(f"- {name}: {failure}")
            continue
        idle, meanwhile = part["victim_idle"], part["victim_attacked"]
        end = part["ended_after"]
        count = "" if end is None else f"{number(end)} {part['unit']}"
        rows.append(
            [
                f"{name} ({part['source']})" if part["source"] else name,
                count,
                ", ".join(part["ended_by"]),
                number(part["bytes_of_one_connection"]),
                number(part["memory_held_bytes"]),
                f"{number(part['memory_per_byte'])} : 1",
                f"{number(part['cpu_ratio'])} : 1",
                number(idle["p99_us"] / 1e3) if idle else "",
                number(meanwhile["p99_us"] / 1e3) if meanwhile else "",
                number(meanwhile["wrong"] + meanwhile["lost"]) if meanwhile else "",
            ]
        )
    head = ["attack", "had enough after", "by", "bytes of a connection", "memory held, bytes"]
    head += ["memory : bytes", "CPU, server : client", "others' p99 before, ms", "meanwhile"]
    text = table([*head, "others' errors"], rows)
    return text + ("\n\nFailed:\n\n" + "\n".join(failures) if failures else "")


PARTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "machine": machine,
    "overview": overview,
    "bars": bars,
    "summary": summary,
    "api": api,
    "detail": detail,
    "attacks": attacks,
}
# Those of a result of attacks.py; the others are of run.py's.
OF_ATTACKS = ("machine", "attacks")


def main(arguments: Sequence[str]) -> int:
    """Prints the parts that `arguments` ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", nargs="?", type=Path)
    parser.add_argument("--part", choices=PARTS)
    options = parser.parse_args(arguments)
    path = options.result or max(RESULTS.glob("*.json"), key=lambda file: file.stat().st_mtime)
    result = json.loads(path.read_text())
    measured = OF_ATTACKS if "attacks" in result else [part for part in PARTS if part != "attacks"]
    chosen = [options.part] if options.part else measured
    print("\n\n".join(filter(None, (PARTS[part](result) for part in chosen))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
