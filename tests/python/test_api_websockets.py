"""WebSockets of a tercel.App: routes, messages, refusals and ends.

Each question is asked of the served app, of the app behind a TestClient, and under hypercorn.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from hyperframe.frame import DataFrame

import tercel
from apps import api_websockets
from support.http2 import H2Client
from support.server import ServerProcess
from support.websocket import TEXT, frame
from tercel import Body, Cookie, Depends, HTTPError, WebSocket, WebSocketDisconnect
from tercel.testing import TestClient, WebSocketDenied


@dataclass
class Denied(Exception):
    status: int
    headers: Any
    body: bytes

    def document(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


class Door:
    """Asks an application through a port."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=20)

    @contextlib.contextmanager
    def connect(
        self, path: str, headers: dict[str, str] | None = None, subprotocols: Any = None
    ) -> Iterator[Any]:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        try:
            connection = connect(
                self.url.replace("http", "ws") + path,
                additional_headers=headers,
                subprotocols=subprotocols,
            )
        except InvalidStatus as error:
            answer = error.response
            raise Denied(answer.status_code, answer.headers, answer.body or b"") from None
        with connection:
            yield Session(connection)


class Hypercorn(Door):
    """The same, of another server."""


class Session:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.subprotocol = connection.subprotocol
        self.headers = connection.response.headers

    def send(self, message: Any) -> None:
        is_plain = isinstance(message, (str, bytes))
        self._connection.send(message if is_plain else json.dumps(message))

    def receive(self) -> Any:
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connection.recv(timeout=20)
        except ConnectionClosed as end:
            told = end.rcvd
            raise WebSocketDisconnect(*(told.code, told.reason) if told else (1006,)) from None

    def receive_json(self) -> Any:
        return json.loads(self.receive())

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._connection.close(code, reason)


class InProcess:
    """Asks an application through a TestClient."""

    def __init__(self, app: tercel.App) -> None:
        self.client = TestClient(app, raise_server_exceptions=False)
        self.get = self.client.get

    @contextlib.contextmanager
    def connect(
        self, path: str, headers: dict[str, str] | None = None, subprotocols: Any = None
    ) -> Iterator[Any]:
        try:
            session = self.client.websocket(path, headers=headers, subprotocols=subprotocols or ())
        except WebSocketDenied as denied:
            answer = denied.response
            raise Denied(answer.status_code, answer.headers, answer.content) from None
        with session:
            session.headers = session.response.headers  # type: ignore[attr-defined]
            yield session


@contextlib.contextmanager
def hypercorn(app: tercel.App) -> Iterator[str]:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # It closes what it is given.
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    running = serve(app, config, shutdown_trigger=ended.wait)  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: loop.run_until_complete(running))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, Any]]:
    """Those that the tests of this module share."""
    with contextlib.ExitStack() as stack:
        made: dict[str, Any] = {}
        for name in ("app", "hooked"):
            app = getattr(api_websockets, name)
            made[f"hypercorn {name}"] = Hypercorn(stack.enter_context(hypercorn(app)))
            made[f"client {name}"] = InProcess(app)
        yield made
        made["client app"].client.close()
        made["client hooked"].client.close()


@pytest.fixture(params=["native", "client", "hypercorn"])
def make_door(request: pytest.FixtureRequest, doors: Any, serve_shared: Any) -> Any:
    def make(name: str) -> Any:
        if request.param == "native":
            server: ServerProcess = serve_shared(f"api_websockets:{name}", access_log=False)
            door: Any = Door(server.url)
        else:
            door = doors[f"{request.param} {name}"]
        door.get("/log")
        return door

    return make


@pytest.fixture
def door(make_door: Any) -> Any:
    return make_door("app")


@pytest.fixture
def hooked(make_door: Any) -> Any:
    return make_door("hooked")


def denied(door: Any, path: str, **options: Any) -> Denied:
    with pytest.raises(Denied) as caught, door.connect(path, **options):
        pass
    return caught.value


def log_of(door: Any, count: int) -> list[str]:
    """What was logged, when `count` lines are there, but for what asking for it logs."""
    lines: list[str] = []
    for _ in range(200):
        asked = [line for line in door.get("/log").json() if "/log" not in line]
        lines += [line for line in asked if line != "response 200 True"]
        if len(lines) >= count:
            break
        time.sleep(0.01)
    return lines


# --- routes and what they take


def test_typed_messages_and_parameters(door: Any) -> None:
    with door.connect("/rooms/7?times=2") as session:
        session.send({"text": "ab"})
        assert session.receive_json() == {"room": 7, "visit": "visit to 7", "text": "abab"}
        session.send(b'{"text": "c"}')
        assert session.receive_json()["text"] == "cc"
    assert log_of(door, 2) == ["enter 7", "leave 7"]


def test_what_is_wrong_is_refused_before_the_handshake(door: Any) -> None:
    refused = denied(door, "/rooms/x?times=0")
    assert refused.status == 422
    failed = [(e["loc"], e["type"]) for e in refused.document()["errors"]]
    assert failed[0] == (["path", "room"], "int_parsing")
    refused = denied(door, "/rooms/1?times=0")
    assert refused.document()["errors"][0]["loc"] == ["query", "times"]
    missing = denied(door, "/nowhere")
    assert (missing.status, missing.document()["instance"]) == (404, "/nowhere")
    assert log_of(door, 0) == []


def test_routers_have_prefixes_and_dependencies(door: Any) -> None:
    for path in ("/private/ann", "/v2/private/ann"):
        with door.connect(path, headers={"x-key": "secret"}) as session:
            assert session.receive() == "ann"
        refused = denied(door, path)
        assert (refused.status, refused.document()["detail"]) == (401, "Who are you?")
        assert refused.headers["www-authenticate"] == "Key"


def test_a_path_may_have_both(door: Any) -> None:
    assert door.get("/both/7").text == "7"
    with door.connect("/both/7") as session:
        assert session.receive_json() == [7]
    assert denied(door, "/both/x").status == 404
    assert door.get("/echo").status_code == 404


def test_the_request_is_there(door: Any) -> None:
    with door.connect("/asked/a%20b/c?q=1") as session:
        route = "/asked/{rest:path}"
        expected = ["WEBSOCKET", "/asked/a%20b/c", "q=1", route, "a b/c"]
        assert session.receive_json() == expected


def test_mounted_applications_get_theirs(door: Any) -> None:
    with door.connect("/old/x") as session:
        assert session.receive() == "/old"


def test_pages_of_other_origins_are_refused(door: Any) -> None:
    for headers in ({}, {"origin": "https://example.org"}, {"origin": "http://LOCALHOST:8000"}):
        with door.connect("/mine", headers=headers) as session:
            assert session.receive() == "yours"
    for origin in ("http://example.org", "https://example.org.evil", "null", "http://localhost"):
        refused = denied(door, "/mine", headers={"origin": origin})
        assert refused.document()["detail"] == "WebSockets of this origin are not taken."
        assert refused.status == 403
    with door.connect("/echo", headers={"origin": "https://elsewhere.org"}):
        pass


# --- messages


def test_messages_come_back_as_they_are(door: Any) -> None:
    with door.connect("/echo") as session:
        for message in ("text \N{SNOWMAN}", b"\x00\xff", "", b"", "x" * 100_000):
            session.send(message)
            assert session.receive() == message


def test_a_normal_end_ends_the_loop(door: Any) -> None:
    if isinstance(door, Hypercorn):
        pytest.skip("hypercorn calls each end of a client 1006")
    with door.connect("/echo") as session:
        session.close(3999, "enough")
    with door.connect("/echo") as session:
        session.close(1001, "away")
    assert log_of(door, 1) == ["1001 away"]


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("str", "a", ["'a'"]),
        ("str", b"a", "string_type"),
        ("bytes", b"a", ["b'a'"]),
        ("bytes", "a", "bytes_type"),
        ("json", b'{"a": [1]}', ["{'a': [1]}"]),
        ("json", "{", "json_invalid"),
        ("json", b"\xff", "json_invalid"),
        ("json", "[" * 5000, "json_invalid"),
        ("model", '{"number": 4}', ["Model(number=4)"]),
        ("model", '{"number": 3}', "greater_than"),
        ("model", "x", "json_invalid"),
    ],
)
def test_a_message_is_of_the_type_or_is_said_not_to_be(
    door: Any, kind: str, message: Any, expected: Any
) -> None:
    with door.connect(f"/types/{kind}") as session:
        session.send(message)
        answer = session.receive_json()
        if isinstance(expected, str):
            assert answer[0]["type"] == expected
            assert answer[0]["loc"][0] == "message"
        else:
            assert answer == expected
        # It goes on.
        session.send(message)
        assert session.receive_json() == answer


def test_an_invalid_message_that_nobody_catches_closes(door: Any) -> None:
    with door.connect("/rooms/1") as session:
        session.send({"text": ""})
        with pytest.raises(WebSocketDisconnect) as end:
            session.receive()
    assert end.value.code == 1007
    assert end.value.reason == "message.text: Expected `str` of length >= 1."
    with door.connect("/text") as session:
        session.send(b"a")
        with pytest.raises(WebSocketDisconnect, match="1003: message: This must be a message of t"):
            session.receive()


def test_subprotocol_and_headers_of_the_answer(door: Any) -> None:
    with door.connect("/agree", subprotocols=["v3", "v2"]) as session:
        assert session.subprotocol == "v2"
        assert session.headers["x-made"] == "by hand"
        assert session.receive_json() == "v2 of ['v3', 'v2']"
    with door.connect("/agree") as session:
        assert session.subprotocol is None


def test_work_is_done_behind_the_end(door: Any) -> None:
    with door.connect("/work") as session:
        assert session.receive() == "soon"
        with pytest.raises(WebSocketDisconnect, match="1000"):
            session.receive()
    assert log_of(door, 1) == ["worked"]


# --- ends


@pytest.mark.parametrize(
    ("how", "status", "detail"),
    [("return", 403, None), ("close", 403, None), ("error", 409, "Not now.")],
)
def test_a_handler_refuses(door: Any, how: str, status: int, detail: str | None) -> None:
    refused = denied(door, f"/refuse/{how}")
    assert refused.status == status
    assert refused.document().get("detail") == detail
    if how == "error":
        assert refused.headers["x-why"] == "busy"


def test_errors_before_the_handshake_are_answered(door: Any) -> None:
    refused = denied(door, "/refuse/known")
    assert (refused.status, refused.body) == (418, b"known")
    assert denied(door, "/refuse/unknown").document()["status"] == 500
    # 200 would accept it, in HTTP/2.
    refused = denied(door, "/refuse/stream")
    assert (refused.status, refused.headers["content-type"]) == (403, "text/event-stream")
    assert refused.body == b"data: no\n\ndata: never\n\n"
    assert log_of(door, 1) == ["events end"]


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        ("return", 1000, ""),
        ("code", 4321, "that is why"),
        ("error", 4404, "There is none."),
        ("long", 4404, "x" + "\N{SNOWMAN}" * 40),
        ("known", 4418, "I'm a Teapot"),
        ("unknown", 1011, ""),
        ("other", 1011, ""),
    ],
)
def test_how_a_handler_ends(door: Any, how: str, code: int, reason: str) -> None:
    with door.connect(f"/end/{how}") as session, pytest.raises(WebSocketDisconnect) as end:
        session.receive()
    assert (end.value.code, end.value.reason) == (code, reason)


def test_failures_are_logged_and_disconnects_are_not(serve: Any) -> None:
    server = serve("api_websockets:app")
    door = Door(server.url)

    def ask(*paths: str) -> None:
        for path in paths:
            with contextlib.suppress(Denied, WebSocketDisconnect), door.connect(path) as session:
                session.receive()

    ask("/end/error", "/end/known", "/refuse/error", "/end/return", "/rooms/x")
    with door.connect("/echo") as session:
        session.close(3999)
    ask("/end/unknown", "/refuse/unknown")
    server.stop()
    assert server.output.count("Traceback") == 2
    assert "LookupError: after it was accepted" in server.output
    assert "LookupError: before it was accepted" in server.output


def test_a_shutdown_is_a_disconnect(serve: Any) -> None:
    server = serve("api_websockets:app", timeout_stream_grace=0)
    with Door(server.url).connect("/rooms/1") as session:
        session.send({"text": "a"})
        session.receive()
        server.send_signal(signal.SIGTERM)
        with pytest.raises(WebSocketDisconnect, match="1012"):
            session.receive()
    server.stop()
    assert "Traceback" not in server.output


def test_over_http2(serve_shared: Any) -> None:
    server: ServerProcess = serve_shared("api_websockets:app", access_log=False)
    fields = [(":protocol", "websocket"), ("sec-websocket-version", "13")]
    with H2Client(server.address) as client:
        for stream, path in ((1, "/rooms/x"), (3, "/rooms/7"), (5, "/refuse/return")):
            client.send(client.head(stream, path, method="CONNECT", fields=fields, end=False))
        assert client.response(1).status == 422
        assert client.response(5).status == 403
        client.send(DataFrame(3, frame(TEXT, b'{"text": "a"}')))
        expected = b'{"room":7,"visit":"visit to 7","text":"a"}'
        while len(client.streams[3].body) < len(expected) + 2:
            assert client.read_frame() is not None
        assert client.streams[3].heads[0][":status"] == "200"
        assert bytes(client.streams[3].body)[2:] == expected


# --- hooks


def test_hooks_are_around_the_handshake(hooked: Any) -> None:
    with hooked.connect("/rooms/ann") as session:
        assert session.headers["x-hook"] == "by on_request"
        assert session.receive_json() == ["ANN", "by on_request"]
        session.send("{}")
        with pytest.raises(WebSocketDisconnect, match="1007"):
            session.receive()
    lines = log_of(hooked, 5)
    assert lines[:4] == [
        "request WEBSOCKET /rooms/ann",
        "valid /rooms/{name}",
        "handler ['name', 'socket']",
        "response 101 True",
    ]
    assert lines[4].startswith("error message: Object missing required field")


def test_hooks_refuse(hooked: Any) -> None:
    # A status that would accept it, in HTTP/2, is none.
    early = denied(hooked, "/early")
    assert (early.status, early.body, early.headers["x-hook"]) == (403, b"early", "by on_request")
    assert denied(hooked, "/rooms/ann?stop").body == b"invalid"
    assert denied(hooked, "/rooms/stop").body == b'{"stop":1}'
    log_of(hooked, 8)
    headers = {"x-key": "secret"}
    assert denied(hooked, "/deep/stop", headers=headers).body == b'{"stop":1}'
    lines = log_of(hooked, 4)
    assert lines[2:] == ["handler ['name', 'socket']", "response 403 True"]
    with hooked.connect("/deep/go", headers=headers) as session:
        assert session.receive() == "GO"


def test_hooks_see_refusals(hooked: Any) -> None:
    assert denied(hooked, "/rooms/no").headers["x-hook"] == "by on_request"
    lines = log_of(hooked, 5)
    assert lines[3:] == ["error 409", "response 409 False"]
    assert denied(hooked, "/nowhere").headers["x-hook"] == "by on_request"
    assert log_of(hooked, 2) == ["request WEBSOCKET /nowhere", "response 404 True"]


def test_a_hook_that_fails_is_a_failure(hooked: Any) -> None:
    assert denied(hooked, "/rooms/ann?spoil").status == 500
    assert denied(hooked, "/nowhere?spoil").status == 500


def test_a_websocket_is_gone_when_it_is_over() -> None:
    app = tercel.App()
    kept: list[weakref.ref[WebSocket]] = []

    @app.websocket("/{how}", dependencies=[Depends(api_websockets.signed_in)])
    async def handler(socket: WebSocket, how: str) -> None:
        kept.append(weakref.ref(socket))
        if how == "refuse":
            raise HTTPError(409)
        async for message in socket:
            await socket.send(message)

    client = TestClient(app, headers={"x-key": "secret"})
    gc.collect()
    gc.disable()  # No collector is needed.
    try:
        with client.websocket("/open") as session:
            session.send("a")
            session.receive()
            assert kept[0]() is not None
        with pytest.raises(WebSocketDenied):
            client.websocket("/refuse")
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()


def test_dependencies_that_set_fields_may_be_shared() -> None:
    """As that of a session: it is read, and what it sets has no answer to be in."""
    app = tercel.App()

    async def session(headers: tercel.ResponseHeaders, seen: Annotated[str, Cookie()] = "") -> str:
        headers["x-made"] = "too late"
        return seen

    @app.websocket("/")
    async def handler(socket: WebSocket, found: str = Depends(session)) -> None:  # type: ignore[assignment]
        await socket.send(found)

    with TestClient(app, cookies={"seen": "before"}).websocket("/") as connection:
        assert connection.receive() == "before"
        assert "x-made" not in connection.response.headers


# --- servers that are less


class Messages:
    """A server of ASGI messages, without `websocket.http.response`."""

    def __init__(self, *arriving: dict[str, Any], gone: bool = False) -> None:
        self.arriving = [{"type": "websocket.connect"}, *arriving]
        self.sent: list[dict[str, Any]] = []
        self.gone = gone
        self.asked = 0

    def ask(self, app: Any, path: str, **more: Any) -> list[dict[str, Any]]:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], **more}
        asyncio.run(app(scope, self.receive, self.send))
        return self.sent

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        if self.asked > 1000:
            raise RuntimeError("receive() is called for ever")
        return self.arriving.pop(0) if self.arriving else {"type": "websocket.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self.gone:
            raise OSError
        self.sent.append(message)


def test_without_the_extension_a_refusal_is_a_close() -> None:
    for path in ("/nowhere", "/rooms/x", "/refuse/error", "/refuse/close"):
        sent = Messages().ask(api_websockets.app, path)
        assert sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]


def test_a_client_that_left_is_a_disconnect() -> None:
    app = tercel.App()
    seen: list[Any] = []

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        with pytest.raises(WebSocketDisconnect) as end:
            await socket.send("a")
        seen.append((end.value.code, socket.closed, repr(socket)))
        await socket.close()
        with pytest.raises(WebSocketDisconnect):
            await socket.accept()
        await socket.send("a")

    assert Messages(gone=True).ask(app, "/") == []
    left = Messages()
    left.arriving.clear()  # Before it was accepted.
    assert left.ask(app, "/") == []
    assert seen == [(1006, True, "<WebSocket /, closed>")] * 2


def test_what_came_is_received_behind_a_send_that_failed() -> None:
    app = tercel.App()
    received: list[Any] = []

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        messages.gone = True
        with pytest.raises(WebSocketDisconnect, match="1006"):
            await socket.send_bytes(b"a")
        received.append(await socket.receive_text())
        with pytest.raises(WebSocketDisconnect, match="1005"):
            await socket.receive_json()
        received.append((socket.close_code, socket.close_reason))

    messages = Messages({"type": "websocket.receive", "text": "last", "bytes": None})
    messages.ask(app, "/")
    assert received == ["last", (1005, "")]


def test_behind_its_own_end_nothing_is_received() -> None:
    app = tercel.App()
    ends: list[str] = []

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close(4000, "enough")
        with pytest.raises(WebSocketDisconnect) as end:
            await socket.receive()
        ends.append(str(end.value))

    Messages({"type": "websocket.receive", "text": "late"}).ask(app, "/")
    assert ends == ["4000: enough"]


def test_the_first_messages_of_several_tasks_accept_once() -> None:
    app = tercel.App()

    @app.on_response
    async def wait(*_: Any) -> None:
        await asyncio.sleep(0.01)

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        await asyncio.gather(socket.send("a"), socket.send("b"), socket.receive())

    sent = Messages({"type": "websocket.receive", "text": "c"}).ask(app, "/")
    kinds = [message["type"].removeprefix("websocket.") for message in sent]
    assert kinds == ["accept", "send", "send", "close"]


def test_a_refusal_that_is_a_stream_ends_when_the_client_leaves() -> None:
    app = tercel.App()

    @app.error_handler(LookupError)
    def answer(error: LookupError) -> tercel.EventStream:
        async def events() -> Any:
            while True:
                await asyncio.sleep(0.01)
                yield "still here"

        return tercel.EventStream(events())

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        raise LookupError

    messages = Messages()  # Says so at once, for ever.
    sent = messages.ask(app, "/", extensions={"websocket.http.response": {}})
    assert messages.asked == 2
    assert [message["type"] for message in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",  # Empty, for the head not to wait.
        "websocket.http.response.body",
    ]
    assert sent[0]["status"] == 403


def test_one_that_was_refused_is_closed_for_all() -> None:
    app = tercel.App()
    kept: list[WebSocket] = []

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        kept.append(socket)

    sent = Messages().ask(app, "/")
    assert kept[0].closed
    with pytest.raises(WebSocketDisconnect, match="1006"):
        asyncio.run(kept[0].send("a"))
    assert [message["type"] for message in sent] == ["websocket.close"]


# --- mistakes


def test_mistakes_with_handlers_are_said() -> None:
    app = tercel.App()

    async def empty(socket: WebSocket) -> None: ...

    def plain(socket: WebSocket) -> None: ...

    async def none(x: int = 1) -> None: ...

    async def body(socket: WebSocket, thing: Annotated[dict[str, int], Body()]) -> None: ...

    async def twice(socket: WebSocket, other: WebSocket) -> None: ...

    async def of_socket(socket: WebSocket) -> int:
        return 1

    async def shared(socket: WebSocket, one: int = Depends(of_socket, scope="app")) -> None: ...  # type: ignore[assignment]

    async def fields(socket: WebSocket, headers: tercel.ResponseHeaders) -> None: ...

    for function, message in (
        (fields, r"those of `await socket.accept\(headers=...\)`"),
        (plain, r"plain\(\), the handler of the WebSocket /x, must be a coroutine function"),
        (none, "has no argument of the type tercel.WebSocket"),
        (body, "takes a body, which a WebSocket does not have"),
        (twice, "takes the WebSocket twice"),
        (shared, "is for the whole app, and takes something of a request"),
    ):
        with pytest.raises(TypeError, match=message):
            app.websocket("/x")(function)
    with pytest.raises(TypeError, match=r'register it with @app.websocket\("/x"\)'):
        app.get("/x")(empty)
    with pytest.raises(TypeError, match=r'write @app.websocket\("/x"\)'):
        app.route("/x", ["WEBSOCKET"])
    with pytest.raises(TypeError, match=r'write @app.websocket\("/empty"\)'):
        app.websocket(empty)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="origins is a list"):
        app.websocket("/x", origins="https://a.b")
    for origin in ("*", "example.org", "https://example.org/", "https://"):
        with pytest.raises(ValueError, match="an origin is written as"):
            app.websocket("/x", origins=[origin])
    app.websocket("/x/{a}")(lambda_of("a"))
    with pytest.raises(ValueError, match=r"/x/\{b\}/y"):
        app.websocket("/x/{b}/y")(lambda_of("b"))
    with pytest.raises(ValueError, match="WEBSOCKET"):
        app.websocket("/x/{a}")(lambda_of("a"))
    app._freeze()
    with pytest.raises(RuntimeError, match="comes too late"):
        app.websocket("/y")(empty)


def lambda_of(name: str) -> Any:
    space: dict[str, Any] = {"WebSocket": WebSocket}
    exec(f"async def handler(socket: WebSocket, {name}: str): ...", space)
    return space["handler"]


def test_mistakes_of_a_handler_are_said() -> None:
    app = tercel.App()
    checked: list[str] = []

    class Nothing: ...

    @app.websocket("/")
    async def handler(socket: WebSocket) -> None:
        with pytest.raises(ValueError, match="one of the subprotocols that the client offers"):
            await socket.accept("v1")
        with pytest.raises(TypeError, match="that msgspec or pydantic knows"):
            await socket.receive(Nothing)
        await socket.accept()
        with pytest.raises(RuntimeError, match="comes first, and once"):
            await socket.accept()
        for code in (999, 1004, 1005, 1006, 1015, 2000, 5000):
            with pytest.raises(ValueError, match="is closed with a code"):
                await socket.close(code)
        with pytest.raises(ValueError, match="up to 123 bytes, not 124"):
            await socket.close(reason="\N{SNOWMAN}" * 41 + "x")
        with pytest.raises(TypeError, match="no type that is sent as JSON"):
            await socket.send(Nothing())
        await socket.close(reason="\N{SNOWMAN}" * 41)
        with pytest.raises(WebSocketDisconnect):
            await socket.send("behind the end")
        with pytest.raises(WebSocketDisconnect):
            await socket.receive()
        checked.append("all")

    with TestClient(app).websocket("/") as session, pytest.raises(WebSocketDisconnect):
        session.receive()
    assert checked == ["all"]


# --- what knows the routes


def test_the_document_leaves_them_out() -> None:
    assert list(api_websockets.app.openapi()["paths"]) == ["/log", "/both/{name}"]


def test_tercel_routes_shows_them(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tercel.cli import main

    assert main(["routes", "apps.api_websockets:hooked", "--app-dir", "tests/python"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:3] == ["WEBSOCKET", "/rooms/{name}", "hooked_room"] for line in lines)
