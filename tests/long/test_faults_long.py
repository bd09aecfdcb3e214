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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import Ledger
from support.http1 import Closed, RawClient
from support.processes import cpu_seconds, open_files, private_bytes
from support.server import APPS, ServerProcess
from support.shaky import compile_shaky
from support.tls import Authority, abandon_handshakes
from support.tls import connect as connect_tls

pytestmark = pytest.mark.timeout(900)

ABORTS = 10_000  # Of each kind at each stage.
HANDSHAKES = 1_000  # Abandoned in each version, at each stage, by FIN and by RST.
SHAKY_SECONDS = 300  # Without I/O threads, and as long with them.

POST = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 20\r\n\r\nhalf a body"
CHUNKED = b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2"
GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"
OWN_SOURCE = (APPS / "live.py").read_bytes()  # What the application answers to /own-source.

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


def test_handshakes_abandoned_at_each_flight_leave_nothing(
    serve: Any, tmp_path: Path, ledger: Ledger
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", file="server")
    server: ServerProcess = serve("live:app", ssl_certfile=certificate, ssl_keyfile=key)
    with connect_tls(server.address, authority.client_context()) as client:
        assert client.request("GET", "/hello").status == 200
    files = open_files(server.pid)
    abandon_handshakes(authority, server.address, HANDSHAKES // 10)  # What is allocated once.
    assert settled(server, files), f"{open_files(server.pid)} descriptors, not {files}"
    memory = private_bytes(server.pid)
    total = abandon_handshakes(authority, server.address, HANDSHAKES)
    assert settled(server, files), f"{open_files(server.pid)} descriptors, not {files}"
    grown = private_bytes(server.pid) - memory
    assert grown < 2_000_000, f"{grown} bytes more"
    with connect_tls(server.address, authority.client_context()) as client:
        assert client.request("GET", "/hello").status == 200
    assert server.stop() == 0
    assert "Traceback" not in server.output
    ledger(
        f"row 5, TLS: 0 descriptors leaked of {total} handshakes abandoned,"
        f" memory {grown // 1024:+d} KiB"
    )


@dataclass
class Tally:
    """What the requests of one client came to."""

    right: int = 0
    cut: int = 0  # Or refused.
    wrong: int = 0

    def count(self, client: RawClient, number: int) -> None:
        """Makes one exchange, and counts it. Raises Closed or OSError when it is cut.

        Raises:
            TimeoutError: no answer, and no end of the connection.
        """
        body = hashlib.sha256(b"%d" % number).digest() * (1 + number % 3000)
        if number % 8 == 0:
            body = OWN_SOURCE
            response = client.request("GET", "/own-source")
        elif number % 8 == 1:
            client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            size = 1000 + number % 5000
            for part in (body[i : i + size] for i in range(0, len(body), size)):
                client.send(b"%x\r\n%b\r\n" % (len(part), part))
            client.send(b"0\r\n\r\n")
            response = client.response()
        else:
            response = client.request("POST", "/echo", body=body)
        if response.status == 503:  # No memory for it, as the server was told.
            self.cut += 1
        elif response.status == 200 and response.body == body:
            self.right += 1
        else:
            self.wrong += 1


def exchange_until(end: float, server: ServerProcess, first: int) -> Tally:
    tally = Tally()
    number = first
    while time.monotonic() < end:
        try:
            with server.connect(timeout=30) as client:
                for _ in range(10):
                    number += 1
                    tally.count(client, number)
        except TimeoutError:
            raise
        except (Closed, OSError):
            tally.cut += 1
    return tally


@pytest.mark.parametrize("io_threads", [0, 2])
def test_every_body_is_right_while_calls_fail(
    serve: Any, preload: str, tmp_path: Path, ledger: Ledger, io_threads: int
) -> None:
    shaky = compile_shaky(tmp_path)
    server: ServerProcess = serve(
        "live:app",
        access_log=False,
        io_threads=io_threads,
        env={"LD_PRELOAD": f"{preload} {shaky}", "SHAKY_ONE_IN": "100"},
    )
    end = time.monotonic() + SHAKY_SECONDS
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(exchange_until, end, server, worker << 40) for worker in range(4)]
        tallies = [run.result() for run in runs]
    right, cut, wrong = (
        sum(getattr(tally, name) for tally in tallies) for name in ("right", "cut", "wrong")
    )
    assert wrong == 0
    # Some of the failures end a connection, and so a request; most do not.
    assert 0 < cut < 0.2 * right
    assert server.stop() == 0
    assert "Traceback" not in server.output
    ledger(
        f"row 8, {io_threads} I/O threads: 0 crashes, 0 wrong bodies and 0 without an end of"
        f" {right + cut} in {SHAKY_SECONDS} s, {cut} cut; one call in 100 failed"
    )


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
