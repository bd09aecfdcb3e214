"""The load client of bench/: that it counts nothing against a server that is right, and counts each
fault of one that is not.

REQUIRES: the program `load_client`, which the CMake presets build (`$TERCEL_LOAD_CLIENT`, or the
newest below build/).
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from support.load import Counts, Load
from support.processes import environment_of_others
from support.server import ServerProcess
from support.waiting import wait_until
from support.websocket import PING, TEXT, accept_key, frame

ROOT = Path(__file__).resolve().parents[2]
BENCH_APPS = ROOT / "bench" / "apps"
# A run here is over in a second; a sanitised build is slow.
TIMEOUT_S = 60.0
CLEAN = {"wrong": 0, "lost": 0, "doubled": 0, "refused": 0, "reconnects": 0, "closed_idle": 0}


@pytest.fixture(scope="module")
def program(load_client: str) -> str:
    return load_client


def run(program: str, mode: str, port: int, *arguments: object) -> Counts:
    """Returns what the client counted."""
    done = subprocess.run(
        [program, mode, "--port", str(port), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment_of_others(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts: Counts = json.loads(done.stdout)
    assert counts["sent"] == counts["right"] + counts["wrong"] + counts["lost"]
    return counts


# --- a server that is right


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("load_client:app", env={"PYTHONPATH": str(BENCH_APPS)}) as running:
        yield running


def assert_clean(counts: Counts, sent: int, connections: int) -> None:
    assert counts == {**counts, **CLEAN, "sent": sent, "right": sent, "connections": connections}
    assert counts["faults"] == []
    assert 0 < counts["p50_us"] <= counts["p99_us"] <= counts["max_us"] * 1.04


def test_a_load_that_is_ended_prints_what_it_counted(program: str, server: ServerProcess) -> None:
    with Load(program, server.port, "--numbered", seconds=TIMEOUT_S) as load:
        wait_until(lambda: server.output.count("GET /?n=") > 100, "the load")
        counts = load.end()
    assert counts["sent"] > 100
    assert_clean(counts, counts["sent"], 64)


def test_numbered_requests_are_all_right(program: str, server: ServerProcess) -> None:
    counts = run(program, "http", server.port, "--numbered", "--requests", 5000)
    assert_clean(counts, 5000, 64)


def test_expected_body(program: str, server: ServerProcess) -> None:
    arguments = ("--requests", 200, "--connections", 3, "--expect-body")
    assert_clean(run(program, "http", server.port, *arguments, "n=none"), 200, 3)
    counts = run(program, "http", server.port, *arguments, "n=nona")
    assert (counts["right"], counts["wrong"]) == (0, 200)
    assert counts["faults"][0]["why"] == "another body"


def test_expected_status(program: str, server: ServerProcess) -> None:
    counts = run(program, "http", server.port, "--requests", 10, "--expect-status", 201)
    assert (counts["wrong"], counts["faults"][0]["why"]) == (10, "another status")


def test_rate_is_held(program: str, server: ServerProcess) -> None:
    counts = run(program, "http", server.port, "--rate", 200, "--seconds", 1)
    assert counts["right"] == counts["sent"]
    assert 100 <= counts["sent"] <= 202


@pytest.mark.parametrize("kind", [(), ("--binary",)], ids=["text", "binary"])
def test_websocket_echo(program: str, server: ServerProcess, kind: tuple[str, ...]) -> None:
    arguments = ("--requests", 2000, "--connections", 10, *kind)
    assert_clean(run(program, "websocket", server.port, *arguments), 2000, 10)


def test_large_messages(program: str, server: ServerProcess) -> None:
    arguments = ("--requests", 20, "--connections", 2, "--bytes", 1_000_000)
    assert_clean(run(program, "websocket", server.port, *arguments), 20, 2)


def test_broadcast_reaches_everybody(program: str, server: ServerProcess) -> None:
    arguments = ("--target", "/room", "--requests", 10, "--connections", 100)
    counts = run(program, "broadcast", server.port, *arguments)
    assert_clean(counts, 1000, 100)
    assert counts["messages"] == 10


@pytest.mark.parametrize("kind", [(), ("--websocket",)], ids=["http", "websocket"])
def test_idle_connections_are_held_until_the_input_ends(
    program: str, server: ServerProcess, kind: tuple[str, ...]
) -> None:
    with subprocess.Popen(
        [program, "idle", "--port", str(server.port), "--connections", "200", "--wait", *kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment_of_others(),
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert json.loads(client.stdout.readline()) == {"ready": 200}
        rest, _ = client.communicate(timeout=TIMEOUT_S)
    assert json.loads(rest) == {**json.loads(rest), **CLEAN, "connections": 200}


def test_restart_of_the_server_is_counted(program: str) -> None:
    """Connections end, and are refused until there is a server again: the others are right."""
    with ServerProcess("load_client:app", env={"PYTHONPATH": str(BENCH_APPS)}) as first:
        port = first.port
        with subprocess.Popen(
            [program, "http", "--port", str(port), "--numbered", "--seconds", "4"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment_of_others(),
        ) as client:
            first.wait_for("Serving")
            first.kill()
            with ServerProcess("load_client:app", port=port, env={"PYTHONPATH": str(BENCH_APPS)}):
                text, _ = client.communicate(timeout=TIMEOUT_S)
    counts = json.loads(text)
    assert counts["refused"] > 0
    assert counts["right"] > 0
    assert counts["wrong"] == counts["doubled"] == 0
    assert counts["lost"] <= 64


# --- servers that are wrong


class WrongServer:
    """Answers request after request with what `answer(number)` gives, and closes after None."""

    def __init__(self, answer: Callable[[int], bytes | None]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # The client may be gone before we are done.
            with connection, contextlib.suppress(ConnectionError):
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        unread = b""
        while True:
            head, found, unread = unread.partition(b"\r\n\r\n")
            if not found:
                part = connection.recv(4096)
                if not part:
                    return
                unread = head + part
                continue
            match = re.search(rb"n=(\d+)", head)
            answer = self._answer(int(match[1]) if match else 0)
            if answer is None:
                return
            connection.sendall(answer)


def ok(body: object, *fields: str) -> bytes:
    """Returns a response with that body."""
    text = str(body)
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(text)}", *fields, "", text]
    return "\r\n".join(lines).encode()


ONE = ("--connections", 1, "--numbered", "--timeout", 1)


def ask_wrong(program: str, answer: Callable[[int], bytes | None], *arguments: object) -> Counts:
    with WrongServer(answer) as server:
        return run(program, "http", server.port, *ONE, "--requests", 10, *arguments)


def test_another_number_is_wrong(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n if n != 4 else 40))
    assert (counts["right"], counts["wrong"], counts["doubled"]) == (9, 1, 0)
    assert counts["faults"][0]["number"] == 4


def test_answer_of_an_earlier_request_is_doubled(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n if n != 4 else 3))
    assert (counts["right"], counts["wrong"], counts["doubled"]) == (9, 1, 1)


def test_second_answer_is_doubled(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n) * (2 if n == 4 else 1))
    assert (counts["right"], counts["doubled"], counts["reconnects"]) == (10, 1, 1)


def test_connection_that_ends_loses_its_request(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n) if n % 5 else None)
    assert (counts["right"], counts["lost"], counts["lost_unanswered"]) == (8, 2, 2)
    assert [fault["number"] for fault in counts["faults"]] == [5, 10]


def test_connection_that_ends_within_an_answer(program: str) -> None:
    cut = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n4", None])

    def answer(number: int) -> bytes | None:
        # What is cut is one answer without an end; the connection ends with the next request.
        return ok(number, "Connection: close") if number != 4 else next(cut)

    with WrongServer(answer) as server:
        counts = run(program, "http", server.port, *ONE, "--requests", 4)
    assert (counts["right"], counts["lost"], counts["lost_timed_out"]) == (3, 1, 1)


def test_end_within_a_head_or_a_body_is_a_cut(program: str) -> None:
    for part in (b"H", b"HTTP/1.1 200 OK\r\n", ok(1)[:-1]):
        listener = socket.create_server(("127.0.0.1", 0))

        def serve(part: bytes = part, listener: socket.socket = listener) -> None:
            with listener, listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(part)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        counts = run(program, "http", port, *ONE, "--requests", 1, "--seconds", 1)
        thread.join()
        assert (counts["lost"], counts["lost_cut"]) == (1, 1), part


def test_what_is_no_response_is_wrong(program: str) -> None:
    bad = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1"
    counts = ask_wrong(program, lambda n: ok(n) if n != 4 else bad)
    assert (counts["right"], counts["wrong"]) == (9, 1)
    assert counts["faults"][0]["why"] == "not a response of HTTP/1.1"


def test_answer_that_does_not_come_is_lost(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n) if n != 4 else b"")
    assert (counts["right"], counts["lost"], counts["lost_timed_out"]) == (9, 1, 1)


def test_close_between_requests_is_no_loss(program: str) -> None:
    counts = ask_wrong(program, lambda n: ok(n, "Connection: close"))
    assert (counts["right"], counts["lost"]) == (10, 0)
    # Behind the last answer none is needed.
    assert counts["reconnects"] in {9, 10}


class WrongSocket(WrongServer):
    """A WebSocket that answers each message with the frames that `answer(number)` gives."""

    def _converse(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(4096)
        match = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
        assert match is not None
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(match[1]) + b"\r\n\r\n"
        )
        for number in range(1, 1000):
            received = connection.recv(4096)
            if not received or received[0] & 0x0F == 8:
                return
            answer = self._answer(number)
            if answer is None:
                return
            connection.sendall(answer)


def message(number: int, filling: bytes = b"uvwx") -> bytes:
    return frame(TEXT, b"%020d" % number + filling, masked=False)


def ask_wrong_socket(program: str, answer: Callable[[int], bytes | None]) -> Counts:
    with WrongSocket(answer) as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 10, "--timeout", 1)
        return run(program, "websocket", server.port, *arguments)


def test_echo_that_differs_is_wrong(program: str) -> None:
    counts = ask_wrong_socket(program, lambda n: message(n, b"uvwx" if n != 4 else b"uvwy"))
    assert (counts["right"], counts["wrong"]) == (9, 1)


def test_echo_twice_is_doubled(program: str) -> None:
    counts = ask_wrong_socket(program, lambda n: message(n) * (2 if n == 4 else 1))
    assert (counts["right"], counts["doubled"]) == (10, 1)


def test_socket_that_ends_loses_its_message(program: str) -> None:
    end = iter([None])

    def answer(number: int) -> bytes | None:
        return message(number) if number != 4 else next(end)

    with WrongSocket(answer) as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 4)
        counts = run(program, "websocket", server.port, *arguments)
    assert (counts["right"], counts["lost"], counts["lost_unanswered"]) == (3, 1, 1)


def test_masked_frame_of_a_server_is_wrong(program: str) -> None:
    with WrongSocket(lambda n: frame(TEXT, b"%020duvwx" % n)) as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 1)
        counts = run(program, "websocket", server.port, *arguments)
    assert (counts["wrong"], counts["faults"][0]["why"]) == (1, "not frames of a WebSocket")


def test_broadcast_that_nobody_hears_is_lost(program: str) -> None:
    with WrongSocket(lambda n: frame(PING, masked=False) if n == 1 else b"") as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 2, "--timeout", 0.5)
        counts = run(program, "broadcast", server.port, *arguments)
    assert (counts["messages"], counts["lost"], counts["lost_timed_out"]) == (2, 2, 2)


def test_broadcast_ends_when_nobody_is_left(program: str) -> None:
    end = iter([None])
    with WrongSocket(lambda n: message(n) if n < 3 else next(end)) as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 5)
        counts = run(program, "broadcast", server.port, *arguments)
    assert (counts["right"], counts["lost"], counts["lost_unanswered"]) == (2, 1, 1)


def test_broadcast_out_of_order_is_counted(program: str) -> None:
    """The second message comes twice, the third as another one."""
    frames = {2: message(2) * 2, 3: message(3, b"XXXX")}
    with WrongSocket(lambda n: frames.get(n, message(n))) as server:
        arguments = ("--bytes", 24, "--connections", 1, "--requests", 5)
        counts = run(program, "broadcast", server.port, *arguments)
    assert (counts["right"], counts["wrong"], counts["doubled"]) == (4, 1, 1)


SWITCH = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
REFUSALS = (
    ok("no"),
    f"{SWITCH}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n".encode(),
    f"{SWITCH}\r\n".encode(),
)


@pytest.mark.parametrize("answer", REFUSALS, ids=["status", "key of another", "no key"])
def test_refused_websocket_ends_the_run(program: str, answer: bytes) -> None:
    with WrongServer(lambda _: answer) as server:
        done = subprocess.run(
            [program, "websocket", "--port", str(server.port), "--connections", "1"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=environment_of_others(),
            check=False,
        )
    assert done.returncode == 1
    assert "did not accept a WebSocket" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "ftp --port 1",
        "http",
        "http --port 0",
        "http --port 65536",
        "http --port 1 --rate -1",
        "http --port 1 --seconds 0",
        "http --port 1 --target x",
        "http --port 1 --connections",
        "http --port 1 --unknown 1",
        "websocket --port 1 --bytes 19",
    ],
)
def test_mistake_in_the_command_line_is_said(program: str, arguments: str) -> None:
    done = subprocess.run(
        [program, *arguments.split()],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment_of_others(),
        check=False,
    )
    assert done.returncode == 2
    assert "usage" in done.stderr
