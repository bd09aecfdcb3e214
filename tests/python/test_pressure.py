"""Clients that ask and do not read, and applications that never pause: nobody else pays for them.

Source: docs/decisions/0002-the-seam.md ("Pull, and pressure follows"), the ASGI specification:
"must flush any data passed to them into the send buffer before returning from a send call".
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.asgi import DISPATCHES, WAIT_S, AsgiServer, Receive, Scope, Send, respond
from support.http1 import RawClient

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# Above what the kernel keeps for one connection on loopback, and what a server may hold for it.
FLOOD_BYTES = 24 << 20


def flood(client: RawClient, requests: bytes, *, seconds: float) -> int:
    """Sends `requests` again and again without ever reading; returns the bytes that were taken."""
    client.socket.settimeout(0.2)
    taken = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and taken < FLOOD_BYTES:
        try:
            taken += client.socket.send(requests)
        except TimeoutError:
            return taken
    return taken


@pytest.mark.parametrize("size", [5, 20_000])
def test_a_client_that_pipelines_and_does_not_read_is_not_served_further(size: int) -> None:
    served = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal served
        served += 1
        await respond(send, b"x" * size)

    with AsgiServer(app) as server, server.connect() as client:
        assert flood(client, GET * 2000, seconds=3) < FLOOD_BYTES
        # What the kernel took of the answers, and one high-water mark of ours.
        assert served * (size + 120) < 16 << 20
        assert server.request().body == b"x" * size


def test_files_of_a_pipelining_client_hold_few_descriptors(tmp_path: Path) -> None:
    file = tmp_path / "small"
    file.write_bytes(b"y" * 65536)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(file)})

    with AsgiServer(app) as server, server.connect() as client:
        before = len(os.listdir("/proc/self/fd"))
        flood(client, GET * 2000, seconds=1)
        assert len(os.listdir("/proc/self/fd")) - before < 16


def test_early_hints_wait_for_a_client_that_does_not_read() -> None:
    hints = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal hints
        while True:
            await send({"type": "http.response.early_hint", "links": [b"x" * 8192]})
            hints += 1

    with AsgiServer(app) as server, server.connect() as client:
        client.send(GET)
        time.sleep(1)
        held = hints
        time.sleep(0.2)
        assert held == hints
        assert 0 < held * 8192 < 16 << 20
        # And go on when it reads.
        end = time.monotonic() + WAIT_S
        while hints == held:
            assert time.monotonic() < end
            client.read_some()


@pytest.mark.parametrize("part", [1000, 65536])
def test_an_application_that_never_pauses_lets_others_have_their_turn(part: int) -> None:
    stop = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            return await respond(send, b"hello")
        await send({"type": "http.response.start", "status": 200})
        while not stop.is_set():
            await send({"type": "http.response.body", "body": b"z" * part, "more_body": True})
        await send({"type": "http.response.body"})

    def read_all(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=WAIT_S) as reader:
            reader.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while reader.recv(1 << 20):
                pass

    with AsgiServer(app) as server:
        assert isinstance(server.address, tuple)
        reading = threading.Thread(target=read_all, args=(server.address,))
        reading.start()
        try:
            for _ in range(5):
                assert server.request().body == b"hello"
        finally:
            stop.set()
            reading.join(WAIT_S)


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_each_part_is_on_its_way_when_send_returns(dispatch: str) -> None:
    """Also in the first step of an application, and when it then blocks the loop."""
    seen = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        assert seen.wait(WAIT_S)
        seen.clear()
        await send({"type": "http.response.body", "body": b"two"})
        assert seen.wait(WAIT_S)

    # With I/O threads parts gather until the application lets the loop go on.
    with (
        AsgiServer(app, dispatch=dispatch, io_threads=0) as server,
        server.connect() as client,
    ):
        client.send(GET)
        client.socket.settimeout(WAIT_S)
        for part in (b"one", b"two"):
            got = b""
            while part not in got:
                got += client.socket.recv(65536)
            seen.set()


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_requests_leave_no_objects_behind(dispatch: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/looks":
            assert asyncio.current_task() is not None
        if scope["path"] == "/waits":
            await asyncio.sleep(0)
        if scope["path"] == "/works":
            await asyncio.sleep(0.0001)
        await respond(send, b"hello")

    def count() -> int:
        gc.collect()
        return len(gc.get_objects())

    targets = ("/", "/looks", "/waits", "/works")
    with AsgiServer(app, dispatch=dispatch) as server, server.connect() as client:

        def ask(times: int) -> None:
            for _ in range(times):
                for target in targets:
                    assert client.request("GET", target).body == b"hello"

        ask(50)
        before = server.call(count)
        ask(250)
        # A few of the test's own come and go; a leak would be hundreds.
        assert server.call(count) - before < 50


DAEMON = """
import asyncio, threading, time
import tercel

async def main():
    while True:
        await asyncio.sleep(0.001)

threading.Thread(target=lambda: tercel.EventLoop().run_until_complete(main()), daemon=True).start()
time.sleep(0.3)
"""


def test_a_loop_in_a_daemon_thread_does_not_keep_the_process_from_ending() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DAEMON], capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
