"""tercel.proxy.Forward between clients and an HTTP server: alone, mounted, with I/O threads.

What the layer below does with each byte is tested by tests/cpp/proxy; here are whole servers, with
what they make of it: the trail of proxies, bodies with back-pressure, drains, workers, HTTP/2.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.front_of_proxy import (
    PREFIX,
    Front,
    Way,
    backend_fixture,
    fields_at,
    proxy_fixture,
    start,
    way_fixture,
)
from support.h2_library import LibraryClient
from support.http1 import Closed
from support.plain_backend import Asked, PlainBackend, Talk, answer, raw
from support.tls import Authority

MIB = 1 << 20


backend = backend_fixture()
way = way_fixture()
proxy = proxy_fixture()


# --- what is passed on


def test_requests_and_responses_go_through(proxy: Front, backend: PlainBackend) -> None:
    with proxy.connect() as client:
        for number in range(20):
            target = f"/a%20b/../{number}?q=%2F&&x"
            if proxy.mounted:
                target = target.replace("/..", "")
            body = b"x" * number if number % 2 else None
            method = "PUT" if number % 2 else "GET"
            response = client.request(method, proxy.target(target), body=body)
            assert response.status == 200
            assert response.get("x-backend") == "plain"
            assert response.get("via") == "1.1 tercel"
            assert json.loads(response.body)[:2] == [method, target]
            assert json.loads(response.body)[3] == (number if number % 2 else 0)
    assert backend.connections == 1


def test_what_the_backend_is_told(proxy: Front, backend: PlainBackend) -> None:
    proxy.ask("GET", "/x", headers=[("X-A", "1"), ("Accept", "*/*")])
    expected = {
        "host": "test",
        "x-a": "1",
        "accept": "*/*",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "test",
        "via": "1.1 tercel",
    }
    if proxy.mounted:
        expected["x-forwarded-prefix"] = PREFIX
    assert fields_at(backend) == expected


def test_methods_of_all_kinds(proxy: Front, backend: PlainBackend) -> None:
    for method in ("HEAD", "DELETE", "PATCH", "OPTIONS", "PURGE", "PROPFIND"):
        response = proxy.ask(method, "/m")
        assert (response.status, response.get("x-backend")) == (200, "plain"), method
        assert backend.seen[-1].method == method
    for method in ("CONNECT", "TRACE"):
        assert proxy.ask(method, "/m").status == 501
        assert backend.seen[-1].method == "PROPFIND"


def test_hop_by_hop_fields_stay_behind(proxy: Front, backend: PlainBackend, way: Way) -> None:
    response = proxy.ask(
        headers=[
            ("Connection", "X-Secret, close, Cookie"),
            ("X-Secret", "1"),
            ("Cookie", "a=b"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("TE", "gzip;q=0.5, trailers"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
            ("X-End", "2"),
        ]
    )
    assert response.status == 200
    told = fields_at(backend)
    assert told["x-end"] == "2"
    for name in ("x-secret", "cookie", "keep-alive", "proxy-connection", "upgrade"):
        assert name not in told
    assert told.get("te", "trailers") == "trailers"
    assert told.get("connection", "te") == "te"

    backend.talk = raw(
        b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-End: 2\r\n"
        b"Proxy-Authenticate: x\r\nContent-Length: 2\r\n\r\nok"
    )
    backend.hang_up()
    response = proxy.ask()
    assert (response.status, response.body, response.get("x-end")) == (200, b"ok", "2")
    assert not response.all("x-hop")
    assert not response.all("keep-alive")


def test_every_kind_of_framing(proxy: Front, backend: PlainBackend) -> None:
    for wire, body, trailers in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", []),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the close", b"until the close", []),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old", []),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n",
            b"hello",
            [("x-t", "1")],
        ),
        (b"HTTP/1.1 204 No\r\n\r\n", b"", []),
        (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', b"", []),
    ):
        backend.talk = raw(wire)
        response = proxy.ask(headers=[("TE", "trailers"), ("Connection", "TE")])
        assert (response.body, response.trailers) == (body, trailers), wire


def test_chunked_uploads_and_their_trailers(proxy: Front, backend: PlainBackend) -> None:
    with proxy.connect() as client:
        client.send(
            f"POST {proxy.target('/up')} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n"
            "Trailer: X-T\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
        )
        assert client.response().status == 200
    assert backend.seen[-1].body == b"hello!"
    assert backend.seen[-1].trailers == [("x-t", "1")]
    assert not backend.seen[-1].all("content-length")


def test_host_and_fields_are_as_the_operator_wants(way: Way, backend: PlainBackend) -> None:
    options = {
        "keep_host": False,
        "request_headers": {"X-Api-Key": "secret", "Cookie": None, "X-Forwarded-Proto": "https"},
        "response_headers": {"X-Backend": None, "X-Frame-Options": "DENY"},
        "via": None,
    }
    with start(way, backend.url, **options) as proxy:
        response = proxy.ask(headers=[("X-API-KEY", "mine"), ("Cookie", "a=b"), ("Via", "1.0 x")])
    told = fields_at(backend)
    assert told["host"] == backend.url.removeprefix("http://")
    assert (told["x-api-key"], told["x-forwarded-proto"]) == ("secret", "https")
    assert "cookie" not in told
    assert told["via"] == "1.0 x"
    assert response.get("x-backend") is None
    assert response.get("x-frame-options") == "DENY"
    assert response.get("via") is None


# --- for whom it asks

SPOOFED = [
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "bank.example"),
    ("X-Forwarded-Prefix", "/admin"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Client-Cert", "Subject=root"),
    ("X-Real-IP", "6.6.6.6"),
    ("X_Forwarded_For", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;proto=https"),
]


@pytest.mark.parametrize("trail", ["append", "replace"])
def test_what_strangers_claim_is_dropped(way: Way, backend: PlainBackend, trail: Any) -> None:
    settings = {"forwarded_allow_ips": ["10.0.0.1"]}
    with start(
        way, backend.url, settings=settings, x_forwarded=trail, forwarded=trail, via=None
    ) as proxy:
        proxy.ask(headers=SPOOFED)
    told = {name: text for name, text in backend.seen[-1].fields if "forward" in name}
    expected = {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "test",
        "forwarded": 'for=127.0.0.1;host="test";proto=http',
    }
    if proxy.mounted:
        expected["x-forwarded-prefix"] = PREFIX
    assert told == expected
    assert not backend.seen[-1].all("x-real-ip")
    assert not backend.seen[-1].all("x_forwarded_for")


def test_a_trusted_proxy_is_believed_and_put_down(way: Way, backend: PlainBackend) -> None:
    settings = {
        "forwarded_allow_ips": ["127.0.0.1"],
        "forwarded_headers": ["x-forwarded-for,x-forwarded-proto,x-forwarded-host"],
    }
    with start(way, backend.url, settings=settings, forwarded="append") as proxy:
        proxy.ask(headers=[("X-Forwarded-For", "203.0.113.9"), *SPOOFED[1:]])
    told = fields_at(backend)
    assert told["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert told["x-forwarded-proto"] == "https"
    assert told["x-forwarded-host"] == told["host"] == "bank.example"
    # Nobody said that this one is to be believed: a client could write it.
    assert told["forwarded"] == 'for=203.0.113.9;host="bank.example";proto=https'
    assert told.get("x-forwarded-prefix") == (PREFIX if proxy.mounted else None)
    assert "x-forwarded-port" not in told
    assert "x_forwarded_for" not in told
    assert "x-real-ip" not in told


def test_the_trail_may_be_kept_or_removed(way: Way, backend: PlainBackend) -> None:
    with start(way, backend.url, x_forwarded="keep", forwarded="keep") as proxy:
        proxy.ask(headers=SPOOFED)
    kept = [(name.lower(), text) for name, text in SPOOFED]
    assert [one for one in backend.seen[-1].fields if one in kept] == kept
    with start(way, backend.url, x_forwarded="remove") as proxy:
        proxy.ask(headers=SPOOFED)
    assert not [name for name, _ in backend.seen[-1].fields if "forward" in name]


# --- bodies


def read_fast(talk: Talk, backend: PlainBackend) -> None:
    """Reads an upload, and tells how long it was."""
    while (asked := talk.head()) is not None:
        count = sum(len(piece) for piece in talk.pieces(asked))
        backend.seen.append(asked)
        talk.send(answer(200, str(count).encode()))


def send_much(count: int) -> Callable[[Talk, PlainBackend], None]:
    """Returns what answers with `count` bytes."""

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            talk.read_body(asked)
            backend.seen.append(asked)
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % count)
            for _ in range(count // MIB):
                talk.send(b"x" * MIB)

    return talk_so


def resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")


LARGE_MIB = 200
# What a process may grow by while it passes on LARGE_MIB: a few buffers, and noise.
GROWTH_KIB_MAX = 16 * 1024


@pytest.mark.parametrize("target", ["proxy_apps:alone", "proxy_apps:app"])
@pytest.mark.parametrize("io_threads", [0, 2])
def test_large_bodies_take_no_memory(serve: Any, ledger: Any, target: str, io_threads: int) -> None:
    """200 MiB each way, with a reader who takes his time at first."""
    with PlainBackend(read_fast) as sink, PlainBackend(send_much(LARGE_MIB * MIB)) as source:
        server = serve(
            target,
            io_threads=io_threads,
            limit_request_body=0,
            env={"BACKEND": sink.url, "SOURCE": source.url},
        )
        up, down = ("/up", "/down") if target.endswith("app") else ("/", None)
        assert server.request("PUT", up, body=b"x" * MIB).body == str(MIB).encode()
        before = resident_kib(server.pid)
        with server.connect(timeout=60) as client:
            client.send(
                f"PUT {up} HTTP/1.1\r\nHost: test\r\nContent-Length: {LARGE_MIB * MIB}\r\n\r\n"
            )
            piece = b"x" * MIB
            for _ in range(LARGE_MIB):
                client.send(piece)
            assert client.response().body == str(LARGE_MIB * MIB).encode()
        if down is not None:
            with server.connect(timeout=60) as client:
                client.send(f"GET {down} HTTP/1.1\r\nHost: test\r\n\r\n")
                time.sleep(0.5)  # The backend would have sent it all by now.
                got = 0
                while got < LARGE_MIB * MIB:
                    got += len(client.read_some())
        grown = resident_kib(server.pid) - before
        assert grown < GROWTH_KIB_MAX
        ledger(f"proxy, {target}, io_threads={io_threads}: grew by {grown} KiB for 200 MiB")


def test_a_slow_client_holds_the_backend_back(proxy: Front, backend: PlainBackend) -> None:
    sent = []

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        for _ in range(64 * 16):
            talk.send(b"x" * (MIB // 16))
            sent.append(1)

    backend.talk = talk_so
    with proxy.connect() as client:
        client.send(f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n\r\n")
        time.sleep(1)
        # Buffers of the kernel, on both sides, and ours.
        assert len(sent) < 32 * 16
        assert len(client.response().body) == 64 * MIB


def test_a_slow_backend_holds_the_client_back(proxy: Front, backend: PlainBackend) -> None:
    go = threading.Event()

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        assert go.wait(20)
        count = sum(len(piece) for piece in talk.pieces(asked))
        talk.send(answer(200, str(count).encode()))

    backend.talk = talk_so
    with (
        start(
            Way(proxy.mounted, 0 if proxy.mounted else 1),
            backend.url,
            settings={"limit_request_body": 0},
        ) as unlimited,
        unlimited.connect() as client,
    ):
        size = 64 * MIB
        client.send(
            f"PUT {unlimited.target('/')} HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n"
        )
        client.socket.settimeout(1)
        taken = 0
        with contextlib.suppress(TimeoutError):
            while taken < size:
                taken += client.socket.send(b"x" * MIB)
        assert taken < size // 2
        go.set()
        client.socket.settimeout(20)
        client.send(b"x" * (size - taken))
        assert client.response().body == str(size).encode()


def test_the_limit_of_bodies_is_kept(way: Way) -> None:
    cut: list[Asked] = []

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        with contextlib.suppress(ConnectionResetError, ValueError):
            talk.read_body(asked)
        cut.append(asked)

    settings = {"limit_request_body": 100_000}
    with (
        PlainBackend(talk_so) as backend,
        start(way, backend.url, settings=settings) as proxy,
        proxy.connect() as client,
    ):
        assert proxy.ask("PUT", "/", body=b"x" * 100_001).status == 413
        assert backend.connections == 0
        client.send(
            f"PUT {proxy.target('/')} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        client.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        backend.wait(lambda: backend.connections == 1)
        for _ in range(7):
            client.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        assert client.response().status == 413
        backend.wait(lambda: bool(cut))
        assert cut[0].trailers is None  # It must not take that for the whole.


# --- Expect, and interim responses


def test_the_backend_decides_whether_the_body_comes(proxy: Front, backend: PlainBackend) -> None:
    go = threading.Event()

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        backend.seen.append(asked)
        if asked.target == "/no":
            return talk.send(answer(403, b"no", "Connection: close"))
        assert go.wait(10)
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.read_body(asked)
        talk.send(answer(201, asked.body))

    backend.talk = talk_so
    with (
        start(Way(proxy.mounted, 1), backend.url, continue_timeout=20) as patient,
        patient.connect() as client,
    ):
        client.send(
            f"PUT {patient.target('/yes')} HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        backend.wait(lambda: len(backend.seen) == 1)
        assert backend.seen[0].get("expect") == "100-continue"
        assert client.silent_for(0.2)
        go.set()
        assert client.interim_response().status == 100
        client.send("hello")
        assert (client.response().status, backend.seen[0].body) == (201, b"hello")
        client.send(
            f"PUT {patient.target('/no')} HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        refused = client.response()
        assert (refused.status, refused.body, refused.interim) == (403, b"no", [])


def test_early_hints_go_through(proxy: Front, backend: PlainBackend) -> None:
    backend.talk = raw(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X\r\nX: 1\r\n\r\n",
        answer(200, b"page"),
    )
    response = proxy.ask()
    assert [one.status for one in response.interim] == [103]
    assert response.interim[0].headers == [("link", "</a.css>")]
    assert response.body == b"page"


# --- connections


def test_a_stale_connection_is_replaced(proxy: Front, backend: PlainBackend) -> None:
    """One that the backend closed when the next request was on its way."""

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            backend.seen.append(asked)
            if talk.number == 1 and len(backend.seen) == 2:
                return
            talk.read_body(asked)
            talk.send(answer(200, b"ok"))

    backend.talk = talk_so
    with proxy.connect() as client:
        assert client.request("GET", proxy.target("/1")).status == 200
        assert client.request("GET", proxy.target("/2")).status == 200
    assert [one.target for one in backend.seen] == ["/1", "/2", "/2"]
    assert backend.connections == 2


def test_what_may_not_be_done_twice_is_not(proxy: Front, backend: PlainBackend) -> None:
    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            backend.seen.append(asked)
            talk.read_body(asked)
            if asked.method == "POST":
                return
            talk.send(answer(200, b"ok"))

    backend.talk = talk_so
    with proxy.connect() as client:
        assert client.request("GET", proxy.target("/1")).status == 200
        assert proxy.refused(client.request("POST", proxy.target("/2"), body=b"x"), 502)
    assert len(backend.seen) == 2


def test_requests_wait_for_a_connection_in_turn(backend: PlainBackend) -> None:
    """Two connections are all there are; each answers when it is told."""
    gate = threading.Semaphore(0)

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            backend.seen.append(asked)
            assert gate.acquire(timeout=20)
            talk.send(answer(200, asked.target.encode()))

    backend.talk = talk_so
    for mounted in (False, True):
        backend.seen.clear()
        opened = backend.connections
        with start(Way(mounted, 0 if mounted else 1), backend.url, connections=2) as proxy:
            clients = [proxy.connect() for _ in range(6)]
            for number, client in enumerate(clients):
                client.send(f"GET {proxy.target(f'/{number}')} HTTP/1.1\r\nHost: test\r\n\r\n")
                backend.wait(lambda number=number: len(backend.seen) >= min(number + 1, 2))
            time.sleep(0.2)
            assert len(backend.seen) == 2
            for _ in clients:
                gate.release()
            for number, client in enumerate(clients):
                assert client.response().body == f"/{number}".encode()
                client.close()
        assert backend.connections - opened == 2


def test_who_waits_too_long_is_told(way: Way, backend: PlainBackend) -> None:
    backend.talk = raw(end="wait")
    one_loop = Way(way.mounted, min(way.io_threads, 1))
    with (
        start(one_loop, backend.url, connections=1, wait_timeout=0.3) as proxy,
        proxy.connect() as first,
        proxy.connect() as second,
    ):
        for client in (first, second):
            client.send(f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n\r\n")
            backend.wait(lambda: bool(backend.seen))
        response = second.response()
        assert proxy.refused(response, 503)
        assert response.get("retry-after") == "1"


def test_idle_connections_are_closed(way: Way, backend: PlainBackend) -> None:
    with start(way, backend.url, idle_timeout=0.3) as proxy:
        assert proxy.ask().status == 200
        assert backend.open_connections == 1
        backend.wait(lambda: backend.open_connections == 0)
        assert proxy.ask().status == 200


def test_a_client_that_leaves_cancels_the_request(proxy: Front, backend: PlainBackend) -> None:
    for parts in ((), (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",)):
        backend.talk = raw(*parts, end="wait")
        count = len(backend.seen)
        with proxy.connect() as client:
            client.send(f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n\r\n")
            backend.wait(lambda count=count: len(backend.seen) > count)
            if parts:
                client.read_some()
            client.reset()
        backend.wait(lambda count=count: len(backend.left) > count)
    assert backend.open_connections == 0
    # One that only closed its direction may read; but not for ever (`--timeout-half-close`).
    backend.talk = raw(end="wait")
    with proxy.connect() as client:
        client.send(f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n\r\n")
        client.half_close()
        backend.wait(lambda: len(backend.left) > 2)
        client.wait_gone()


def test_an_upload_that_breaks_off_is_none_to_the_backend(
    proxy: Front, backend: PlainBackend
) -> None:
    cut = []

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        backend.seen.append(asked)
        with contextlib.suppress(ConnectionResetError, ValueError):
            talk.read_body(asked)
        cut.append(asked.trailers)

    backend.talk = talk_so
    for body in (
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ):
        for reset in (False, True):
            with proxy.connect() as client:
                client.send(f"PUT {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n{body}")
                count = len(cut)
                backend.wait(lambda count=count: len(backend.seen) > count)
                client.reset() if reset else client.close()
            backend.wait(lambda count=count: len(cut) > count)
    assert cut == [None] * 4


# --- TLS, and Unix sockets


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def tls_context(authority: Authority, *names: str, file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(*names, file=file))
    return context


def test_a_backend_behind_tls(way: Way, authority: Authority) -> None:
    with PlainBackend(context=tls_context(authority, "127.0.0.1", file="backend")) as backend:
        with start(way, backend.url, ca=authority.ca) as proxy:
            for _ in range(3):
                assert proxy.ask("PUT", "/", body=b"x" * 100_000).status == 200
        with start(way, backend.url) as proxy:
            assert proxy.refused(proxy.ask(), 502)
        with start(way, backend.url, verify=False) as proxy:
            assert proxy.ask().status == 200
    other = tls_context(authority, "elsewhere", file="other")
    with (
        PlainBackend(context=other) as backend,
        start(way, backend.url, ca=authority.ca) as proxy,
    ):
        assert proxy.refused(proxy.ask(), 502)


def test_a_backend_that_asks_for_a_certificate(way: Way, authority: Authority) -> None:
    context = tls_context(authority, "127.0.0.1", file="mutual")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    certificate, key = authority.issue("proxy.internal", file="client")
    with PlainBackend(context=context) as backend:
        with start(way, backend.url, ca=authority.ca, certificate=certificate, key=key) as proxy:
            assert proxy.ask().status == 200
        with start(way, backend.url, ca=authority.ca) as proxy:
            assert proxy.refused(proxy.ask(), 502)


def test_clients_behind_tls(way: Way, backend: PlainBackend, authority: Authority) -> None:
    certificate, key = authority.issue("127.0.0.1", file="front")
    settings = {"ssl_certfile": [certificate], "ssl_keyfile": [key]}
    with start(way, backend.url, settings=settings) as proxy:
        context = ssl.create_default_context(cafile=authority.ca)
        client = http.client.HTTPSConnection(*proxy.server.address, context=context)
        for _ in range(3):
            client.request("PUT", proxy.target("/"), body=b"x" * 300_000)
            assert json.loads(client.getresponse().read())[3] == 300_000
        client.close()
    assert fields_at(backend)["x-forwarded-proto"] == "https"


def test_a_backend_at_a_unix_socket(way: Way, tmp_path: Path) -> None:
    with PlainBackend(path=str(tmp_path / "app.sock")) as backend:
        with start(way, backend.url, keep_host=False) as proxy:
            assert proxy.ask().status == 200
        assert fields_at(backend)["host"] == "localhost"


# --- HTTP/2


def test_http2_in_front(way: Way, backend: PlainBackend) -> None:
    with start(way, backend.url) as proxy, LibraryClient(proxy.server.address) as client:
        streams = [client.ask(proxy.target(f"/{number}")) for number in range(10)]
        for number, stream in enumerate(streams):
            answered = client.answer(stream)
            assert answered.status == 200
            assert json.loads(bytes(answered.body))[1] == f"/{number}"
            assert answered.fields["x-backend"] == "plain"
    assert backend.seen[-1].get("via") == "2.0 tercel"


def test_http2_bodies_go_both_ways(way: Way, backend: PlainBackend) -> None:
    """Larger than all windows, with trailers; and the stream that is reset is over for both."""
    size = 5 * MIB

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            backend.seen.append(asked)
            if asked.target == "/stuck":
                backend.left.append(talk.wait_gone())
                return
            talk.read_body(asked)
            talk.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(asked.body)
            )
            talk.send(asked.body + b"\r\n0\r\nX-T: 2\r\n\r\n")

    backend.talk = talk_so
    with start(way, backend.url) as proxy, LibraryClient(proxy.server.address) as client:
        body = bytes(range(256)) * (size // 256)
        te = [("te", "trailers")]
        stream = client.ask(proxy.target("/up"), body, fields=te, trailers=[("x-t", "1")])
        answered = client.answer(stream)
        assert bytes(answered.body) == body
        assert answered.trailers == {"x-t": "2"}
        assert backend.seen[-1].trailers == [("x-t", "1")]
        stuck = client.ask(proxy.target("/stuck"))
        backend.wait(lambda: len(backend.seen) == 2)
        client.reset(stuck)
        backend.wait(lambda: len(backend.left) == 1)
        assert client.answer(client.ask(proxy.target("/again"))).status == 200


# --- the life of a server


def test_a_drain_lets_requests_end(way: Way, backend: PlainBackend) -> None:
    go = threading.Event()

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        backend.seen.append(asked)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegin")
        assert go.wait(10)
        talk.send(b"ended")

    backend.talk = talk_so
    with start(way, backend.url) as proxy, proxy.connect() as client:
        client.send(f"GET {proxy.target('/')} HTTP/1.1\r\nHost: test\r\n\r\n")
        backend.wait(lambda: len(backend.seen) == 1)
        proxy.server._loop.call_soon_threadsafe(proxy.server.server.shutdown)
        time.sleep(0.3)
        go.set()
        assert client.response().body == b"beginended"
        client.expect_closed()


@pytest.mark.parametrize("target", ["proxy_apps:alone", "proxy_apps:app"])
@pytest.mark.parametrize("io_threads", [0, 2])
def test_what_does_not_end_is_cut_off(serve: Any, target: str, io_threads: int) -> None:
    """At each stage: no response, half of one, half of a request, a tunnel, no connection yet."""
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        asked = talk.head()
        assert asked is not None
        if asked.target == "/half":
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        elif asked.target == "/chat":
            talk.send(switched)
        backend.seen.append(asked)
        backend.left.append(talk.wait_gone())

    with (
        PlainBackend(talk_so) as backend,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        contextlib.ExitStack() as clients,
    ):
        address = full.getsockname()
        held = [socket.socket() for _ in range(4)]  # It takes no more connections.
        for one in held:
            clients.enter_context(one).setblocking(False)
            one.connect_ex(address)
        server = serve(
            target,
            io_threads=io_threads,
            timeout_graceful_shutdown=1,
            env={"BACKEND": backend.url, "SOURCE": f"http://127.0.0.1:{address[1]}"},
        )
        up = "/up" if target.endswith("app") else ""
        heads = [
            f"GET {up}/none HTTP/1.1\r\nHost: test\r\n\r\n",
            f"GET {up}/half HTTP/1.1\r\nHost: test\r\n\r\n",
            f"PUT {up}/put HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf",
            f"GET {up}/chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ]
        if up:
            heads.append("GET /down/x HTTP/1.1\r\nHost: test\r\n\r\n")
        for head in heads:
            clients.enter_context(server.connect()).send(head)
        backend.wait(lambda: len(backend.seen) == 4)
        time.sleep(0.2)
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 10
        assert "Traceback" not in server.output
        assert "assertion" not in server.output
        backend.wait(lambda: len(backend.left) == 4)


@pytest.mark.parametrize("target", ["proxy_apps:alone", "proxy_apps:app"])
def test_workers_and_threads(serve: Any, backend: PlainBackend, target: str) -> None:
    server = serve(
        target, workers=2, io_threads=2, env={"BACKEND": backend.url, "SOURCE": backend.url}
    )
    path = "/up/x" if target.endswith("app") else "/x"
    for _ in range(40):
        assert server.request("GET", path).status == 200
    assert {one.target for one in backend.seen} == {"/x"}
    assert server.stop() == 0


def test_a_failure_is_logged_once_a_second(serve: Any) -> None:
    with PlainBackend() as gone:
        url = gone.url
    server = serve("proxy_apps:alone", env={"BACKEND": url, "SOURCE": url})
    for _ in range(5):
        assert server.request("GET", "/").status == 502
    server.wait_for(
        r"Forwarding to 127.0.0.1:\d+ failed: no connection to the upstream can be made"
    )
    assert server.output.count("Forwarding to") <= 2


def test_a_cut_response_looks_cut(proxy: Front, backend: PlainBackend) -> None:
    for head in (
        b"Content-Length: 100\r\n\r\npart",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    ):
        backend.talk = raw(b"HTTP/1.1 200 OK\r\n" + head)
        with pytest.raises(Closed):
            proxy.ask()


def test_a_backend_that_comes_back_is_used_again(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with start(way, f"http://127.0.0.1:{port}") as proxy:
        assert proxy.refused(proxy.ask(), 502)
        with socket.create_server(("127.0.0.1", port)) as listener:
            end = time.monotonic() + 10

            def serve() -> None:
                connection, _ = listener.accept()
                talk = Talk(connection, 1)
                talk.head()
                talk.send(answer(200, b"back"))

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            while (response := proxy.ask()).status != 200:
                assert time.monotonic() < end
                time.sleep(0.05)
            assert response.body == b"back"
            thread.join(5)
