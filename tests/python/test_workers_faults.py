"""What harms one worker, or the log of all, harms no other: rows 3, 9, 10, 16, 18 and 20 of the
faults.
"""

from __future__ import annotations

import concurrent.futures
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import Ledger
from support.server import ServerProcess

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


def lost(server: ServerProcess) -> int:
    """The lines of the access log that were told to be lost."""
    return sum(map(int, re.findall(r"the access log lost (\d+) line", server.output)))
