"""Calls each application in a loop without a server: the floor under every server's cost.

Run by `run.py` with the measured interpreter: `python bench/floor.py bench/apps`. Prints one JSON
object: CPU nanoseconds per call of each application, best case of the interpreter (everything in
cache). `receive` and `send` are the cheapest coroutines that Python can write.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from typing import Any

CALLS = 20_000
WARMUP_CALLS = 2_000
BODY = bytes(10240)


def scope_of(method: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Returns the HTTP scope that a server makes of wrk's request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000"), *headers],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


async def receive() -> dict[str, Any]:
    """A body of 10 KiB that is complete."""
    return {"type": "http.request", "body": BODY, "more_body": False}


async def send(message: dict[str, Any]) -> None:
    """Throws the answer away."""


async def cost_ns(app: Any, scope: dict[str, Any]) -> float:
    """Returns the CPU nanoseconds of one call, each with its own copy of `scope`."""
    for _ in range(WARMUP_CALLS):
        await app(scope.copy(), receive, send)
    began = time.process_time_ns()
    for _ in range(CALLS):
        await app(scope.copy(), receive, send)
    return (time.process_time_ns() - began) / CALLS


def main() -> None:
    """Prints the cost of each application in `sys.argv[1]`."""
    sys.path.insert(0, sys.argv[1])
    costs = {}
    for name, module, method in (
        ("hello_ns", "hello", "GET"),
        ("fastapi_ns", "fastapi_hello", "GET"),
        ("echo_ns", "echo", "POST"),
    ):
        app = importlib.import_module(module).app
        costs[name] = asyncio.run(cost_ns(app, scope_of(method, [])))
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
