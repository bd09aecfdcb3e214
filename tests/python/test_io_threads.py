"""`--io-threads N`: sockets, parsing and writing on threads of their own, Python on one.

What an application sees has to be the same as without threads. That is tested by the suites of
ASGI, HTTP/1.1, faults, logs and shutdown, which `pytest --io-threads 2` runs again; here is what
only a server with threads has.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import hashlib
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import tercel
from support.asgi import LOOPS, AsgiServer, engine_on, make_settings, read_body, respond
from support.fixtures import ServeProcess, ServeThread
from support.http1 import Closed, RawClient
from support.processes import environment_of_tests
from support.server import APPS, ServerProcess
from tercel import _core
from tercel.problems import SettingError, StartError

pytestmark = pytest.mark.sanitize

THREADS = pytest.mark.parametrize("threads", [1, 2, 4])


def names_of_threads(pid: int | str) -> list[str]:
    """Returns the names of the I/O threads of `pid`, in order."""
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:  # It ended meanwhile.
            continue
    return sorted(name for name in names if name.startswith("tercel-io-"))


def io_threads_here() -> list[str]:
    return names_of_threads("self")


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError
    await respond(send, f"hello {scope['path']}")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError
    await respond(send, await read_body(receive))


class TestServer:
    @THREADS
    def test_has_so_many_threads_and_none_when_it_has_ended(
        self, serve: ServeProcess, threads: int
    ):
        server = serve("live:app", io_threads=threads)
        assert names_of_threads(server.pid) == [f"tercel-io-{i}" for i in range(threads)]
        assert server.request("GET", "/hello?id=1").body == b"hello 1"
        assert server.stop() == 0
        assert server.output.count("lifespan.shutdown") == 1
        assert "Traceback" not in server.output

    @THREADS
    def test_answers_many_clients_at_once_each_with_its_own(
        self, serve: ServeProcess, threads: int
    ):
        server = serve("live:app", io_threads=threads, access_log=False)

        def exchange(number: int) -> bool:
            body = hashlib.sha256(b"%d" % number).digest() * (1 + number * 37 % 3000)
            with server.connect(timeout=20) as client:
                return all(
                    client.request("POST", "/echo", body=body).body == body
                    and client.request("GET", f"/hello?id={number}").body == b"hello %d" % number
                    for _ in range(5)
                )

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert all(pool.map(exchange, range(100)))
        assert server.stop() == 0

    @THREADS
    def test_drains_under_load_without_losing_an_answer(self, serve: ServeProcess, threads: int):
        server = serve("live:app", io_threads=threads, access_log=False)
        answered = []
        lost = []

        def ask_until_refused() -> None:
            while True:
                try:
                    client = server.connect()
                except OSError:  # It does not listen any more.
                    return
                with client:
                    asked = 0
                    try:
                        for asked in range(20):  # noqa: B007
                            response = client.request("GET", "/sleep?s=0.01")
                            answered.append(response.body)
                            if response.get("connection") == "close":
                                break
                    except (OSError, Closed) as error:
                        # What connects at the moment of closing may be reset by the kernel.
                        if asked > 0:
                            lost.append(error)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            clients = [pool.submit(ask_until_refused) for _ in range(8)]
            time.sleep(0.3)
            server.send_signal(signal.SIGTERM)
            for client in clients:
                client.result(20)
        assert server.wait() == 0
        assert lost == []
        assert len(answered) > 20
        assert set(answered) == {b"slept"}

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signals_go_to_python(self, serve: ServeProcess, number: signal.Signals):
        server = serve("live:app", io_threads=2)
        blocked = [
            int(found[1], 16)
            for task in Path(f"/proc/{server.pid}/task").iterdir()
            if "tercel-io" in (status := (task / "status").read_text())
            and (found := re.search(r"^SigBlk:\s*(\w+)", status, re.MULTILINE))
        ]
        assert len(blocked) == 2
        assert all(mask & 1 << number - 1 for mask in blocked)
        assert server.stop(number) == 0

    @THREADS
    def test_counts_connections_and_requests_of_all_threads(self, threads: int):
        go_on = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await go_on.wait()
            await respond(send, b"x")

        with AsgiServer(app, io_threads=threads) as server:
            clients = [server.connect() for _ in range(10)]
            for client in clients[:7]:
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(
                lambda: (
                    server.call(lambda: (server.native.connections, server.native.active))
                    == (10, 7)
                )
            )
            server.call(go_on.set)
            for client in clients[:7]:
                assert client.response().body == b"x"
            for client in clients:
                client.close()
            wait_until(
                lambda: (
                    server.call(lambda: (server.native.connections, server.native.active)) == (0, 0)
                )
            )

    def test_spreads_connections_over_its_threads(self, serve: ServeProcess):
        server = serve("live:app", io_threads=2, access_log=False)
        before = run_time_of_threads(server)
        with contextlib.ExitStack() as clients:
            for _ in range(40):
                client = clients.enter_context(server.connect())
                for _ in range(20):
                    assert client.request("GET", "/alive").status == 200
                time.sleep(0.001)  # Until nobody is busy when the next one comes.
        after = run_time_of_threads(server)
        spent = [after[name] - before[name] for name in sorted(before)]
        assert min(spent) > 0.2 * max(spent), spent


def wait_until(condition: Any, *, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def run_time_of_threads(server: ServerProcess) -> dict[str, int]:
    """Returns the time on a processor of each I/O thread, in nanoseconds."""
    times = {}
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("tercel-io-"):
            times[name] = int((task / "schedstat").read_text().split()[0])
    return times


class TestEmbedded:
    @pytest.mark.parametrize("loop", LOOPS)
    def test_serves_on_every_loop(self, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        with AsgiServer(echo, loop=loop, io_threads=2) as server:
            for size in (0, 1, 100_000, 3_000_000):
                body = os.urandom(size)
                assert server.request("POST", body=body).body == body
        assert server.errors == []
        assert io_threads_here() == []

    def test_several_servers_share_a_process_and_a_loop(self):
        async def main() -> list[bytes]:
            servers = [tercel.Server(hello, port=0, io_threads=2) for _ in range(3)]
            tasks = [asyncio.create_task(server.serve()) for server in servers]
            for server in servers:
                await server.wait_started()
            assert len(io_threads_here()) == 6
            bodies = []
            for number, server in enumerate(servers):
                ask = lambda at, path: RawClient(at).request("GET", path).body  # noqa: E731
                bodies.append(await asyncio.to_thread(ask, server.addresses[0], f"/{number}"))
                server.shutdown()
            await asyncio.gather(*tasks)
            return bodies

        for loop_factory in (asyncio.new_event_loop, tercel.EventLoop):
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                assert runner.run(main()) == [b"hello /0", b"hello /1", b"hello /2"]
            assert io_threads_here() == []

    def test_cancelling_serve_ends_the_threads_and_the_requests(self):
        cancelled = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                raise NotImplementedError
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(scope["path"])
                raise

        async def main() -> None:
            server = tercel.Server(app, port=0, io_threads=2)
            task = asyncio.create_task(server.serve())
            await server.wait_started()
            reader, writer = await asyncio.open_connection(*server.addresses[0])
            writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert io_threads_here() == []
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()

        asyncio.run(main())
        assert cancelled == ["/a"]

    def test_one_that_is_dropped_without_an_end_leaves_no_thread(self):
        loop = asyncio.new_event_loop()
        with engine_on(loop) as engine:
            native = _core.Server(
                engine, loop, hello, make_settings(io_threads=3), None, contextvars.Context()
            )
            native.listen("127.0.0.1:0")
            native.start()
            client = RawClient(native.addresses[0])
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            loop.run_until_complete(asyncio.sleep(0.1))
            assert len(io_threads_here()) == 3
            del native
        assert io_threads_here() == []
        client.close()
        loop.close()


class TestAccessLog:
    @THREADS
    def test_has_every_request_once_and_whole(
        self, serve: ServeProcess, threads: int, tmp_path: Path
    ):
        path = tmp_path / "log"
        server = serve(
            "live:app", io_threads=threads, access_log_file=path, access_log_format="%U %s %R"
        )
        ask_lines(server.address)
        assert server.stop() == 0
        assert_lines_are_whole(path.read_text())

    def test_lines_longer_than_pipe_buf_stay_whole_in_a_pipe(self):
        command = [sys.executable, "-m", "tercel", "serve", "quiet:app", "--port", "0"]
        with subprocess.Popen(
            [*command, "--io-threads", "4", "--access-log-format", "%U %s %R"],
            cwd=APPS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stderr is not None
                assert process.stdout is not None
                banner = (re.search(r"127\.0\.0\.1:(\d+)", line) for line in process.stderr)
                port = int(next(filter(None, banner))[1])
                read = concurrent.futures.ThreadPoolExecutor(1).submit(
                    lambda lines: "".join(next(lines) for _ in range(400)), process.stdout
                )
                ask_lines(("127.0.0.1", port))
                said = read.result(20)
                process.terminate()
                assert process.wait(20) == 0
            finally:
                process.kill()
        assert_lines_are_whole(said)

    def test_a_python_logger_is_called_on_the_thread_of_the_application(
        self, serve_here: ServeThread, access_records: list[logging.LogRecord]
    ):
        app_threads = set()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            app_threads.add(threading.get_ident())
            await hello(scope, receive, send)

        server = serve_here(app, access_log_format="%U %s", io_threads=2)
        for number in range(50):
            server.request("GET", f"/{number}")
        server.__exit__(None, None, None)
        assert {record.getMessage() for record in access_records} == {
            f"/{i} 200" for i in range(50)
        }
        assert len(access_records) == 50
        assert {record.thread for record in access_records} == app_threads

    def test_a_python_logger_loses_no_line_while_the_interpreter_is_busy(
        self, serve_here: ServeThread, access_records: list[logging.LogRecord]
    ):
        at_work, done = threading.Event(), threading.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                at_work.set()
                done.wait(10)
            await hello(scope, receive, send)

        server = serve_here(app, access_log_format="%s %E", io_threads=1)
        with server.connect() as busy:
            busy.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert at_work.wait(10)
            # Each is answered by the I/O thread alone, in a turn of its own.
            for _ in range(30):
                with server.connect() as client:
                    client.send("GET\r\n\r\n")
                    client.wait_gone()
            done.set()
            busy.response()
        server.__exit__(None, None, None)
        assert sorted(record.getMessage() for record in access_records) == [
            "200 -",
            *["400 BadRequestLine"] * 30,
        ]


def ask_lines(address: Any) -> None:
    """Makes 400 requests on many connections, with targets of all lengths up to 8,000 bytes."""

    def ask(number: int) -> None:
        with RawClient(address) as client:
            for i in range(10):
                size = 1 + (number * 10 + i) * 7919 % 7900
                assert client.request("GET", "/" + chr(97 + number % 26) * size).status < 500

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(40)))


def assert_lines_are_whole(text: str) -> None:
    lines = text.splitlines()
    assert len(lines) == 400
    assert text.endswith("\n")
    for line in lines:
        assert re.fullmatch(r"/(\w)\1*(\.\.\.)? \d{3} \S+", line), line[:80]


class TestEnds:
    def test_close_lets_other_threads_of_python_run_while_it_waits(self, slow_io: Path):
        program = """
import asyncio, contextvars, sys, threading, time
from support.asgi import engine_on, make_settings
from tercel import _core
async def app(scope, receive, send): pass
loop = asyncio.new_event_loop()
longest, last = 0.0, time.monotonic()
def tick():
    global longest, last
    while True:
        time.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
with engine_on(loop) as engine:
    native = _core.Server(
        engine, loop, app, make_settings(io_threads=1), None, contextvars.Context()
    )
    native.listen("127.0.0.1:0")
    native.start()
    threading.Thread(target=tick, daemon=True).start()
    time.sleep(0.1)
    longest, begun = 0.0, time.monotonic()
    native.close()
    print(time.monotonic() - begun, longest)
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=30,
            env={**environment_of_tests(),
                 "LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')} {slow_io}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        took, longest = map(float, done.stdout.split())
        assert took > 0.4
        assert longest < 0.3

    @pytest.mark.parametrize("threads", [0, 2])
    def test_a_daemon_thread_that_serves_does_not_hold_up_the_interpreter(self, threads: int):
        program = """
import asyncio, http.client, sys, threading, time, tercel
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})
def ask():
    while True:
        client = http.client.HTTPConnection(*server.addresses[0])
        client.request("GET", "/")
        client.getresponse().read()
        client.close()
server = tercel.Server(app, port=0, io_threads=int(sys.argv[1]), access_log=False)
loop = tercel.EventLoop()
run = lambda: loop.run_until_complete(server.serve())
threading.Thread(target=run, daemon=True).start()
while not server.started:
    time.sleep(0.01)
for _ in range(2):
    threading.Thread(target=ask, daemon=True).start()
time.sleep(0.2)
print("done", flush=True)
"""
        done = subprocess.run(
            [sys.executable, "-c", program, str(threads)],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr

    @pytest.mark.parametrize("kind", ["callback", "application", "wsgi"])
    def test_a_daemon_thread_that_is_in_python_does_not_harm_the_end(self, kind: str):
        """Before CPython 3.14 the interpreter ends such a thread by unwinding its stack."""
        program = """
import asyncio, socket, sys, threading, time, tercel
kind = sys.argv[1]
def work():
    while True:
        busy.set()
async def asgi(scope, receive, send):
    if scope["type"] == "http":
        work()
    raise NotImplementedError
def wsgi(environ, start_response):
    work()
async def main():
    if kind == "callback":
        work()
    await server.serve()
busy = threading.Event()
server = tercel.Server(wsgi if kind == "wsgi" else asgi, port=0, access_log=False)
run = lambda: tercel.EventLoop().run_until_complete(main())
threading.Thread(target=run, daemon=True).start()
if kind != "callback":
    while not server.started:
        time.sleep(0.01)
    client = socket.create_connection(server.addresses[0])
    client.sendall(b"GET / HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
assert busy.wait(10)
print("done", flush=True)
"""
        done = subprocess.run(
            [sys.executable, "-c", program, kind],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr

    def test_a_forked_child_may_close_and_leaves_its_parent_whole(self):
        with AsgiServer(hello, io_threads=2) as server, server.connect() as client:
            assert client.request("GET", "/a").body == b"hello /a"

            def fork() -> int:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # There are threads.
                    child = os.fork()
                if child == 0:
                    signal.alarm(10)
                    server.native.close()
                    os._exit(0)
                return child

            child = fork()
            assert os.waitpid(child, 0)[1] == 0
            assert client.request("GET", "/b").body == b"hello /b"
            assert server.request("GET", "/c").body == b"hello /c"


@pytest.fixture(scope="module")
def slow_io(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of support/slow_io.c, compiled."""
    library = tmp_path_factory.mktemp("slow_io") / "slow_io.so"
    source = Path(__file__).parent / "support" / "slow_io.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
        check=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    return library


class TestSettings:
    def test_more_threads_than_a_limit_has_places_are_refused(self):
        with pytest.raises(
            SettingError, match=r"^io-threads 3 is more than limit-concurrency 2, which the threads"
        ):
            tercel.Server(hello, io_threads=3, limit_concurrency=2)

    def test_descriptors_that_are_missing_are_said_in_a_sentence(self):
        server = tercel.Server(hello, port=0, io_threads=64)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 30, limits[1]))
        try:
            with pytest.raises(
                StartError, match=r"^Cannot start 64 I/O thread\(s\): Too many open files\.$"
            ):
                asyncio.run(server.serve())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert io_threads_here() == []

    def test_concurrent_requests_are_limited_for_all_threads_together(self):
        running = 0
        most = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.05)
            running -= 1
            await respond(send, b"x")

        with (
            AsgiServer(app, io_threads=2, limit_concurrency=2, limit_queue=100) as server,
            concurrent.futures.ThreadPoolExecutor(10) as pool,
        ):
            statuses = list(pool.map(lambda _: server.request().status, range(20)))
        assert statuses == [200] * 20
        assert most <= 2
