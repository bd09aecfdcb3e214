"""Attacks on HTTP/2: one client that means harm, and one that asks politely all the while.

Each runs for a few seconds, or until the server ends the connection, and asserts what it cost: the
memory of the server, its time against the attacker's, what the polite client noticed, and after how
much the server had enough. docs/internals/attacks.md has the list.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hyperframe.frame import SettingsFrame, WindowUpdateFrame

from support.attacks import (
    BOMB_FIELDS,
    BOMBS,
    CONTINUATIONS,
    FLOODS,
    PINNED_FIELDS,
    WAYS,
    continuations,
    driven_resets,
    empty_data,
    flood,
    open_block,
    reset_pairs,
)
from support.http2 import ENHANCE_YOUR_CALM, PREFACE, PROTOCOL_ERROR, H2Client
from support.processes import SANITIZED, cpu_seconds, open_files, private_bytes
from support.server import ServerProcess

MEBIBYTE = 1 << 20
SECONDS = 3.0
BASE = 2 * MEBIBYTE  # What stays: pools, and the arenas of Python.


class Victim:
    """Asks 50 times a second on a connection of its own, and keeps the times.

    Attributes:
        peak: the most memory that the server had meanwhile, in bytes.
    """

    def __init__(self, server: ServerProcess) -> None:
        self.times: list[float] = []
        self.error: BaseException | None = None
        self.peak = 0
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            with H2Client(self._server.address) as client:
                for number in range(10_000):
                    if self._over.is_set():
                        return
                    begin = time.monotonic()
                    client.get(2 * number + 1, "/hello?id=v")
                    assert client.response(2 * number + 1).status == 200
                    self.times.append(time.monotonic() - begin)
                    if number % 5 == 0:
                        self.peak = max(self.peak, private_bytes(self._server.pid))
                    time.sleep(0.02)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Victim:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        assert self.error is None, self.error
        assert len(self.times) > 5
        # One that took longer is the test's own thread, which the attacker holds up.
        assert statistics.median(self.times) < 0.05


@pytest.fixture
def server(serve: Any) -> ServerProcess:
    return serve("live:app", access_log=False)


@contextlib.contextmanager
def attack(server: ServerProcess, *, grows: int = 8 * MEBIBYTE) -> Iterator[None]:
    """Asserts that the server grows by less than `grows` meanwhile and gives that back within 10 s,
    works no more than ten times as long as the attacker, and serves everybody else.
    """
    with H2Client(server.address) as client:
        client.get(1, "/hello?id=warm")
        client.response(1)
    before = private_bytes(server.pid)
    begin = time.monotonic()
    cpu, own = cpu_seconds(server.pid), time.process_time()
    with Victim(server) as victim:
        yield
        if time.monotonic() - begin < 0.5:
            time.sleep(0.5)
    victim.check()
    if not SANITIZED:
        spent = cpu_seconds(server.pid) - cpu
        # The attacker and the victim are both of this process.
        assert spent <= 10 * (time.process_time() - own), f"{spent:.2f} s"
        assert spent < 5
        grown = victim.peak - before
        assert grown < grows, f"{grown / MEBIBYTE:.1f} MiB"
        end = time.monotonic() + 10
        while (kept := private_bytes(server.pid) - before) > BASE:
            assert time.monotonic() < end, f"{kept / MEBIBYTE:.1f} MiB are kept"
            time.sleep(0.1)
    # Whatever happened, it serves on.
    with H2Client(server.address) as client:
        client.get(1, "/hello?id=after")
        assert client.response(1).body == b"hello after"


def calmed(client: H2Client) -> bool:
    """Whether the server had enough: of too much, or of more streams at once than it allows."""
    return any(code in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR) for _, code in client.goaways)


# --- resets


def test_rapid_reset(server: ServerProcess) -> None:
    # CVE-2023-44487.
    with attack(server), H2Client(server.address) as client:
        flood(client, reset_pairs(client, "/wait?id=r"), count=100_000)
        assert calmed(client)
        assert max(stream for stream, _ in client.goaways) < 2 * 1100


@pytest.mark.parametrize("way", WAYS)
def test_resets_that_the_server_is_driven_to(server: ServerProcess, way: str) -> None:
    # CVE-2025-8671.
    with attack(server), H2Client(server.address) as client:
        flood(client, driven_resets(client, way, "/wait?id=d"), count=100_000)
        assert calmed(client)
        assert max(stream for stream, _ in client.goaways) < 2 * 1200


# --- heads


@pytest.mark.parametrize("kind", CONTINUATIONS)
def test_continuation_flood(server: ServerProcess, kind: str) -> None:
    # VU#421644.
    with attack(server), H2Client(server.address) as client:
        open_block(client)
        sent = flood(client, continuations(CONTINUATIONS[kind]), count=100_000, batch=1)
        assert calmed(client)
        assert sent < 5000  # It had enough after eight; these were on their way.


def test_compression_bombs_meet_the_limit_of_the_list(server: ServerProcess) -> None:
    # CVE-2016-6581, CVE-2026-49975: small on the wire, large when decoded; and cookie crumbs.
    with attack(server), H2Client(server.address) as client:
        for bomb in BOMBS.values():
            stream = 2 * len(client.streams) + 101
            entry = client.head(stream, "/hello?id=b", fields=[bomb])
            again = client.head(stream + 2, "/hello?id=b", fields=[bomb] * BOMB_FIELDS)
            assert len(again.data) < 16_384
            client.send(entry, again)
            assert client.response(stream).status == 200
            assert client.response(stream + 2).status == 431


def test_bombs_pinned_by_a_shut_window_hold_little(server: ServerProcess) -> None:
    # A hundred requests of almost 64 KiB each, that cost a few bytes on the wire, and whose
    # answers never leave.
    with attack(server, grows=16 * MEBIBYTE), H2Client(server.address, settings={4: 0}) as client:
        for i in range(100):
            client.send(client.head(2 * i + 1, "/hello?id=p", fields=PINNED_FIELDS))
        time.sleep(SECONDS)


# --- windows


def test_answers_of_a_client_with_a_shut_window_stay_small(server: ServerProcess) -> None:
    # CVE-2019-9511, CVE-2019-9517.
    with attack(server), H2Client(server.address, settings={4: 0}) as client:
        for i in range(20):
            client.get(2 * i + 1, f"/pour?n=100&id=w{i}")
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS:
            client.send(*[WindowUpdateFrame(2 * i + 1, 1) for i in range(20)])
            time.sleep(0.01)


def test_a_stalled_window_ends_its_stream(serve: Any) -> None:
    server = serve("live:app", timeout_write="1")
    with H2Client(server.address, settings={4: 0}) as client:
        client.get(1, "/pour?n=100&id=s")
        begin = time.monotonic()
        assert client.response(1).reset is not None
        assert time.monotonic() - begin < 4
        client.send(SettingsFrame(0, {4: 65535}))
        client.get(3, "/hello?id=3")
        assert client.response(3).body == b"hello 3"


# --- floods


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_of_control_frames(server: ServerProcess, kind: str) -> None:
    # CVE-2019-9512, CVE-2019-9515, CVE-2019-9513.
    make, most = FLOODS[kind]
    with attack(server), H2Client(server.address) as client:
        sent = flood(client, lambda _: make(), count=1_000_000)
        assert calmed(client)
        assert sent < 4 * most


def test_floods_whose_answers_are_not_read(server: ServerProcess) -> None:
    with attack(server), H2Client(server.address, receive_bytes=4096) as client:
        client.socket.settimeout(5)
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 1_000_000:
                client.send(b"".join(FLOODS["ping"][0]() for _ in range(100)))
                sent += 100
        assert sent < 1_000_000


def test_flood_of_empty_data(server: ServerProcess) -> None:
    # CVE-2019-9518.
    with attack(server), H2Client(server.address) as client:
        client.send(client.head(1, "/count?id=e", method="POST", end=False))
        flood(client, empty_data, count=1_000_000)
        assert calmed(client)


# --- those that wait


def test_connections_that_do_nothing_cost_little(serve: Any) -> None:
    server = serve("live:app", access_log=False)
    with contextlib.ExitStack() as stack:
        stack.enter_context(H2Client(server.address)).get(1, "/hello?id=1")
        before = private_bytes(server.pid)
        clients = [stack.enter_context(H2Client(server.address)) for _ in range(500)]
        for client in clients:
            client.get(1, "/hello?id=1")
            client.response(1)
        time.sleep(0.5)
        each = (private_bytes(server.pid) - before) / len(clients)
    if not SANITIZED:
        assert each < 24 * 1024, f"{each:.0f} bytes"


def test_a_preface_that_never_ends_and_a_frame_that_never_ends(serve: Any) -> None:
    server = serve("live:app", timeout_request_head="0.5", min_rate_request_head="0")
    for part in (b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x08\x06"):
        with server.connect() as client:
            client.send(part)
            begin = time.monotonic()
            client.wait_gone()
            assert time.monotonic() - begin < 4


def test_settings_that_are_never_acknowledged(serve: Any) -> None:
    server = serve("live:app", timeout_keep_alive="0.5")
    with server.connect() as client:
        # Nothing but the preface and its own: no request comes, and no acknowledgement.
        client.send(PREFACE + SettingsFrame(0).serialize())
        begin = time.monotonic()
        client.wait_gone()
        assert time.monotonic() - begin < 4


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep freed memory back")
def test_many_idle_connections_are_small_and_leave_little(serve: Any, ledger: Any) -> None:
    """As many as there may be are opened in tests/long/test_idle_http2.py."""
    count = 400
    server = serve("live:app", access_log=False)

    def crowd() -> tuple[float, float]:
        """What each costs, and what of it stays."""
        files, memory = open_files(server.pid), private_bytes(server.pid)
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                client = stack.enter_context(H2Client(server.address))
                client.get(1, "/hello")
                client.response(1)
            each = (private_bytes(server.pid) - memory) / count
        end = time.monotonic() + 5
        while open_files(server.pid) > files and time.monotonic() < end:
            time.sleep(0.01)
        return each, (private_bytes(server.pid) - memory) / count

    crowd()  # The library is loaded, and pools are filled.
    each, kept = crowd()
    ledger(f"http/2: {each:.0f} bytes for each of {count} idle connections, {kept:.0f} of it kept")
    assert each < 16_000
    assert kept < 1_000
