"""A Redis of a test's own: on a port that nobody had, in a folder of its own, nothing kept.

with RedisServer(tmp_path) as redis:
    redis.pause()   # It hangs, until resume().
    redis.kill()    # It is gone, with all that it had, until start().
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.closing import Closing

__all__ = ["RedisServer", "redis_server"]

START_S = 10.0


class RedisServer(Closing):
    """A server; the test is skipped where there is none.

    Args:
        options: of its command line.
        port: where it answers; 0: it does not, but in the way that options say.
        begin: whether it is started at once.

    Attributes:
        url: of it.
    """

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, begin: bool = True
    ) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed: tools/deps.sh --test installs it")
        self.port = free_port() if port is None else port
        self.url = f"redis://127.0.0.1:{self.port}"
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command = [program, *where, "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None
        if begin:
            self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        if self.port:
            _await_answer(self.port, self._process)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Starts a server, skips the test where there is none, and yields its URL."""
    with RedisServer(folder) as server:
        yield server.url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as peer:
            peer.sendall(b"PING\r\n")
            if peer.recv(1) in (b"+", b"-"):  # It may want a password.
                return
        time.sleep(0.02)
    raise RuntimeError(f"redis-server did not start: {process.poll()}")
