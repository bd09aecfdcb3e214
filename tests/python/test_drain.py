"""Shutdown as clients and the operator see it: SIGTERM and SIGINT.

The order: stop accepting; answer the next request on a kept-alive connection with
`Connection: close`; close those that stay idle for a second; let requests finish; tell long streams
after their grace period; cut what is left at the deadline; run lifespan shutdown; exit 0.
Source: ARCHITECTURE.md, "From `tercel serve` to the first request".
"""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from support.http1 import Closed
from support.server import ServerProcess

GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"
BOTH = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]


@BOTH
def test_idle_server_stops_at_once_and_in_order(serve: Any, number: signal.Signals) -> None:
    server: ServerProcess = serve("live:app")
    begin = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - begin < 3
    assert "Traceback" not in server.output
    assert server.output.count("lifespan.shutdown") == 1


@pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
def test_signal_wakes_a_loop_that_is_about_to_wait(serve: Any, loop: str) -> None:
    """Python's handler runs between bytecodes: only a descriptor ends a wait that just began."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server: ServerProcess = serve("live:app", loop=loop)
    with server.connect() as client:
        client.send(GET % b"wakes_on_signals")
        assert client.response().body == b"yes"
    assert server.stop(signal.SIGINT) == 0


@BOTH
def test_request_under_way_is_answered(serve: Any, number: signal.Signals) -> None:
    server: ServerProcess = serve("live:app")
    with server.connect() as client:
        client.send(GET % b"sleep?id=a&s=1")
        server.wait_for("^sleeping a")
        server.send_signal(number)
        response = client.response()
        assert (response.body, response.get("connection")) == (b"slept", "close")
        client.expect_closed()
    assert server.wait() == 0
    said = server.output
    assert said.index("slept a") < said.index("lifespan.shutdown")


def test_new_clients_are_refused_while_requests_finish(serve: Any) -> None:
    server: ServerProcess = serve("live:app")
    with server.connect() as client:
        client.send(GET % b"sleep?id=a&s=1")
        server.wait_for("^sleeping a")
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        assert client.response().body == b"slept"


def test_kept_alive_connection_gets_one_more_answer(serve: Any) -> None:
    # A request may be on its way while we decide to stop: it must not be lost.
    server: ServerProcess = serve("live:app")
    with server.connect() as client:
        assert client.request("GET", "/hello?id=1").body == b"hello 1"
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        response = client.request("GET", "/hello?id=2")
        assert (response.body, response.get("connection")) == (b"hello 2", "close")
        client.expect_closed()
    assert server.wait() == 0


def test_idle_connections_do_not_hold_the_server(serve: Any) -> None:
    server: ServerProcess = serve("live:app")
    with server.connect() as used, server.connect() as unused:
        used.request("GET", "/hello")
        begin = time.monotonic()
        server.send_signal(signal.SIGTERM)
        used.expect_closed()
        unused.expect_closed()
        assert time.monotonic() - begin < 3
    assert server.wait() == 0


def test_upload_under_way_is_read_to_its_end(serve: Any) -> None:
    server: ServerProcess = serve("live:app")
    with server.connect() as client:
        client.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n")
        client.send(b"x" * 50_000)
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.send(b"x" * 50_000)
        assert client.response().body == b"100000"
    assert server.wait() == 0


def test_long_stream_is_told_after_its_grace_period(serve: Any) -> None:
    server: ServerProcess = serve("live:app", timeout_stream_grace=0.5)
    with server.connect() as client:
        client.send(GET % b"wait?id=long")
        time.sleep(0.2)
        begin = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait_for("^disconnect long", timeout=5)
        assert 0.3 < time.monotonic() - begin < 3
    assert server.wait() == 0


def test_stuck_request_is_cut_at_the_deadline(serve: Any) -> None:
    server: ServerProcess = serve("live:app", timeout_graceful_shutdown=0.7)
    with server.connect() as client:
        client.send(GET % b"sleep?id=stuck&s=60")
        server.wait_for("^sleeping stuck")
        begin = time.monotonic()
        server.send_signal(signal.SIGTERM)
        with pytest.raises(Closed):
            client.response()
        assert 0.5 < time.monotonic() - begin < 3
    assert server.wait() == 0
    assert "lifespan.shutdown" in server.output


def test_second_interrupt_stops_waiting(serve: Any) -> None:
    server: ServerProcess = serve("live:app")
    with server.connect() as client:
        client.send(GET % b"sleep?id=stuck&s=60")
        server.wait_for("^sleeping stuck")
        server.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert server.running
        server.send_signal(signal.SIGINT)
        server.wait(5)


def test_interrupt_during_startup_ends_the_server(serve: Any) -> None:
    server = ServerProcess("slow_start:app")
    server.start()
    try:
        server.wait_for("^starting", timeout=30)
        server.send_signal(signal.SIGINT)
        server.wait(5)
        assert "Traceback" not in server.output
    finally:
        server.kill()
