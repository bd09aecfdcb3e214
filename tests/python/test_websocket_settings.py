"""Each setting of WebSockets that no other test has, as a client notices it.

The others are in test_websocket_attacks.py (sizes, times, pings) and test_websocket_asgi.py (the
time to close).
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import zlib
from typing import Any

import pytest

from support.asgi import WAIT_S, AsgiServer, Receive, Scope, Send
from support.websocket import PING, PONG, TEXT, Frame, WebSocketClient, frame, handshake

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def agreed(*fields: str, **settings: Any) -> set[str]:
    """The parameters of permessage-deflate that the server agrees to; empty: it does not."""
    with (
        AsgiServer(echo, **settings) as server,
        WebSocketClient(server.address, "/", *fields) as client,
    ):
        answer = client.response.get("sec-websocket-extensions") or ""
    return {part.strip() for part in answer.split(";")} - {""}


def echoed(text: str, times: int = 1, **settings: Any) -> list[Frame]:
    """What the server sends back of that text, to a client that offers compression."""
    with (
        AsgiServer(echo, **settings) as server,
        WebSocketClient(server.address, "/", OFFER) as client,
    ):
        for _ in range(times):
            client.text(text)
        return [client.read_frame() for _ in range(times)]


def inflated(got: Frame) -> str:
    return zlib.decompressobj(-15).decompress(got.payload + b"\0\0\xff\xff").decode()


# --- compression


def test_compression_is_on_when_it_is_offered_and_may_be_off() -> None:
    assert "permessage-deflate" in agreed(OFFER)
    assert agreed() == set()
    assert agreed(OFFER, ws_per_message_deflate=False) == set()


def test_windows_are_kept_unless_told() -> None:
    both = {"server_no_context_takeover", "client_no_context_takeover"}
    assert agreed(OFFER) & both == set()
    assert agreed(OFFER, ws_deflate_takeover=False) >= both
    text = random.Random(1).randbytes(1000).hex()
    first, second = echoed(text, 2)
    assert len(second.payload) < len(first.payload) / 4  # It is known by then.
    first, second = echoed(text, 2, ws_deflate_takeover=False)
    assert first.payload == second.payload
    assert inflated(second) == text


def test_short_messages_are_not_compressed() -> None:
    for size, compressed in ((99, False), (100, True)):
        (got,) = echoed("a" * size, ws_deflate_threshold=100)
        assert got.compressed == compressed
        assert (inflated(got) if compressed else got.payload.decode()) == "a" * size
    (got,) = echoed("a", ws_deflate_threshold=0)
    assert got.compressed


def test_more_effort_makes_messages_smaller() -> None:
    words = [random.Random(2).randbytes(3).hex() for _ in range(50)]
    text = " ".join(random.Random(3).choices(words, k=20_000))
    sizes = {}
    for level in (1, 9):
        (got,) = echoed(text, ws_deflate_level=level)
        sizes[level] = len(got.payload)
        assert inflated(got) == text
    (by_default,) = echoed(text)
    assert sizes[9] < sizes[1] == len(by_default.payload)


# --- time and room


def test_an_application_has_a_time_to_accept() -> None:
    ended = threading.Event()

    async def undecided(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        assert (await receive())["type"] == "websocket.disconnect"
        ended.set()

    with (
        AsgiServer(undecided, ws_handshake_timeout="300ms") as server,
        server.connect() as client,
    ):
        begin = time.monotonic()
        client.send(handshake())
        assert client.response().status == 503
        assert 0.2 < time.monotonic() - begin < 5
        assert ended.wait(WAIT_S)


def test_a_client_is_not_read_while_messages_wait() -> None:
    """What is not read is not answered: a ping shows where the server stopped."""
    proceed = threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.to_thread(proceed.wait, WAIT_S)
        for _ in range(3):
            assert (await receive())["type"] == "websocket.receive"
        await receive()

    with AsgiServer(slow, ws_max_queue=3) as server, WebSocketClient(server.address) as client:
        client.send(frame(TEXT, b"1") + frame(TEXT, b"2") + frame(PING, b"a"))
        assert client.read_frame() == Frame(PONG, b"a")
        client.send(frame(TEXT, b"3"))
        time.sleep(0.1)
        client.send(frame(PING, b"b"))
        assert client.raw.silent_for(0.3)
        proceed.set()
        assert client.read_frame() == Frame(PONG, b"b")
