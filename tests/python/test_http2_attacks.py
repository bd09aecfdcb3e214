"""Attacks on HTTP/2: one client that means harm, and one that asks politely all the while.

Each runs for a second, connection after connection where the server ends them, and asserts what it
cost: the memory of the server, its time against the attacker's, what the polite client noticed,
and after how much the server had enough. What the polite client may wait is laxer here than it is
meant to be, as one second is short and other tests run beside: tests/long/test_attacks_long.py has
the bound and the times of reliability. docs/internals/attacks.md has the list.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hyperframe.frame import SettingsFrame, WindowUpdateFrame

from support.asgi import AsgiServer, Receive, Scope, Send
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
from support.harm import MEBIBYTE, Harm
from support.http2 import ENHANCE_YOUR_CALM, PREFACE, PROTOCOL_ERROR, H2Client
from support.processes import SANITIZED, open_files, private_bytes
from support.server import ServerProcess
from support.victim import Victim
from support.waiting import wait_until

SECONDS = 1.0
# Of some fifty requests it is the worst, and the machine may be busy with other tests.
P99_S = 0.2
# Frames that a client sends before it reads that the server had enough. The count that the server
# goes by is in tests/cpp/http/h2_flood_test.cc.
ON_THEIR_WAY = 100_000


@pytest.fixture(scope="module")
def server(serve_shared: Any) -> ServerProcess:
    return serve_shared("live:app", access_log=False)


@pytest.fixture(scope="module")
def victim(server: ServerProcess) -> Iterator[Victim]:
    with Victim(server) as victim:
        victim.settle(1)
        yield victim


@contextlib.contextmanager
def attack(
    server: ServerProcess, victim: Victim, *, grows: int = 8 * MEBIBYTE
) -> Iterator[Callable[[], Iterator[H2Client]]]:
    """Judges what is done to the server meanwhile.

    Yields:
        A function that yields connections, one after the other, as long as an attack lasts.
    """
    with Harm(server, victim) as harm:

        def connections() -> Iterator[H2Client]:
            end = time.monotonic() + SECONDS
            while True:
                with H2Client(server.address) as client:
                    yield client
                if time.monotonic() > end:
                    return

        yield connections
        while harm.lasts() < SECONDS:
            time.sleep(0.05)
    harm.check(grows=grows, p99_s=P99_S)


def calmed(client: H2Client) -> bool:
    """Whether the server had enough: of too much, or of more streams at once than it allows."""
    return any(code in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR) for _, code in client.goaways)


# --- resets


def test_rapid_reset(server: ServerProcess, victim: Victim) -> None:
    # CVE-2023-44487.
    with attack(server, victim) as connections:
        for client in connections():
            flood(client, reset_pairs(client, "/wait?id=r"), count=100_000)
            assert calmed(client)
            assert max(stream for stream, _ in client.goaways) < 2 * 1100


@pytest.mark.parametrize("way", WAYS)
def test_resets_that_the_server_is_driven_to(
    server: ServerProcess, victim: Victim, way: str
) -> None:
    # CVE-2025-8671.
    with attack(server, victim) as connections:
        for client in connections():
            flood(client, driven_resets(client, way, "/wait?id=d"), count=100_000)
            assert calmed(client)
            assert max(stream for stream, _ in client.goaways) < 2 * 1200


def test_reset_requests_are_at_work_until_the_application_is_done() -> None:
    """However many are reset: what was cancelled and has not ended counts."""
    at_work = peak = 0

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal at_work, peak
        at_work += 1
        peak = max(peak, at_work)
        try:
            await asyncio.sleep(0.2)
        finally:
            at_work -= 1

    with AsgiServer(stubborn) as server, H2Client(server.address) as client:
        make = reset_pairs(client, "/")
        client.send(*[make(i) for i in range(900)])
        client.get(2001)
        client.response(2001)
        assert 50 < peak <= 100


# --- heads


@pytest.mark.parametrize("kind", CONTINUATIONS)
def test_continuation_flood(server: ServerProcess, victim: Victim, kind: str) -> None:
    # VU#421644.
    with attack(server, victim) as connections:
        for client in connections():
            open_block(client)
            sent = flood(client, continuations(CONTINUATIONS[kind]), count=100_000, batch=1)
            assert client.goaways == [(0, ENHANCE_YOUR_CALM)]
            assert sent < 5000  # It had enough after eight; these were on their way.


def test_compression_bombs_meet_the_limit_of_the_list(
    server: ServerProcess, victim: Victim
) -> None:
    # CVE-2016-6581, CVE-2026-49975: small on the wire, large when decoded; and cookie crumbs.
    with attack(server, victim) as connections:
        for client in connections():
            for bomb in BOMBS.values():
                stream = 2 * len(client.streams) + 101
                entry = client.head(stream, "/hello?id=b", fields=[bomb])
                again = client.head(stream + 2, "/hello?id=b", fields=[bomb] * BOMB_FIELDS)
                assert len(again.data) < 16_384
                client.send(entry, again)
                assert client.response(stream).status == 200
                assert client.response(stream + 2).status == 431


@pytest.mark.parametrize("window", ["shut", "opened by single bytes"])
def test_bombs_pinned_by_a_shut_window_hold_little(
    server: ServerProcess, victim: Victim, window: str
) -> None:
    # CVE-2026-49975. A hundred requests of almost 64 KiB each, that cost a few bytes on the wire,
    # and whose answers never leave.
    with (
        attack(server, victim, grows=16 * MEBIBYTE),
        H2Client(server.address, settings={4: 0}) as client,
    ):
        streams = [2 * i + 1 for i in range(100)]
        client.send(
            *[client.head(stream, "/hello?id=p", fields=PINNED_FIELDS) for stream in streams]
        )
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if window != "shut":
                client.send(*[WindowUpdateFrame(stream, 1) for stream in streams])
            time.sleep(0.2)


# --- windows


def test_answers_of_a_client_with_a_shut_window_stay_small(
    server: ServerProcess, victim: Victim
) -> None:
    # CVE-2019-9511, CVE-2019-9517.
    with attack(server, victim), H2Client(server.address, settings={4: 0}) as client:
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
def test_floods_of_control_frames(server: ServerProcess, victim: Victim, kind: str) -> None:
    # CVE-2019-9512, CVE-2019-9515, CVE-2019-9513.
    make, most = FLOODS[kind]
    with attack(server, victim) as connections:
        for client in connections():
            sent = flood(client, make, count=1_000_000)
            assert calmed(client)
            assert sent < most + ON_THEIR_WAY


@pytest.mark.parametrize("kind", ["ping", "settings"])
def test_floods_whose_answers_are_not_read(
    server: ServerProcess, victim: Victim, kind: str
) -> None:
    make, _ = FLOODS[kind]
    many = b"".join(make(i) for i in range(1000))
    with attack(server, victim), H2Client(server.address, receive_bytes=4096) as client:
        end = time.monotonic() + 5
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                client.send(many)
        assert time.monotonic() < end, "the server takes it all"


def test_flood_of_empty_data(server: ServerProcess, victim: Victim) -> None:
    # CVE-2019-9518.
    with attack(server, victim) as connections:
        for client in connections():
            client.send(client.head(1, "/count?id=e", method="POST", end=False))
            sent = flood(client, empty_data, count=1_000_000)
            assert calmed(client)
            assert sent < 10_000 + ON_THEIR_WAY


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

    def crowd() -> tuple[float, Callable[[], float]]:
        """What each costs, and what says how much of it stays."""
        files, memory = open_files(server.pid), private_bytes(server.pid)

        def each() -> float:
            return (private_bytes(server.pid) - memory) / count

        with contextlib.ExitStack() as stack:
            for _ in range(count):
                client = stack.enter_context(H2Client(server.address))
                client.get(1, "/hello")
                client.response(1)
            taken = each()
        wait_until(lambda: open_files(server.pid) <= files, "all are closed")
        return taken, each

    crowd()  # The library is loaded, and pools are filled.
    each, left = crowd()
    # What a connection had is given back a moment after it is closed.
    kept = wait_until(lambda: left() < 1_000 and [left()], "little of it is kept")[0]
    ledger(f"http/2: {each:.0f} bytes for each of {count} idle connections, {kept:.0f} of it kept")
    assert each < 16_000
