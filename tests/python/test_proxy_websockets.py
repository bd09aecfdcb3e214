"""WebSockets through a tercel.proxy.Forward: a tunnel, once the server behind has agreed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import tercel
from support.front_of_proxy import (
    Front,
    Way,
    backend_fixture,
    fields_at,
    proxy_fixture,
    start,
    way_fixture,
)
from support.h2_library import LibraryClient
from support.http1 import RawClient
from support.plain_backend import PlainBackend, Talk, raw
from support.server import ServerThread
from tercel.proxy import Forward

MIB = 1 << 20


backend = backend_fixture()
way = way_fixture()
proxy = proxy_fixture()


def echo_websocket(websocket: Any) -> None:
    websocket.send(f"{websocket.request.path} {websocket.request.headers.get('X-Forwarded-For')}")
    for message in websocket:
        if message == "bye":
            websocket.close(4001, "done")
        else:
            websocket.send(message)


@pytest.fixture
def websockets() -> Iterator[str]:
    """A WebSocket server; its URL."""
    from websockets.sync.server import serve

    with serve(echo_websocket, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(5)


def test_websockets_go_through(way: Way, websockets: str) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with start(way, websockets) as proxy:
        url = f"ws://127.0.0.1:{proxy.server.address[1]}{proxy.target('/chat?x')}"
        with connect(url) as client:
            assert client.recv() == "/chat?x 127.0.0.1"
            for size in (0, 1, 125, 126, 70_000, MIB):
                client.send(b"x" * size)
                assert client.recv() == b"x" * size
            client.send("bye")
            with pytest.raises(ConnectionClosed) as closed:
                client.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "done")


def test_websockets_of_an_app_are_its_own(websockets: str) -> None:
    from websockets.sync.client import connect

    app = tercel.App()

    @app.websocket("/own")
    async def own(socket: tercel.WebSocket) -> None:
        await socket.send("own")

    app.mount("/", Forward(websockets))
    with ServerThread(app) as server:
        url = f"ws://127.0.0.1:{server.address[1]}"
        with connect(f"{url}/own") as client:
            assert client.recv() == "own"
        with connect(f"{url}/other") as client:
            assert client.recv() == "/other 127.0.0.1"


def test_a_handshake_that_the_backend_refuses(proxy: Front, backend: PlainBackend) -> None:
    handshake = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    assert proxy.ask(headers=handshake).status == 200  # It knows no WebSockets.
    told = fields_at(backend)
    assert (told["connection"], told["upgrade"]) == ("upgrade", "websocket")
    assert told["sec-websocket-key"] == "dGhlIHNhbXBsZSBub25jZQ=="
    for wire in (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ):
        backend.talk = raw(wire, end="wait")
        backend.hang_up()
        assert proxy.refused(proxy.ask(headers=handshake), 502)
    # Nobody asked for it.
    backend.talk = raw(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        end="wait",
    )
    assert proxy.refused(proxy.ask(), 502)


def tunnel(client: RawClient, proxy: Front) -> None:
    client.send(
        f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert client.response().status == 101


SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def test_a_tunnel_ends_with_either_side(proxy: Front, backend: PlainBackend) -> None:
    for reset in (False, True):
        backend.talk = raw(SWITCHED + b"first", end="wait")
        with proxy.connect() as client:
            tunnel(client, proxy)
            assert client.read_exactly(5) == b"first"
            client.reset() if reset else client.close()
        backend.wait(lambda: backend.open_connections == 0)
    backend.talk = raw(SWITCHED + b"first", b"last")
    with proxy.connect() as client:
        tunnel(client, proxy)
        assert client.read_to_close() == b"firstlast"
    backend.talk = raw(SWITCHED + b"first", end="reset")
    with proxy.connect() as client:
        tunnel(client, proxy)
        client.wait_gone()


def test_a_tunnel_without_bytes_is_cut(way: Way, backend: PlainBackend) -> None:
    backend.talk = raw(SWITCHED, end="wait")
    times = {"websocket_timeout": 0.5, "progress_timeout": 0.1}
    with start(way, backend.url, **times) as proxy, proxy.connect() as client:
        tunnel(client, proxy)
        for _ in range(4):
            time.sleep(0.2)
            client.send(b"x")  # Keeps it.
        begin = time.monotonic()
        client.wait_gone()
        assert 0.2 < time.monotonic() - begin < 5


def test_http2_websockets_become_those_of_http1(way: Way, backend: PlainBackend) -> None:
    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        backend.seen.append(asked)
        talk.send(SWITCHED.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: x\r\n\r\n"))
        talk.send(talk.read(5).upper())

    backend.talk = talk_so
    with start(way, backend.url) as proxy, LibraryClient(proxy.server.address) as client:
        stream = client.begin(
            "CONNECT",
            proxy.target("/chat"),
            protocol="websocket",
            fields=[("sec-websocket-version", "13")],
        )
        client.send(stream, b"hello")
        answered = client.answer(stream)
        assert (answered.status, bytes(answered.body)) == (200, b"HELLO")
        assert "sec-websocket-accept" not in answered.fields
    told = fields_at(backend)
    assert (backend.seen[-1].method, backend.seen[-1].target) == ("GET", "/chat")
    assert (told["upgrade"], told["sec-websocket-version"]) == ("websocket", "13")
    assert len(told["sec-websocket-key"]) == 24
