"""What a WebSocket peer can do wrong, or on purpose: each a table row or a test, none costs much.

Source: RFC 6455, RFC 7692; the attacks that other servers had to learn of (reliability: dribbled
and unfinished messages, empty fragments, bombs, floods of pings, slow consumers).
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.asgi import WAIT_S, AsgiServer, Receive, Scope, Send
from support.http1 import RawClient
from support.server import ServerProcess
from support.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    WebSocketClient,
    closing,
    frame,
    handshake,
)

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

MAX_SIZE = 100_000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"http"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


@pytest.fixture(scope="module")
def server() -> Iterator[AsgiServer]:
    with AsgiServer(echo, ws_max_size=MAX_SIZE) as server:
        yield server


# --- frames: what is sent, and the code that it is closed with

FRAMES = {
    "not masked": (frame(TEXT, b"x", masked=False), 1002),
    "RSV1 without an extension": (frame(TEXT, b"x", reserved=4), 1002),
    "RSV2": (frame(TEXT, b"x", reserved=2), 1002),
    "RSV3": (frame(TEXT, b"x", reserved=1), 1002),
    "RSV1 of a ping": (frame(PING, b"x", reserved=4), 1002),
    **{f"opcode {code}": (frame(code, b"x"), 1002) for code in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]},
    "ping of 126 bytes": (frame(PING, bytes(126)), 1002),
    "ping in fragments": (frame(PING, b"x", final=False), 1002),
    "close in fragments": (frame(CLOSE, b"\x03\xe8", final=False), 1002),
    "close of 126 bytes": (frame(CLOSE, b"\x03\xe8" + bytes(124)), 1002),
    "continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "message within a message": (frame(TEXT, b"x", final=False) + frame(TEXT, b"y"), 1002),
    "length not the shortest, 16 bits": (frame(TEXT, b"x", length=b"\x7e\0\x01"), 1002),
    "length not the shortest, 64 bits": (
        frame(TEXT, b"x", length=b"\x7f" + b"\0" * 7 + b"x"),
        1002,
    ),
    "length with the top bit": (frame(BINARY, b"", length=b"\x7f\x80" + b"\0" * 7), 1002),
    "length of 2^63 - 1": (frame(BINARY, b"", length=b"\x7f\x7f" + b"\xff" * 7), 1009),
    "one byte too long, announced": (
        frame(BINARY, b"", length=b"\x7f" + (MAX_SIZE + 1).to_bytes(8, "big")),
        1009,
    ),
    "one byte too long, in fragments": (
        frame(BINARY, bytes(MAX_SIZE), final=False) + frame(CONTINUATION, b"x"),
        1009,
    ),
    "text that is not UTF-8": (frame(TEXT, b"\xff"), 1007),
    "text that ends in a character": (frame(TEXT, b"\xe2\x82"), 1007),
    "text with a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "text above U+10FFFF": (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "text, overlong": (frame(TEXT, b"\xc0\xaf"), 1007),
    "character cut by the end of a fragment": (
        frame(TEXT, b"\xe2", final=False) + frame(CONTINUATION, b"\x28"),
        1007,
    ),
    **{
        f"close with {code}": (closing(code), 1002)
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
    },
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close with a reason that is not UTF-8": (closing(1000, b"\xff"), 1007),
    "1001 empty frames": (
        frame(TEXT, b"", final=False) + frame(CONTINUATION, b"", final=False) * 1000,
        1008,
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_wrong_frame_is_closed_with_its_code(server: AsgiServer, name: str) -> None:
    sent, code = FRAMES[name]
    with WebSocketClient(server.address) as client:
        client.send(sent)
        got = client.read_frame()
        assert (got.opcode, got.code) == (CLOSE, code)
        # In an orderly way: a reset could take the close frame from a peer that still sends.
        client.raw.expect_closed()


@pytest.mark.parametrize("name", FRAMES)
def test_a_wrong_frame_is_noticed_byte_by_byte(server: AsgiServer, name: str) -> None:
    sent, code = FRAMES[name]
    if len(sent) > 1000:
        pytest.skip("long")
    with WebSocketClient(server.address) as client:
        for byte in sent:
            try:
                client.send(bytes([byte]))
            except OSError:  # It was noticed before the end.
                break
        assert client.read_frame().code == code


def test_text_fails_in_the_middle_of_a_frame(server: AsgiServer) -> None:
    with WebSocketClient(server.address) as client:
        whole = frame(TEXT, b"ok \xf4\x90" + bytes(50_000))
        client.send(whole[:20])
        assert client.read_frame().code == 1007


def test_what_comes_behind_a_close_is_ignored(server: AsgiServer) -> None:
    with WebSocketClient(server.address) as client:
        client.send(closing(1000) + frame(TEXT, b"late") + frame(PING) + b"\xff" * 100)
        assert client.read_frame().code == 1000
        client.raw.expect_closed()


# --- the handshake

VERSION = "Sec-WebSocket-Version: 13"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket")


def ask(*fields: str, line: str = "GET / HTTP/1.1", body: str = "") -> bytes:
    return "\r\n".join([line, "Host: test", *fields, "", body]).encode()


HANDSHAKES = {
    "connection is a list": (ask("Connection: keep-alive, upgrade", UPGRADE[1], KEY, VERSION), 101),
    "token in capitals": (ask(UPGRADE[0], "Upgrade: WebSocket", KEY, VERSION), 101),
    "unknown extension": (ask(*UPGRADE, KEY, VERSION, "Sec-WebSocket-Extensions: x-new; a=1"), 101),
    "parameter twice": (
        ask(
            *UPGRADE,
            KEY,
            VERSION,
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; "
            "client_max_window_bits",
        ),
        101,
    ),
    "window of 0 bits": (
        ask(
            *UPGRADE,
            KEY,
            VERSION,
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=0",
        ),
        101,
    ),
    "version 8": (ask(*UPGRADE, KEY, "Sec-WebSocket-Version: 8"), 426),
    "version 13 twice": (ask(*UPGRADE, KEY, VERSION, VERSION), 426),
    "no version": (ask(*UPGRADE, KEY), 426),
    "no key": (ask(*UPGRADE, VERSION), 400),
    "two keys": (ask(*UPGRADE, KEY, KEY, VERSION), 400),
    "short key": (ask(*UPGRADE, "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==", VERSION), 400),
    "key that is no Base64": (
        ask(*UPGRADE, "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==", VERSION),
        400,
    ),
    "malformed extension": (ask(*UPGRADE, KEY, VERSION, "Sec-WebSocket-Extensions: ;;="), 400),
    # These do not ask for a WebSocket, whatever else they say: an upgrade may be ignored.
    "no Upgrade": (ask("Connection: Upgrade", KEY, VERSION), 200),
    "no Connection": (ask("Upgrade: websocket", KEY, VERSION), 200),
    "another protocol": (ask("Connection: Upgrade", "Upgrade: irc/6.9", KEY, VERSION), 200),
    "POST": (ask(*UPGRADE, KEY, VERSION, "Content-Length: 0", line="POST / HTTP/1.1"), 200),
    "HTTP/1.0": (ask(*UPGRADE, KEY, VERSION, line="GET / HTTP/1.0"), 200),
    "GET with a chunked body": (
        ask(*UPGRADE, KEY, VERSION, "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        200,
    ),
    "both of Upgrade": (
        ask(UPGRADE[0], "Upgrade: h2c, websocket", KEY, VERSION),
        101,
    ),
    "GET with a body": (ask(*UPGRADE, KEY, VERSION, "Content-Length: 2", body="xy"), 200),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_handshake_is_answered_with_its_status(server: AsgiServer, name: str) -> None:
    request, status = HANDSHAKES[name]
    with server.connect() as client:
        client.send(request)
        response = client.response()
        assert response.status == status
        assert response.get("sec-websocket-version") == ("13" if status == 426 else None)
        assert response.get("upgrade") == ("websocket" if status in (101, 426) else None)
        assert response.get("sec-websocket-extensions") is None


# --- what costs


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def peak_memory(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


@pytest.mark.parametrize("kind", ["one frame", "fragments"])
def test_a_bomb_is_stopped_while_it_is_inflated(kind: str) -> None:
    bomb = deflated(bytes(1 << 27))  # 128 MiB in 128 KiB.
    with ServerProcess("websocket_echo:app", ws_max_size=1 << 20) as server:
        before = peak_memory(server)
        for _ in range(5):
            with WebSocketClient(server.address, "/", DEFLATE) as client:
                if kind == "one frame":
                    client.send(frame(BINARY, bomb, reserved=4))
                else:
                    client.send(frame(BINARY, bomb[:50_000], reserved=4, final=False))
                    client.send(frame(CONTINUATION, bomb[50_000:]))
                assert client.read_frame().code == 1009
        # A sanitised build keeps what is freed for a while.
        assert peak_memory(server) - before < 32 << 20


def test_memory_is_charged_for_what_arrived_and_not_for_what_was_announced() -> None:
    with ServerProcess("websocket_echo:app", ws_max_size=16 << 20) as server:
        before = peak_memory(server)
        clients = []
        for _ in range(50):
            client = WebSocketClient(server.address)
            clients.append(client)
            # 16 MiB announced, 1,000 bytes here.
            client.send(frame(BINARY, b"", length=b"\x7f" + (16 << 20).to_bytes(8, "big")))
            client.send(bytes(1000))
        with WebSocketClient(server.address) as other:
            other.text("alive")
            assert other.read_message() == "alive"
        # Of 800 MiB that were announced; a sanitised server takes some for itself.
        assert peak_memory(server) - before < 16 << 20
        for client in clients:
            client.raw.close()


@pytest.mark.parametrize("kind", ["dribbled", "never finished"])
def test_a_message_has_its_time(kind: str) -> None:
    with AsgiServer(echo, ws_message_timeout="400ms") as server:
        client = WebSocketClient(server.address)
        with client:
            begin = time.monotonic()
            message = frame(BINARY, bytes(10_000), final=kind == "dribbled")
            client.send(message if kind == "never finished" else message[:100])
            for byte in message[100:]:
                if not client.raw.silent_for(0.02):
                    break
                client.send(bytes([byte]) if kind == "dribbled" else frame(PONG))
                assert time.monotonic() - begin < WAIT_S
            assert client.read_frame().code == 1008
            # The bytes of the never finished one bought it time, the pongs did not.
            assert time.monotonic() - begin < 2


def test_a_flood_of_pings_is_answered_within_bounds(server: AsgiServer) -> None:
    with WebSocketClient(server.address) as client:
        flood = b"".join(frame(PING, b"%d" % i, key=b"mask") for i in range(20_000))
        client.raw.socket.settimeout(WAIT_S)
        client.send(flood)
        client.text("still here")
        got = []
        while (one := client.read_frame()).opcode == PONG:
            got.append(int(one.payload))
        # Of many that came together the last is answered; those that are come in order.
        assert got == sorted(got)
        assert got[-1] == 19_999
        assert one.payload == b"still here"


def test_pings_between_the_parts_of_a_message_are_answered_and_bounded(
    server: AsgiServer,
) -> None:
    parts, each = 50, 200
    with WebSocketClient(server.address) as client:
        sent = b""
        for part in range(parts):
            opcode = CONTINUATION if part else TEXT
            sent += frame(opcode, b"p", final=part == parts - 1)
            sent += b"".join(frame(PING, b"%d" % (part * each + i)) for i in range(each))
        client.send(sent)
        pongs, text = [], None
        while not pongs or pongs[-1] != parts * each - 1 or text is None:
            got = client.read_frame()
            if got.opcode == PONG:
                pongs.append(int(got.payload))
            else:
                text = got.payload
        assert text == b"p" * parts
        assert pongs == sorted(set(pongs))


def test_a_peer_that_does_not_read_is_not_written_for() -> None:
    """The application is suspended in send(), and the server's memory stays."""
    progress = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for count in range(10_000):
            await send({"type": "websocket.send", "bytes": bytes(10_000)})
            progress.append(count)

    with AsgiServer(app) as server:
        client = WebSocketClient(server.address, receive_buffer=4096)
        with client:
            deadline = time.monotonic() + WAIT_S
            seen = -1
            while len(progress) != seen:
                seen = len(progress)
                time.sleep(0.2)
                assert time.monotonic() < deadline
            assert 0 < seen < 2000
            assert client.read_message() == bytes(10_000)


def test_a_peer_is_not_read_for_an_application_that_does_not_take() -> None:
    taken = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await taken.wait()
        count = 0
        while (await receive())["type"] == "websocket.receive":
            count += 1
            if count == 3000:
                await send({"type": "websocket.send", "text": "all"})

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.raw.socket.settimeout(0.5)
        message = frame(BINARY, bytes(10_000))
        sent = 0
        pending = b""
        try:
            while sent < 3000:
                pending = message
                while pending:
                    pending = pending[client.raw.socket.send(pending) :]
                sent += 1
        except TimeoutError:
            pass
        assert sent < 2500  # What the sockets hold.
        client.raw.socket.settimeout(WAIT_S)
        server.loop.call_soon_threadsafe(taken.set)
        client.send(pending)
        for _ in range(3000 - sent - 1):
            client.send(message)
        assert client.read_message() == "all"


def test_an_idle_peer_is_asked_and_left() -> None:
    with AsgiServer(echo, ws_ping_interval="100ms", ws_ping_timeout="300ms") as server:
        client = WebSocketClient(server.address)
        with client:
            for _ in range(5):
                assert client.read_frame().opcode == PING
                client.send(frame(PONG))
            got = client.read_close()
            assert (got.code, got.reason) == (1011, "keepalive ping timeout")


def test_a_peer_cannot_starve_the_others(server: AsgiServer) -> None:
    flood = b"".join(frame(PING, key=b"mask") for _ in range(10_000))
    with WebSocketClient(server.address) as greedy, WebSocketClient(server.address) as modest:
        greedy.raw.socket.setblocking(False)
        slowest = 0.0
        for _ in range(50):
            try:
                greedy.raw.socket.send(flood)
                greedy.raw.socket.recv(1 << 20)
            except BlockingIOError:
                pass
            begin = time.monotonic()
            modest.text("hello")
            assert modest.read_message() == "hello"
            slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 1


def test_many_idle_websockets_cost_little(ledger: Any) -> None:
    count = 500
    with ServerProcess("websocket_echo:app") as server:

        def resident() -> int:
            status = Path(f"/proc/{server.pid}/status").read_text()
            return 1024 * int(status.split("VmRSS:")[1].split()[0])

        def connect() -> RawClient:
            client = RawClient(server.address)
            client.send(handshake("/", key="dGhlIHNhbXBsZSBub25jZQ=="))
            assert client.response().status == 101
            return client

        warm = [connect() for _ in range(100)]
        before = resident()
        clients = [connect() for _ in range(count)]
        each = (resident() - before) / count
        ledger(f"websocket: {each:.0f} bytes of resident memory per idle WebSocket of {count}")
        assert each < 12_000
        for client in warm + clients:
            client.close()
