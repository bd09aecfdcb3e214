"""Faults: applications that misbehave, clients that vanish, a process without descriptors.

Whatever happens to one request, the server answers what the checklist says, or cuts the connection
so that the client sees it, and goes on with the others.
Source: ARCHITECTURE.md, "When something goes wrong"; python/asgi/failure.h.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps import faulty
from support.http1 import Closed, RawClient
from support.processes import cpu_seconds, open_files
from support.server import ServerProcess
from support.shaky import compile_shaky

pytestmark = pytest.mark.sanitize

GET = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"

# What the client must see of each fault: a 500; a response that is visibly cut off; one of the two,
# where the start message may or may not have left the server; or the whole answer.
OUTCOMES = {
    "raise-in-receive": "500",
    "raise-in-thread": "500",
    "raise-in-background": "200",
    "raise-at-the-end": "200",
    "cancel-itself": "500",
    "recursion": "500",
    "return-at-once": "500",
    "return-after-start": "500 or cut",
    "return-between": "cut",
    "too-short": "500 or cut",
    "too-long": "200 or cut",
    "body-first": "500",
    "start-twice": "500 or cut",
    "start-between": "cut",
    "end-twice": "200",
    "body-text": "500 or cut",
}


def outcome(client: RawClient, path: str) -> str:
    """Returns what a request for `path` came to: the status, or "cut"."""
    try:
        return str(client.request("GET", f"/{path}").status)
    except Closed:
        return "cut"


# --- row 4: applications


class TestFaultyApplication:
    @pytest.fixture
    def server(self, serve_shared: Any) -> ServerProcess:
        return serve_shared("faulty:app")

    @pytest.mark.parametrize("what", faulty.RAISED)
    @pytest.mark.parametrize(
        ("where", "expected"), [("before", "500"), ("after", "500 or cut"), ("between", "cut")]
    )
    def test_exception(self, server: ServerProcess, where: str, expected: str, what: str) -> None:
        with server.connect() as client:
            assert outcome(client, f"{where}/{what}") in expected.split(" or ")
        server.assert_serves()

    @pytest.mark.parametrize("name", faulty.FAULTS)
    def test_fault(self, server: ServerProcess, name: str) -> None:
        # A wrong message raises in send() before anything was sent.
        expected = OUTCOMES.get(name, "500").split(" or ")
        with server.connect() as client:
            assert outcome(client, name) in expected
        server.assert_serves()

    @pytest.mark.parametrize("name", [name for name in faulty.FAULTS if name.startswith("header")])
    def test_no_byte_of_a_refused_header_is_sent(self, server: ServerProcess, name: str) -> None:
        with server.connect() as client:
            client.send(f"GET /{name} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            assert b"stolen" not in client.read_to_close()

    def test_500_has_a_length_and_no_details(self, server: ServerProcess) -> None:
        response = server.request("GET", "/before/value-error")
        assert response.get("content-length") is not None
        assert b"on purpose" not in response.body

    def test_traceback_is_logged_once(self, serve: Any) -> None:
        server: ServerProcess = serve("faulty:app")
        server.request("GET", "/before/value-error")
        server.wait_for("^ValueError: on purpose")
        server.assert_serves()
        assert server.output.count("ValueError: on purpose") == 1

    @pytest.mark.parametrize("name", ["not_awaitable", "raises_when_called"])
    def test_callable_that_is_no_application(self, serve: Any, name: str) -> None:
        server: ServerProcess = serve(f"faulty:{name}", interface="asgi3", lifespan="off")
        with server.connect() as client:
            assert outcome(client, "") == "500"
        assert server.running

    def test_a_neighbour_is_not_harmed(self, server: ServerProcess) -> None:
        with server.connect() as neighbour, server.connect() as client:
            neighbour.send(b"GET /ok HTTP/1.1\r\nHost: t")
            assert outcome(client, "between/value-error") == "cut"
            neighbour.send(b"\r\n\r\n")
            assert neighbour.response().body == b"end"


class TestFaultyLifespan:
    def ended(self, target: str, **settings: Any) -> ServerProcess:
        """Starts a server that has to end by itself, and returns it."""
        server = ServerProcess(target, **settings)
        server.start()
        try:
            server.wait(15)
        finally:
            server.kill()
        return server

    def test_start_that_fails_ends_the_server_with_its_message(self) -> None:
        server = self.ended("faulty:fails_to_start")
        assert server.wait() not in (0, -signal.SIGABRT, -signal.SIGSEGV)
        assert "no database today" in server.output

    def test_exception_at_start_means_no_lifespan(self, serve: Any) -> None:
        server: ServerProcess = serve("faulty:raises_at_start")
        server.assert_serves()

    def test_exception_at_start_ends_the_server_when_lifespan_is_on(self) -> None:
        server = self.ended("faulty:raises_at_start", lifespan="on")
        assert server.wait() > 0
        assert "start-up went wrong" in server.output

    @pytest.mark.parametrize(
        ("name", "message"),
        [("fails_to_stop", "could not say goodbye"), ("raises_at_stop", "shutdown went wrong")],
    )
    def test_shutdown_that_fails_is_told(self, serve: Any, name: str, message: str) -> None:
        server: ServerProcess = serve(f"faulty:{name}")
        server.assert_serves()
        assert server.stop() > 0
        assert message in server.output

    def test_early_return_does_not_hang_the_shutdown(self, serve: Any) -> None:
        server: ServerProcess = serve("faulty:leaves_lifespan")
        server.assert_serves()
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5


# --- row 5: clients that vanish


HEAD = b"POST /echo?id=%d HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n"
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
)


@pytest.fixture
def no_leaks(serve_shared: Any) -> Iterator[ServerProcess]:
    """A server that has as many descriptors open after the test as before it."""
    server: ServerProcess = serve_shared("live:app")
    server.assert_serves()
    before = open_files(server.pid)
    yield server
    server.assert_serves()
    end = time.monotonic() + 5
    while open_files(server.pid) > before and time.monotonic() < end:
        time.sleep(0.02)
    assert open_files(server.pid) <= before


@pytest.mark.parametrize("leave", [RawClient.close, RawClient.reset], ids=["fin", "rst"])
class TestVanishingClient:
    @pytest.mark.parametrize(
        "request_bytes", [HEAD % 0 + b"half a body", CHUNKED], ids=["cl", "te"]
    )
    def test_after_every_byte_of_a_request(
        self, no_leaks: ServerProcess, leave: Any, request_bytes: bytes
    ) -> None:
        for size in range(len(request_bytes) + 1):
            client = no_leaks.connect()
            client.send(request_bytes[:size])
            leave(client)

    def test_application_that_waits_is_told_once(self, no_leaks: ServerProcess, leave: Any) -> None:
        name = f"gone-{leave.__name__}"
        client = no_leaks.connect()
        client.send(GET % f"start-and-wait?id={name}".encode())
        assert client.read_some()
        leave(client)
        no_leaks.wait_for(f"^disconnect {name}")
        time.sleep(0.1)
        assert no_leaks.output.count(f"disconnect {name}") == 1

    def test_application_that_sends_gets_an_error(
        self, no_leaks: ServerProcess, leave: Any
    ) -> None:
        name = f"sends-{leave.__name__}"
        client = no_leaks.connect()
        client.send(GET % f"send-until-gone?id={name}".encode())
        assert client.read_some()
        leave(client)
        no_leaks.wait_for(f"^send failed {name}")
        # The OSError escaped the application: that is no error of the server's.
        time.sleep(0.1)
        assert "Traceback" not in no_leaks.output

    def test_half_way_through_a_large_response(self, no_leaks: ServerProcess, leave: Any) -> None:
        for _ in range(20):
            client = no_leaks.connect(receive_buffer=8192)
            client.send(GET % b"stream?n=200&size=10000")
            assert client.read_some()
            leave(client)

    def test_behind_pipelined_requests(self, no_leaks: ServerProcess, leave: Any) -> None:
        for _ in range(20):
            client = no_leaks.connect()
            client.send(GET % b"hello" * 100 + GET % b"stream?n=100")
            leave(client)

    def test_before_the_response(self, no_leaks: ServerProcess, leave: Any) -> None:
        for _ in range(20):
            client = no_leaks.connect()
            client.send(GET % b"sleep?s=0.2")
            leave(client)

    def test_at_once(self, no_leaks: ServerProcess, leave: Any) -> None:
        for _ in range(200):
            leave(no_leaks.connect())


# --- row 7: no descriptors left


class TestOutOfDescriptors:
    def test_starved_server_serves_waits_and_recovers(self, serve: Any) -> None:
        server: ServerProcess = serve("live:app", limit_files=64)
        with server.connect() as served:
            served.request("GET", "/hello")
            with contextlib.ExitStack() as crowd:
                for _ in range(200):
                    crowd.enter_context(server.connect())
                time.sleep(0.3)

                cpu, begin = cpu_seconds(server.pid), time.monotonic()
                time.sleep(2)
                share = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begin)
                assert share < 0.1, f"{share:.0%} of a core for doing nothing"

                # Who is in already is served as ever.
                assert served.request("GET", "/hello?id=in").body == b"hello in"
            begin = time.monotonic()
            assert server.request("GET", "/hello?id=new").body == b"hello new"
            assert time.monotonic() - begin < 1
        complaints = [line for line in server.output.splitlines() if "descriptor" in line.lower()]
        assert 1 <= len(complaints) <= 5, complaints


# --- row 8: system calls that fail


@pytest.fixture(scope="module")
def shaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shaky(tmp_path_factory.mktemp("shaky"))


class TestFailingCalls:
    def test_every_answer_is_right(self, serve: Any, shaky: Path, preload: str) -> None:
        server: ServerProcess = serve(
            "live:app", access_log=False, env={"LD_PRELOAD": f"{preload} {shaky}"}
        )

        def exchange(number: int) -> bool:
            body = hashlib.sha256(b"%d" % number).digest() * (1 + number % 3000)
            with server.connect(timeout=20) as client:
                return all(
                    client.request("POST", "/echo", body=body).body == body for _ in range(5)
                )

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert all(pool.map(exchange, range(200)))
        assert server.stop() == 0


FORKING = """
import asyncio, os, sys

children = []

async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = b"parent"
    if scope["path"] in ("/exit", "/exit-later", "/go-on", "/raise"):
        if scope["path"] == "/exit-later":
            await asyncio.sleep(0.001)
        child = os.fork()
        if child:
            children.append(child)
        elif scope["path"] == "/raise":
            raise ValueError("in the child")
        elif scope["path"] != "/go-on":
            sys.exit(3)
    elif scope["path"] == "/ends":
        ends = []
        while children and len(ends) < len(children):
            for child in children:
                pid, status = os.waitpid(child, os.WNOHANG)
                ends += [os.waitstatus_to_exitcode(status)] if pid else []
            await asyncio.sleep(0.02)
        body = repr(ends).encode()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("path", "ends_with"), [("/exit", 3), ("/exit-later", 3), ("/go-on", 1), ("/raise", 1)]
)
def test_a_child_of_fork_in_a_request_ends_and_harms_nobody(
    tmp_path: Path, loop: str, path: str, ends_with: int
) -> None:
    """It has copies of the loop and of every connection, and ends them; the parent's go on."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    (tmp_path / "forking.py").write_text(FORKING)
    with ServerProcess("forking:app", app_dir=tmp_path, loop=loop, lifespan="off") as server:
        with RawClient(server.address) as bystander, RawClient(server.address) as client:
            assert bystander.request().body == b"parent"
            for _ in range(3):
                assert client.request("GET", path).body == b"parent"
                time.sleep(0.1)  # For an answer of the child's, or an end.
                assert client.request().body == b"parent"
                assert bystander.request().body == b"parent"
            assert client.request("GET", "/ends").body == repr([ends_with] * 3).encode()
        assert server.stop() == 0
        # Nor does it write what the parent writes.
        assert server.output.count('"GET / HTTP/1.1" 200') == 7
        assert server.output.count(f'"GET {path} HTTP/1.1"') == 3
        told = server.output.count("ended a child of fork() that came back from a request")
        assert told == (3 if ends_with == 1 else 0)
