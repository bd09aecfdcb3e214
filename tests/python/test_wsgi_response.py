"""start_response, write() and the iterable: what a WSGI application says, and what leaves.

Source: PEP 3333, "The start_response() Callable", "Buffering and Streaming", "Error Handling".
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from support.fixtures import ServeThread
from support.http1 import Closed, Response
from support.server import ServerThread
from support.wsgi import (
    PLAIN,
    Application,
    Environ,
    Kept,
    Parts,
    StartResponse,
    plain,
    until,
    validated,
)

pytestmark = pytest.mark.sanitize

LONG = b"0123456789abcdef" * 4096  # Kept by reference, not copied.


def answer(serve_here: ServeThread, app: Application, **request: Any) -> Response:
    return serve_here(app).request(**request)


def status_of(response: Response) -> tuple[int, str | None, bytes]:
    """Status, how the length is told, and the body."""
    length = response.get("content-length") or response.get("transfer-encoding")
    return response.status, length, response.body


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The errors that were logged: the text, and the last line of the traceback."""
    return [
        f"{record.getMessage()}: {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]


# --- status and headers


class TestHead:
    def test_status_reason_and_headers_are_the_applications(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            headers = [("X-Two", "b"), ("x-one", "a"), ("X-Two", "\xe9 c"), *PLAIN]
            start_response("299 Caf\xe9 is fine", headers)
            return [b"body"]

        response = answer(serve_here, validated(app))
        assert (response.status, response.reason) == (299, "Caf\xe9 is fine")
        assert response.all("x-two") == ["b", "\xe9 c"]
        assert [name for name, _ in response.headers][-5:-1] == [
            "x-two", "x-one", "x-two", "content-type",
        ]  # fmt: skip

    def test_the_servers_own_fields_are_there_once(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [("Server", "mine"), ("Date", "today")])
            return []

        response = answer(serve_here, app)
        assert (response.get("server"), response.get("date")) == ("mine", "today")
        assert answer(serve_here, lambda _, start: plain(start)).get("server") == "tercel"

    @pytest.mark.parametrize(
        ("status", "headers", "kind"),
        [
            (b"200 OK", [], TypeError),
            (200, [], TypeError),
            ("200", [], ValueError),
            ("200OK", [], ValueError),
            ("20 OK", [], ValueError),
            ("+20 OK", [], ValueError),
            (" 200 OK", [], ValueError),
            ("", [], ValueError),
            ("999 High", [], ValueError),
            ("100 Continue", [], ValueError),
            ("101 Switching Protocols", [], ValueError),
            ("200 O\nK", [], ValueError),
            ("200 OK\r\nX: y", [], ValueError),
            ("200 \u20ac", [], ValueError),
            ("200 OK", (), TypeError),
            ("200 OK", {}, TypeError),
            ("200 OK", None, TypeError),
            ("200 OK", [["a", "b"]], TypeError),
            ("200 OK", [("a",)], TypeError),
            ("200 OK", [("a", "b", "c")], TypeError),
            ("200 OK", ["ab"], TypeError),
            ("200 OK", [(b"a", "b")], TypeError),
            ("200 OK", [("a", b"b")], TypeError),
            ("200 OK", [("a", 1)], TypeError),
            ("200 OK", [("a", None)], TypeError),
            ("200 OK", [("a", "b\r\nEvil: c")], ValueError),
            ("200 OK", [("a", "b\n")], ValueError),
            ("200 OK", [("a", "b\0")], ValueError),
            ("200 OK", [("a\r\nEvil: c", "b")], ValueError),
            ("200 OK", [("a b", "c")], ValueError),
            ("200 OK", [("a:", "c")], ValueError),
            ("200 OK", [("", "c")], ValueError),
            ("200 OK", [("a", "\u20ac")], ValueError),
            ("200 OK", [("\u20ac", "a")], ValueError),
            ("200 OK", [("Content-Length", "x")], ValueError),
            ("200 OK", [("Content-Length", "-1")], ValueError),
            ("200 OK", [("Content-Length", "1"), ("content-length", "1")], ValueError),
            # They are the connection's, and so the server's.
            ("200 OK", [("Connection", "close")], ValueError),
            ("200 OK", [("keep-alive", "timeout=5")], ValueError),
            ("200 OK", [("TRANSFER-ENCODING", "chunked")], ValueError),
            ("200 OK", [("Upgrade", "websocket")], ValueError),
            ("200 OK", [("TE", "trailers")], ValueError),
            ("200 OK", [("Trailer", "x")], ValueError),
            ("200 OK", [("Proxy-Authenticate", "Basic")], ValueError),
            ("200 OK", [("Proxy-Authorization", "Basic x")], ValueError),
        ],
        ids=lambda value: ascii(value)[:40],
    )
    def test_what_is_malformed_raises_and_leaves_the_way_free(
        self, one_server, status: Any, headers: Any, kind: type
    ):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            try:
                start_response(status, headers)
            except Exception as error:
                raised.put(error)
            start_response("200 OK", PLAIN)
            return [b"another"]

        response = one_server.ask(app)
        assert type(raised.get()) is kind
        assert (response.status, response.body) == (200, b"another")
        assert not response.all("evil")

    def test_a_list_that_is_changed_afterwards_changes_nothing(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            headers = [("X", "1")]
            start_response("200 OK", headers)
            headers[0] = ("X", "2")
            headers.append(("Y", "3"))
            return [b""]

        response = answer(serve_here, app)
        assert (response.get("x"), response.get("y")) == ("1", None)

    def test_more_headers_than_anybody_needs_are_refused(self, one_server):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            try:
                start_response("200 OK", [("X", "1")] * 1025)
            except ValueError as error:
                raised.put(str(error))
            return plain(start_response)

        one_server.ask(app)
        assert raised.get() == "a response has at most 1024 headers"


@pytest.fixture(scope="module")
def one_server() -> Iterator[Any]:
    """A server for tests that need none of their own: `one_server.ask(app)`."""

    class One:
        app: Application

        def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            return self.app(environ, start_response)

        def ask(self, app: Application) -> Response:
            self.app = app
            return server.request()

    one = One()
    with ServerThread(one) as server:
        yield one


# --- when the head leaves, and calls of start_response


class TestStartResponse:
    def test_may_come_with_the_first_part_of_a_generator(self, serve_here):
        @validated
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("201 Created", PLAIN)
            yield b"late"

        response = answer(serve_here, app)
        assert (response.status, response.body) == (201, b"late")

    def test_may_come_after_parts_that_are_empty(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            yield b""
            yield b""
            start_response("201 Created", PLAIN)
            yield b""
            yield b"late"

        response = answer(serve_here, app)
        assert (response.status, response.body) == (201, b"late")

    def test_the_head_waits_for_the_first_part_that_is_not_empty(self, serve_here):
        go_on = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b""
            go_on.wait(20)
            try:
                raise ValueError("too late for 200, not for 503")
            except ValueError:
                start_response("503 Sorry", PLAIN, sys.exc_info())
            yield b"sorry"

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.silent_for(0.1)
            go_on.set()
            response = client.response()
        assert (response.status, response.body) == (503, b"sorry")

    def test_an_iterable_that_yields_nothing_has_its_head(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("202 Accepted", [("X", "y")])
            return iter(())

        response = answer(serve_here, app)
        assert (response.status, response.get("x"), response.body) == (202, "y", b"")

    def test_a_body_before_it_is_an_error(self, one_server, caplog):
        for result in ([b"body"], iter([b"body"])):
            assert one_server.ask(lambda *_, result=result: result).status == 500
        assert until(lambda: len(errors(caplog)) == 2)

    def test_an_answer_without_it_is_an_error(self, one_server, caplog):
        for result in ([], iter(()), [b""]):
            assert one_server.ask(lambda *_, result=result: result).status == 500
        assert until(lambda: len(errors(caplog)) == 3)
        assert set(errors(caplog)) == {"The WSGI application did not call start_response()"}

    def test_twice_without_exc_info_is_an_error(self, one_server):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", PLAIN)
            try:
                start_response("404 Not Found", PLAIN)
            except AssertionError as error:
                raised.put(str(error))
            return [b"first"]

        response = one_server.ask(app)
        assert (response.status, response.body) == (200, b"first")
        assert "without exc_info" in raised.get()

    def test_with_exc_info_replaces_a_head_that_has_not_left(self, one_server):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            write = start_response("200 OK", [("X", "1"), ("Content-Length", "3")])
            write(b"")  # Nothing, so nothing has left.
            try:
                raise KeyError("x")
            except KeyError:
                start_response("500 Oops", [("Y", "2")], sys.exc_info())
            return [b"an error page"]

        response = one_server.ask(app)
        assert (response.status, response.reason) == (500, "Oops")
        assert (response.get("x"), response.get("y")) == (None, "2")
        assert response.body == b"an error page"

    def test_with_exc_info_raises_it_when_the_head_has_left(self, serve_here, caplog):
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b"begun"
            try:
                raise KeyError("original")
            except KeyError as error:
                try:
                    start_response("500 Oops", PLAIN, sys.exc_info())
                except KeyError as again:
                    kept.put(again is error)
                    raise

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            got = client.read_to_close()
        assert b"begun" in got
        assert not got.endswith(b"0\r\n\r\n")
        assert kept.get() is True
        assert until(lambda: errors(caplog))
        assert errors(caplog) == ["Exception in WSGI application: KeyError('original')"]

    @pytest.mark.parametrize("exc_info", [(), 1, (KeyError,), "text"])
    def test_exc_info_of_another_kind_raises(self, one_server, exc_info: Any):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            try:
                start_response("200 OK", PLAIN, exc_info)
            except TypeError as error:
                raised.put(error)
            return plain(start_response, "on")

        assert one_server.ask(app).body == b"on"
        assert isinstance(raised.get(), TypeError)

    def test_with_exc_info_of_nothing_raises_only_when_it_would_be_raised(self, serve_here):
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("404 Not Found", PLAIN)
            start_response("200 OK", PLAIN, sys.exc_info())
            yield b"begun"
            try:
                start_response("500 Oops", PLAIN, sys.exc_info())
            except TypeError as error:
                kept.put(error)

        response = answer(serve_here, app)
        assert (response.status, response.body) == (200, b"begun")
        assert isinstance(kept.get(), TypeError)

    def test_keeps_nothing_of_an_exception(self, serve_here):
        class Traced(Exception):
            pass

        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", PLAIN)
            try:
                raise Traced
            except Traced as error:
                kept.put(weakref.ref(error))
                start_response("500 Oops", PLAIN, sys.exc_info())
            return [b""]

        assert answer(serve_here, app).status == 500
        reference = kept.get()
        assert until(lambda: gc.collect() is not None and reference() is None)

    def test_is_of_no_use_after_the_request(self, serve_here):
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            write = start_response("200 OK", PLAIN)
            kept.put((start_response, write, environ["wsgi.early_hints"]))
            return [b"done"]

        answer(serve_here, app)
        start, write, early_hints = kept.get()
        time.sleep(0.05)
        for late in (lambda: start("200 OK", []), lambda: write(b"x"), lambda: early_hints([])):
            with pytest.raises(RuntimeError, match="over"):
                late()


# --- write()


class TestWrite:
    def test_comes_before_the_iterable(self, serve_here):
        @validated
        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            write = start_response("200 OK", PLAIN)
            write(b"one ")
            write(b"two ")
            return [b"three"]

        assert answer(serve_here, app).body == b"one two three"

    def test_leaves_at_once(self, serve_here):
        go_on = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", PLAIN)(b"at once")
            go_on.wait(20)
            return [b" later"]

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            seen = b""
            while b"at once" not in seen:
                seen += client.read_some()
            go_on.set()
            while not seen.endswith(b"0\r\n\r\n"):
                seen += client.read_some()
        assert b" later" in seen

    @pytest.mark.parametrize("part", ["text", None, 1, bytearray(b"x")])
    def test_takes_bytes_only(self, one_server, part: Any):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            try:
                start_response("200 OK", PLAIN)(part)
            except TypeError as error:
                raised.put(str(error))
            return [b"on"]

        assert one_server.ask(app).body == b"on"
        assert "must be bytes" in raised.get()

    def test_waits_for_a_client_that_does_not_read(self, serve_here):
        written = []

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            write = start_response("200 OK", PLAIN)
            for number in range(400):
                write(LONG)
                written.append(number)
            return []

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert until(lambda: len(written) > 2)
            time.sleep(0.3)
            assert len(written) < 390  # The buffers of the sockets have taken the rest.
            assert client.response().body == LONG * 400


# --- the iterable, and how its length is told


class TestIterables:
    @pytest.mark.parametrize(
        ("result", "told"),
        [
            ([b"one part"], "8"),
            ((b"one part",), "8"),
            ([b"one ", b"part"], "8"),
            ([b"", b"one part", b""], "8"),
            ([], "0"),
            ([b""], "0"),
            ([LONG, b"x", LONG], str(2 * len(LONG) + 1)),
            ([b"x" * 100] * 2000, "200000"),
        ],
        ids=["list", "tuple", "two", "with-empty-ones", "empty", "empty-part", "long", "many"],
    )
    def test_of_a_list_the_length_is_told(self, one_server, result: Any, told: str):
        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return result

        assert status_of(one_server.ask(app)) == (200, told, b"".join(result))

    @pytest.mark.parametrize("parts", [[b"a"], [b"a", b"bc"], [LONG, LONG], [b"", b"a", b""]])
    def test_of_a_generator_it_is_not(self, one_server, parts: list[bytes]):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield from parts

        assert status_of(one_server.ask(app)) == (200, "chunked", b"".join(parts))

    def test_one_part_of_an_iterable_with_a_length_is_told(self, one_server):
        class Single:
            def __len__(self) -> int:
                return 1

            def __iter__(self) -> Iterator[bytes]:
                yield b"the only part"

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return Single()

        assert status_of(one_server.ask(app)) == (200, "13", b"the only part")

    def test_one_that_lies_about_its_length_is_an_error_that_is_logged(self, one_server, caplog):
        class Liar:
            def __len__(self) -> int:
                return 1

            def __iter__(self) -> Iterator[bytes]:
                yield b"the first"
                yield b"the second"

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return Liar()

        assert status_of(one_server.ask(app)) == (200, "9", b"the first")
        assert until(lambda: errors(caplog))
        assert "longer than its Content-Length" in errors(caplog)[0]

    def test_a_generator_that_yields_nothing_has_no_body(self, one_server):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b""

        response = one_server.ask(app)
        assert (response.status, response.body) == (200, b"")

    def test_http_1_0_ends_with_the_connection(self, serve_here):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b"a"
            yield b"b"

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            response = client.response()
            assert status_of(response) == (200, None, b"ab")
            assert response.get("connection") == "close"

    def test_http_1_0_keeps_its_connection_where_the_length_is_known(self, serve_here):
        with serve_here(lambda _, start: plain(start, "ab")).connect() as client:
            for _ in range(2):
                client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                response = client.response()
                assert status_of(response) == (200, "2", b"ab")
                assert response.get("connection") == "keep-alive"

    def test_a_declared_length_is_kept_to(self, one_server):
        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", [("Content-Length", "4")])
            yield b"ab"
            yield b"cd"
            yield b""

        assert status_of(one_server.ask(app)) == (200, "4", b"abcd")

    def test_at_its_declared_length_an_answer_is_over_for_the_client(self, serve_here):
        hold = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", [("Content-Length", "4")])
            yield b"abcd"
            if environ["PATH_INFO"] == "/works-on":
                hold.wait(5)

        with serve_here(app, threads=2).connect(timeout=2) as client:
            assert client.request("GET", "/works-on").body == b"abcd"
            assert client.request("GET", "/next").body == b"abcd"
            hold.set()

    @pytest.mark.parametrize("as_list", [False, True])
    @pytest.mark.parametrize("parts", [[b"abcde"], [b"ab", b"cde"], [b"abcd", b"e"]])
    def test_more_than_the_declared_length_does_not_leave(
        self, serve_here, caplog, parts: list[bytes], as_list: bool
    ):
        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"] == "/next":
                return plain(start_response, "next")
            start_response("200 OK", [("Content-Length", "4")])
            return parts if as_list else iter(parts)

        with serve_here(app).connect() as client:
            assert client.request().body == b"abcd"
            assert client.request("GET", "/next").body == b"next"
        assert until(lambda: errors(caplog))
        assert len(errors(caplog)) == 1

    @pytest.mark.parametrize("as_list", [False, True])
    def test_less_than_the_declared_length_is_no_answer(self, serve_here, caplog, as_list: bool):
        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Length", "4")])
            return [b"abc"] if as_list else iter([b"abc"])

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            if as_list:  # Nothing has left yet.
                assert client.response().status == 500
            else:
                with pytest.raises(Closed):
                    client.response()
        assert until(lambda: errors(caplog))
        assert "shorter" in errors(caplog)[0]

    @pytest.mark.parametrize(
        "result", [b"bytes", "text", None, 7, ["text"], [1], [None], [bytearray(b"x")]], ids=repr
    )
    def test_of_other_things_is_an_error(self, one_server, caplog, result: Any):
        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return result

        assert one_server.ask(app).status == 500
        assert until(lambda: errors(caplog))
        assert "TypeError" in errors(caplog)[0]

    def test_each_part_leaves_before_the_next_is_asked_for(self, serve_here):
        steps = threading.Semaphore(0)

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            for number in range(5):
                yield b"data: %d\n\n" % number
                assert steps.acquire(timeout=10)

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            seen = b""
            for number in range(5):
                while b"data: %d\n\n" % number not in seen:
                    seen += client.read_some()
                assert b"data: %d" % (number + 1) not in seen
                steps.release()


# --- answers without a body


class TestAnswersWithoutABody:
    def test_head_runs_the_application_and_sends_its_fields(self, serve_here):
        @validated
        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [*PLAIN, ("Content-Length", "5")])
            return Parts([b"12345"])

        with serve_here(app).connect() as client:
            for _ in range(2):
                response = client.request("HEAD")
                assert status_of(response) == (200, "5", b"")

    @pytest.mark.parametrize("result", [[b"12345"], [b"123", b"45"]])
    def test_head_tells_the_length_that_get_does(self, serve_here, result: list[bytes]):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", PLAIN)
            return result

        with serve_here(app).connect() as client:
            assert client.request("HEAD").get("content-length") == "5"
            assert client.request("GET").body == b"12345"

    def test_head_of_a_stream_closes_it(self, serve_here):
        parts = Parts([b"a", b"b", b"c"])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return parts

        with serve_here(app).connect() as client:
            response = client.request("HEAD")
            assert (response.status, response.body) == (200, b"")
            assert until(lambda: parts.closed)
            assert parts.closed == 1

    @pytest.mark.parametrize(
        ("status", "told"), [("204 No Content", None), ("304 Not Modified", "5")]
    )
    @pytest.mark.parametrize("part", [b"", b"12345"], ids=["nothing", "a-body"])
    def test_204_and_304(self, serve_here, status: str, told: str | None, part: bytes):
        parts = Parts([part])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response(status, [("Content-Length", "5"), ("ETag", '"x"')])
            return parts

        with serve_here(app).connect() as client:
            for closed in (1, 2):
                response = client.request()
                assert response.status == int(status[:3])
                assert response.get("content-length") == told
                assert response.get("etag") == '"x"'
                assert until(lambda closed=closed: parts.closed == closed)
                parts._parts = iter([part])


# --- early hints


LINKS = [("Link", "</style.css>; rel=preload"), ("Link", "</x.js>; rel=preload")]


class TestEarlyHints:
    def app(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ["wsgi.early_hints"](LINKS)
        return plain(start_response, "final")

    def test_are_sent_before_the_answer(self, serve_here):
        response = answer(serve_here, self.app)
        [hints] = response.interim
        assert hints.status == 103
        assert hints.headers == [(name.lower(), value) for name, value in LINKS]
        assert response.body == b"final"

    def test_are_not_sent_to_http_1_0(self, serve_here):
        with serve_here(self.app).connect() as client:
            client.send("GET / HTTP/1.0\r\n\r\n")
            response = client.response()
        assert (response.interim, response.body) == ([], b"final")

    @pytest.mark.parametrize(
        ("headers", "kind"),
        [([("Link", "a\r\nb")], ValueError), ([("Connection", "close")], ValueError),
         ({"Link": "x"}, TypeError), ([("Link", 1)], TypeError)],
    )  # fmt: skip
    def test_that_are_malformed_raise(self, one_server, headers: Any, kind: type):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            try:
                environ["wsgi.early_hints"](headers)
            except (TypeError, ValueError) as error:
                raised.put(error)
            return plain(start_response, "final")

        response = one_server.ask(app)
        assert (response.interim, response.body) == ([], b"final")
        assert type(raised.get()) is kind

    def test_come_too_late_once_the_answer_has_begun(self, serve_here):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b"begun"
            try:
                environ["wsgi.early_hints"](LINKS)
            except RuntimeError as error:
                raised.put(error)

        assert answer(serve_here, app).body == b"begun"
        assert isinstance(raised.get(), RuntimeError)


# --- applications that fail


class TestFailures:
    @pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
    def test_before_the_head_is_a_500(self, serve_here, caplog, error: BaseException):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            if environ["PATH_INFO"] == "/on":
                return plain(start_response, "on")
            start_response("200 OK", PLAIN)
            raise error

        with serve_here(app).connect() as client:
            response = client.request()
            assert status_of(response) == (500, "23", b"the application failed\n")
            assert client.request("GET", "/on").body == b"on"
        assert until(lambda: errors(caplog))
        assert errors(caplog) == [f"Exception in WSGI application: {error!r}"]

    def test_in_the_first_step_of_the_iterable_is_a_500(self, serve_here, caplog):
        parts = Parts([ValueError("first")])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return parts

        assert answer(serve_here, app).status == 500
        assert until(lambda: parts.closed)
        assert (parts.closed, len(errors(caplog))) == (1, 1)

    @pytest.mark.parametrize("length", [None, "100"])
    def test_within_the_body_cuts_the_connection(self, serve_here, caplog, length: str | None):
        parts = Parts([b"begun", ValueError("midway")])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", [("Content-Length", length)] if length else [])
            return parts

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            with pytest.raises(Closed):
                client.response()
        assert until(lambda: parts.closed)
        assert parts.closed == 1
        assert errors(caplog) == ["Exception in WSGI application: ValueError('midway')"]

    def test_in_close_is_logged_and_the_answer_is_whole(self, serve_here, caplog):
        class Fails(Parts):
            def close(self) -> None:
                super().close()
                raise ValueError("in close")

        parts = Fails([b"body"])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return parts

        with serve_here(app).connect() as client:
            assert client.request().body == b"body"
            assert client.request().status == 200
        assert until(lambda: len(errors(caplog)) == 2)
        assert parts.closed == 2
        assert "close()" in errors(caplog)[0]


class TestClose:
    """Called exactly once, whatever happened: see the classes above for HEAD, 304 and failures."""

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_comes_after_the_last_part(self, serve_here, version: str):
        parts = Parts([b"a", b"b"])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return parts

        with serve_here(app).connect() as client:
            client.send(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n")
            assert client.response().body == b"ab"
        assert until(lambda: parts.closed)
        assert parts.events == ["part", "part", "close"]

    def test_of_a_list_that_has_one(self, one_server):
        class Closing(list[bytes]):
            closed = 0

            def close(self) -> None:
                self.closed += 1

        result = Closing([b"a"])

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return result

        assert one_server.ask(app).body == b"a"
        assert until(lambda: result.closed)
        assert result.closed == 1

    def test_comes_when_the_result_is_of_no_use(self, one_server):
        class Useless:
            closed = 0

            def close(self) -> None:
                self.closed += 1

        result = Useless()

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return result

        assert one_server.ask(app).status == 500
        assert until(lambda: result.closed)

    @pytest.mark.parametrize(("part", "pause"), [(LONG, 0.0), (b"data: x\n\n", 0.01)])
    def test_comes_when_the_client_leaves(self, serve_here, caplog, part: bytes, pause: float):
        left = threading.Event()

        def parts() -> Iterator[bytes]:
            while True:
                time.sleep(pause)
                yield part

        class Watched(Parts):
            def close(self) -> None:
                super().close()
                left.set()

        watched = Watched(parts())

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", PLAIN)
            return watched

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.read_some()
            client.reset()
            assert left.wait(10)
        assert watched.closed == 1
        assert errors(caplog) == []

    def test_of_a_generator_runs_its_finally(self, serve_here):
        kept = Kept()

        def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            try:
                while True:
                    yield LONG
            finally:
                kept.put(sys.exc_info()[0])

        with serve_here(app).connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.read_some()
            client.reset()
            assert kept.get() is GeneratorExit
