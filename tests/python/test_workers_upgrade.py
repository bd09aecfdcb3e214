"""What an upgrade, a reload or a signal meets that is not as usual: who listens for whom then.
The usual: test_workers.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from support.crew import Site, children, runs, serve_from_shell
from support.server import APPS, ServerProcess
from support.waiting import wait_until


@contextlib.contextmanager
def ending(pid: int) -> Any:
    """Ends that process, a successor, with the block."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not runs(pid), "the successor has ended")


def successor_of(server: ServerProcess) -> int:
    server.send_signal(signal.SIGUSR2)
    return int(server.wait_for(r"Process (\d+) serves: this one ends", timeout=20)[1])


def test_a_successor_with_one_worker_takes_the_sockets_over(serve: Any, tmp_path: Path) -> None:
    config = tmp_path / "tercel.toml"
    config.write_text("workers = 2\n")
    server = serve("crew:app", access_log=False, config=config)
    config.write_text("workers = 1\n")
    successor = successor_of(server)
    with ending(successor):
        wait_until(lambda: not runs(server.pid), "the old one has ended")
        (worker,) = children(successor)
        assert {int(server.request("GET", "/").body) for _ in range(10)} == {worker}
    assert server.wait() == 0


def test_usr2_without_workers_does_nothing(serve: Any) -> None:
    server = serve("crew:app", access_log=False)
    server.send_signal(signal.SIGUSR2)
    time.sleep(0.3)
    assert int(server.request("GET", "/").body) == server.pid
    assert server.stop() == 0


def test_the_first_signal_after_an_upgrade_cuts_nothing_off(serve: Any) -> None:
    server = serve("crew:app", workers=2, access_log=False)
    with server.connect() as client:
        client.send(b"GET /sleep?1 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 1")
        with ending(successor_of(server)):
            server.send_signal(signal.SIGTERM)
            assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0


def test_a_bad_generation_does_not_end_the_server_with_the_last_old_worker(
    serve: Any, tmp_path: Path
) -> None:
    wish = tmp_path / "wish"
    wish.write_text("")
    environment = {"CREW_FAILS": str(wish), "CREW_SLOW_IMPORT": "0.5"}
    server = serve("crew:app", workers=2, preload=False, access_log=False, env=environment)
    site = Site(server)
    old = site.all_serve(2)
    time.sleep(1.1)  # Else their end is taken for a loop of crashes.
    wish.write_text("startup")
    server.send_signal(signal.SIGHUP)
    server.wait_for("importing", count=3)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    server.wait_for(r"it was to fail\. The workers stay as they were\.", timeout=20)
    wish.write_text("")
    site.all_serve(2)
    assert server.request("GET", "/").status == 200
    assert server.stop() == 0


def test_the_watchdog_of_the_service_manager_is_told_after_an_upgrade(tmp_path: Path) -> None:
    """$WATCHDOG_PID names the first process, and the next one is the main one then."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(20)
        environment = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        process = serve_from_shell(
            "export WATCHDOG_PID=$$",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

        def hear(pattern: bytes) -> re.Match[bytes]:
            while not (found := re.match(pattern, manager.recv(1000))):
                pass
            return found

        try:
            hear(b"READY=1")
            hear(b"WATCHDOG=1")
            process.send_signal(signal.SIGUSR2)
            successor = int(hear(rb"MAINPID=(\d+)")[1])
            with ending(successor):
                assert process.wait(20) == 0
                manager.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while manager.recv(1000):
                        pass
                manager.settimeout(5)
                hear(b"WATCHDOG=1")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_terminal_that_is_closed_ends_the_server(workers: int) -> None:
    """Its SIGHUP is no wish for a reload."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    command = [sys.executable, "-m", "tercel", "serve", "quiet:app", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--workers", str(workers), "--app-dir", str(APPS)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=take_terminal,
    )
    try:
        os.close(theirs)
        said = b""
        while b"Serving" not in said:
            said += os.read(ours, 4096)
        time.sleep(0.3)
        os.close(ours)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
