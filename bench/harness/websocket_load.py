"""The load client of bench/load/client as the harness runs it: WebSockets, all of them checked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.load import Load
from harness.process import MeasureError, cpu_ns

# For what the client does beside its load: opening, the last answers, printing.
EXTRA_S = 60


class Client:
    """A client whose connections are open and idle, on a core of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def apply(self) -> Load:
        """Lets it load the server. Returns what was answered, and what that cost the client.

        Raises:
            MeasureError: an answer was wrong, lost or doubled, or a connection ended.
        """
        cpu = cpu_ns(self._process.pid)
        self.begin()
        counts = self.read()
        cpu_s = (cpu_ns(self._process.pid) - cpu) / 1e9
        _require_clean(counts)
        return Load(int(counts["right"]), counts["seconds"], cpu_s)

    def begin(self) -> None:
        """Ends its wait."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def require_open(self) -> None:
        """Ends it. Raises MeasureError when the server had closed a connection."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        _require_clean(self.read())

    def read(self) -> dict[str, float]:
        """Returns the next line of it; an ended client gives its reason."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise MeasureError(self._process.stderr.read()[-200:].strip())
        counts: dict[str, float] = json.loads(line)
        return counts


def _require_clean(counts: dict[str, float]) -> None:
    bad = {
        name: counts[name]
        for name in ("wrong", "lost", "doubled", "reconnects", "closed_idle")
        if counts[name]
    }
    if bad:
        raise MeasureError(f"load_client: {bad}, {counts['faults']}")


@contextmanager
def connected(build: Path, *, core: int, port: int, arguments: Sequence[str]) -> Iterator[Client]:
    """Starts a client pinned to `core`, waits until its connections are open, ends it at last.

    Raises:
        MeasureError: they could not be opened.
    """
    program = str(build / "bench" / "load" / "client" / "load_client")
    with subprocess.Popen(
        ["taskset", "-c", str(core), program, *arguments, "--port", str(port), "--wait"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        client = Client(process)
        try:
            client.read()
            yield client
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(EXTRA_S)
            except subprocess.TimeoutExpired:
                process.kill()
