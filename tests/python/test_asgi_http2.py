"""ASGI over HTTP/2, in clear and over TLS: the scope, files, and WebSockets, as `h2` sees them.

Source: ASGI HTTP & WebSocket message format 2.5, "Extensions", "TLS"; RFC 8441.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from support.asgi import WAIT_S, AsgiServer, Message, Receive, Scope, Send, respond
from support.h2_library import LibraryClient
from support.tls import Transport

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

START: Message = {"type": "http.response.start", "status": 200}


@contextmanager
def serving(app: Any, transport: Transport) -> Iterator[LibraryClient]:
    """A client of a server with that application."""
    with (
        AsgiServer(app, **transport.settings) as server,
        LibraryClient(server.address, transport.context()) as client,
    ):
        yield client


# --- the scope


def test_the_scope_tells_of_the_transport(transport: Transport) -> None:
    scopes: queue.SimpleQueue[Scope] = queue.SimpleQueue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.put(scope)
        await respond(send, "")

    with serving(app, transport) as client:
        client.answer(client.ask("/a?b"))
        plain = scopes.get(timeout=WAIT_S)
        client.answer(client.ask("/a?b", fields=[("te", "trailers")]))
        with_trailers = scopes.get(timeout=WAIT_S)
    assert (plain["http_version"], plain["method"], plain["path"]) == ("2", "GET", "/a")
    assert plain["scheme"] == ("https" if transport.authority else "http")
    assert plain["headers"] == [(b"host", b"localhost")]
    tls = plain["extensions"].pop("tls", None)
    responses = {f"http.response.{name}" for name in ("pathsend", "zerocopysend", "early_hint")}
    assert set(plain["extensions"]) == responses
    assert set(with_trailers["extensions"]) - {"tls"} == responses | {"http.response.trailers"}
    if transport.authority is None:
        assert tls is None
    else:
        assert tls is not None
        assert tls["tls_version"] == 0x0304
        assert tls["server_cert"].startswith("-----BEGIN CERTIFICATE-----")
        assert (tls["client_cert_chain"], tls["client_cert_name"]) == ([], None)


# --- files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(i % 251 for i in range(300_000)))
    return path


def test_a_path_is_the_whole_body(transport: Transport, file: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "headers": [(b"content-length", b"300000")]})
        await send({"type": "http.response.pathsend", "path": str(file)})

    with serving(app, transport) as client:
        streams = [client.ask("/") for _ in range(3)]
        for stream in streams:
            assert client.answer(stream).body == file.read_bytes()
            assert client.answer(stream).fields["content-length"] == "300000"
        head = client.answer(client.ask("/", method="HEAD"))
        assert (head.status, head.fields["content-length"], head.body) == (200, "300000", b"")


def test_a_path_that_cannot_be_sent_raises(transport: Transport, file: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        with pytest.raises(OSError, match="No such file"):
            await send({"type": "http.response.pathsend", "path": f"{file}.gone"})
        await send({"type": "http.response.body", "body": b"instead"})

    with serving(app, transport) as client:
        assert client.answer(client.ask("/")).body == b"instead"


def test_files_and_bodies_mix(transport: Transport, file: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        part = {"type": "http.response.body", "more_body": True}
        piece = {"type": "http.response.zerocopysend", "more_body": True}
        with file.open("rb") as opened:
            await send({**START, "trailers": True})
            await send({**part, "body": b"<"})
            await send({**piece, "file": opened, "offset": 100_000, "count": 50_000})
            await send({**part, "body": b"|"})
            await send({**piece, "file": opened.fileno(), "offset": 0, "count": 10})
            await send({**part, "body": b">", "more_body": False})
        await send({"type": "http.response.trailers", "headers": [(b"x", b"y")]})

    data = file.read_bytes()
    with serving(app, transport) as client:
        answer = client.answer(client.ask("/", fields=[("te", "trailers")]))
        assert answer.body == b"<" + data[100_000:150_000] + b"|" + data[:10] + b">"
        assert answer.trailers == {"x": "y"}


# --- WebSockets


class Peer:
    """wsproto on one stream."""

    def __init__(self, client: LibraryClient, stream: int, *extensions: Any) -> None:
        self._client = client
        self._stream = stream
        self._machine = Connection(ConnectionType.CLIENT, extensions=list(extensions))
        self._seen = 0
        self._events: list[Any] = []

    def send(self, event: Any) -> None:
        self._client.send(self._stream, self._machine.send(event))

    def next(self) -> Any:
        """The next event; messages come whole."""
        text: Any = None
        while True:
            while not self._events:
                body = self._client.answers[self._stream].body
                if self._seen == len(body):
                    self._client.step()
                    continue
                self._machine.receive_data(bytes(body[self._seen :]))
                self._seen = len(body)
                self._events += self._machine.events()
            event = self._events.pop(0)
            if not isinstance(event, TextMessage | BytesMessage):
                return event
            text = event.data if text is None else text + event.data
            if event.message_finished:
                return text


FIELDS = [("sec-websocket-version", "13")]


@pytest.mark.parametrize("deflated", [False, True])
def test_websockets_beside_requests(transport: Transport, deflated: bool) -> None:
    scopes: queue.SimpleQueue[Scope] = queue.SimpleQueue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await respond(send, "beside")
            return
        scopes.put(scope)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "v2", "headers": [(b"x", b"y")]})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        scopes.put(message)

    deflate = PerMessageDeflate()
    offer = [("sec-websocket-extensions", f"permessage-deflate; {deflate.offer()}")]
    with serving(app, transport) as client:
        client.answer(client.ask("/"))  # By then it knows that the server allows it.
        fields = [*FIELDS, ("sec-websocket-protocol", "v1, v2"), *(offer if deflated else [])]
        stream = client.begin("CONNECT", "/ws", protocol="websocket", fields=fields)
        while not client.answers[stream].status:
            client.step()
        answer = client.answers[stream]
        assert (answer.status, answer.fields["x"]) == (200, "y")
        assert answer.fields["sec-websocket-protocol"] == "v2"
        assert "sec-websocket-accept" not in answer.fields
        if deflated:
            deflate.finalize(answer.fields["sec-websocket-extensions"])
        scope = scopes.get(timeout=WAIT_S)
        assert (scope["type"], scope["http_version"]) == ("websocket", "2")
        assert scope["scheme"] == ("wss" if transport.authority else "ws")
        assert ("tls" in scope["extensions"]) == (transport.authority is not None)

        peer = Peer(client, stream, *([deflate] if deflated else []))
        for message in ["", "text", "\u20ac" * 10_000]:
            peer.send(TextMessage(message))
            assert peer.next() == message
        peer.send(BytesMessage(bytes(30_000)))
        assert peer.next() == bytes(30_000)
        assert client.answer(client.ask("/")).body == b"beside"
        peer.send(Ping(b"there?"))
        assert peer.next() == Pong(bytearray(b"there?"))
        peer.send(CloseConnection(4001, "done"))
        assert peer.next().code == 4001
        assert scopes.get(timeout=WAIT_S) == {
            "type": "websocket.disconnect",
            "code": 4001,
            "reason": "done",
        }
        assert client.answer(stream).ended
        assert client.answer(client.ask("/")).body == b"beside"


def test_a_denial_is_a_response(transport: Transport) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        start = {"type": "websocket.http.response.start", "status": 401}
        await send({**start, "headers": [(b"www-authenticate", b"Basic")]})
        await send({"type": "websocket.http.response.body", "body": b"who?"})

    with serving(app, transport) as client:
        stream = client.begin("CONNECT", "/ws", protocol="websocket", fields=FIELDS)
        answer = client.answer(stream)
        assert (answer.status, answer.body, answer.ended) == (401, b"who?", True)
        assert answer.fields["www-authenticate"] == "Basic"
