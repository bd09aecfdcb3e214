"""HTTP/2 with the clients of others, each in clear with prior knowledge and over TLS with ALPN:
curl, nghttp, h2load, httpx, and the package `h2` with a loop over a socket.

Node.js is in test_node_clients.py, Chromium in tests/long/test_browser.py.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from support.clients import curl, needs_nghttp2_client, run
from support.h2_library import LibraryClient
from support.server import ServerProcess
from support.tls import Transport

pytestmark = pytest.mark.io_threads
MEBIBYTE = 1 << 20
CANCEL = 8


@pytest.fixture
def server(serve_shared: Any, transport: Transport) -> ServerProcess:
    return serve_shared("live:app", limit_request_body="64MiB", **transport.settings)


# --- curl

VERSION = ("-w", " %{http_version}")


@pytest.fixture
def trust(transport: Transport) -> tuple[str, ...]:
    """What makes curl trust the server."""
    return ("--cacert", transport.authority.ca) if transport.authority else ()


@pytest.fixture
def h2(transport: Transport) -> str:
    """What makes curl speak HTTP/2."""
    return "--http2" if transport.authority else "--http2-prior-knowledge"


@pytest.mark.sanitize
def test_curl_chooses_the_version(server, transport, trust):
    url = f"{transport.url(server)}/hello?id=7"
    assert curl("--http2-prior-knowledge", *trust, *VERSION, url) == "hello 7 2"
    assert curl("--http1.1", *trust, *VERSION, url) == "hello 7 1.1"
    # In clear it asks HTTP/1.1 to upgrade, which RFC 9113 did away with.
    by_default = "2" if transport.authority else "1.1"
    assert curl("--http2", *trust, *VERSION, url) == f"hello 7 {by_default}"
    if transport.authority:
        assert curl("--no-alpn", *trust, *VERSION, url) == "hello 7 1.1"


@pytest.mark.sanitize
def test_curl_sends_bodies_and_waits_for_the_continue(server, transport, trust, h2):
    data = b"x" * (5 * MEBIBYTE)
    url = transport.url(server)
    body = ("--data-binary", "@-")
    assert curl(h2, *trust, *body, f"{url}/count", data=data) == str(len(data))
    expects = ("-H", "Expect: 100-continue", *body)
    assert curl(h2, *trust, *expects, f"{url}/echo", data=b"body") == "body"


def test_curl_multiplexes(server, transport, trust, h2):
    url = f"{transport.url(server)}/sleep?s=0.5&id=[1-40]"
    report = " %{num_connects} %{http_version} %{response_code}\\n"
    # With prior knowledge curl 7.88 fails to share a connection, whatever the server.
    shared = () if transport.authority else ("--parallel-immediate",)
    begin = time.monotonic()
    said = curl(h2, *trust, "--parallel", "--parallel-max", "40", *shared, "-w", report, url)
    assert time.monotonic() - begin < 5
    # Which bodies stand together depends on when they come.
    answers = re.findall(r" (\d) (\S+) (\d+)\n", said)
    assert said.count("slept") == 40
    assert [answer[1:] for answer in answers] == [("2", "200")] * 40
    assert sum(int(answer[0]) for answer in answers) == (40 if shared else 1)


# --- nghttp and h2load


@needs_nghttp2_client
def test_h2load_fails_in_no_request(server, transport):
    options = ("-n", "3000", "-c", "4", "-m", "32")
    report = run("h2load", *options, f"{transport.url(server)}/hello?id=1")
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in report
    assert "status codes: 3000 2xx, 0 3xx, 0 4xx, 0 5xx" in report
    # Without TLS it says "h2c", which is what it spoke.
    assert re.findall("^Application protocol: (.*)$", report, re.MULTILINE) == [
        "h2" if transport.authority else "h2c"
    ]


@needs_nghttp2_client
def test_h2load_uploads(server, transport, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(300_000))  # More than a window.
    options = ("-n", "100", "-c", "2", "-m", "10", "-d", str(body))
    report = run("h2load", *options, f"{transport.url(server)}/count")
    assert "status codes: 100 2xx, 0 3xx, 0 4xx, 0 5xx" in report
    assert "100 succeeded, 0 failed, 0 errored, 0 timeout" in report


def statuses(report: str) -> list[str]:
    return re.findall(r"recv .*:status: (\d+)", re.sub(r"\x1b\[[0-9;]*m", "", report))


@needs_nghttp2_client
def test_nghttp_gets_and_uploads(server, transport, tmp_path):
    url = transport.url(server)
    assert run("nghttp", "--no-verify-peer", f"{url}/hello?id=2") == "hello 2"
    many = [f"{url}/hello?id={number}" for number in range(30)]
    report = run("nghttp", "--no-verify-peer", "-nv", *many)
    assert statuses(report) == ["200"] * 30
    body = tmp_path / "body"
    body.write_bytes(bytes(MEBIBYTE))
    upload = ("-d", str(body), "--trailer", "x-sum: 42")
    report = run("nghttp", "--no-verify-peer", "-v", *upload, f"{url}/count")
    assert statuses(report) == ["200"]
    assert str(MEBIBYTE) in report
    report = run("nghttp", "--no-verify-peer", "-v", "-H", "te: trailers", f"{url}/trailers")
    assert statuses(report) == ["200"]
    assert "x-sum: 42" in report


# --- httpx


def httpx_client(transport: Transport) -> httpx.AsyncClient:
    """One that speaks HTTP/2 on one connection."""
    verify: ssl.SSLContext | bool = transport.context() or True
    limits = httpx.Limits(max_connections=1)
    # In clear it takes HTTP/2 for known only if there is nothing else.
    http1 = transport.authority is not None
    return httpx.AsyncClient(http1=http1, http2=True, verify=verify, limits=limits, timeout=20)


@pytest.mark.sanitize
def test_httpx_multiplexes(server, transport):
    url = transport.url(server)

    async def main() -> None:
        async with httpx_client(transport) as client:
            await client.get(f"{url}/hello")  # Over TLS only the first tells it of HTTP/2.
            begin = time.monotonic()
            answers = await asyncio.gather(
                *[client.get(f"{url}/sleep?s=0.5&id={number}") for number in range(50)]
            )
            assert time.monotonic() - begin < 5  # All at once, not one after the other.
            assert {answer.http_version for answer in answers} == {"HTTP/2"}
            assert {answer.text for answer in answers} == {"slept"}
            bodies = [bytes([number]) * (number * 1000) for number in range(60)]
            echoes = await asyncio.gather(
                *[client.post(f"{url}/echo", content=body) for body in bodies]
            )
            assert [echo.content for echo in echoes] == bodies

    asyncio.run(main())


def test_httpx_streams_both_ways(server, transport):
    url = transport.url(server)
    part = bytes(range(256)) * 256
    pieces = [part[number:] for number in range(200)]

    async def parts() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def upload(client: httpx.AsyncClient) -> int:
        answer = await client.post(f"{url}/count", content=parts())
        assert answer.http_version == "HTTP/2"
        return int(answer.text)

    async def download(client: httpx.AsyncClient) -> int:
        size = 0
        async with client.stream("GET", f"{url}/stream?n=200&size=65536") as answer:
            assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
            async for piece in answer.aiter_bytes():
                assert piece.strip(b"x") == b""
                size += len(piece)
        return size

    async def main() -> None:
        async with httpx_client(transport) as client:
            await client.get(f"{url}/hello")
            # Both at once, and neither holds up the other.
            counted, streamed = await asyncio.gather(upload(client), download(client))
            assert counted == sum(map(len, pieces))
            assert streamed == 200 * 65536
            echo = await client.post(f"{url}/echo", content=parts())
            assert echo.content == b"".join(pieces)

    asyncio.run(main())


@pytest.mark.parametrize("transport", ["tls"], indirect=True)
def test_httpx_verifies_the_certificate(server, transport):
    with httpx.Client(http2=True) as client, pytest.raises(httpx.ConnectError, match="certificate"):
        client.get(transport.url(server))


# --- h2


@pytest.fixture
def client(server: ServerProcess, transport: Transport) -> Iterator[LibraryClient]:
    with LibraryClient(server.address, transport.context()) as client:
        yield client


@pytest.mark.sanitize
def test_h2_has_many_streams_at_once(client):
    begin = time.monotonic()
    sleeping = [client.ask(f"/sleep?s=0.5&id=h2-{number}") for number in range(40)]
    bodies = [bytes([number]) * (number * 700) for number in range(40)]
    echoing = [client.ask("/echo", body) for body in bodies]
    assert [bytes(client.answer(stream).body) for stream in echoing] == bodies
    assert {bytes(client.answer(stream).body) for stream in sleeping} == {b"slept"}
    assert time.monotonic() - begin < 5
    assert {answer.status for answer in client.answers.values()} == {200}
    client.connection.ping(b"are you?")
    hello = client.ask("/hello?id=1")
    assert client.answer(hello).body == b"hello 1"
    assert client.pings == 1


@pytest.mark.sanitize
def test_h2_uploads_within_the_windows(client):
    """More than all windows hold, on two streams that share that of the connection."""
    sizes = [8 * MEBIBYTE, 3 * MEBIBYTE + 1]
    streams = [client.ask("/count", bytes(size)) for size in sizes]
    assert client.windows_used_up
    assert [client.answer(stream).body.decode() for stream in streams] == [str(s) for s in sizes]


def test_h2_downloads_within_its_windows(client):
    """It raises FlowControlError when one byte too much comes."""
    streams = [client.ask("/stream?n=100&size=65536") for _ in range(3)]
    assert [len(client.answer(stream).body) for stream in streams] == [100 * 65536] * 3


@pytest.mark.sanitize
def test_h2_resets_one_stream_and_keeps_the_others(server, client, transport):
    name = "h2-tls" if transport.authority else "h2-clear"
    waiting = client.ask(f"/wait?id={name}-wait")
    sipping = client.ask(f"/sip?pause=30&id={name}-sip", bytes(4 * MEBIBYTE))
    counting = client.ask("/count", bytes(4 * MEBIBYTE))
    pouring = client.ask("/stream?n=1000&size=65536")
    sleeping = client.ask("/sleep?s=0.5&id=other")
    while not client.answers[pouring].body:
        client.step()
    server.wait_for(f"sipped {name}-sip")
    for stream in (waiting, sipping, pouring):
        client.reset(stream, CANCEL)
    server.wait_for(f"disconnect {name}-wait")
    assert client.answer(sleeping).body == b"slept"
    assert client.answer(counting).body.decode() == str(4 * MEBIBYTE)
    # What was under way on the streams that are gone takes nothing of the connection's windows.
    again = client.ask("/count", bytes(4 * MEBIBYTE))
    assert client.answer(again).body.decode() == str(4 * MEBIBYTE)
    down = client.ask("/stream?n=20&size=65536")
    assert len(client.answer(down).body) == 20 * 65536
    assert not client.answers[waiting].ended


@pytest.mark.sanitize
def test_h2_sends_and_gets_trailers(client):
    answer = client.answer(client.ask("/trailers", fields=[("te", "trailers")]))
    assert (answer.status, bytes(answer.body), answer.trailers) == (200, b"body", {"x-sum": "42"})
    assert client.answer(client.ask("/trailers")).trailers == {}  # It did not ask for them.
    for body in (b"", b"with trailers", bytes(300_000)):
        stream = client.ask("/echo", body, trailers=[("x-sum", "42")])
        assert client.answer(stream).body == body
    answer = client.answer(client.ask("/hints"))
    assert (answer.interim, answer.status, bytes(answer.body)) == ([103], 200, b"ok")
