"""Limits on what one client may have: connections, their age, requests per second; and the knobs of
TCP. Each against a real server.

Any address of 127.0.0.0/8 reaches a server on 127.0.0.1, so one machine is many clients.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from support.http1 import Closed, RawClient

pytestmark = pytest.mark.sanitize

OTHER = "127.0.0.2"


def served(client: RawClient) -> bool:
    """Whether a request on this connection is answered, and not the connection closed."""
    try:
        return client.request("GET", "/hello").status == 200
    except (OSError, Closed):
        return False


def served_anew(server: Any) -> bool:
    with server.connect() as client:
        return served(client)


# --- connections


class TestConnectionsPerIp:
    def test_the_surplus_is_closed_and_the_others_go_on(self, serve: Any) -> None:
        # Each I/O thread would say it for itself.
        server = serve("live:app", limit_connections_per_ip=2, io_threads=0)
        with server.connect() as first, server.connect() as second:
            assert served(first)
            assert served(second)
            for _ in range(5):
                assert not served_anew(server)
            assert served(first)
            assert served(second)
            server.wait_for(r"closed a connection from 127\.0\.0\.1, .*limit-connections-per-ip")
        assert server.output.count("limit-connections-per-ip") == 1

    def test_other_clients_are_not_concerned(self, serve: Any) -> None:
        server = serve("live:app", limit_connections_per_ip=1)
        with server.connect() as first, server.connect(source=OTHER) as other:
            assert served(first)
            assert served(other)
            assert not served_anew(server)

    def test_a_connection_that_ends_makes_room(self, serve: Any) -> None:
        # On one loop: a thread may accept before another one has seen who left.
        server = serve("live:app", limit_connections_per_ip=1, io_threads=0)
        for _ in range(20):
            assert served_anew(server)

    def test_a_unix_socket_has_no_limit(self, serve: Any, tmp_path: Path) -> None:
        server = serve(
            "live:app", port=None, uds=tmp_path / "s", limit_connections_per_ip=1, limit_rate=1
        )
        with server.connect() as first, server.connect() as second:
            for _ in range(5):
                assert served(first)
                assert served(second)


# --- age


class TestConnectionAge:
    AGE = 1.5
    # A connection lives up to a tenth less; a tick of the clocks on both sides.
    LEAST = AGE * 0.9 - 0.2

    @pytest.fixture
    def server(self, serve_shared: Any) -> Any:
        return serve_shared("live:app", limit_connection_age=self.AGE)

    def test_the_first_answer_after_it_is_the_last(self, server: Any) -> None:
        with server.connect() as client:
            begin = time.monotonic()
            while client.request("GET", "/hello").get("connection") != "close":
                assert time.monotonic() - begin < self.AGE + 5
                time.sleep(0.02)
            assert time.monotonic() - begin > self.LEAST
            client.expect_closed()

    def test_an_idle_connection_is_closed(self, server: Any) -> None:
        with server.connect() as client:
            begin = time.monotonic()
            assert served(client)
            client.expect_closed()
            assert time.monotonic() - begin > self.LEAST

    def test_the_request_under_way_is_the_last(self, server: Any) -> None:
        with server.connect() as client:
            response = client.request("GET", f"/sleep?s={self.AGE + 0.5}")
            assert response.body == b"slept"
            assert response.get("connection") == "close"
            client.expect_closed()

    def test_a_response_that_began_before_it_is_followed_by_the_last(self, server: Any) -> None:
        with server.connect() as client:
            response = client.request("GET", f"/stream?n=2&pause={self.AGE * 0.6}")
            assert response.get("connection") is None
            assert client.request("GET", "/hello").get("connection") == "close"
            client.expect_closed()


# --- rate


class TestRate:
    @pytest.fixture
    def server(self, serve: Any) -> Any:
        # Slow enough that a loaded machine sends its requests before the bucket fills again.
        return serve("live:app", limit_rate=1, limit_rate_burst=3)

    @staticmethod
    def use_up(client: RawClient) -> None:
        """Asks until there is a refusal: the bucket is empty then."""
        for _ in range(30):
            if client.request("GET", "/hello").status == 429:
                return
        raise AssertionError("no request was refused")

    def test_the_request_above_it_is_refused_without_the_application(self, server: Any) -> None:
        with server.connect() as client:
            for number in range(3):
                assert client.request("GET", f"/hello?id={number}").status == 200
            # The three came within a moment, and so does this one.
            refused = client.request("GET", "/sleep?id=never")
            assert refused.status == 429
            assert refused.get("retry-after") == "1"
            assert refused.get("content-type") == "text/plain; charset=utf-8"
            assert refused.get("connection") is None
            assert refused.body == b"the client sends more requests than the limit\n"
            server.wait_for(r'"GET /sleep\?id=never HTTP/1\.1" 429 ')
            assert "sleeping never" not in server.output
            time.sleep(float(refused.get("retry-after") or 0) + 0.1)
            assert client.request("GET", "/hello").status == 200

    def test_connections_of_a_client_share_its_limit_and_others_do_not(self, server: Any) -> None:
        with server.connect() as client:
            self.use_up(client)
        assert server.request("GET", "/hello").status == 429
        with server.connect(source=OTHER) as other:
            assert other.request("GET", "/hello").status == 200

    def test_the_body_of_a_refused_request_is_skipped(self, server: Any) -> None:
        with server.connect() as client:
            self.use_up(client)
            for _ in range(20):
                assert client.request("POST", "/echo", body=b"x" * 1000).status in (200, 429)
            expecting = [("Expect", "100-continue"), ("Content-Length", "9")]
            assert client.request("POST", "/echo", headers=expecting).status == 429

    def test_a_client_within_it_is_never_refused(self, serve: Any) -> None:
        server = serve("live:app", limit_rate=1000)
        with server.connect() as client:
            for _ in range(500):
                assert client.request("GET", "/hello").status == 200


# --- TCP


def accepted_socket(client: RawClient) -> socket.socket:
    """Returns (a duplicate of) the server's end of a connection within this process."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=os.dup(int(name)))
            try:
                if one.getpeername() == client.socket.getsockname():
                    return one
            except OSError:
                pass
            one.close()
    raise AssertionError("no socket of this process is the other end")


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("adopted", [False, True])
def test_accepted_sockets_have_the_knobs_of_tcp(serve_here: Any, adopted: bool) -> None:
    knobs: dict[str, Any] = {"tcp_keepalive": 60, "tcp_user_timeout": 4.5, "tcp_fast_open": 16}
    with contextlib.ExitStack() as stack:
        if adopted:
            parent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            knobs["fd"] = os.dup(parent.fileno())
        server = serve_here(hello, **knobs)
        with server.connect() as client:
            assert client.request("GET", "/").body == b"hello"
            with accepted_socket(client) as end:
                tcp = socket.IPPROTO_TCP
                assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert end.getsockopt(tcp, socket.TCP_KEEPIDLE) == 60
                assert end.getsockopt(tcp, socket.TCP_KEEPINTVL) == 20
                assert end.getsockopt(tcp, socket.TCP_KEEPCNT) == 3
                assert end.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == 4500
                assert end.getsockopt(tcp, socket.TCP_NODELAY) == 1
