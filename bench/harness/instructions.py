"""Instructions per request, counted by callgrind: exact where time is noisy.

The server runs under valgrind and is warmed up. Then a small and a large number of requests are
made, one after the other on a single connection, each counted by itself; the difference of the two
counts, divided by the difference of the numbers, has no fixed cost in it. Repeated runs agree
within 0.1%. Only instructions in user space are seen, not the kernel's.

Source: valgrind's manual, chapter 6 (callgrind_control).
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness import api, load, s3
from harness.bench import Running, Settings, running
from harness.process import MeasureError
from harness.servers import Server
from harness.stats import Sample
from harness.target import Target

WARMUP_REQUESTS = 300
FEW_REQUESTS = 500
MANY_REQUESTS = 1500


# The routes of the typed API, as the report names them.
API_CALLS: Mapping[str, api.Call] = {
    "hello": api.HELLO,
    "params": api.PARAMS,
    "post": api.POST,
    "invalid": api.INVALID,
}

# What clients of object storage ask for, 1 KiB each, as the report names it.
S3_TRAFFIC: Mapping[str, s3.S3] = {
    "get": s3.S3("GET", 1024),
    "presigned_get": s3.S3("GET", 1024, presigned=True),
    "put": s3.S3("PUT", 1024),
}


def measure(server: Server, settings: Settings) -> Sample:
    """Returns the instructions of one more request to the raw hello."""
    with _counted(server, settings) as target:
        return {"per_request": _per_request(target, load.HELLO_REQUEST, dumped=0)}


def measure_api(server: Server, settings: Settings) -> Sample:
    """Returns the instructions of one more request to each route of the typed API."""
    with _counted(server, settings) as target:
        for call in API_CALLS.values():
            api.check(target.port, call, typed=server.typed)
        return {
            f"{name}_instructions": _per_request(target, call.request, dumped=2 * index)
            for index, (name, call) in enumerate(API_CALLS.items())
        }


def measure_s3(server: Server, settings: Settings) -> Sample:
    """Returns the instructions of one more request through a gateway, its caches warm."""
    with s3.origin(settings, 1024), _counted(server, settings) as target:
        for traffic in S3_TRAFFIC.values():
            traffic.check(target.port)
        return {
            f"{name}_instructions": _per_request(
                target, traffic.request(target.port), load.is_whole, dumped=2 * index
            )
            for index, (name, traffic) in enumerate(S3_TRAFFIC.items())
        }


@contextmanager
def _counted(server: Server, settings: Settings) -> Iterator[Running]:
    """Runs `server` under callgrind."""

    def command(target: Target) -> list[str]:
        out = f"--callgrind-out-file={target.scratch}/callgrind.%p"
        callgrind = ["valgrind", "--tool=callgrind", "--trace-children=yes", out]
        return [*callgrind, *server.command(target)]

    # A fixed seed: the order in sets and dicts of strings changes the count.
    env = {**server.env, "PYTHONHASHSEED": "0"}
    wrapped = dataclasses.replace(server, command=command, env=env)
    with running(wrapped, "hello", settings) as target:
        yield target


def _per_request(
    target: Running,
    request: bytes,
    is_whole: Callable[[bytes], bool] = load.ends_object,
    *,
    dumped: int,
) -> float:
    """Returns the instructions of one more request, after `dumped` dumps of the processes."""
    load.ask_in_turn(target.port, WARMUP_REQUESTS, request, is_whole)
    few = _count(target, request, is_whole, FEW_REQUESTS, dumped + 1)
    many = _count(target, request, is_whole, MANY_REQUESTS, dumped + 2)
    return (many - few) / (MANY_REQUESTS - FEW_REQUESTS)


def _count(
    target: Running, request: bytes, is_whole: Callable[[bytes], bool], requests: int, dump: int
) -> int:
    """Returns the instructions of all the server's processes for `requests` requests."""
    pids = [str(pid) for pid in target.tree.pids()]
    _control("--zero", pids)
    load.ask_in_turn(target.port, requests, request, is_whole)
    _control("--dump", pids)
    return sum(_total(target.scratch / f"callgrind.{pid}.{dump}") for pid in pids)


def _control(action: str, pids: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            ["callgrind_control", action, *pids], capture_output=True, timeout=30, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MeasureError(f"callgrind_control {action} was not answered") from error
    if done.returncode != 0:
        raise MeasureError(f"callgrind_control {action} failed: {done.stderr[-200:]!r}")


def _total(path: Path) -> int:
    """Returns the instructions that one dump counted; a process that did nothing has none."""
    if not path.exists():
        return 0
    found = re.search(r"^summary: (\d+)", path.read_text(), re.MULTILINE)
    if found is None:
        raise MeasureError(f"no total in {path.name}")
    return int(found[1])
