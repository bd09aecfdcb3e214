"""A Redis of a test's own: on a port that nobody had, in a folder of its own, nothing kept."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["redis_server"]

START_S = 10.0


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Starts a server, skips the test where there is none, and yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: tools/deps.sh --test installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _await_answer(port, process)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as peer:
            peer.sendall(b"PING\r\n")
            if peer.recv(7) == b"+PONG\r\n":
                return
        time.sleep(0.02)
    raise RuntimeError(f"redis-server did not start: {process.poll()}")
