"""WebSockets on streams of HTTP/2: the application cannot tell, but for its http_version.

Source: RFC 8441.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hyperframe.frame import DataFrame

from support.asgi import AsgiServer, Receive, Scope, Send
from support.http2 import REFUSED_STREAM, H2Client
from support.websocket import BINARY, TEXT, closing, frame

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

ENABLE_CONNECT_PROTOCOL = 8
FIELDS = [(":protocol", "websocket"), ("sec-websocket-version", "13")]


def connect(client: H2Client, stream: int, *fields: tuple[str, str], path: str = "/") -> None:
    client.send(client.head(stream, path, method="CONNECT", fields=[*FIELDS, *fields], end=False))


def read_body(client: H2Client, stream: int, size: int) -> bytes:
    """Returns the bytes of the stream, once there are `size` of them."""
    while len(client.streams[stream].body) < size:
        assert client.read_frame() is not None
    return bytes(client.streams[stream].body)


def read_head(client: H2Client, stream: int) -> dict[str, str]:
    while not (stream in client.streams and client.streams[stream].heads):
        assert client.read_frame() is not None
    return client.streams[stream].heads[0]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "websocket"
    assert scope["http_version"] == "2"
    await receive()
    if scope["path"] == "/refuse":
        await send({"type": "websocket.close"})
        return
    chosen = scope["subprotocols"][:1] or [None]
    await send({"type": "websocket.accept", "subprotocol": chosen[0]})
    while (message := await receive())["type"] == "websocket.receive":
        if scope["path"] == "/fail":
            raise LookupError("mine")
        await send({**message, "type": "websocket.send"})


def test_websockets_share_a_connection() -> None:
    with AsgiServer(echo) as server, H2Client(server.address) as client:
        streams = [1, 3, 5]
        for stream in streams:
            connect(client, stream, ("sec-websocket-protocol", "chat, v2"))
        for stream in streams:
            head = read_head(client, stream)
            assert head[":status"] == "200"
            assert head["sec-websocket-protocol"] == "chat"
            assert "sec-websocket-accept" not in head
        assert client.settings[ENABLE_CONNECT_PROTOCOL] == 1
        for stream in streams:
            client.send(DataFrame(stream, frame(TEXT, b"stream %d" % stream)))
        for stream in streams:
            assert read_body(client, stream, 10) == b"\x81\x08stream %d" % stream
        # One is closed, and the others go on.
        client.send(DataFrame(3, closing(1000)))
        assert client.response(3).body.endswith(b"\x88\x02\x03\xe8")
        client.send(DataFrame(5, frame(BINARY, b"more")))
        assert read_body(client, 5, 16).endswith(b"\x82\x04more")


def test_a_stream_that_is_reset_is_a_peer_that_left() -> None:
    heard: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        heard.append(await receive())

    with AsgiServer(app) as server, H2Client(server.address) as client:
        connect(client, 1)
        read_head(client, 1)
        client.reset(1)
        connect(client, 3)  # The connection lives.
        assert read_head(client, 3)[":status"] == "200"
        assert heard == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


def test_what_is_refused_and_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    with AsgiServer(echo) as server, H2Client(server.address) as client:
        connect(client, 1, path="/refuse")
        assert client.response(1).status == 403
        fields = [(":protocol", "websocket"), ("sec-websocket-version", "8")]
        client.send(client.head(3, method="CONNECT", fields=fields, end=False))
        assert client.response(3).status == 426
        connect(client, 5, path="/fail")
        read_head(client, 5)
        client.send(DataFrame(5, frame(TEXT, b"go")))
        assert read_body(client, 5, 4) == b"\x88\x02\x03\xf3"  # 1011
        client.send(DataFrame(5, closing(1011)))
        assert client.response(5).ended
    assert "LookupError" in caplog.text


@pytest.mark.parametrize("path", ["/busy", "/"])
def test_a_reset_websocket_frees_its_place_when_its_application_is_done(path: str) -> None:
    """Resets alone must not let a client have more of them at work than it may have streams."""
    left = asyncio.Event()

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        if scope["path"] == "/busy":
            await left.wait()

    # With I/O threads a place is free when the application has heard of the reset.
    with (
        AsgiServer(busy, http2_max_concurrent_streams=1, io_threads=0) as server,
        H2Client(server.address) as client,
    ):
        connect(client, 1, path=path)
        read_head(client, 1)
        client.reset(1)
        time.sleep(0.2)
        connect(client, 3, path=path)
        if path == "/busy":
            while 3 not in client.streams or client.streams[3].reset is None:
                assert client.read_frame() is not None
            assert client.streams[3].reset == REFUSED_STREAM
            server.call(left.set)
            time.sleep(0.2)
            connect(client, 5, path=path)
        assert read_head(client, 5 if path == "/busy" else 3)[":status"] == "200"
