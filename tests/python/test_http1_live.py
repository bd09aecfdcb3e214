"""HTTP/1.1 as a client meets it: raw sockets against a real server.

Source: RFC 9112, RFC 9110, and the limits and time limits of the settings table.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import pytest

from support.http1 import Closed, RawClient
from support.processes import private_bytes
from support.server import ServerProcess

pytestmark = pytest.mark.sanitize

GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture
def server(serve_shared: Any) -> ServerProcess:
    """A server with every setting at its default."""
    return serve_shared("live:app")


@pytest.fixture
def client(server: ServerProcess) -> Any:
    with server.connect() as connection:
        yield connection


# --- one connection, many requests


class TestKeepAlive:
    def test_one_connection_serves_many_requests(self, client: RawClient) -> None:
        for number in range(50):
            assert client.request("GET", f"/hello?id={number}").body == f"hello {number}".encode()

    def test_pipelined_requests_are_answered_in_order(self, client: RawClient) -> None:
        # RFC 9112 section 9.3.2. The slow one is first: its answer must be, too.
        client.send(GET % b"sleep?s=0.2" + GET % b"hello?id=2" + GET % b"stream" + GET % b"early")
        assert [client.response().body for _ in range(4)] == [
            b"slept",
            b"hello 2",
            b"x" * 30,
            b"early",
        ]

    def test_pipelined_request_waits_for_the_one_before_it(
        self, server: ServerProcess, client: RawClient
    ) -> None:
        # A request behind another must not run while the other may still fail or close.
        client.send(GET % b"sleep?id=first&s=0.3" + GET % b"sleep?id=second&s=0")
        assert client.response().body == b"slept"
        assert client.response().body == b"slept"
        server.wait_for("^slept second")
        said = server.output
        assert said.index("slept first") < said.index("sleeping second")

    def test_many_pipelined_requests_neither_pile_up_nor_get_lost(
        self, server: ServerProcess
    ) -> None:
        count = 5000
        with server.connect(timeout=30) as client:
            sender = threading.Thread(target=client.send, args=(GET % b"hello" * count,))
            sender.start()
            for _ in range(count):
                assert client.response().body == b"hello -"
            sender.join(10)
            assert client.silent_for(0.05)

    def test_request_behind_connection_close_is_not_run(self, client: RawClient) -> None:
        # RFC 9112 section 9.6.
        client.send(b"GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        client.send(GET % b"hello?id=smuggled")
        response = client.response()
        assert response.get("connection") == "close"
        assert not client.read_to_close()

    def test_application_may_close_the_connection(self, client: RawClient) -> None:
        response = client.request("POST", "/refuse-body", body=b"x" * 100)
        assert (response.status, response.get("connection")) == (413, "close")
        client.expect_closed()

    def test_http10_closes_after_the_response(self, client: RawClient) -> None:
        client.send("GET /hello HTTP/1.0\r\n\r\n")
        assert client.response().body == b"hello -"
        client.expect_closed()

    def test_http10_stays_open_when_asked_and_says_so(self, client: RawClient) -> None:
        for _ in range(2):
            client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            response = client.response()
            assert response.body == b"hello -"
            assert (response.get("connection") or "").lower() == "keep-alive"

    def test_http10_stream_ends_with_the_connection(self, client: RawClient) -> None:
        # RFC 9112 section 6.1: no Transfer-Encoding to a client of HTTP/1.0.
        client.send("GET /stream?n=5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.response()
        assert response.get("transfer-encoding") is None
        assert response.body == b"x" * 50

    def test_requests_per_connection_are_limited(self, serve: Any) -> None:
        server = serve("live:app", limit_requests_per_connection=3)
        with server.connect() as client:
            closes = [client.request().get("connection") for _ in range(3)]
            assert closes == [None, None, "close"]
            client.expect_closed()

    def test_idle_connection_is_closed_without_a_word(self, serve: Any) -> None:
        server = serve("live:app", timeout_keep_alive=0.5)
        with server.connect() as client:
            client.request("GET", "/hello")
            begin = time.monotonic()
            client.expect_closed()
            assert 0.4 < time.monotonic() - begin < 2

    def test_connection_without_any_request_is_closed(self, serve: Any) -> None:
        server = serve("live:app", timeout_keep_alive=0.5, timeout_request_head=0.5)
        with server.connect() as client:
            client.expect_closed()


# --- bodies


class TestRequestBody:
    @pytest.mark.parametrize("size", [0, 1, 4096, 65535, 65536, 65537, 1_000_000])
    def test_body_of_known_length_arrives_whole(self, client: RawClient, size: int) -> None:
        body = bytes(i % 251 for i in range(size))
        assert client.request("POST", "/echo", body=body).body == body

    def test_chunked_body_arrives_whole_with_its_trailers_taken(self, client: RawClient) -> None:
        client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n")
        assert client.response().body == b"hello world"
        assert client.request("GET", "/hello").body == b"hello -"

    def test_chunked_body_byte_by_byte(self, client: RawClient) -> None:
        client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send_slowly(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        assert client.response().body == b"hello world"

    def test_many_tiny_chunks_cost_linear_time(self, client: RawClient) -> None:
        # CVE-2025-69229: a queue of parts that is joined again for each of them.
        count = 50_000
        client.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"1\r\nx\r\n" * count + b"0\r\n\r\n")
        assert client.response().body == str(count).encode()

    def test_slow_application_pauses_the_client(self, server: ServerProcess) -> None:
        # Back-pressure: what the application does not read stays with the client.
        size = 20_000_000
        before = private_bytes(server.pid)
        with server.connect(timeout=30) as client:
            client.send(
                f"POST /sip?id=bp&pause=1 HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n"
            )
            sender = threading.Thread(target=client.send, args=(b"x" * size,))
            sender.start()
            server.wait_for("^sipped bp")
            time.sleep(0.5)
            assert private_bytes(server.pid) - before < 4_000_000
            assert client.response().body == str(size).encode()
            sender.join(10)


class TestExpectContinue:
    HEAD = "POST {} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

    def test_continue_is_sent_when_the_application_reads(self, client: RawClient) -> None:
        client.send(self.HEAD.format("/echo"))
        assert client.interim_response().status == 100
        client.send("hello")
        assert client.response().body == b"hello"

    def test_no_continue_when_the_application_answers_first(self, client: RawClient) -> None:
        client.send(self.HEAD.format("/early"))
        response = client.response()
        assert (response.body, response.interim) == (b"early", [])
        # Whether the body follows is open: nothing after this point can be framed.
        client.expect_closed()

    def test_expectation_is_ignored_for_http10(self, client: RawClient) -> None:
        client.send(self.HEAD.format("/echo").replace("1.1", "1.0") + "hello")
        response = client.response()
        assert (response.body, response.interim) == (b"hello", [])

    def test_unknown_expectation_is_refused(self, client: RawClient) -> None:
        client.send("GET /hello HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\n\r\n")
        assert client.response().status == 417


class TestResponseBody:
    def test_unknown_length_is_chunked(self, client: RawClient) -> None:
        response = client.request("GET", "/stream?n=4&size=1000&pause=0.01")
        assert response.get("transfer-encoding") == "chunked"
        assert response.chunks == [b"x" * 1000] * 4

    def test_head_has_the_fields_of_get_and_no_body(self, client: RawClient) -> None:
        head = client.request("HEAD", "/hello")
        get = client.request("GET", "/hello")
        assert head.get("content-length") == get.get("content-length") == "7"
        assert head.body == b""

    def test_head_of_a_stream_has_no_body(self, client: RawClient) -> None:
        client.request("HEAD", "/stream")
        assert client.request("GET", "/hello").body == b"hello -"

    @pytest.mark.parametrize("code", [204, 304])
    def test_status_without_body_sends_none(self, client: RawClient, code: int) -> None:
        response = client.request("GET", f"/status?code={code}")
        assert response.status == code
        assert response.get("transfer-encoding") is None
        if code == 204:
            assert response.get("content-length") is None
        assert client.request("GET", "/hello").body == b"hello -"

    def test_date_and_server_are_sent_once(self, client: RawClient) -> None:
        response = client.request("GET", "/hello")
        assert response.get("date")
        assert response.get("server")

    def test_slow_client_pauses_the_application(self, server: ServerProcess) -> None:
        with server.connect(receive_buffer=65536, timeout=30) as client:
            client.send(GET % b"pour?id=bp&n=400")
            server.wait_for(r"^poured bp 1$")
            time.sleep(0.5)
            done = int(server.wait_for(r"^poured bp (\d+)$")[1])
            # What the kernel and the high-water mark hold: far from all of the 25 MiB.
            assert done < 200
            assert len(client.response().body) == 400 * 65536


class TestTrailers:
    def test_trailers_go_to_a_client_that_takes_them(self, client: RawClient) -> None:
        response = client.request("GET", "/trailers", headers=[("TE", "trailers")])
        assert response.body == b"body"
        assert [(name.lower(), value) for name, value in response.trailers] == [("x-sum", "42")]

    def test_no_trailers_without_te(self, client: RawClient) -> None:
        response = client.request("GET", "/trailers")
        assert (response.body, response.trailers) == (b"body", [])

    def test_too_many_trailer_bytes_are_refused(self, client: RawClient) -> None:
        client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        client.send("X-T: " + "t" * 20_000 + "\r\n\r\n")
        assert client.response().status in (400, 431)
        client.wait_gone()


class TestEarlyHints:
    def test_hints_come_before_the_response(self, client: RawClient) -> None:
        response = client.request("GET", "/hints")
        assert [interim.status for interim in response.interim] == [103]
        assert response.interim[0].all("link") == [
            "</a.css>; rel=preload",
            "</b.js>; rel=preload",
        ]
        assert response.body == b"ok"

    def test_no_hints_for_http10(self, client: RawClient) -> None:
        client.send("GET /hints HTTP/1.0\r\n\r\n")
        response = client.response()
        assert (response.body, response.interim) == (b"ok", [])


# --- ends that do not fit together


class TestEarlyResponse:
    def test_small_unread_body_is_skipped_and_the_connection_kept(self, client: RawClient) -> None:
        assert client.request("POST", "/early", body=b"x" * 1000).body == b"early"
        assert client.request("GET", "/hello").body == b"hello -"

    def test_unread_body_never_becomes_a_request(self, client: RawClient) -> None:
        body = GET % b"hello?id=smuggled"
        for _ in range(3):
            assert client.request("POST", "/early", body=body).body == b"early"
        assert client.request("GET", "/hello?id=next").body == b"hello next"

    def test_body_that_arrives_after_the_answer_is_skipped(self, client: RawClient) -> None:
        client.send("POST /early HTTP/1.1\r\nHost: t\r\nContent-Length: 30\r\n\r\n")
        assert client.response().body == b"early"
        client.send(b"y" * 30 + GET % b"hello")
        assert client.response().body == b"hello -"

    def test_answer_survives_a_large_unread_body(self, server: ServerProcess) -> None:
        # RFC 9112 section 9.6: a close while the client still sends would reset the connection and
        # take the answer with it.
        size = 2_000_000
        with server.connect() as client:
            client.send(f"POST /early HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n")
            client.send(b"x" * size)
            time.sleep(0.1)
            assert client.response().body == b"early"


class TestHalfClose:
    def test_response_is_complete_after_the_client_finished_sending(
        self, server: ServerProcess
    ) -> None:
        with server.connect() as client:
            client.send(GET % b"stream?n=20&size=1000&pause=0.01")
            client.half_close()
            assert len(client.response().body) == 20_000
            client.expect_closed()

    def test_pipelined_requests_are_all_answered(self, server: ServerProcess) -> None:
        with server.connect() as client:
            client.send(GET % b"sleep?s=0.1" + GET % b"hello")
            client.half_close()
            assert client.response().body == b"slept"
            assert client.response().body == b"hello -"
            client.expect_closed()

    def test_end_inside_the_head_is_not_a_request(self, server: ServerProcess) -> None:
        with server.connect() as client:
            client.send("GET /hello HTTP/1.1\r\nHo")
            client.half_close()
            data = client.read_to_close()
            assert not data or data.startswith(b"HTTP/1.1 400")

    def test_end_inside_the_body_is_a_disconnect(self, server: ServerProcess) -> None:
        with server.connect() as client:
            client.send("POST /echo?id=cut HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf")
            client.half_close()
            server.wait_for("^disconnect cut")
            client.wait_gone()

    def test_client_that_may_have_left_is_a_disconnect_after_a_while(self, serve: Any) -> None:
        server = serve("live:app", timeout_half_close=0.3)
        with server.connect() as client:
            client.send(GET % b"wait?id=hc")
            client.half_close()
            server.wait_for("^disconnect hc", timeout=3)


# --- limits


class TestLimits:
    def refused(self, client: RawClient, data: bytes) -> int:
        """Sends `data`, and returns the status of the answer after which the server closes."""
        # It may close while we are sending; the answer is here all the same.
        with contextlib.suppress(OSError):
            client.send(data)
        response = client.response()
        assert response.get("connection") == "close"
        client.wait_gone()
        return response.status

    def test_target_too_long(self, client: RawClient) -> None:
        assert self.refused(client, GET % (b"a" * 17_000)) == 414

    def test_target_as_long_as_allowed(self, client: RawClient) -> None:
        assert client.request("GET", "/" + "a" * (16 * 1024 - 1)).status == 404

    def test_head_too_large(self, client: RawClient) -> None:
        fields = b"".join(b"X-%d: %b\r\n" % (n, b"v" * 1000) for n in range(70))
        assert self.refused(client, b"GET / HTTP/1.1\r\nHost: t\r\n" + fields + b"\r\n") == 431

    def test_head_that_never_ends(self, client: RawClient) -> None:
        # CVE-2026-54277: the limit holds however many pieces the line arrives in.
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\nX: ")
        client.send_until_refused(b"v" * 1000, pause=0.0005, seconds=5)
        assert b" 431 " in client.read_some()[:20]

    def test_too_many_fields(self, client: RawClient) -> None:
        fields = b"X: 1\r\n" * 128
        assert self.refused(client, b"GET / HTTP/1.1\r\nHost: t\r\n" + fields + b"\r\n") == 431

    def test_announced_body_too_large(self, client: RawClient) -> None:
        head = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n"
        assert self.refused(client, head) == 413

    def test_chunked_body_too_large(self, serve: Any) -> None:
        server = serve("live:app", limit_request_body=10_000)
        with server.connect() as client:
            client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            client.send(b"1771\r\n" + b"x" * 6001 + b"\r\n")
            assert client.response().status == 413
            client.wait_gone()

    def test_body_as_large_as_allowed(self, serve: Any) -> None:
        server = serve("live:app", limit_request_body=10_000)
        assert len(server.request("POST", "/echo", body=b"x" * 10_000).body) == 10_000
        assert server.request("POST", "/echo", body=b"x" * 10_001).status == 413

    def test_concurrent_requests_wait_then_are_refused(self, serve: Any) -> None:
        server = serve("live:app", limit_concurrency=1, limit_queue=0)
        with server.connect() as first, server.connect() as second:
            first.send(GET % b"sleep?id=a&s=1")
            server.wait_for("^sleeping a")
            refused = second.request("GET", "/hello")
            assert refused.status == 503
            assert refused.get("retry-after")
            assert first.response().body == b"slept"
        server.assert_serves()

    def test_a_request_in_the_queue_is_answered_in_its_turn(self, serve: Any) -> None:
        server = serve("live:app", limit_concurrency=1)
        with server.connect() as first, server.connect() as second:
            first.send(GET % b"sleep?id=a&s=0.5")
            server.wait_for("^sleeping a")
            second.send(GET % b"hello?id=b")
            assert second.silent_for(0.1)
            assert first.response().body == b"slept"
            assert second.response().body == b"hello b"

    def test_a_request_that_waits_too_long_in_the_queue_is_refused(self, serve: Any) -> None:
        server = serve("live:app", limit_concurrency=1, timeout_queue=0.2)
        with server.connect() as first, server.connect() as second:
            first.send(GET % b"sleep?id=a&s=2")
            server.wait_for("^sleeping a")
            refused = second.request("GET", "/hello")
            assert refused.status == 503
            assert refused.get("retry-after")
            assert first.response().body == b"slept"
        server.wait_for('"GET /hello HTTP/1.1" 503')

    def test_further_connections_wait_in_the_backlog(self, serve: Any) -> None:
        server = serve("live:app", limit_connections=2)
        with server.connect() as first, server.connect() as second, server.connect() as third:
            assert first.request().status == 404
            assert second.request().status == 404
            third.send(GET % b"hello?id=third")
            assert third.silent_for(0.3)
            first.close()
            assert third.response().body == b"hello third"


class TestTimeLimits:
    def test_head_that_stops_half_way(self, serve: Any) -> None:
        server = serve("live:app", timeout_request_head=0.5)
        with server.connect() as client:
            client.send("GET /hello HTTP/1.1\r\nHost: t\r\n")
            begin = time.monotonic()
            assert client.response().status == 408
            assert 0.4 < time.monotonic() - begin < 2
            client.expect_closed()

    def test_head_that_drips(self, serve: Any) -> None:
        # Slowloris: each byte comes in time, the head never does.
        server = serve("live:app", timeout_request_head=0.5)
        with server.connect() as client:
            client.send("GET /hello HTTP/1.1\r\nHost: t\r\nX: ")
            assert client.send_until_refused(b"x") < 3

    def test_second_head_is_timed_like_the_first(self, serve: Any) -> None:
        server = serve("live:app", timeout_request_head=0.5)
        with server.connect() as client:
            client.request("GET", "/hello")
            client.send("GET /hello HTT")
            assert client.response().status == 408

    def test_body_that_stops_half_way(self, serve: Any) -> None:
        server = serve("live:app", timeout_request_body=0.5)
        with server.connect() as client:
            client.send("POST /echo?id=b HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf")
            assert client.response().status == 408
            client.expect_closed()
            server.wait_for("^disconnect b")

    def test_body_that_drips(self, serve: Any) -> None:
        server = serve("live:app", timeout_request_body=0.5, min_rate_request_body=1000)
        with server.connect() as client:
            client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n")
            assert client.send_until_refused(b"x") < 5

    def test_body_that_nobody_reads_has_no_time_limit(self, serve: Any) -> None:
        # The application is slow, not the client.
        server = serve("live:app", timeout_request_body=0.3)
        with server.connect() as client:
            client.send("POST /sip?pause=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\n\r\n")
            client.send(b"x" * 200_000)
            assert client.response().body == b"200000"

    def test_client_that_does_not_read(self, serve: Any) -> None:
        server = serve("live:app", timeout_write=0.5)
        with server.connect(receive_buffer=4096) as client:
            client.send(GET % b"pour?id=w&n=100000")
            server.wait_for("^send failed w", timeout=10)
        server.assert_serves()

    def test_request_that_takes_too_long(self, serve: Any) -> None:
        server = serve("live:app", timeout_request=0.5)
        with server.connect() as client:
            assert client.request("GET", "/sleep?s=5").status == 503
        with server.connect() as client:
            client.send(GET % b"start-and-wait")
            with pytest.raises(Closed):
                client.response()

    def test_slow_application_has_no_time_limit_of_its_own(self, serve: Any) -> None:
        server = serve(
            "live:app", timeout_request_head=0.2, timeout_keep_alive=0.2, timeout_request_body=0.2
        )
        assert server.request("GET", "/sleep?s=1").body == b"slept"
