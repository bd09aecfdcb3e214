"""tercel.testing.TestClient: WebSockets and server-sent events, and Falcon's names for requests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import tercel
from tercel import Event, EventStream, Response, WebSocket, WebSocketDisconnect
from tercel.testing import ServerSentEvent, TestClient, WebSocketDenied
from tercel.testing.events import Decoder

app = tercel.App()
sockets: set[WebSocket] = set()
ended: list[str] = []


@app.websocket("/all")
async def everybody(socket: WebSocket) -> None:
    await socket.accept()
    sockets.add(socket)
    try:
        async for message in socket:
            for other in sockets:
                await other.send(message)
    finally:
        sockets.discard(socket)
        await asyncio.sleep(0.02)
        ended.append("a handler")


@app.websocket("/fail")
async def fail(socket: WebSocket, early: bool = False) -> None:
    if early:
        raise ZeroDivisionError("before")
    await socket.send("first")
    raise ZeroDivisionError("behind")


@app.websocket("/seen")
async def seen(socket: WebSocket) -> None:
    request = socket.request
    await socket.accept(headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    names = ("host", "cookie", "user-agent", "x-own", "origin")
    await socket.send({name: request.header(name) for name in names} | {"query": request.query})


@app.websocket("/burst")
async def burst(socket: WebSocket, parts: int = 100) -> None:
    await socket.accept()
    for number in range(parts):
        await socket.send(bytes([number % 256]) * 10_000)
    await socket.close(4000, "that is all")


@app.websocket("/silent")
async def silent(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()


@app.get("/pause")
async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


@app.get("/ticks")
async def ticks(last_event_id: str = "") -> EventStream:
    async def made() -> AsyncIterator[Any]:
        try:
            for number in range(1000):
                yield Event({"tick": number}, event="tick", id=str(number), retry_ms=5)
                await asyncio.sleep(0)
        finally:
            ended.append("events")

    return EventStream(made())


@app.get("/few")
async def few() -> EventStream:
    async def made() -> AsyncIterator[Any]:
        yield "one\ntwo\u2028three"
        yield Event("", id="7")

    return EventStream(made())


@app.get("/broken")
async def broken() -> EventStream:
    async def made() -> AsyncIterator[Any]:
        yield "one"
        raise ZeroDivisionError

    return EventStream(made())


@app.route("/echo", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def echo(request: tercel.Request) -> Response:
    return Response(f"{request.method} {request.query} {request.body.decode()}")


@pytest.fixture
def client() -> Any:
    ended.clear()
    with TestClient(app) as client:
        yield client


# --- WebSockets


def test_several_clients_hear_each_other(client: TestClient) -> None:
    with client.websocket("/all") as ann, client.websocket("/all") as bob:
        ann.send("hello")
        assert (ann.receive_text(), bob.receive_text()) == ("hello", "hello")
        bob.send(b"\xff")
        assert (ann.receive_bytes(), bob.receive_bytes()) == (b"\xff", b"\xff")
        ann.send({"a": [1]})
        assert bob.receive_json() == {"a": [1]}
        with pytest.raises(AssertionError, match="sent text"):
            ann.receive_bytes()
        # Requests go on beside them.
        assert client.get("/echo").text == "GET  "
        bob.send(b"x")
        ann.receive()
        with pytest.raises(AssertionError, match="sent bytes"):
            bob.receive_text()
    # The application has returned.
    assert ended == ["a handler"] * 2
    assert not sockets


def test_a_large_message_in_both_directions(client: TestClient) -> None:
    with client.websocket("/all") as session:
        session.send("x" * 3_000_000)
        assert session.receive() == "x" * 3_000_000


def test_what_the_handshake_says(client: TestClient) -> None:
    client.cookies.set("mine", "0")
    options: Any = {"params": {"q": "1"}, "headers": {"x-own": "2", "origin": "http://a"}}
    with client.websocket("/seen", **options) as session:
        assert session.receive_json() == {
            "host": "testserver",
            "cookie": "mine=0",
            "user-agent": "testclient",
            "x-own": "2",
            "origin": "http://a",
            "query": "q=1",
        }
        assert session.response.status == 101
        assert session.response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert dict(client.cookies) == {"mine": "0", "a": "1", "b": "2"}
    with client.websocket("wss://example.org:444/seen") as session:
        assert session.receive_json()["host"] == "example.org:444"


def test_an_encrypted_one() -> None:
    schemes: list[str] = []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        schemes.append(scope["scheme"])
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["code"] == 4000

    client = TestClient(asgi, base_url="https://example.org")
    client.websocket("/").close(4000)
    client.websocket("ws://example.org/").close(4000)
    assert schemes == ["wss", "ws"]


def test_the_end_of_the_application(client: TestClient) -> None:
    with client.websocket("/burst") as session:
        # Those that came before are there first.
        received: list[Any] = []
        with pytest.raises(WebSocketDisconnect, match="4000: that is all"):
            received.extend(session)
        assert [len(message) for message in received[:100]] == [10_000] * 100
        assert (session.close_code, session.close_reason) == (4000, "that is all")
        for late in (session.receive, lambda: session.send("x")):
            with pytest.raises(WebSocketDisconnect, match="4000"):
                late()
        session.close()  # It stays as it is.
    # Nobody took the messages.
    with client.websocket("/burst"):
        pass


def test_sending_behind_an_end(client: TestClient) -> None:
    with client.websocket("/burst?parts=1") as session:
        while session._arrived_end() is None:
            session._take_in(None)
        with pytest.raises(WebSocketDisconnect, match="4000"):
            session.send("x")
        assert len(session.receive()) == 10_000
        with pytest.raises(WebSocketDisconnect, match="4000"):
            session.receive()


def test_an_end_that_is_here_is_not_answered_with_another(client: TestClient) -> None:
    with client.websocket("/burst?parts=1") as session:
        while session._arrived_end() is None:
            session._take_in(None)
    assert session.close_code == 4000


def test_a_server_that_is_gone_is_an_end() -> None:
    client = TestClient(app, raise_server_exceptions=False)
    with client.websocket("/silent") as session:
        session.send("nobody reads this")
        client._app_transport._pipeline._native.close()  # type: ignore[union-attr]
        session.send("nor this")
        with pytest.raises(WebSocketDisconnect, match="1006"):
            session.receive()


def test_a_server_that_is_gone_is_told_nothing() -> None:
    client = TestClient(app, raise_server_exceptions=False)
    with client.websocket("/silent") as session:
        client._app_transport._pipeline._native.close()  # type: ignore[union-attr]
        while session._arrived_end() is None:
            session._take_in(None)
    assert session.close_code == 1006


def test_a_connection_that_is_closed_is_an_end() -> None:
    settings = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05, "ws_close_timeout": 0.05}
    client = TestClient(app, settings=settings)
    with client.websocket("/silent") as session:
        client.get("/pause?seconds=0.5")  # Meanwhile no ping is answered.
        session.send("x")
        with pytest.raises(WebSocketDisconnect, match="1011"):
            session.receive()


def test_exceptions_go_on_in_the_test(client: TestClient) -> None:
    with client.websocket("/fail") as session:
        assert session.receive() == "first"
        with pytest.raises(ZeroDivisionError, match="behind"):
            session.receive()
    # Or at the end of the block.
    with pytest.raises(ZeroDivisionError, match="behind"), client.websocket("/fail"):
        pass
    with pytest.raises(ZeroDivisionError, match="before"):
        client.websocket("/fail?early=1")
    # That of the test is the one that counts.
    with pytest.raises(LookupError), client.websocket("/fail"):
        raise LookupError


def test_or_they_are_1011_and_500() -> None:
    client = TestClient(app, raise_server_exceptions=False)
    with client.websocket("/fail") as session:
        session.receive()
        with pytest.raises(WebSocketDisconnect, match="1011"):
            session.receive()
    with pytest.raises(WebSocketDenied) as denied:
        client.websocket("/fail?early=1")
    assert denied.value.response.status_code == 500


def test_a_denial_has_the_response(client: TestClient) -> None:
    with pytest.raises(WebSocketDenied, match="answered with 404") as denied:
        client.websocket("/nowhere")
    response = denied.value.response
    assert (response.status_code, response.json()["instance"]) == (404, "/nowhere")
    assert response.headers["content-type"] == "application/problem+json"

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    with pytest.raises(WebSocketDenied) as denied:
        TestClient(asgi).websocket("/")
    assert (denied.value.response.status_code, denied.value.response.content) == (403, b"")


def test_patience_has_an_end(client: TestClient) -> None:
    with (
        client.websocket("/silent", timeout=0.05) as session,
        pytest.raises(httpx.ReadTimeout, match=r"sent nothing within 0\.05 s"),
    ):
        session.receive()


def test_a_ping_is_answered() -> None:
    client = TestClient(app, settings={"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05})
    with client.websocket("/silent", timeout=0.3) as session:
        with pytest.raises(httpx.ReadTimeout):
            session.receive()
        session.send("x")


def test_what_is_kept_of_a_websocket_may_outlive_its_server() -> None:
    """A traceback keeps `receive`, whose messages are in the memory of a loop that was closed."""
    script = """
import gc
from tercel.testing import TestClient

kept = []

async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    kept.append((receive, send))
    await send({"type": "websocket.send", "text": "now"})
    while scope["path"] == "/wait" and (await receive())["type"] != "websocket.disconnect":
        pass

for path in ("/", "/wait"):
    client = TestClient(app)
    session = client.websocket(path)
    session.receive()
    if path == "/wait":
        session.send("x" * 3000)
    session.close(4000, "some words")
    client.close()
    del client, session
gc.collect()
print("kept", len(kept))
kept.clear()
gc.collect()
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("kept 2\ndone\n", "", 0)


def test_without_wsproto_one_sentence_says_what_to_install() -> None:
    script = """
import sys
sys.modules["wsproto"] = None
from tercel.testing import TestClient
try:
    TestClient(lambda scope, receive, send: None).websocket("/")
except ModuleNotFoundError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'tercel[testing]'" in ran.stdout, ran.stderr


# --- events


def test_events_come_one_by_one(client: TestClient) -> None:
    with client.events("/ticks") as events:
        assert next(events) == ServerSentEvent('{"tick":0}', "tick", "0", 5)
        assert next(events).json() == {"tick": 1}
        assert events.response.headers["cache-control"] == "no-store"
    assert ended == ["events"]


def test_events_end(client: TestClient) -> None:
    with client.events("/few") as events:
        assert list(events) == [
            ServerSentEvent("one\ntwo\u2028three"),
            ServerSentEvent("", id="7"),
        ]


def test_what_is_no_stream_of_events(client: TestClient) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused, client.events("/nowhere"):
        pass
    assert refused.value.response.json()["status"] == 404
    with (
        pytest.raises(ValueError, match=r"answers text/plain.*, not text/event-stream"),
        client.events("/echo", method="POST"),
    ):
        pass
    assert client.get("/echo").status == 200


def test_events_that_fail(client: TestClient) -> None:
    received = []

    def read() -> None:
        with client.events("/broken") as events:
            received.extend(event.data for event in events)

    with pytest.raises(ZeroDivisionError):
        read()
    assert received == ["one"]


def test_the_format_of_events() -> None:
    """As HTML has it, whole and byte by byte."""
    sent = (
        b"\xef\xbb\xbfdata: first event\nid: 1\n\n"
        b"data:second event\nid\n\n"
        b"data:  third event\r\r"
        b"data\n\ndata\ndata\n\n"
        b"event: e\nretry: 10\nretry: 1x\nid: a\0b\ndata: \xe2\x98\x83\r\n\r\n"
        b"event: f\r\ndata: y\r\n\r\n"
        b": a comment\n\nevent: without data\n\n"
        b"other: x\ndata:"
    )
    expected = [
        ServerSentEvent("first event", id="1"),
        ServerSentEvent("second event"),
        ServerSentEvent(" third event"),
        ServerSentEvent(""),
        ServerSentEvent("\n"),
        ServerSentEvent("\N{SNOWMAN}", event="e", retry_ms=10),
        ServerSentEvent("y", event="f", retry_ms=10),
    ]
    for size in (1, 2, 3, len(sent)):
        decoder = Decoder()
        for start in range(0, len(sent), size):
            decoder.feed(sent[start : start + size])
        assert list(decoder.events) == expected


# --- Falcon's names


def test_requests_are_simulated(client: TestClient) -> None:
    for method in ("get", "post", "put", "patch", "delete", "options"):
        response = getattr(client, f"simulate_{method}")("/echo", params={"a": 1}, body=b"b")
        assert response.text == f"{method.upper()} a=1 b"
    assert client.simulate_head("/echo").status == 200
    assert client.simulate_request("POST", "/echo", json=[1]).text == "POST  [1]"
    assert client.simulate_get().status == 404
