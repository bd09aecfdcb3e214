"""The faults of tests/python/test_faults.py in the numbers that the checklist asks for, with a
ledger: how many of how many went wrong.

Whatever happens to one request, the others are served, and nothing is left behind.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import Ledger
from support.http1 import RawClient
from support.processes import cpu_seconds, open_files, private_bytes
from support.server import ServerProcess
from support.shaky import compile_shaky

pytestmark = pytest.mark.timeout(600)

ABORTS = 2_000  # Of each kind at each stage.

POST = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 20\r\n\r\nhalf a body"
CHUNKED = b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2"
GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"

# What a client does before it leaves; it reads `answer` bytes of the answer first.
STAGES: dict[str, tuple[Callable[[int], bytes], int]] = {
    "nothing": (lambda number: b"", 0),
    "the head": (lambda number: POST[: 1 + number % POST.index(b"half")], 0),
    "the body": (lambda number: POST[: POST.index(b"half") + number % 11], 0),
    "the chunks": (lambda number: CHUNKED[: -1 - number % 11], 0),
    "the request": (lambda number: GET % b"sleep?s=0.05", 0),
    "the answer": (lambda number: GET % b"stream?n=50&size=20000", 1),
    "a stream": (lambda number: GET % b"stream?n=20&pause=0.005", 1),
    "the next request": (lambda number: GET % b"hello" + GET % b"hello", 1),
}


def abort(server: ServerProcess, stage: str, number: int, leave: Callable[[RawClient], None]):
    make, answer = STAGES[stage]
    client = server.connect()
    client.send(make(number))
    if answer:
        client.socket.recv(answer)
    leave(client)


def settled(server: ServerProcess, files: int) -> bool:
    """Waits until no more than `files` descriptors are open, 10 s at most."""
    end = time.monotonic() + 10
    while open_files(server.pid) > files:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_aborts_at_every_stage_leave_nothing(serve: Any, ledger: Ledger) -> None:
    server: ServerProcess = serve("live:app", access_log=False)
    server.assert_serves()
    files = open_files(server.pid)
    leaves = (RawClient.close, RawClient.reset)

    def abort_all(count: int) -> None:
        for stage in STAGES:
            for leave in leaves:
                for number in range(count):
                    abort(server, stage, number, leave)
        assert settled(server, files), f"{open_files(server.pid)} descriptors, not {files}"

    abort_all(ABORTS // 10)  # What is allocated once, and the arenas of Python.
    memory = private_bytes(server.pid)
    abort_all(ABORTS)
    grown = private_bytes(server.pid) - memory
    assert grown < 2_000_000, f"{grown} bytes more"
    server.assert_serves()
    assert server.stop() == 0
    assert "Traceback" not in server.output
    total = len(STAGES) * len(leaves) * ABORTS
    ledger(f"row 5: 0 descriptors leaked of {total} aborts, memory {grown // 1024:+d} KiB")


def test_every_body_is_right_while_calls_fail(
    serve: Any, preload: str, tmp_path: Path, ledger: Ledger
) -> None:
    shaky = compile_shaky(tmp_path)
    server: ServerProcess = serve(
        "live:app", access_log=False, env={"LD_PRELOAD": f"{preload} {shaky}"}
    )
    end = time.monotonic() + 30

    def exchange(worker: int) -> tuple[int, int]:
        exchanges = wrong = 0
        while time.monotonic() < end:
            with server.connect(timeout=20) as client:
                for _ in range(10):
                    seed = b"%d %d" % (worker, exchanges)
                    body = hashlib.sha256(seed).digest() * (1 + exchanges % 3000)
                    wrong += client.request("POST", "/echo", body=body).body != body
                    exchanges += 1
        return exchanges, wrong

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(exchange, range(4)))
    exchanges, wrong = sum(right for right, _ in done), sum(wrong for _, wrong in done)
    assert wrong == 0
    assert server.stop() == 0
    ledger(f"row 8: 0 crashes and 0 wrong bodies of {exchanges}, one call in 5 to 20 failing")


def test_a_starved_server_waits_without_spinning(serve: Any, ledger: Ledger) -> None:
    server: ServerProcess = serve("live:app", limit_files=64)
    with contextlib.ExitStack() as crowd:
        served = crowd.enter_context(server.connect())
        served.request("GET", "/hello")
        for _ in range(500):
            crowd.enter_context(server.connect())
        time.sleep(0.5)
        cpu, begin, answers = cpu_seconds(server.pid), time.monotonic(), 0
        while time.monotonic() - begin < 10:
            assert served.request("GET", "/hello?id=in").body == b"hello in"
            answers += 1
            time.sleep(0.1)
        share = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begin)
    assert share < 0.1, f"{share:.0%} of a core"
    begin = time.monotonic()
    server.assert_serves()
    recovered = time.monotonic() - begin
    assert recovered < 1
    ledger(
        f"row 7: {share:.1%} of a core while 500 clients find no descriptor, {answers} of {answers}"
        f" requests of who was in answered, served again after {recovered * 1000:.0f} ms"
    )
