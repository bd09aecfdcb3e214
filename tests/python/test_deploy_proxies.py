"""nginx and HAProxy with the files of examples/deploy, and real servers behind them.

support/proxies.py says what of the files is replaced. docs/guide/proxies.md explains them.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.crew import Site
from support.fixtures import Ledger, ServeProcess
from support.http1 import Closed, RawClient, Response
from support.load import Load
from support.proxies import DEPLOY, HaProxy, Nginx, Proxy
from support.server import ServerProcess
from support.tls import Authority, connect
from support.waiting import wait_until
from support.websocket import WebSocketClient
from tercel.settings import load

CLIENT = "127.0.0.5"
CONNECTIONS = 16
FORGED = [
    ("X-Forwarded-For", "192.0.2.66"),
    ("X-Forwarded-Proto", "ftp"),
    ("X-Forwarded-Host", "forged"),
    ("X-Forwarded-Port", "6666"),
    ("X-Forwarded-Prefix", "/forged"),
    ("X-Forwarded-Server", "forged"),
    ("X-Real-IP", "192.0.2.66"),
    ("Forwarded", "for=192.0.2.66"),
]


@dataclass
class Front:
    """A proxy, and the servers behind it."""

    proxy: Proxy
    servers: list[ServerProcess]
    authority: Authority

    def request(self, *arguments: Any, **parts: Any) -> Response:
        with connect(self.proxy.tls, self.authority.client_context()) as client:
            return client.request(*arguments, **parts)

    def workers(self) -> set[int]:
        return {pid for server in self.servers for pid in Site(server).workers()}

    def printed(self, pattern: str) -> int:
        """How many lines of all servers match."""
        outputs = [server.output for server in self.servers]
        return sum(len(re.findall(pattern, output, re.MULTILINE)) for output in outputs)

    def wait_printed(self, pattern: str, count: int = 1) -> None:
        wait_until(lambda: self.printed(pattern) >= count, f"{count} times {pattern!r}")


def start_server(serve: ServeProcess, path: str) -> ServerProcess:
    server = serve("crew:app", port=None, uds=path, workers=2, forwarded_allow_ips="unix")
    Site(server).all_serve(2)
    return server


@pytest.fixture(scope="module", params=[Nginx, HaProxy], ids=lambda proxy: proxy.program)
def front(
    request: pytest.FixtureRequest,
    serve_shared: ServeProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp(request.param.program)
    authority = Authority(folder)
    sockets = [str(folder / f"{number}.sock") for number in range(request.param.servers)]
    servers = [start_server(serve_shared, path) for path in sockets]
    with request.param(folder, authority, sockets) as proxy:
        yield Front(proxy, servers, authority)


def numbers(name: str, pattern: str) -> list[int]:
    """What stands in the groups of `pattern` in a file of examples/deploy, in which it is once."""
    (found,) = re.findall(pattern, (DEPLOY / name).read_text())
    return [int(number) for number in ([found] if isinstance(found, str) else found)]


class TestNumbers:
    """They fit the defaults of tercel."""

    def test_nginx_closes_idle_connections_before_tercel_does(self):
        (idle_s,) = numbers("nginx.conf", r"keepalive 64;\s+keepalive_timeout (\d+)s;")
        assert idle_s < load().timeout_keep_alive

    def test_nginx_takes_what_tercel_takes(self):
        given = load()
        (body,) = numbers("nginx.conf", r"client_max_body_size (\d+)m;")
        assert body << 20 == given.limit_request_body
        count, each = numbers("nginx.conf", r"large_client_header_buffers (\d+) (\d+)k;")
        assert each << 10 == given.limit_request_target
        assert count * each << 10 == given.limit_request_head

    @pytest.mark.parametrize(
        ("name", "pattern"),
        [
            ("nginx.conf", r"proxy_read_timeout (\d+)s;"),
            ("haproxy.cfg", r"timeout tunnel (\d+)s"),
            ("haproxy.cfg", r"timeout client (\d+)s"),
            ("haproxy.cfg", r"timeout server (\d+)s"),
        ],
    )
    def test_a_websocket_that_is_silent_stays_open(self, name: str, pattern: str):
        given = load()
        (silence_s,) = numbers(name, pattern)
        assert silence_s > given.ws_ping_interval + given.ws_ping_timeout


class TestWhatTheApplicationSees:
    def test_the_client_and_the_scheme_are_those_of_the_proxys_client(self, front: Front):
        with RawClient(front.proxy.plain, source=CLIENT) as client:
            seen = json.loads(client.request("GET", "/request?plain").body)
        assert (seen["client"], seen["scheme"]) == ([CLIENT, 0], "http")
        front.wait_printed(rf"^{CLIENT} .*/request\?plain")
        seen = json.loads(front.request("GET", "/request").body)
        assert (seen["client"], seen["scheme"]) == (["127.0.0.1", 0], "https")

    def test_what_a_client_says_of_itself_is_not_believed(self, front: Front):
        with RawClient(front.proxy.plain, source=CLIENT) as client:
            seen = json.loads(client.request("GET", "/request", headers=FORGED).body)
        assert (seen["client"], seen["scheme"]) == ([CLIENT, 0], "http")
        names = {name.lower() for name, _ in FORGED}
        told = [field for field in seen["fields"] if field[0] in names]
        assert sorted(told) == [["x-forwarded-for", CLIENT], ["x-forwarded-proto", "http"]]

    def test_a_client_cannot_ask_for_another_protocol(self, front: Front):
        asking = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")]
        with RawClient(front.proxy.plain) as client:
            seen = json.loads(client.request("GET", "/request", headers=asking).body)
        assert "upgrade" not in [name for name, _ in seen["fields"]]

    def test_http2_ends_at_the_proxy(self, front: Front):
        context = front.authority.client_context()
        with httpx.Client(http2=True, verify=context) as client:
            response = client.get(f"https://localhost:{front.proxy.tls[1]}/request")
        assert (response.status_code, response.http_version) == (200, "HTTP/2")

    def test_port_80_leads_to_port_443(self, front: Front):
        with RawClient(front.proxy.redirect) as client:
            response = client.request("GET", "/a?b=c")
        assert (response.status, response.get("location")) == (308, "https://test/a?b=c")


class TestStreams:
    def test_a_websocket_passes(self, front: Front):
        with WebSocketClient(front.proxy.plain) as client:
            client.text("there and back")
            assert client.read_message() == "there and back"
            client.close()

    def test_an_event_comes_before_the_end_of_its_response(self, front: Front):
        before = front.printed("^disconnect")
        with connect(front.proxy.tls, front.authority.client_context()) as client:
            client.send("GET /ticks HTTP/1.1\r\nHost: test\r\n\r\n")
            got = b""
            while got.count(b"data: tick") < 3:
                got += client.read_some()
        front.wait_printed("^disconnect", before + 1)

    def test_an_upload_is_passed_on_as_it_comes(self, front: Front):
        size = 8 << 20
        before = front.printed("^upload began")
        with connect(front.proxy.tls, front.authority.client_context()) as client:
            client.send(f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
            client.send(bytes(size // 2))
            front.wait_printed("^upload began", before + 1)
            client.send(bytes(size // 2))
            assert client.response().body == str(size).encode()

    def test_a_body_may_be_as_large_as_tercel_takes(self, front: Front):
        limit = 64 << 20
        with RawClient(front.proxy.plain) as client:
            response = client.request("POST", "/upload", body=bytes(limit))
            assert (response.status, response.body) == (200, str(limit).encode())
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {limit + 1}\r\n\r\n")
            assert client.response().status == 413


class Posts:
    """Clients that POST one after the other, over connections that are kept alive.

    Attributes:
        answers: the status of each.
        errors: what came instead of an answer. Its client goes on, as a browser does.
    """

    def __init__(self, front: Front, count: int) -> None:
        self.answers: list[int] = []
        self.errors: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(front.proxy.plain,), daemon=True)
            for _ in range(count)
        ]

    def _run(self, address: Any) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", timeout=10) as client:
            while not self._stop.is_set():
                try:
                    self.answers.append(client.post("/upload", content=b"x" * 100).status_code)
                except Exception as error:
                    self.errors.append(error)

    def wait_for_more(self, count: int) -> None:
        enough = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= enough, f"{count} more answers to POST")

    def __enter__(self) -> Posts:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads)


class TestReplacement:
    def test_a_reload_loses_no_request(self, front: Front, load_client: str, ledger: Ledger):
        arguments = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)
        port = front.proxy.plain[1]
        with Load(load_client, port, *arguments, seconds=50) as gets, Posts(front, 2) as posts:
            posts.wait_for_more(10)
            before = front.workers()
            for server in front.servers:
                server.send_signal(signal.SIGHUP)
            wait_until(lambda: before.isdisjoint(front.workers()), "other workers")
            posts.wait_for_more(50)
            counts = gets.end()
        kinds = ("lost", "wrong", "doubled", "refused")
        assert [counts[kind] for kind in kinds] == [0, 0, 0, 0], counts
        assert counts["sent"] > 100
        assert posts.errors == []
        assert set(posts.answers) == {200}
        name = front.proxy.program
        ledger(f"{name}: 0 of {counts['sent']} GET and {len(posts.answers)} POST lost in a reload")

    def test_a_request_that_may_not_be_repeated_is_sent_once(self, front: Front):
        ended = r"ended with status 41; another one takes its place"
        before = front.printed(ended)
        with RawClient(front.proxy.plain) as client:
            # Over a connection that the proxy kept: of such it could believe that it was stale.
            client.request("GET", "/")
            # HAProxy passes the end of the connection on: its client knows as much as it does.
            with contextlib.suppress(Closed):
                assert client.request("POST", "/exit?41", body=b"x").status == 502
        front.wait_printed(ended, before + 1)
        for server in front.servers:
            Site(server).all_serve(2)
        assert front.printed(ended) == before + 1


def test_haproxy_goes_on_with_one_of_two_servers(
    serve: ServeProcess, load_client: str, ledger: Ledger, tmp_path: Path
):
    sockets = [str(tmp_path / name) for name in ("1.sock", "2.sock")]
    servers = [start_server(serve, path) for path in sockets]
    arguments = ("--target", "/number", "--numbered", "--connections", CONNECTIONS)
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(HaProxy(tmp_path, Authority(tmp_path), sockets))
        gets = stack.enter_context(Load(load_client, proxy.plain[1], *arguments, seconds=50))
        assert servers[0].stop(signal.SIGTERM) == 0
        server = start_server(serve, sockets[0])
        server.wait_for('"GET /health HTTP/1.1" 200')
        wait_until(lambda: server.output.count('"GET /number') > 100, "it is asked again")
        counts = gets.end()
    assert [counts[kind] for kind in ("lost", "wrong", "doubled", "refused")] == [0, 0, 0, 0], (
        counts
    )
    ledger(f"haproxy: 0 of {counts['sent']} GET lost when one of two servers was restarted")
