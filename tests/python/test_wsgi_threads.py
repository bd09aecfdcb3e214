"""The threads that WSGI applications run on: who holds them, and who does not.

A thread is held by an application that works, and by one whose client is slow to send a long body
or to read a stream: not by a slow client that the server can wait for by itself.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import ServeThread
from support.processes import SANITIZED
from support.wsgi import Environ, Kept, Parts, StartResponse, plain, until

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

GET = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
BLOCK = b"0123456789abcdef" * 4096


def echo(environ: Environ, start_response: StartResponse) -> list[bytes]:
    return plain(start_response, environ["wsgi.input"].read())


class TestOneThread:
    """Two clients and one thread: the second is answered while the first takes its time."""

    @pytest.mark.parametrize(
        ("begin", "rest"),
        [
            (b"POST / HTTP/1.1\r\nHost: a\r\n", b"Content-Length: 2\r\n\r\nhi"),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", b"hi"),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh", b"i"),
            (
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n",
                b"1\r\ni\r\n0\r\n\r\n",
            ),
        ],
        ids=["head", "body", "half-a-body", "chunked"],
    )
    def test_is_not_held_by_a_slow_sender(self, serve_here: ServeThread, begin: bytes, rest: bytes):
        server = serve_here(echo, threads=1)
        with server.connect() as slow:
            slow.send(begin)
            time.sleep(0.05)
            for _ in range(3):
                assert server.request("POST", body=b"quick").body == b"quick"
            slow.send(rest)
            assert slow.response().body == b"hi"

    def test_is_not_held_by_a_sender_of_single_bytes(self, serve_here: ServeThread):
        server = serve_here(echo, threads=1)
        body = b"x" * 300
        with server.connect() as slow:
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n")
            sender = threading.Thread(target=slow.send_slowly, args=(body,))
            sender.start()
            answered = 0
            while sender.is_alive():
                assert server.request("POST", body=b"quick").body == b"quick"
                answered += 1
            sender.join()
            assert slow.response().body == body
        assert answered > 10

    @pytest.mark.parametrize("parts", [[BLOCK * 200], [BLOCK] * 200], ids=["one", "many"])
    def test_is_not_held_by_a_slow_reader_of_a_list(self, serve_here: ServeThread, parts: Any):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [])
            return parts if environ["PATH_INFO"] == "/large" else [b"quick"]

        server = serve_here(app, threads=1)
        with server.connect() as slow:
            slow.send(GET % b"large")
            slow.read_exactly(1)
            for _ in range(3):
                assert server.request().body == b"quick"
            slow._buffer[:0] = b"H"
            assert slow.response().body == BLOCK * 200

    def test_keeps_long_parts_by_reference_and_gives_them_back(self, serve_here: ServeThread):
        parts = [os.urandom(5_000_000), os.urandom(5_000_000)]

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [])
            return list(parts) if environ["PATH_INFO"] == "/large" else [b"quick"]

        def references() -> list[int]:
            return [sys.getrefcount(part) for part in parts]

        server = serve_here(app, threads=1)
        before = references()
        with server.connect() as slow, server.connect() as leaves:
            slow.send(GET % b"large")
            leaves.send(GET % b"large")
            leaves.read_exactly(1)
            assert server.request().body == b"quick"
            # The thread is done with both, the output is not.
            assert until(lambda: references() > before)
            assert slow.response().body == b"".join(parts)
            leaves.reset()
            assert until(lambda: references() == before)

    def test_is_not_held_by_a_slow_reader_of_a_file(self, serve_here: ServeThread, tmp_path: Any):
        path = tmp_path / "large"
        path.write_bytes(BLOCK * 200)

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", [])
            if environ["PATH_INFO"] != "/large":
                return [b"quick"]
            return environ["wsgi.file_wrapper"](path.open("rb"))

        server = serve_here(app, threads=1)
        with server.connect() as slow:
            slow.send(GET % b"large")
            slow.read_exactly(1)
            for _ in range(3):
                assert server.request().body == b"quick"
            slow._buffer[:0] = b"H"
            assert slow.response().body == BLOCK * 200

    def test_is_not_held_by_clients_that_keep_their_connection(self, serve_here: ServeThread):
        server = serve_here(echo, threads=1)
        kept = [server.connect() for _ in range(20)]
        for client in kept:
            assert client.request("POST", body=b"x").body == b"x"
        assert server.request("POST", body=b"quick").body == b"quick"
        for client in kept:
            client.close()

    def test_is_free_again_when_the_client_of_a_stream_leaves(self, serve_here: ServeThread):
        parts = Parts(iter(lambda: BLOCK, None))

        def app(environ: Environ, start_response: StartResponse) -> Any:
            start_response("200 OK", [])
            return parts if environ["PATH_INFO"] == "/stream" else [b"quick"]

        server = serve_here(app, threads=1)
        with server.connect() as slow:
            slow.send(GET % b"stream")
            assert slow.read_some()
            time.sleep(0.1)
            slow.reset()
        assert server.request().body == b"quick"
        assert parts.closed == 1

    def test_answers_in_the_order_of_arrival(self, serve_here: ServeThread):
        order = []
        hold = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            order.append(environ["PATH_INFO"])
            hold.wait(20)
            return plain(start_response)

        server = serve_here(app, threads=1)
        clients = []
        for number in range(6):
            clients.append(server.connect())
            clients[-1].send(GET % str(number).encode())
            time.sleep(0.02)
        hold.set()
        for client in clients:
            assert client.response().status == 200
            client.close()
        assert order == [f"/{number}" for number in range(6)]

    def test_does_not_get_the_request_of_a_client_that_left_meanwhile(
        self, serve_here: ServeThread
    ):
        called = []
        hold = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            called.append(environ["PATH_INFO"])
            hold.wait(20)
            return plain(start_response)

        server = serve_here(app, threads=1)
        with server.connect() as first:
            first.send(GET % b"first")
            assert until(lambda: called)
            with server.connect() as gone:
                gone.send(GET % b"gone")
                time.sleep(0.05)
                gone.reset()
            time.sleep(0.05)
            hold.set()
            assert first.response().status == 200
        assert server.request("GET", "/last").status == 200
        assert called == ["/first", "/last"]


class TestThreads:
    def test_so_many_requests_run_at_a_time_and_no_more(self, serve_here: ServeThread):
        running, most = 0, 0
        lock = threading.Lock()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.05)
            with lock:
                running -= 1
            return plain(start_response)

        server = serve_here(app, threads=3)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: server.request().status, range(12)))
        assert answers == [200] * 12
        assert most == 3

    def test_the_default_is_four_for_each_processor(self, serve_here: ServeThread):
        names = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            tasks = os.listdir("/proc/self/task")
            names.put([Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in tasks])
            return plain(start_response)

        serve_here(app).request()
        pool = [name for name in names.get() if name.startswith("tercel-app-")]
        assert len(pool) == 4 * (os.cpu_count() or 1)

    def test_a_thread_keeps_what_is_local_to_it(self, serve_here: ServeThread):
        local = threading.local()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            local.count = getattr(local, "count", 0) + 1
            return plain(start_response, f"{threading.get_ident()} {local.count}")

        server = serve_here(app, threads=1)
        with server.connect() as client:
            answers = [client.request().body.split() for _ in range(3)]
        assert [int(count) for _, count in answers] == [1, 2, 3]
        assert len({ident for ident, _ in answers}) == 1

    def test_what_exceeds_the_limit_of_requests_is_told_to_come_again(
        self, serve_here: ServeThread
    ):
        hold = threading.Event()
        entered = threading.Event()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            entered.set()
            hold.wait(20)
            return plain(start_response)

        # Limits are divided among I/O threads: of which thread a client gets, there is no telling.
        server = serve_here(app, io_threads=1, threads=1, limit_concurrency=2, limit_queue=0)
        clients = [server.connect() for _ in range(3)]
        clients[0].send(GET % b"")
        assert entered.wait(10)
        clients[1].send(GET % b"")
        time.sleep(0.05)
        clients[2].send(GET % b"")
        response = clients[2].response()
        assert (response.status, response.get("retry-after") is not None) == (503, True)
        hold.set()
        assert [client.response().status for client in clients[:2]] == [200, 200]
        for client in clients:
            client.close()


class TestOtherThreads:
    """As asgiref does it for the async views of Django: the request's thread waits for another."""

    def test_may_read_the_body_for_the_requests_own(self, serve_here: ServeThread):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            async def view() -> bytes:
                return environ["wsgi.input"].read()

            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                return plain(start_response, pool.submit(asyncio.run, view()).result())

        server = serve_here(app, threads=1)
        body = os.urandom(300_000)
        assert server.request("POST", body=b"short").body == b"short"
        with server.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n")
            for start in range(0, len(body), 50_000):
                time.sleep(0.01)
                client.send(body[start : start + 50_000])
            assert client.response().body == body

    def test_may_write_the_answer(self, serve_here: ServeThread):
        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            def answer() -> None:
                write = start_response("200 OK", [])
                for _ in range(50):
                    write(BLOCK)

            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                pool.submit(answer).result()
            return [b"end"]

        server = serve_here(app, threads=1)
        assert server.request().body == BLOCK * 50 + b"end"

    def test_are_refused_while_another_waits(self, serve_here: ServeThread):
        raised = Kept()
        body = b"x" * 70_000

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            stream = environ["wsgi.input"]
            write = start_response("200 OK", [])
            reader = threading.Thread(target=stream.read)
            reader.start()
            time.sleep(0.1)  # It waits for the client by now.
            for call in (stream.read, lambda: write(b"x"), lambda: start_response("200 OK", [])):
                try:
                    call()
                except RuntimeError as error:
                    raised.put(str(error))
            raised.put("all")
            reader.join()
            return [b"whole"]

        server = serve_here(app, threads=1)
        with server.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\nx")
            said = [raised.get() for _ in range(4)]
            client.send(body[1:])
            assert client.response().body == b"whole"
        assert said == ["another thread waits for the client of this request"] * 3 + ["all"]

    def test_that_still_wait_are_sent_away_at_the_end(self, serve_here: ServeThread):
        raised = Kept()

        def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
            if environ["PATH_INFO"] == "/next":
                return plain(start_response, "next")

            def read() -> None:
                try:
                    environ["wsgi.input"].read()
                except RuntimeError as error:
                    raised.put(str(error))

            threading.Thread(target=read).start()
            time.sleep(0.1)
            raise ValueError("while another thread reads")

        server = serve_here(app, threads=1)
        with server.connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nx")
            assert "over" in raised.get()
            assert client.response().status == 500
        assert server.request("GET", "/next").body == b"next"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_fork_ends_where_its_request_ends(serve_here: ServeThread, capfd: Any):
    kept = Kept()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        child = os.fork()
        if child:
            kept.put(child)
            yield b"parent"
        elif environ["PATH_INFO"] == "/exits":
            raise SystemExit(7)
        else:
            yield b"child"

    server = serve_here(app, threads=2)
    for path, status in (("/exits", 7), ("/returns", 1)):
        with server.connect() as client:
            assert client.request("GET", path).body == b"parent"
            _, ended = os.waitpid(kept.get(), 0)
            assert os.waitstatus_to_exitcode(ended) == status
            assert client.request("GET", "/exits").body == b"parent"
            os.waitpid(kept.get(), 0)


@pytest.mark.skipif(SANITIZED, reason="freed memory is kept back")
def test_many_answers_leave_nothing_behind(serve_here: ServeThread):
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        size = len(environ["wsgi.input"].read())
        return plain(start_response, str(size))

    def resident_kib() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    server = serve_here(app, threads=2)

    def load(rounds: int) -> None:
        with server.connect() as client:
            for _ in range(rounds):
                assert client.request("POST", body=b"x" * 5000).body == b"5000"
                assert client.request().body == b"0"

    load(500)
    before = resident_kib()
    load(2000)
    assert resident_kib() - before < 1024
