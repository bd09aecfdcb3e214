"""What harms one worker, or the log of all, harms no other: rows 3, 9, 10, 16, 18 and 20 of the
faults. In full: tests/long/test_workers_faults_long.py.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.crew import Site, children, runs
from support.finalise import finalise
from support.fixtures import Ledger
from support.http1 import Closed, RawClient
from support.load import Load
from support.server import APPS, ServerProcess
from support.stalls import client_of, p99, waits
from support.tls import Authority
from support.tls import connect as connect_tls
from support.waiting import wait_until

# --- row 10: one pipe for the access logs of all

LETTERS = "abcd"
# A value is cut there; the line of it is longer than a pipe takes at once.
SHOWN = 4096


class SlowReader:
    """Reads a FIFO in small pieces."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(self._fifo, True)
        self.data = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _read(self) -> None:
        while piece := os.read(self._fifo, 3000):
            self.data += piece
        os.close(self._fifo)

    def lines(self) -> list[str]:
        """All of them, once every writer has closed."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.data.decode().splitlines()


@pytest.mark.parametrize("io_threads", [0, 2])
def test_long_lines_of_several_workers_are_not_mixed(
    serve: Any, tmp_path: Path, ledger: Ledger, io_threads: int
) -> None:
    reader = SlowReader(tmp_path / "log")
    server = serve(
        "quiet:app",
        workers=3,
        io_threads=io_threads,
        access_log_file=tmp_path / "log",
        access_log_format="%R",
    )
    reader.start()

    def ask(letter: str) -> None:
        for _ in range(10):
            with server.connect() as client:  # Of whichever worker.
                for _ in range(20):
                    assert client.request("GET", "/" + letter * 8000).status == 200

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(ask, LETTERS))
    assert server.stop() == 0
    lines = reader.lines()
    whole = {"/" + letter * (SHOWN - 1) + "..." for letter in LETTERS}
    mixed = [line for line in lines if line not in whole]
    assert not mixed, (len(mixed), len(lines), [(len(line), line[:20]) for line in mixed[:5]])
    assert len(lines) + lost(server) == len(LETTERS) * 200
    ledger(f"row 10: 0 of {len(lines)} lines of over 4 KiB mixed in the pipe of 3 workers")


def test_an_old_worker_that_is_in_the_middle_of_a_line_keeps_no_new_one_out(
    serve: Any, tmp_path: Path
) -> None:
    """Its reader is stuck, and it finishes a request; the new one writes to another pipe."""
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        os.mkfifo(path)
    readers = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in (old, new)]
    fcntl.fcntl(readers[0], fcntl.F_SETPIPE_SZ, 4096)
    config = tmp_path / "tercel.toml"
    config.write_text(f'workers = 1\naccess_log_file = "{old}"\naccess_log_format = "%R"\n')
    server = serve("stalls:app", config=config, limit_worker_lifetime=3600)
    with server.connect() as client:
        assert client.request("GET", "/" + "x" * SHOWN).status == 200  # Longer than the pipe.
        client.send(GET % "after?1.5&whole")
        wait_until(lambda: select.select(readers[:1], [], [], 0)[0], "half a line")
        [first] = children(server.pid)
        config.write_text(config.read_text().replace(str(old), str(new)))
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: int(server.request("GET", "/pid").body) != first, "another worker")
        wait_until(lambda: select.select(readers[1:], [], [], 0)[0], "a line", 1)
        assert client.response().body == b"whole"
    assert os.read(readers[1], 5) == b"/pid\n"
    assert server.stop() == 0
    for reader in readers:
        os.close(reader)


def lost(server: ServerProcess) -> int:
    """The lines of the access log that were told to be lost."""
    return sum(map(int, re.findall(r"the access log lost (\d+) line", server.output)))


# --- row 18: an application that stops its worker

GET = "GET /%s HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize("stall", ["spin", "hold-the-lock"])
def test_a_stalled_worker_is_replaced_and_the_other_goes_on(
    serve: Any, ledger: Ledger, stall: str
) -> None:
    server = serve("stalls:app", workers=2, timeout_worker=1, access_log=False)
    victim, other = children(server.pid)
    with client_of(server, other) as neighbour, client_of(server, victim) as client:
        idle = p99(waits(neighbour, 0.3, lambda: False))
        client.send(GET % stall)
        times = waits(neighbour, 0, lambda: victim in children(server.pid))
        assert client.read_to_close() == b""
    # The stall takes a second. The rest is room for whoever else uses the two processors: the long
    # test leaves less of it.
    slow = p99(times)
    assert slow < max(3 * idle, 0.25), f"{slow * 1000:.1f} ms, idle {idle * 1000:.1f} ms"
    server.wait_for(rf"Worker {victim} stood still for 1 s \(timeout-worker\)")
    Site(server)  # Its place is taken.
    wait_until(lambda: len(children(server.pid)) == 2, "another one")
    assert other in children(server.pid)
    assert "stalls.py" in server.output  # Its stacks.
    ledger(f"row 18, {stall}: p99 of {len(times)} requests to the other {slow * 1000:.1f} ms")
    assert server.stop() == 0


@pytest.mark.parametrize("io_threads", [0, 2])
@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_that_the_application_closes_harms_no_other(
    serve: Any, tmp_path: Path, io_threads: int, tls: bool
) -> None:
    """The next connections get its number, and must not get its answer, nor its end."""
    authority = Authority(tmp_path)
    settings: dict[str, Any] = {}
    if tls:
        certificate, key = authority.issue("localhost", file="server")
        settings = {"ssl_certfile": certificate, "ssl_keyfile": key}
    server = serve("stalls:app", io_threads=io_threads, access_log=False, **settings)
    context = authority.client_context()

    def connect() -> RawClient:
        return connect_tls(server.address, context) if tls else server.connect()

    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(connect()) for _ in range(2))
        first.send(GET % "after?0.2&of-the-first")
        port = first.socket.getsockname()[1]
        number = int(second.request("GET", f"/close-connection?{port}").body)
        others = [stack.enter_context(connect()) for _ in range(4)]
        for one in others:
            one.send(GET % "after?0.3&its-own")
        assert [one.response().body for one in others] == [b"its-own"] * 4
        # Nor does the end of the first one end the one that has its number.
        assert [one.request("GET", "/after?0&again").body for one in others] == [b"again"] * 4
        assert number > 2
    assert server.stop() == 0


@pytest.mark.parametrize("io_threads", [0, 2])
def test_what_is_written_to_a_closed_descriptor_reaches_no_client(
    serve: Any, io_threads: int
) -> None:
    """Standard streams, and those numbers that the server writes its own messages and lines to."""
    server = serve("stalls:app", io_threads=io_threads)  # Both to pipes.
    with contextlib.ExitStack() as stack:
        client, second = (stack.enter_context(server.connect()) for _ in range(2))
        for deed in ("close-logs", "close-standard-streams"):
            number = client.request("GET", f"/{deed}").body
            assert number == b"closed" or int(number) >= 2  # A log of each loop, and messages.
            others = [stack.enter_context(server.connect()) for _ in range(8)]
            assert [one.request("GET", "/pid").status for one in others] == [200] * 8
            assert client.request("GET", "/write-to-standard-streams").body == b"written"
            assert client.request("GET", "/raise?100").status == 500
            assert second.request("GET", "/pid").status == 200  # A line of another loop.
            assert all(one.silent_for(0.05) for one in others)
            assert [one.request("GET", "/pid").status for one in others] == [200] * 8
    assert server.stop() == 0
    assert "ValueError: " + "x" * 100 in server.output  # While there was a standard error.


def test_a_worker_whose_signals_are_blocked_ends_when_it_is_told(serve: Any) -> None:
    server = serve("stalls:app", workers=2, access_log=False)
    victim, other = children(server.pid)
    with client_of(server, victim) as client:
        assert client.request("GET", "/block-signals").body == b"blocked"
        client.send(GET % "after?0.3&whole")
        time.sleep(0.1)
        server.send_signal(signal.SIGHUP)
        assert client.response().body == b"whole"
    wait_until(lambda: {victim, other}.isdisjoint(children(server.pid)), "other workers", 10)
    assert "killed" not in server.output
    assert server.stop() == 0


def test_a_thousand_threads_of_the_application_harm_nobody(serve: Any) -> None:
    server = serve("stalls:app", workers=2, access_log=False)
    with client_of(server, children(server.pid)[0]) as client:
        assert int(client.request("GET", "/start-threads?1000").body) > 100
        assert client.request("GET", "/pid").status == 200
    assert server.stop() == 0


# --- row 3: no memory


def test_a_worker_without_memory_refuses_and_goes_on(serve: Any, ledger: Ledger) -> None:
    server = serve("stalls:app", workers=2, access_log=False)
    victim, other = children(server.pid)
    with client_of(server, victim) as client, client_of(server, other) as neighbour:
        now = int(Path(f"/proc/{victim}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        before = resource.prlimit(victim, resource.RLIMIT_AS, (now + (4 << 20), -1))
        refused = 0
        for _ in range(50):
            answer = client.request("GET", f"/allocate?{32 << 20}")
            assert answer.status in (500, 503), answer
            refused += 1
            assert client.request("GET", "/allocate?1000").body == b"1000"
        assert neighbour.request("GET", f"/allocate?{32 << 20}").status == 200
        resource.prlimit(victim, resource.RLIMIT_AS, before)
        assert client.request("GET", f"/allocate?{32 << 20}").status == 200
    assert sorted(children(server.pid)) == sorted([victim, other])
    ledger(f"row 3: {refused} of {refused} requests beyond the memory of a worker answered 500")
    assert server.stop() == 0
    assert "MemoryError" in server.output


def test_connections_that_no_memory_is_left_for_end_and_the_worker_goes_on(serve: Any) -> None:
    """Not a byte more than the process has: whatever the engine needs for a client may fail."""
    server = serve("live:app", workers=2, access_log=False)
    victim, other = children(server.pid)
    now = int(Path(f"/proc/{victim}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.prlimit(victim, resource.RLIMIT_AS, (now, -1))
    body = bytes(200_000)
    outcomes: Counter[str] = Counter()
    for _ in range(30):
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(server.connect()) for _ in range(20)]
            for one in crowd:
                try:
                    answer = one.request("POST", "/echo", body=body)
                except (Closed, ConnectionError):
                    outcomes["cut"] += 1
                else:
                    assert answer.status != 200 or answer.body == body
                    outcomes[str(answer.status)] += 1
    assert set(outcomes) <= {"200", "500", "503", "cut"}, outcomes
    assert outcomes["200"] >= 200, outcomes
    resource.prlimit(victim, resource.RLIMIT_AS, before)
    assert sorted(children(server.pid)) == sorted([victim, other])
    assert server.request("POST", "/echo", body=body).body == body
    assert server.stop() == 0


# --- row 9: disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this needs the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_costs_lines_that_are_counted(serve: Any, disk: Path, ledger: Ledger) -> None:
    log = disk / "log"
    server = serve("quiet:app", workers=2, access_log_file=log, access_log_format="%R")
    asked = 0
    for _ in range(20):
        with server.connect() as client:
            for _ in range(100):
                assert client.request("GET", "/" + "x" * 3000).status == 200
                asked += 1
    before = log.read_text().split("\n")
    log.write_text("")  # Somebody makes room, and it goes on where it was.
    time.sleep(1.2)
    assert server.stop() == 0
    after = log.read_text().split("\n")
    lines = [*before[:-1], before[-1] + after[0], *after[1:-1]]
    whole = "/" + "x" * 3000
    odd = [line for line in lines if line != whole]
    # Where a line was cut, those of the other worker may go on.
    assert len(odd) <= 2 * 2, [(len(line), line[:20]) for line in odd]
    assert "No space left on device" in server.output
    assert "slow or stuck" not in server.output
    assert len(lines) + lost(server) == asked
    ledger(f"row 9: {asked} of {asked} requests served on a full disk, {lost(server)} lines lost")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unix_socket_on_a_read_only_disk_is_one_sentence(disk: Path, workers: int) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    command = [sys.executable, "-m", "tercel", "serve", "quiet:app", "--workers", str(workers)]
    done = subprocess.run(
        [*command, "--uds", str(disk / "socket")],
        cwd=APPS, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("tercel: ") == 1, done.stderr
    assert "may not write in the folder" in done.stderr


# --- row 10: readers that are stuck or gone


class Stuck:
    """A server whose standard output and error nobody reads."""

    def __init__(self, target: str, *arguments: str) -> None:
        self.reader, writer = os.pipe()
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            listening.set_inheritable(True)
            self.address = listening.getsockname()
            command = [sys.executable, "-m", "tercel", "serve", target, *arguments]
            self.process = subprocess.Popen(
                [*command, "--fd", str(listening.fileno())],
                cwd=APPS,
                stdout=writer,
                stderr=writer,
                pass_fds=[listening.fileno()],
                start_new_session=True,
            )
        os.close(writer)

    def __enter__(self) -> Stuck:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.reader)

    def read(self) -> str:
        """What has been written by now."""
        os.set_blocking(self.reader, False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reader, 1 << 16):
                data += piece
        return data.decode()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("gone", [False, True], ids=["stuck", "gone"])
def test_messages_that_nobody_reads_hold_nobody_up(
    workers: int, gone: bool, ledger: Ledger
) -> None:
    """Tracebacks and lines of the access log, to one pipe."""
    with Stuck("stalls:app", "--workers", str(workers)) as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(RawClient(server.address)) for _ in range(4)]
            assert clients[0].request("GET", "/pid").status == 200
            if gone:
                os.close(server.reader)
                server.reader = os.dup(0)
            begin = time.monotonic()
            for _ in range(50):
                for client in clients:
                    assert client.request("GET", "/raise?2000").status == 500
            seconds = time.monotonic() - begin
            assert seconds < 5
            if not gone:
                server.read()
                time.sleep(0.1)
                for client in clients:
                    assert client.request("GET", "/raise?1").status == 500
                time.sleep(0.3)
                said = server.read()
                assert re.search(r"\(\d+ message\(s\) lost: their reader was slow\)", said), said
                assert "ValueError: x\n" in said
        server.process.terminate()
        assert server.process.wait(20) == 0
    kind = "gone" if gone else "stuck"
    ledger(f"row 10, {workers} workers, reader {kind}: 200 of 200 answered in {seconds:.2f} s")


# --- row 16: signals


def test_signals_that_say_nothing_change_nothing(serve: Any) -> None:
    server = serve("stalls:app", workers=2, access_log=False)
    workers = children(server.pid)
    for _ in range(500):
        for number in (signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG):
            server.send_signal(number)
    assert server.request("GET", "/pid").status == 200
    assert children(server.pid) == workers
    assert server.stop() == 0


def test_quit_ends_the_supervisor_and_requests_finish(serve: Any) -> None:
    server = serve("stalls:app", workers=2, access_log=False)
    workers = children(server.pid)
    with server.connect() as client:
        client.send(GET % "after?0.3&whole")
        time.sleep(0.1)
        server.send_signal(signal.SIGQUIT)
        assert client.response().body == b"whole"
    assert server.wait() == -signal.SIGQUIT
    wait_until(lambda: not any(runs(pid) for pid in workers), "their end")
    with pytest.raises(ConnectionRefusedError), server.connect():
        pass


def test_a_reload_while_workers_die(serve: Any, load_client: str, ledger: Ledger) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    site = Site(server)
    arguments = ("--target", "/number", "--numbered", "--connections", 16, "--rate", 1000)
    with Load(load_client, server.port, *arguments, seconds=50) as load:
        for _ in range(2):
            before = site.all_serve(2)
            os.kill(server.pid, signal.SIGHUP)
            os.kill(before[0], signal.SIGKILL)
            wait_until(lambda before=before: set(before).isdisjoint(site.workers()), "others")
        counts = load.end()
    assert counts["wrong"] == counts["doubled"] == counts["refused"] == 0, counts
    assert counts["lost"] <= 2 * 16, counts
    assert counts["lost_timed_out"] == 0, counts
    ledger(f"row 16: {counts['lost']} of {counts['sent']} lost in 2 reloads while a worker dies")
    assert site.stop() == 0


def test_old_workers_that_hold_streams_do_not_stop_reloads(serve: Any) -> None:
    """A reload waits while as many old workers finish as there are new ones; nobody else does."""
    server = serve("crew:app", workers=2, access_log=False, timeout_stream_grace=0.5)
    site = Site(server)
    first = set(site.all_serve(2))
    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(2):
            streams.append(client := stack.enter_context(server.connect()))
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            while b"begin" not in client.read_some():
                pass
            server.send_signal(signal.SIGHUP)
            for _ in range(20):
                assert server.request("GET", "/").status == 200
                time.sleep(0.01)
        for stream in streams:
            assert b"data: end" in stream.read_to_close()
    wait_until(lambda: first.isdisjoint(site.workers()), "other workers", 10)
    site.all_serve(2)
    assert site.stop() == 0


# --- row 20: the end of the interpreter

FINALISED = 2


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("interface", ["app", "wsgi"])
def test_the_interpreter_ends_while_requests_live(serve: Any, interface: str, workers: int) -> None:
    assert finalise(serve, interface, workers, FINALISED) == FINALISED
