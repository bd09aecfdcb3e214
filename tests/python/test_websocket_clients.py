"""Real clients and real applications: `websockets` and `wsproto` against tercel, FastAPI's and
Django Channels' examples, and wsproto as a second opinion on bytes that are wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import websockets
from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError

from support.asgi import WAIT_S, AsgiServer, Receive, Scope, Send
from support.broadcast import ORIGIN, broadcast_with_channels, broadcast_with_fastapi, ws
from support.http1 import Closed
from support.server import ServerProcess
from support.tls import Transport
from support.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    WebSocketClient,
)
from support.websocket import frame as masked_frame

SIZES = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 300_000]


@pytest.fixture(scope="module")
def echo() -> Iterator[ServerProcess]:
    with ServerProcess("websocket_echo:app") as server:
        yield server


# --- websockets


@pytest.mark.io_threads
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_websockets_is_echoed(
    serve_shared: Any, transport: Transport, compression: str | None
) -> None:
    url = transport.url(serve_shared("websocket_echo:app", **transport.settings), "ws")

    async def main() -> None:
        async with websockets.connect(
            url, ssl=transport.context(), compression=compression, max_size=None
        ) as client:
            for size in SIZES:
                for message in ["\u20ac" * (size // 3), random.randbytes(size)]:
                    await client.send(message)
                    assert await client.recv() == message
            # In fragments.
            await client.send(["a", "b" * 10_000, "", "c"])
            assert await client.recv() == "a" + "b" * 10_000 + "c"
            await (await client.ping())
            await client.close(4001, "done")
            assert (client.close_code, client.close_reason) == (4001, "")

    asyncio.run(main())


def test_websockets_pipelines(echo: ServerProcess) -> None:
    async def main() -> None:
        async with websockets.connect(ws(echo)) as client:

            async def send() -> None:
                for i in range(5000):
                    await client.send(str(i))

            sending = asyncio.create_task(send())
            for i in range(5000):
                assert await client.recv() == str(i)
            await sending

    asyncio.run(main())


# --- permessage-deflate, with every set of parameters that wsproto can offer


@pytest.mark.parametrize("client_takeover", [True, False])
@pytest.mark.parametrize("server_takeover", [True, False])
@pytest.mark.parametrize("client_bits", [9, 12, 15])
@pytest.mark.parametrize("server_bits", [9, 12, 15])
def test_wsproto_and_tercel_understand_each_other(
    echo: ServerProcess,
    client_takeover: bool,
    server_takeover: bool,
    client_bits: int,
    server_bits: int,
) -> None:
    extension = PerMessageDeflate(
        client_no_context_takeover=not client_takeover,
        server_no_context_takeover=not server_takeover,
        client_max_window_bits=client_bits,
        server_max_window_bits=server_bits,
    )
    offer = f"Sec-WebSocket-Extensions: permessage-deflate; {extension.offer()}"
    dice = random.Random(7)
    words = [dice.randbytes(40).hex() for _ in range(10)]
    messages = [" ".join(dice.choices(words, k=count)) for count in [0, 1, 20, 20, 500, 2000, 20]]
    with WebSocketClient(echo.address, "/", offer) as client:
        answer = client.response.get("sec-websocket-extensions")
        assert answer is not None
        extension.finalize(answer)
        peer = Connection(ConnectionType.CLIENT, extensions=[extension])
        got = []
        for message in messages:
            half = len(message) // 2
            client.send(
                peer.send(TextMessage(message[:half], message_finished=False))
                + peer.send(Ping(b"p"))
                + peer.send(TextMessage(message[half:]))
            )
        text = ""
        while len(got) < len(messages):
            peer.receive_data(client.raw.read_some())
            for event in peer.events():
                if isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        got.append(text)
                        text = ""
                else:
                    assert isinstance(event, Pong)
        assert got == messages


# --- a second opinion


def judge_by_wsproto(sent: bytes) -> tuple[list[str | bytes], int | None]:
    """Returns the messages that are complete, and the code to close with, if there is one."""
    peer = Connection(ConnectionType.SERVER)
    messages: list[str | bytes] = []
    parts: list[Any] = []
    try:
        peer.receive_data(sent)
        for event in peer.events():
            if isinstance(event, TextMessage | BytesMessage):
                parts.append(event.data)
                if event.message_finished:
                    messages.append(parts[0][:0].join(parts))
                    parts = []
            elif isinstance(event, CloseConnection):
                return messages, int(event.code)
    except RemoteProtocolError as error:
        return messages, int(getattr(error.event_hint, "code", 0))
    assert peer.state is ConnectionState.OPEN
    return messages, None


class Judge:
    """tercel's opinion: what its application hears, and the close frame on the wire."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        messages = []
        while (message := await receive())["type"] == "websocket.receive":
            messages.append(message.get("text", message.get("bytes")))
        self._heard.put(messages)

    def judge(self, server: AsgiServer, sent: bytes) -> tuple[list[str | bytes], int | None]:
        with WebSocketClient(server.address) as client:
            client.send(sent)
            client.raw.half_close()
            code: int | None = None
            with contextlib.suppress(Closed):
                while True:
                    got = client.read_frame()
                    if got.opcode == CLOSE:
                        code = got.code if got.payload else 1005
            return self._heard.get(timeout=WAIT_S), code


def scramble(dice: random.Random) -> bytes:
    """Frames, most of them right, of which some bytes are changed, lost or doubled."""

    def frame(opcode: int, payload: bytes, **form: Any) -> bytes:
        return masked_frame(opcode, payload, key=dice.randbytes(4), **form)

    payloads = [b"", b"text", "gr\u00fc\u00dfe \u20ac".encode(), b"\xff", b"x" * 200]
    sent = b""
    for _ in range(dice.randint(1, 4)):
        kind = dice.randrange(8)
        if kind == 0:
            sent += frame(PING, dice.choice(payloads[:4]))
        elif kind == 1:
            code = dice.choice([1000, 1001, 1005, 2999, 3000, 5000])
            sent += frame(CLOSE, code.to_bytes(2, "big") + dice.choice(payloads[:4]))
        elif kind == 2:
            sent += frame(TEXT, dice.choice(payloads), final=False)
            sent += frame(CONTINUATION, dice.choice(payloads), final=dice.random() < 0.8)
        elif kind == 3:
            sent += frame(BINARY, dice.choice(payloads), reserved=dice.choice([0, 0, 1, 2, 4]))
        else:
            sent += frame(dice.choice([TEXT, BINARY]), dice.choice(payloads))
    if dice.random() < 0.5:
        changed = bytearray(sent)
        at = dice.randrange(len(changed))
        if dice.random() < 0.7:
            changed[at] ^= 1 << dice.randrange(8)
        else:
            del changed[at]
        sent = bytes(changed)
    return sent


def test_wsproto_and_tercel_judge_alike() -> None:
    dice = random.Random(20)
    judge = Judge()
    with AsgiServer(judge.app) as server:
        for number in range(600):
            sent = scramble(dice)
            ours = judge.judge(server, sent)
            theirs = judge_by_wsproto(sent)
            # Of a frame that is not complete, one may notice earlier than the other.
            if theirs[1] is None and ours[1] is not None:
                theirs = judge_by_wsproto(sent + bytes(70_000))
            elif ours[1] is None and theirs[1] is not None:
                ours = judge.judge(server, sent + bytes(70_000))
            assert ours == theirs, f"{number}: {sent.hex()}"


# --- at a shutdown


@pytest.mark.io_threads
def test_a_shutdown_closes_with_1012_and_is_logged(serve: Any) -> None:
    server = serve("websocket_echo:app", timeout_stream_grace=0)

    async def main() -> None:
        async with (
            websockets.connect(ws(server) + "/open") as one,
            websockets.connect(ws(server) + "/other") as other,
        ):
            await one.send("hello")
            assert await one.recv() == "hello"
            server.send_signal(signal.SIGTERM)
            for client in (one, other):
                with pytest.raises(websockets.ConnectionClosed):
                    await client.recv()
                assert (client.close_code, client.close_reason) == (
                    1012,
                    "the server is restarting",
                )

    asyncio.run(main())
    assert server.wait() == 0
    assert '"GET /open HTTP/1.1" 101 ' in server.output
    assert '"GET /other HTTP/1.1" 101 ' in server.output
    assert "Traceback" not in server.output


# --- examples, unmodified


def test_the_example_of_fastapi(serve: Any) -> None:
    server = serve("frameworks.fastapi_chat:app")
    broadcast_with_fastapi(server, 200)

    async def main() -> None:
        url = ws(server)
        async with (
            websockets.connect(url + "/ws/1") as one,
            websockets.connect(url + "/ws/2") as two,
        ):
            await one.send("hello")
            assert [await one.recv(), await one.recv()] == [
                "You wrote: hello",
                "Client #1 says: hello",
            ]
            assert await two.recv() == "Client #1 says: hello"
            await two.close()
            assert await one.recv() == "Client #2 left the chat"

    asyncio.run(main())
    assert "Traceback" not in server.output


def test_the_example_of_channels(serve: Any) -> None:
    server = serve("frameworks.channels_chat:app")
    broadcast_with_channels(server, 200)

    async def main() -> None:
        url = ws(server)
        # No such path: the router raises, as Channels' page says; that is a 500 to the client.
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url + "/nowhere/", origin=ORIGIN)
        assert refused.value.response.status_code == 500
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(
                url + "/ws/chat/room/", origin=websockets.Origin("http://evil.example")
            )
        assert refused.value.response.status_code == 403

    asyncio.run(main())
