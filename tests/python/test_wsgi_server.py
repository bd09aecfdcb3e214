"""WSGI applications in a whole server: logs, limits, shutdown, HTTP/2 and TLS, event loops."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from support.fixtures import ServeProcess, ServeThread
from support.h2_library import LibraryClient
from support.http1 import Closed
from support.server import APPS, ServerProcess
from support.tls import Transport
from support.wsgi import Environ, Kept, Parts, StartResponse, plain, until, validated

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"
LIVE = "wsgi_apps.live:app"


# --- wsgi.errors


class TestErrors:
    @pytest.mark.parametrize(
        ("texts", "records"),
        [
            (["a line\n"], ["a line"]),
            (["one\ntwo\n"], ["one\ntwo"]),
            (["half", " a line", "\n"], ["half a line"]),
            (["a line\nhalf"], ["a line", "half"]),
            (["no end"], ["no end"]),
            (["100%s %d\n"], ["100%s %d"]),
            (["gr\xfc\xdfe \u20ac \0\n"], ["gr\xfc\xdfe \u20ac \0"]),
            (["\n", "", "\n"], []),
            (["x" * 70_000], ["x" * 70_000]),
        ],
        ids=["line", "two", "pieces", "rest", "no-end", "percent", "characters", "empty", "long"],
    )
    def test_lines_are_records(self, serve_here: ServeThread, caplog, texts, records):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            for text in texts:
                assert environ["wsgi.errors"].write(text) == len(text)
            return plain(start_response)

        server = serve_here(app, threads=1)
        server.request()
        server.request()
        expected = [("tercel", logging.ERROR, record) for record in records * 2]
        until(lambda: len(caplog.record_tuples) >= len(expected), seconds=2)
        assert caplog.record_tuples == expected

    def test_flush_does_not_wait_for_the_end_of_the_line(self, serve_here: ServeThread, caplog):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            errors = environ["wsgi.errors"]
            errors.writelines(["two ", "halves"])
            errors.flush()
            errors.flush()
            return plain(start_response, str(len(caplog.records)))

        assert serve_here(app).request().body == b"1"
        assert caplog.messages == ["two halves"]

    def test_takes_text_only(self, serve_here: ServeThread):
        raised = []

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            errors = environ["wsgi.errors"]
            for call in (lambda: errors.write(b"x"), lambda: errors.writelines([1]),
                         lambda: errors.writelines(None)):  # fmt: skip
                try:
                    call()
                except TypeError as error:
                    raised.append(error)
            return plain(start_response)

        serve_here(app).request()
        assert len(raised) == 3

    def test_threads_do_not_mix_their_lines(self, serve_here: ServeThread, caplog):
        barrier = threading.Barrier(2, timeout=10)

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            for text in ("the ", "line of ", environ["PATH_INFO"], "\n"):
                environ["wsgi.errors"].write(text)
                barrier.wait()
            return plain(start_response)

        server = serve_here(app, threads=2)
        with server.connect() as one, server.connect() as other:
            one.send(GET % b"1")
            other.send(GET % b"2")
            one.response(), other.response()
        assert sorted(caplog.messages) == ["the line of /1", "the line of /2"]

    def test_a_handler_that_writes_there_does_not_go_round_in_circles(
        self, serve_here: ServeThread, capfd
    ):
        streams = Kept()

        class Back(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                self.stream.write(record.getMessage() + " again\n")

        handler = Back()
        logger = logging.getLogger("tercel")

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            handler.stream = environ["wsgi.errors"]
            logger.addHandler(handler)
            try:
                environ["wsgi.errors"].write("once\n")
            finally:
                logger.removeHandler(handler)
            streams.put(True)
            return plain(start_response, "answered")

        assert serve_here(app).request().body == b"answered"
        assert streams.get()
        assert capfd.readouterr().err.count("once again") == 1

    def test_are_in_the_log_of_the_server(self, serve: ServeProcess):
        server = serve(LIVE)
        assert server.request("GET", "/errors").body == b"errors"
        server.wait_for(r"^[-\d]+ [:.\d]+ ERROR +to the log$")


# --- the access log, limits


def test_requests_are_in_the_access_log(serve: ServeProcess):
    server = serve(LIVE)
    server.request("GET", "/hello?x=1")
    server.request("GET", "/raise")
    server.request("POST", "/count", body=b"12345")
    server.wait_for(r'^127\.0\.0\.1 - - \[.*\] "GET /hello\?x=1 HTTP/1\.1" 200 5 \d+\.\d+ms$')
    server.wait_for(r'^127\.0\.0\.1 - - \[.*\] "GET /raise HTTP/1\.1" 500 23 ')
    server.wait_for(r'^127\.0\.0\.1 - - \[.*\] "POST /count HTTP/1\.1" 200 1 ')


@pytest.mark.parametrize("io_threads", [0, 2])
def test_the_rate_of_a_client_is_limited(serve_here: ServeThread, io_threads: int):
    called = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        called.append(environ["PATH_INFO"])
        return plain(start_response)

    server = serve_here(app, limit_rate=1, limit_rate_burst=5, io_threads=io_threads)
    responses = [server.request() for _ in range(12)]
    refused = [response for response in responses if response.status == 429]
    assert 5 <= len(refused) <= 7
    assert all(response.get("retry-after") == "1" for response in refused)
    assert len(called) == 12 - len(refused)


def test_what_is_refused_needs_no_thread(serve_here: ServeThread):
    hold = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        hold.wait(20)
        return plain(start_response)

    server = serve_here(app, threads=1, limit_rate=1, limit_rate_burst=1, limit_request_body=10)
    with server.connect() as first:
        first.send(GET % b"")
        assert server.request("POST", body=b"x" * 11).status == 413
        assert until(lambda: server.request().status == 429, seconds=2)
        hold.set()
        assert first.response().status == 200


def test_a_body_that_does_not_come_is_given_up(serve_here: ServeThread):
    called = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        called.append(1)
        return plain(start_response)

    server = serve_here(app, timeout_request_body=0.3)
    with server.connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        assert client.response().status == 408
    assert called == []


def test_a_request_that_takes_too_long_is_answered_and_its_iterable_closed(
    serve_here: ServeThread,
):
    go_on = threading.Event()
    parts = Parts([b"late"], lambda: go_on.wait(20))

    def app(environ: Environ, start_response: StartResponse) -> Any:
        start_response("200 OK", [])
        return parts

    server = serve_here(app, timeout_request=0.2, threads=1)
    assert server.request().status == 503
    assert parts.closed == 0
    go_on.set()
    assert until(lambda: parts.closed)
    assert parts.events == ["part", "close"]


def test_who_asks_for_a_websocket_is_answered_as_if_it_had_not(serve_here: ServeThread):
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        return plain(start_response, environ["HTTP_UPGRADE"])

    fields = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    with serve_here(app).connect() as client:
        for _ in range(2):
            response = client.request(headers=fields)
            assert (response.status, response.body) == (200, b"websocket")


# --- the end


class TestShutdown:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_request_under_way_is_answered(self, serve: ServeProcess, number: signal.Signals):
        server = serve(LIVE)
        with server.connect() as client:
            client.send(GET % b"sleep?0.7")
            server.wait_for("^sleeping")
            server.send_signal(number)
            response = client.response()
            assert (response.body, response.get("connection")) == (b"sleep", "close")
            client.expect_closed()
        assert server.wait() == 0
        assert "Traceback" not in server.output

    def test_a_request_that_waits_for_a_thread_is_answered(self, serve: ServeProcess):
        server = serve(LIVE, threads=1)
        with server.connect() as first, server.connect() as second:
            first.send(GET % b"sleep?0.7")
            server.wait_for("^sleeping")
            second.send(GET % b"hello")
            time.sleep(0.1)
            server.send_signal(signal.SIGTERM)
            assert first.response().body == b"sleep"
            assert second.response().body == b"hello"
        assert server.wait() == 0

    def test_a_body_under_way_is_read_to_its_end(self, serve: ServeProcess):
        server = serve(LIVE)
        with server.connect() as client:
            client.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n")
            client.send(b"x" * 50_000)
            time.sleep(0.1)
            server.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            client.send(b"x" * 50_000)
            assert client.response().body == b"100000"
        assert server.wait() == 0

    def test_work_after_the_answer_may_finish(self, serve: ServeProcess):
        server = serve(LIVE)
        assert server.request("GET", "/late?1").body == b"answered"
        server.wait_for("^working on")
        assert server.stop() == 0
        assert "Shutting down: 1 open request(s) may finish" in server.output
        assert server.output.count("done\n") == 1

    def test_a_stream_is_cut_off_at_the_deadline_and_closed(self, serve: ServeProcess):
        server = serve(LIVE, timeout_graceful_shutdown=0.5)
        with server.connect() as client:
            client.send(GET % b"stream?60")
            server.wait_for("^streaming")
            begin = time.monotonic()
            server.send_signal(signal.SIGTERM)
            with pytest.raises(Closed):
                client.response()
        assert server.wait() == 0
        assert time.monotonic() - begin < 5
        assert server.output.count("stream closed") == 1
        assert "Cutting off 1 request" in server.output

    def test_an_application_that_hangs_does_not_hold_the_process(self, serve: ServeProcess):
        server = serve(LIVE, timeout_graceful_shutdown=0.2)
        with server.connect() as client:
            client.send(GET % b"sleep?60")
            server.wait_for("^sleeping")
            begin = time.monotonic()
            server.send_signal(signal.SIGTERM)
            with pytest.raises(Closed):
                client.response()
        assert server.wait() == 0
        assert time.monotonic() - begin < 15
        assert "threads of the application do not end" in server.output
        assert "Traceback" not in server.output

    def test_lifespan_is_none_of_its_business(self, serve: ServeProcess):
        server = serve(LIVE, lifespan="on")
        assert server.request("GET", "/hello").body == b"hello"
        assert server.stop() == 0
        assert "Traceback" not in server.output


def test_threads_that_the_system_does_not_give_are_told_of(tmp_path):
    command = ["prlimit", "--nofile=100:100", sys.executable, "-m", "tercel", "serve", LIVE]
    command += ["--app-dir", str(APPS), "--port", "0", "--threads", "500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == (
        "tercel: Cannot start the threads of a WSGI application (threads): Too many open files.\n"
    )


# --- which kind of application it is


class TestInterface:
    def test_is_seen_by_looking(self, serve: ServeProcess):
        assert serve(LIVE).request("GET", "/hello").body == b"hello"

    def test_is_told_where_it_cannot_be_seen(self, serve: ServeProcess):
        server = serve("wsgi_apps.live:of_any_arguments", interface="wsgi")
        assert server.request("GET", "/hello").body == b"hello"

    def test_a_class_is_called_for_each_request(self, serve_here: ServeThread):
        class Application:
            def __init__(self, environ: Environ, start_response: StartResponse) -> None:
                self._environ, self._start = environ, start_response

            def __iter__(self) -> Any:
                yield from plain(self._start, self._environ["PATH_INFO"])

        assert serve_here(Application).request("GET", "/a").body == b"/a"

    def test_check_knows_it(self):
        command = [sys.executable, "-m", "tercel", "check", LIVE, "--app-dir", str(APPS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
def test_any_loop_will_do(serve: ServeProcess, loop: str):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server: ServerProcess = serve(LIVE, loop=loop)
    assert server.request("GET", "/hello").body == b"hello"
    assert server.request("POST", "/count", body=b"x" * 100_000).body == b"100000"
    assert server.stop() == 0


# --- HTTP/2 and TLS


class TestHttp2:
    def serve(self, serve_here: ServeThread, app: Any, transport: Transport) -> LibraryClient:
        server = serve_here(app, **transport.settings)
        return LibraryClient(server.address, transport.context())

    def test_the_environ_tells_of_it(self, serve_here: ServeThread, transport: Transport):
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            kept.put(dict(environ))
            return plain(start_response, "seen")

        with self.serve(serve_here, validated(app), transport) as client:
            fields = [("cookie", "a=1"), ("cookie", "b=2"), ("x-own", "3")]
            answer = client.answer(client.ask("/a%20b?c", fields=fields))
        environ = kept.get()
        assert (answer.status, bytes(answer.body)) == (200, b"seen")
        assert environ["SERVER_PROTOCOL"] == "HTTP/2"
        assert environ["wsgi.url_scheme"] == ("https" if transport.authority else "http")
        assert environ["HTTP_HOST"] == "localhost"
        assert environ["HTTP_COOKIE"] == "a=1; b=2"
        assert environ["HTTP_X_OWN"] == "3"
        assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a b", "c")
        assert not [key for key in environ if key.startswith("HTTP_:")]

    def test_bodies_and_streams_of_many_requests_at_once(
        self, serve_here: ServeThread, transport: Transport
    ):
        def app(environ: Environ, start_response: StartResponse) -> Any:
            write = start_response("299 Whatever", [("X-Path", environ["PATH_INFO"])])
            write(b"")
            while part := environ["wsgi.input"].read(50_000):
                yield part

        with self.serve(serve_here, app, transport) as client:
            bodies = [bytes([65 + number]) * 100_000 * number for number in range(6)]
            streams = [
                client.ask(f"/{number}", method="POST", body=body)
                for number, body in enumerate(bodies)
            ]
            for number, stream in enumerate(streams):
                answer = client.answer(stream)
                assert (answer.status, answer.fields["x-path"]) == (299, f"/{number}")
                assert bytes(answer.body) == bodies[number]

    def test_an_application_that_fails_midway_resets_its_stream_only(
        self, serve_here: ServeThread, transport: Transport
    ):
        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            yield b"begun"
            if environ["PATH_INFO"] == "/fails":
                raise ValueError("midway")

        with self.serve(serve_here, app, transport) as client:
            failed = client.answer(client.ask("/fails"))
            assert (failed.reset, failed.ended) == (2, False)  # INTERNAL_ERROR.
            assert bytes(client.answer(client.ask("/on")).body) == b"begun"

    def test_a_file_is_sent(self, serve_here: ServeThread, transport: Transport, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"content " * 50_000)

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return environ["wsgi.file_wrapper"](path.open("rb"))

        with self.serve(serve_here, app, transport) as client:
            answer = client.answer(client.ask("/"))
            assert bytes(answer.body) == path.read_bytes()
            assert answer.fields["content-length"] == "400000"

    def test_early_hints(self, serve_here: ServeThread, transport: Transport):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
            return plain(start_response, "final")

        with self.serve(serve_here, app, transport) as client:
            answer = client.answer(client.ask("/"))
        assert (answer.interim, answer.status) == ([103], 200)


@pytest.mark.parametrize("transport", ["tls"], indirect=True)
def test_http_1_over_tls(serve: ServeProcess, transport: Transport):
    assert transport.authority is not None
    server = serve(LIVE, **transport.settings)
    arguments = ["curl", "-sS", "--http1.1", "--cacert", transport.authority.ca]
    url = f"https://localhost:{server.port}"
    done = subprocess.run(
        [*arguments, f"{url}/hello", f"{url}/stream?0.1"],
        capture_output=True, text=True, timeout=20, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert re.fullmatch("hello(part )+end", done.stdout), done
