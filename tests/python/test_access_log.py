"""The access log of a real server: its formats, and readers that are slow, stuck or gone."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.fixtures import ServeProcess, ServeThread, access_log_handler
from support.http1 import RawClient
from support.server import APPS
from support.tls import Authority

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

COMMON = r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "%s" %s'


async def answer(scope, receive, send):
    """Answers "text"; /late waits for the client to leave first."""
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/late":
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"text"})


async def slow(scope, receive, send):
    """Answers after 0.6 s."""
    if scope["type"] != "http":
        raise NotImplementedError
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"text"})


async def endless(scope, receive, send):
    """Begins an answer, and waits for its end."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"text", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def lines_of(path: Path, count: int) -> list[str]:
    """Returns the lines of `path` once there are `count`."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        text = path.read_text() if path.exists() else ""
        if text.count("\n") >= count:
            break
        time.sleep(0.02)
    lines = text.splitlines()
    assert len(lines) == count
    return lines


class TestFormats:
    def test_the_default_is_common_with_the_duration_on_standard_output(self, serve: ServeProcess):
        server = serve("process:app", lifespan="off")
        server.request("GET", "/second?x=1")
        line = server.wait_for(COMMON % (r"GET /second\?x=1 HTTP/1\.1", r"200 4 (\d+\.\d{3})ms$"))
        assert 1000 <= float(line[1]) < 3000

    def test_json_is_one_object_a_line(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(answer, access_log_file=path, access_log_format="json")
        agent = 'a"b\\c\xe9\t'
        server.request("GET", "/a?b=%22", headers=[("User-Agent", agent), ("Referer", "r")])
        [line] = lines_of(path, 1)
        record = json.loads(line)
        logged = datetime.fromisoformat(record.pop("time"))
        assert abs(logged - datetime.now(UTC)) < timedelta(minutes=1)
        assert 0 < record.pop("duration_ms") < 5000
        assert record == {
            "client": "127.0.0.1",
            "method": "GET",
            "target": "/a?b=%22",
            "protocol": "HTTP/1.1",
            "host": "test",
            "status": 200,
            "body_bytes": 4,
            "outcome": "complete",
            "error": None,
            "referer": "r",
            "user_agent": agent.strip(),
        }

    def test_a_format_string(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(
            answer, access_log_file=path, access_log_format="%m %U %q %s %B %{x-id}i %p %P"
        )
        server.request("POST", "/p?q", headers=[("X-Id", "7")], body=b"12345")
        port = server.address[1]
        assert lines_of(path, 1) == [f"POST /p ?q 200 4 7 {port} {os.getpid()}"]

    def test_an_unknown_atom_is_refused_at_the_start(self):
        command = [sys.executable, "-m", "tercel", "serve", "process:app"]
        done = subprocess.run(
            [*command, "--access-log-format", "%h %Q"], cwd=APPS, capture_output=True, text=True,
            timeout=30,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == (
            'tercel: access-log-format has an unknown atom "%Q": the atoms are listed in the'
            " reference of the access log.\n"
        )

    def test_off_writes_nothing(self, serve: ServeProcess):
        server = serve("process:app", access_log=False, lifespan="off")
        assert server.request("GET", "/x").status == 200
        assert server.stop() == 0
        assert "/x" not in server.output


class TestLines:
    def test_requests_that_were_refused_show_what_was_in_order(
        self, serve_here: ServeThread, tmp_path: Path
    ):
        path = tmp_path / "log"
        server = serve_here(
            answer, access_log_file=path, access_log_format='"%r" %s %E', limit_request_target=64
        )
        for raw in (b"GE\x1bT / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n\r\n"):
            with server.connect() as client:
                client.send(raw)
                client.wait_gone()
        # Each may have been another thread's.
        assert sorted(lines_of(path, 2)) == [
            '"-" 400 BadRequestLine',
            f'"GET /{"a" * 63} -" 414 TargetTooLong',
        ]

    def test_plain_http_on_a_tls_port_is_logged(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        certificate, key = Authority(tmp_path).issue("localhost", file="localhost")
        server = serve_here(
            answer, access_log_file=path, access_log_format='"%r" %s %E',
            ssl_certfile=[certificate], ssl_keyfile=[key],
        )  # fmt: skip
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.wait_gone()
        assert lines_of(path, 1) == ['"-" 400 PlainHttp']

    def test_a_client_that_leaves_before_the_answer_is_499(
        self, serve_here: ServeThread, tmp_path: Path
    ):
        path = tmp_path / "log"
        server = serve_here(answer, access_log_file=path, access_log_format="%U %s %X")
        with server.connect() as client:
            client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            client.reset()
        assert lines_of(path, 1) == ["/late 499 client-gone"]

    def test_the_wait_for_a_turn_is_in_the_duration(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(
            slow, access_log_file=path, access_log_format="%U %s %E %T", io_threads=0,
            limit_concurrency=1, limit_queue=1,
        )  # fmt: skip
        with server.connect() as first, server.connect() as second:
            first.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.2)
            second.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            assert server.request("GET", "/third").status == 503
            assert second.response().status == 200
        lines = [line.rsplit(" ", 1) for line in lines_of(path, 3)]
        assert [line for line, _ in lines] == [
            "/third 503 Overloaded", "/first 200 -", "/second 200 -",
        ]  # fmt: skip
        third_s, first_s, second_s = (float(duration) for _, duration in lines)
        assert third_s < 0.3
        # 0.4 s for its turn, and 0.6 s then.
        assert first_s + 0.2 < second_s < first_s + 1

    def test_a_request_over_the_rate_is_named(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(
            answer, access_log_file=path, access_log_format="%s %E %X", limit_rate=1,
        )  # fmt: skip
        with server.connect() as client:
            statuses = [client.request("GET", "/").status for _ in range(3)]
        assert statuses == [200, 429, 429]
        assert lines_of(path, 3)[1:] == ["429 RateLimited complete"] * 2

    def test_what_the_server_cuts_off_is_aborted(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(
            endless, access_log_file=path, access_log_format="%U %s %E %X", timeout_request=1
        )
        with server.connect() as client:
            client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            client.wait_gone()
        assert lines_of(path, 1) == ["/endless 200 RequestTimeout aborted"]

    # CVE-2020-7694 of uvicorn: what was percent-encoded on the wire must not be decoded into the
    # log, and what came raw must not drive a terminal.
    def test_no_request_writes_two_lines(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(answer, access_log_file=path, access_log_format="combined")
        evil = "%0d%0a127.0.0.1%20-%20-%20%1b[31m"
        server.request("GET", f"/{evil}", headers=[("User-Agent", 'x" 200 1\t\x80\xff')])
        [line] = lines_of(path, 1)
        assert f'"GET /{evil} HTTP/1.1" 200 4 "-" "x\\" 200 1\\x09\\x80\\xff"' in line

    def test_pipelined_requests_have_a_line_each_in_order(
        self, serve_here: ServeThread, tmp_path: Path
    ):
        path = tmp_path / "log"
        server = serve_here(answer, access_log_file=path, access_log_format="%U")
        with server.connect() as client:
            client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(50)))
            for _ in range(50):
                client.response()
        assert lines_of(path, 50) == [f"/{i}" for i in range(50)]


class TestFile:
    def test_is_appended_to_and_complete_when_the_server_has_ended(
        self, serve: ServeProcess, tmp_path: Path
    ):
        path = tmp_path / "log"
        path.write_text("before\n")
        server = serve("process:app", access_log_file=path, access_log_format="%U", lifespan="off")
        server.request("GET", "/a")
        server.request("GET", "/b")
        assert server.stop() == 0
        before, *lines = path.read_text().splitlines()
        # With I/O threads each connection may be another thread's, and each thread writes its own.
        assert (before, sorted(lines)) == ("before", ["/a", "/b"])

    def test_that_cannot_be_opened_is_one_sentence(self, tmp_path: Path):
        command = [sys.executable, "-m", "tercel", "serve", "process:app", "--port", "0"]
        done = subprocess.run(
            [*command, "--access-log-file", str(tmp_path / "none" / "log")],
            cwd=APPS, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr == (
            f"tercel: access-log-file {tmp_path / 'none' / 'log'} cannot be written: No such file"
            " or directory.\n"
        )

    def test_on_a_full_disk_requests_are_served_and_lines_counted(self, serve: ServeProcess):
        server = serve("process:app", access_log_file="/dev/full", lifespan="off")
        for _ in range(20):
            assert server.request().status == 200
        assert server.stop() == 0
        # Each thread counts its own.
        lost = re.findall(
            r"WARNING  the access log lost (\d+) line\(s\): No space left on device", server.output
        )
        assert sum(map(int, lost)) == 20


class TestRotation:
    """What logrotate does: the file is moved away, and the server is told, or finds out."""

    @pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
    def test_sigusr1_begins_the_file_anew(self, serve: ServeProcess, tmp_path: Path, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        path = tmp_path / "log"
        settings = {"access_log_file": path, "access_log_format": "%U", "lifespan": "off"}
        # An I/O thread opens it again with its next lines, not at once.
        settings.setdefault("io_threads", 0)
        server = serve("process:app", loop=loop, **settings)
        server.request("GET", "/a")
        lines_of(path, 1)
        old = path.rename(tmp_path / "log.1")
        server.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 10
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert path.read_text() == ""
        server.request("GET", "/b")
        assert lines_of(path, 1) == ["/b"]
        assert old.read_text() == "/a\n"
        assert server.stop() == 0
        assert path.read_text() == "/b\n"

    def test_a_file_that_was_moved_away_is_noticed(self, serve_here: ServeThread, tmp_path: Path):
        path = tmp_path / "log"
        server = serve_here(answer, access_log_file=path, access_log_format="%U")
        server.request("GET", "/a")
        lines_of(path, 1)
        path.rename(tmp_path / "log.1")
        end = time.monotonic() + 10
        while not path.exists() and time.monotonic() < end:
            server.request("GET", "/b")
            time.sleep(0.1)
        assert path.exists()

    def test_without_a_file_or_a_log_sigusr1_does_nothing(self, serve: ServeProcess):
        for settings in ({"access_log": False}, {}):
            server = serve("process:app", lifespan="off", **settings)
            server.send_signal(signal.SIGUSR1)
            assert server.request().status == 200
            assert server.stop() == 0

    def test_that_cannot_be_opened_again_goes_on(self, serve: ServeProcess, tmp_path: Path):
        path = tmp_path / "log"
        settings = {"access_log_file": path, "access_log_format": "%U", "lifespan": "off"}
        server = serve("process:app", io_threads=0, **settings)
        old = tmp_path / "log.1"
        path.rename(old)
        path.mkdir()
        server.send_signal(signal.SIGUSR1)
        server.wait_for(
            "the access log cannot be opened again, so the old file goes on: Is a directory"
        )
        server.send_signal(signal.SIGUSR1)
        server.request("GET", "/a")
        assert lines_of(old, 1) == ["/a"]
        assert server.output.count("cannot be opened again") == 1


class TestReader:
    """Standard output is a pipe whose reader does not do its work."""

    @pytest.mark.parametrize("gone", [False, True], ids=["stuck", "gone"])
    def test_that_does_not_read_costs_lines_and_nothing_else(self, gone: bool):
        reader, writer = os.pipe()
        # Each line is longer than 4 KiB: pipe and buffer are full after 300.
        process = subprocess.Popen(
            [sys.executable, "-m", "tercel", "serve", "quiet:app", "--port", "0",
             "--access-log-format", "%R"],
            cwd=APPS, stdout=writer, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(writer)
        assert process.stderr is not None
        try:
            port = _port_in_banner(process)
            if gone:
                os.close(reader)
            with RawClient(("127.0.0.1", port)) as client:
                for _ in range(1000):
                    assert client.request("GET", "/" + "x" * 8000).status == 200
            process.terminate()
            assert process.wait(20) == 0
            said = process.stderr.read().decode()
            lost = [int(count) for count in re.findall(r"the access log lost (\d+) line", said)]
            assert 500 < sum(lost) <= 1000
            assert ("Broken pipe" if gone else "its reader is slow or stuck") in said
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            if not gone:
                os.close(reader)


def _port_in_banner(process: subprocess.Popen[bytes]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(rb"127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("the server ended")


def test_a_handler_of_the_logger_gets_the_lines(
    serve_here: ServeThread, access_records: list[logging.LogRecord]
):
    server = serve_here(answer, access_log_format="%m %U %s 100%%")
    for path in ("/a", "/%25s", "/c"):
        server.request("GET", path)
    end = time.monotonic() + 10
    while len(access_records) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert [record.getMessage() for record in access_records] == [
        "GET /a 200 100%",
        "GET /%25s 200 100%",
        "GET /c 200 100%",
    ]
    assert {record.levelname for record in access_records} == {"INFO"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_handler_that_raises_costs_its_line_and_nothing_else(serve_here: ServeThread, capsys):
    class Raise(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("no")

    with access_log_handler(Raise()):
        server = serve_here(answer)
        for _ in range(3):
            assert server.request().status == 200
            time.sleep(0.05)
