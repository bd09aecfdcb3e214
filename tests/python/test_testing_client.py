"""tercel.testing.TestClient: what a test sees of an application that works, or does not.

That it sees the same as over a socket: test_testing_agrees.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import tercel
from apps.api_things import app as things
from tercel import _core
from tercel.loop import EventLoop
from tercel.problems import LifespanError, SettingError
from tercel.settings import load
from tercel.testing import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(things) as client:
        yield client


def asgi(status: int = 200, *parts: bytes, after: Any = None, before: Any = None) -> Any:
    """An ASGI application without a lifespan, which keeps the scopes that it was called with."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        app.scopes.append(scope)  # type: ignore[attr-defined]
        if before is not None:
            await before(receive)
        await send({"type": "http.response.start", "status": status, "headers": []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        if after is not None:
            await after()

    app.scopes = []  # type: ignore[attr-defined]
    return app


class TestRequests:
    def test_every_method(self, client: TestClient) -> None:
        assert client.get("/hello").json() == {"message": "Hello"}
        thing = {"name": "a", "price": 2.0, "tags": [], "made": None}
        assert client.post("/things", json=thing).json() == thing
        assert client.put("/points/p", json={"x": 1}, params={"dry": True}).json()["dry"] is True
        assert client.patch("/hello").status == 405
        assert client.delete("/nothing").status == 204
        assert client.head("/hello").headers["content-length"] == "19"
        assert client.options("/hello").headers["Allow"] == "GET, HEAD, OPTIONS"
        assert client.request("BREW", "/hello").status_code == 501

    def test_what_a_response_is(self, client: TestClient) -> None:
        response = client.get("/response")
        assert (response.status, response.text, response.content) == (202, "made", b"made")
        assert response.headers["Content-Type"] == "text/html"
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert response.cookies["b"] == "2"
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            client.get("/nowhere").raise_for_status()

    def test_cookies_are_kept(self) -> None:
        app = tercel.App()

        @app.get("/")
        async def seen(request: tercel.Request) -> tercel.Response:
            return tercel.Response(
                request.header("cookie", "") or "", headers={"set-cookie": "session=1"}
            )

        client = TestClient(app, cookies={"first": "0"}, headers={"x-a": "b"})
        assert client.get("/").text == "first=0"
        assert client.get("/").text == "first=0; session=1"
        client.cookies.clear()
        assert client.get("/").text == ""

    def test_headers(self) -> None:
        app = asgi()
        client = TestClient(app, headers=[("x-a", "1"), ("X-A", "2")])
        client.get("/", headers={"x-b": "3"})
        sent = app.scopes[0]["headers"]
        assert [value for name, value in sent if name == b"x-a"] == [b"1", b"2"]
        assert (b"x-b", b"3") in sent
        assert (b"user-agent", b"testclient") in sent
        assert (b"host", b"testserver") in sent
        TestClient(app, headers={"User-Agent": "mine"}).get("/")
        agents = [value for name, value in app.scopes[1]["headers"] if name == b"user-agent"]
        assert agents == [b"mine"]

    def test_the_ends_of_the_connection(self) -> None:
        app = asgi()
        TestClient(app).get("/")
        scope = app.scopes[0]
        assert (scope["client"], scope["server"]) == (("127.0.0.1", 50000), ("127.0.0.1", 80))
        assert (scope["scheme"], scope["http_version"]) == ("http", "1.1")
        TestClient(app, base_url="https://example.org/base").get("/x")
        scope = app.scopes[1]
        assert (scope["scheme"], scope["path"]) == ("https", "/base/x")
        assert scope["server"] == ("127.0.0.1", 443)
        assert (b"host", b"example.org") in scope["headers"]

    def test_settings_of_the_server(self) -> None:
        app = asgi()
        settings = {"root_path": "/v1", "limit_request_body": 10}
        client = TestClient(app, settings=settings)
        client.get("/x")
        assert app.scopes[0]["root_path"] == "/v1"
        assert client.post("/", content=b"x" * 11).status == 413
        with pytest.raises(SettingError, match="limit_request_body"):
            TestClient(app, settings={"limit_request_body": "x"}).get("/")
        with pytest.raises(ValueError, match="I/O threads"):
            TestClient(app, settings={"io_threads": 1}).get("/")

    def test_redirects(self) -> None:
        app = tercel.App()

        @app.get("/")
        async def there() -> tercel.Response:
            return tercel.Response(status=307, headers={"location": "https://other.example/b"})

        @app.get("/b")
        async def here(request: tercel.Request) -> str | None:
            return request.header("host")

        assert TestClient(app).get("/").text == "other.example"
        assert TestClient(app, follow_redirects=False).get("/").status == 307

    def test_large_bodies_in_both_directions_at_once(self) -> None:
        async def echo(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            more = True
            while more:
                message = await receive()
                more = message["more_body"]
                part = {"type": "http.response.body", "body": message["body"], "more_body": more}
                await send(part)

        body = bytes(range(256)) * 40_000
        client = TestClient(echo, settings={"lifespan": "off"}, timeout=20)
        assert client.post("/", content=body).content == body
        parts = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
        assert client.post("/", content=parts).content == body

    def test_a_large_body_for_an_application_that_answers_in_the_end(self) -> None:
        async def read(receive: Any) -> None:
            while (await receive())["more_body"]:
                pass

        client = TestClient(asgi(200, b"read", before=read), timeout=20)
        assert client.post("/", content=b"x" * 20_000_000).content == b"read"

    def test_a_stream_while_other_requests_are_made(self) -> None:
        client = TestClient(asgi(200, b"a", b"b"))
        with client.stream("GET", "/") as response:
            parts = response.iter_raw()
            assert next(parts) == b"a"
            assert client.get("/").content == b"ab"
            assert next(parts, b"b") == b"b"
        assert client.get("/").content == b"ab"

    def test_events_until_the_client_has_enough(self) -> None:
        app = tercel.App()
        closed = []

        @app.get("/events")
        async def events() -> tercel.EventStream:
            async def made() -> Any:
                try:
                    for number in range(1_000_000):
                        yield tercel.Event(number)
                        await asyncio.sleep(0.001)
                finally:
                    closed.append(True)

            return tercel.EventStream(made())

        @app.get("/closed")
        async def are_closed() -> bool:
            return bool(closed)

        client = TestClient(app)
        with client.stream("GET", "/events") as response:
            lines = (line for line in response.iter_lines() if line)
            assert [next(lines) for _ in range(3)] == ["data: 0", "data: 1", "data: 2"]
            assert client.get("/closed").json() is False
        assert closed == [True]
        assert client.get("/closed").json() is True

    def test_files(self, client: TestClient) -> None:
        response = client.post("/raw", files={"f": ("a.txt", b"x")})
        assert response.status == 413  # The head of a part alone is longer than 100 bytes.


class TestFailures:
    def test_exceptions_of_handlers_go_on_in_the_test(self, client: TestClient) -> None:
        with pytest.raises(RuntimeError, match="the secret") as caught:
            client.get("/raise/unknown")
        assert "raises" in [entry.name for entry in caught.traceback]
        with pytest.raises(TypeError, match="is no type that is sent"):
            client.get("/unencodable")
        with pytest.raises(ValueError, match="bad name"):
            client.get("/bad-header")
        assert client.get("/hello").status == 200

    def test_what_is_answered_is_no_failure(self, client: TestClient) -> None:
        assert client.get("/raise/http").status == 418
        assert client.get("/raise/order").text == "OnOrder"
        assert client.get("/things/x").status == 422

    def test_or_they_are_500(self) -> None:
        client = TestClient(things, raise_server_exceptions=False)
        response = client.get("/raise/unknown")
        assert response.status == 500
        assert response.json()["detail"] == "The application failed."

    def test_exceptions_of_error_handlers(self) -> None:
        app = tercel.App()

        @app.error_handler(KeyError)
        def fails(error: Exception) -> str:
            raise OSError("second")

        @app.get("/")
        async def first() -> None:
            raise KeyError

        with pytest.raises(OSError, match="second"):
            TestClient(app).get("/")

    def test_what_an_error_handler_returns_is_no_answer(self) -> None:
        app = tercel.App()
        app.error_handler(KeyError)(lambda error: error)

        @app.get("/")
        async def first() -> None:
            raise KeyError

        with pytest.raises(TypeError, match="KeyError is no type that is sent"):
            TestClient(app).get("/")

    @pytest.mark.parametrize("way", ["coroutine", "thread", "loop", "hooked"])
    @pytest.mark.parametrize("parts", [0, 1])
    def test_exceptions_of_streams(self, way: str, parts: int) -> None:
        app = tercel.App()

        def fails() -> Iterator[bytes]:
            yield from [b"part"] * parts
            raise KeyError("in a stream")

        def plain() -> tercel.StreamingResponse:
            return tercel.StreamingResponse(fails())

        async def waits() -> tercel.StreamingResponse:
            return plain()

        if way == "hooked":
            app.on_request(lambda request: None)
        app.get("/", blocking=way != "loop")(plain if way in ("thread", "loop") else waits)
        with pytest.raises(KeyError, match="in a stream"):
            TestClient(app).get("/")
        client = TestClient(app, raise_server_exceptions=False)
        if parts:
            with pytest.raises(httpx.RemoteProtocolError):
                client.get("/")
        else:
            assert client.get("/").status == 500

    def test_exceptions_of_asgi_applications(self) -> None:
        async def fail(*_: Any) -> None:
            raise LookupError("mine")

        for app in (asgi(before=fail), asgi(200, b"part", after=fail)):
            with pytest.raises(LookupError, match="mine"):
                TestClient(app).get("/")
        client = TestClient(asgi(before=fail), raise_server_exceptions=False)
        assert client.get("/").status == 500

    def test_a_body_that_is_cut(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            TestClient(app).get("/")
        with pytest.raises(httpx.RemoteProtocolError):
            TestClient(app, raise_server_exceptions=False).get("/")

    def test_an_application_that_does_not_answer(self) -> None:
        async def stall(*_: Any) -> None:
            await asyncio.sleep(60)

        with pytest.raises(httpx.ReadTimeout, match=r"did not answer within 0\.1 s"):
            TestClient(asgi(before=stall), timeout=0.1).get("/")

    def test_an_application_that_does_not_read(self) -> None:
        async def stall(*_: Any) -> None:
            await asyncio.sleep(60)

        with pytest.raises(httpx.WriteTimeout, match=r"did not read within 0\.1 s"):
            TestClient(asgi(before=stall), timeout=0.1).post("/", content=b"x" * 20_000_000)

    def test_what_is_no_asgi_application(self) -> None:
        with pytest.raises(TypeError, match="use LiveServer"):
            TestClient(lambda environ, start_response: []).get("/")
        with pytest.raises(tercel.TargetError):
            TestClient(object()).get("/")

    def test_within_a_running_loop(self) -> None:
        async def scenario() -> None:
            with pytest.raises(RuntimeError, match="in an async test, use httpx"):
                TestClient(things).get("/hello")
            with pytest.raises(RuntimeError, match="already"), TestClient(things):
                pass

        asyncio.run(scenario())


class TestExecution:
    def test_handlers_run_in_the_thread_of_the_test(self) -> None:
        seen = []

        async def note(*_: Any) -> None:
            seen.append(threading.current_thread())

        TestClient(asgi(before=note)).get("/")
        assert seen == [threading.current_thread()]

    def test_work_after_the_answer_is_done_when_the_test_goes_on(self) -> None:
        done = []

        async def work() -> None:
            await asyncio.sleep(0.02)
            done.append(True)

        TestClient(asgi(200, after=work)).get("/")
        assert done == [True]

    def test_one_connection_is_kept(self, client: TestClient) -> None:
        for _ in range(5):
            client.get("/hello")
        assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]

    def test_a_pause_that_is_longer_than_connections_are_kept(self) -> None:
        client = TestClient(things, settings={"timeout_keep_alive": 0.02})
        for _ in range(3):
            assert client.get("/hello").status == 200
            time.sleep(0.05)

    def test_an_idle_connection_that_the_server_closed_is_replaced(self) -> None:
        app = tercel.App()

        @app.get("/")
        async def pause(seconds: float = 0) -> str:
            await asyncio.sleep(seconds)
            return "x"

        client = TestClient(app, settings={"timeout_keep_alive": 0.02})
        for seconds in (0.3, 0):
            with client.stream("GET", "/"):  # While it is open, another connection is needed.
                assert client.get("/").text == "x"
            assert client.get("/", params={"seconds": seconds}).text == "x"

    def test_a_connection_that_the_server_closes_is_replaced(self) -> None:
        client = TestClient(things, settings={"limit_requests_per_connection": 2})
        assert [client.get("/hello").status for _ in range(5)] == [200] * 5

    def test_proxies_of_the_environment_are_not_used(self, monkeypatch: Any) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert TestClient(things).get("/hello").status == 200


class TestLifespan:
    def make(self, events: list[str], *, fail: str = "") -> tercel.App:
        @contextlib.asynccontextmanager
        async def lifespan(app: tercel.App) -> Any:
            events.append("startup")
            if fail == "startup":
                raise LookupError("mine")
            yield
            events.append("shutdown")
            if fail == "shutdown":
                raise LookupError("mine")

        app = tercel.App(lifespan=lifespan)
        app.get("/")(lambda: "x")
        return app

    def test_is_around_the_requests_of_a_with_block(self) -> None:
        events: list[str] = []
        app = self.make(events)
        with TestClient(app) as client:
            assert events == ["startup"]
            assert client.get("/").text == "x"
        assert events == ["startup", "shutdown"]
        with TestClient(app):
            pass
        assert len(events) == 4

    def test_there_is_none_without(self) -> None:
        events: list[str] = []
        client = TestClient(self.make(events))
        assert client.get("/").text == "x"
        client.close()
        assert events == []

    def test_its_exceptions_go_on_in_the_test(self) -> None:
        for phase in ("startup", "shutdown"):
            app = self.make([], fail=phase)
            with pytest.raises(LookupError, match="mine"), TestClient(app) as client:
                client.get("/")
            with (
                pytest.raises(LifespanError, match="mine"),
                TestClient(app, raise_server_exceptions=False) as client,
            ):
                client.get("/")

    def test_state_is_there_for_requests(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                scope["state"]["answer"] = b"42"
                for phase in ("startup", "shutdown"):
                    await receive()
                    await send({"type": f"lifespan.{phase}.complete"})
            else:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": scope["state"]["answer"]})

        with TestClient(app) as client:
            assert client.get("/").text == "42"

    def test_tasks_end_with_the_block(self) -> None:
        ended = []

        async def background() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        app = tercel.App()
        tasks: list[Any] = []

        @app.get("/")
        async def start() -> None:
            tasks.append(asyncio.create_task(background()))
            await asyncio.sleep(0)

        with TestClient(app) as client:
            client.get("/")
            assert ended == []
        assert ended == [True]


def test_a_client_that_nobody_closes_leaves_nothing(client: TestClient) -> None:
    def use() -> None:
        for _ in range(3):
            TestClient(things).get("/hello")

    use()
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_serve_socket_takes_over_what_it_is_given() -> None:
    loop = EventLoop()
    settings = load(keywords={"io_threads": 1})
    context = contextvars.copy_context()
    threaded = _core.Server(loop.engine, loop, things, settings, None, context)
    alone = _core.Server(loop.engine, loop, things, load(), None, context)
    good = ("127.0.0.1", 1)
    for server, client in ((threaded, good), (alone, ("localhost", 1))):
        ours, theirs = socket.socketpair()
        with ours:
            with pytest.raises(ValueError, match=r"I/O threads|localhost is not an IP address"):
                server.serve_socket(theirs.detach(), client, good, False)
            assert ours.recv(1) == b""
    threaded.close()
    alone.close()
    loop.close()


def test_without_httpx_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['httpx'] = None; import tercel.testing.plugin\n"
        "try: from tercel.testing import TestClient\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == (
        "tercel.testing.TestClient is a client of httpx, which is not installed:"
        " pip install 'tercel[testing]'."
    )


def test_a_closed_client_has_no_descriptors() -> None:
    app = tercel.App()

    @app.get("/")
    async def root() -> int:
        return 1

    def ask() -> int:
        with TestClient(app) as client:
            assert client.get("/").json() == 1
        return len(os.listdir("/proc/self/fd"))

    gc.collect()
    gc.disable()  # What httpx leaves behind in cycles must not keep them.
    try:
        assert ask() == ask()
    finally:
        gc.enable()
