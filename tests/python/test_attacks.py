"""Attacks that felled other HTTP/1 servers, as a client makes them: raw sockets, a real server.

docs/internals/attacks.md has the list, with the tests that guard each entry; what a unit test, a
transcript or a vector shows is there and not repeated here. That every test it names exists is
tested here.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from support.http1 import Closed, RawClient
from support.processes import SANITIZED, cpu_seconds, open_files, private_bytes
from support.server import ServerProcess
from test_http1_vectors import VECTORS

ROOT = Path(__file__).resolve().parents[2]
POST = b"POST /%b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def server(serve_shared: Any) -> ServerProcess:
    return serve_shared("live:app")


def received_by(client: RawClient) -> bytes:
    """Everything that comes until the end of the connection, whatever the end is."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.read_some():
            data += piece
    return data


# --- limits that must hold however the bytes arrive


@pytest.mark.sanitize
@pytest.mark.parametrize(
    ("begin", "piece", "status"),
    [
        # What is sent, what is sent again and again, and how it is answered in the end.
        (b"GET /", b"a" * 100, 414),
        (b"GET / HTTP/1.1\r\nHost: t\r\nX: ", b"v" * 100, 431),
        (b"GET / HTTP/1.1\r\nHost: t\r\nX: ", b"\t" * 100, 431),
        (b"GET / HTTP/1.1\r\nHost: t\r\n", b"X: 1\r\n" * 8, 431),
        (b"GET / HTTP/1.1\r\nHost: t\r\n", b"x" * 100, 431),
        (POST % b"echo" + b"1;", b"e" * 100, 400),
        (POST % b"echo" + b'1;a="', b"e" * 100, 400),
        (POST % b"echo", b"0" * 7, 400),
        (POST % b"echo" + b"0\r\nX: ", b"t" * 100, 431),
        (POST % b"echo" + b"0\r\n", b"X: 1\r\n" * 8, 431),
    ],
    ids=[
        "target", "value", "white-space", "fields", "name", "extension", "quoted-extension", "size",
        "trailer", "trailers",
    ],
)  # fmt: skip
def test_a_line_in_many_segments_is_held_to_its_limit(
    server: ServerProcess, begin: bytes, piece: bytes, status: int
) -> None:
    # CVE-2026-54277: a limit that looked at each segment alone. All limits are below 64 KiB; the
    # server may be slow to notice, and the kernel takes what is sent meanwhile.
    before = private_bytes(server.pid)
    sent = len(begin)
    with server.connect() as client:
        client.send(begin)
        with contextlib.suppress(OSError):
            while client.silent_for(0.0005):
                client.send(piece)
                sent += len(piece)
                assert sent < 1_000_000, "the limit does not hold"
        assert received_by(client).startswith(b"HTTP/1.1 %d " % status)
    assert SANITIZED or private_bytes(server.pid) - before < 2_000_000


def cpu_of(server: ServerProcess, data: bytes) -> float:
    """The CPU time that one connection costs the server which sends `data` and is answered."""
    before = cpu_seconds(server.pid)
    with server.connect(timeout=30) as client:
        client.send(data)
        client.half_close()
        assert b"HTTP/1.1 " in received_by(client)
    return cpu_seconds(server.pid) - before


@pytest.mark.parametrize(
    ("begin", "part", "end", "count"),
    [
        (POST % b"count", b"1\r\nx\r\n", b"0\r\n\r\n", 20_000),
        (POST % b"echo", b"1\r\nx\r\n", b"0\r\n\r\n", 20_000),
        (POST % b"early", b"1\r\nx\r\n", b"0\r\n\r\n", 5_000),
        (b"", b"GET /hello HTTP/1.1\r\nHost: t\r\nX: " + b" \t," * 2000 + b"\r\n\r\n", b"", 200),
        (
            b"",
            b"GET /hello HTTP/1.1\r\nHost: t\r\nCookie: " + b"a=;" * 2000 + b"\r\n\r\n",
            b"",
            200,
        ),
    ],
    ids=["counted", "echoed", "unread", "white-space", "cookies"],
)
def test_many_small_things_cost_linear_time(
    server: ServerProcess, begin: bytes, part: bytes, end: bytes, count: int
) -> None:
    # CVE-2025-69229 (tiny chunks in a queue that is joined again and again) and CVE-2020-5236
    # (white space in a value). Quadratic is 16 times as much for four times as many.
    small = cpu_of(server, begin + part * count + end)
    large = cpu_of(server, begin + part * (4 * count) + end)
    assert large < 8 * max(small, 0.05), f"{small:.2f} s, and {large:.2f} s for four times as much"


# --- pipelining


def test_pipelined_requests_wait_in_the_kernel_not_in_memory(server: ServerProcess) -> None:
    # CVE-2026-54273: requests behind one that takes its time were parsed and queued without a cap.
    before = private_bytes(server.pid)
    with server.connect() as client:
        client.send(b"GET /sleep?id=head&s=1.5 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.socket.setblocking(False)
        requests = b"GET /sleep?id=queued&s=0 HTTP/1.1\r\nHost: t\r\n\r\n" * 1000
        sent, end = 0, time.monotonic() + 1
        while time.monotonic() < end:
            try:
                sent += client.socket.send(requests)
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 16_000_000, "the server reads without end"
        assert private_bytes(server.pid) - before < 1_000_000
        assert "sleeping queued" not in server.output


def test_answers_to_pipelined_requests_wait_for_their_reader(server: ServerProcess) -> None:
    before = private_bytes(server.pid)
    with server.connect(receive_buffer=4096) as client:
        client.socket.setblocking(False)
        requests = b"GET /stream?n=10&size=1000 HTTP/1.1\r\nHost: t\r\n\r\n" * 1000
        end = time.monotonic() + 1
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                client.socket.send(requests)
            time.sleep(0.01)
        assert SANITIZED or private_bytes(server.pid) - before < 2_000_000


SMUGGLED = b"GET /sleep?id=smuggled&s=0 HTTP/1.1\r\nHost: t\r\n\r\n"


@pytest.mark.sanitize
@pytest.mark.parametrize(
    "refused",
    [
        b"GET / HTTP/1.1\r\nHost : t\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: t\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\n\r\n",
        b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n",
        POST % b"echo" + b"5\r\nhello0\r\n\r\n",
        POST % b"early" + b"x\r\n",
        POST % b"echo" + b"0\r\nbad trailer\r\n\r\n",
    ],
    ids=[
        "field", "no-host", "escape", "version", "method", "expect", "target", "fields", "length",
        "lengths", "coding", "chunk", "unread-chunk", "trailer",
    ],
)  # fmt: skip
def test_nothing_runs_behind_a_refused_request(server: ServerProcess, refused: bytes) -> None:
    # CVE-2024-49768 of waitress.
    with server.connect() as client:
        with contextlib.suppress(OSError):
            client.send(refused + SMUGGLED * 3)
        answers = received_by(client)
    assert answers.count(b"HTTP/1.1 ") == 1
    server.assert_serves()
    assert "sleeping smuggled" not in server.output


@pytest.mark.parametrize("path", ["/between/value-error", "/return-between", "/start-between"])
def test_nothing_runs_behind_a_response_that_was_cut(serve_shared: Any, path: str) -> None:
    server: ServerProcess = serve_shared("faulty:app")
    with server.connect() as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode() + SMUGGLED * 3)
        with pytest.raises(Closed):
            client.response()
        assert received_by(client) == b""


# --- peers that are gone before anybody looks


def test_peers_that_left_the_backlog_cost_nothing(serve: Any) -> None:
    # CVE-2024-49769 of waitress: getpeername() failed, the descriptor stayed and the loop spun.
    server: ServerProcess = serve("live:app")
    server.assert_serves()
    before = open_files(server.pid)
    server.send_signal(signal.SIGSTOP)
    try:
        for leave in (RawClient.reset, RawClient.close) * 100:
            leave(server.connect())
    finally:
        server.send_signal(signal.SIGCONT)
    server.assert_serves()
    cpu, begin = cpu_seconds(server.pid), time.monotonic()
    time.sleep(1)
    share = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begin)
    assert share < 0.1, f"{share:.0%} of a core for nothing"
    assert open_files(server.pid) <= before


# --- bytes of a peer in the log


@pytest.mark.sanitize
def test_what_is_refused_does_not_write_into_the_log(serve: Any) -> None:
    # CVE-2020-7694 of uvicorn. The first lines are read raw, before anything was judged.
    server: ServerProcess = serve("live:app", access_log_format="%h %r %s", log_level="debug")
    for evil in (
        b"GET /a\x1b[31mred HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET /a\x85\xe2\x80\xa8b HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nX\x1b]0;title\x07: 1\r\n\r\n",
        b"GET /%0aERROR:%20forged HTTP/1.1\r\nHost: t\r\n\r\n",
        b"G\x08\x08\x08PUT / HTTP/1.1\r\nHost: t\r\n\r\n",
    ):
        with server.connect() as client:
            client.send(evil)
            client.socket.shutdown(socket.SHUT_WR)
            received_by(client)
    server.assert_serves()
    server.wait_for("alive HTTP")
    assert not re.search("[^\n\x20-\x7e]", server.output), ascii(server.output)
    assert not re.search("^ERROR", server.output, re.MULTILINE)


# --- the lists


def rows_of(document: str) -> list[str]:
    """The lines of the tables of a document, without their heads."""
    text = (ROOT / "docs" / "internals" / document).read_text()
    heads = ("| CVE ", "| fault ", "|---")
    lines = text.splitlines()
    return [line for line in lines if line.startswith("|") and not line.startswith(heads)]


def named_tests(document: str) -> list[str]:
    """Everything in backticks in the last column of the tables of a document."""
    cells = [line.split("|")[-2] for line in rows_of(document)]
    return [name for cell in cells for name in re.findall("`([^`]+)`", cell)]


@pytest.mark.parametrize(
    ("document", "least"), [("attacks.md", 60), ("attack-tests.md", 60), ("faults.md", 15)]
)
def test_every_test_of_the_list_exists(document: str, least: int) -> None:
    names = named_tests(document)
    assert len(names) > least
    sources = "".join(path.read_text() for path in (ROOT / "tests" / "cpp").rglob("*_test.cc"))
    known = {f"{a}.{b}" for a, b in re.findall(r"TEST(?:_[FP])?\((\w+), (\w+)\)", sources)}
    for folder in ("python", "long"):
        for path in (ROOT / "tests" / folder).glob("test_*.py"):
            tests = re.findall(r"def (test_\w+)", path.read_text())
            known |= {f"{path.name}:{name}" for name in tests}
    for path in (ROOT / "tests" / "conformance" / "http1").glob("*.md"):
        known |= {
            f"{path.name}#{title}" for title in re.findall("^## (.*)$", path.read_text(), re.M)
        }
    vectors = [name for name in names if "." not in name]
    assert sorted(set(names) - set(vectors) - known) == []
    if VECTORS.exists():
        assert set(vectors) <= {vector["name"] for vector in json.loads(VECTORS.read_text())}


def constant(path: str, name: str) -> int:
    found = re.search(rf"\b{name} = ([\d_']+)", (ROOT / path).read_text())
    assert found, f"{path} has no {name}"
    return int(re.sub("[_']", "", found[1]))


def test_the_numbers_of_the_list_of_faults_are_those_of_the_tests() -> None:
    text = "".join(rows_of("faults.md"))
    torture = "tests/cpp/server/torture_test.cc"
    long_faults = "tests/long/test_faults_long.py"
    # Two arrangements in each; three arrivals and two kinds of shortage, or two arrivals.
    assert f"{constant(torture, 'kAllocationPointsMin') * 2 * 3 * 2:,} failures" in text
    assert f"{constant(torture, 'kSyscallPointsMin') * 2 * 2:,} failures" in text
    # Eight stages, and two ways to leave.
    assert f"{constant(long_faults, 'ABORTS') * 8 * 2:,} times" in text
    # With I/O threads, and without.
    assert f"{constant(long_faults, 'SHAKY_SECONDS') * 2} s |" in text
