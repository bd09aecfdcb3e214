"""The load client of bench/, which checks every answer: bench/README.md, "The load client".

with Load(program, port, "--numbered", seconds=5) as load:
    ...  # While it runs.
    counts = load.counts()

`load.end()` is for one that lasts as long as something else: it fails when the load was over first.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from support.closing import Closing
from support.processes import environment_of_others

Counts = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[3]
# What it needs beside its time.
_SLACK_S = 30.0


def find_load_client() -> str | None:
    """Returns `$TERCEL_LOAD_CLIENT`, or the newest below build/; None where there is none."""
    if given := os.environ.get("TERCEL_LOAD_CLIENT"):
        return given
    built = list(_ROOT.glob("build/*/bench/load/client/load_client"))
    return str(max(built, key=lambda path: path.stat().st_mtime)) if built else None


class Load(Closing):
    """Requests as fast as they are answered, over 64 connections unless `arguments` say more."""

    def __init__(
        self, program: str, port: int, *arguments: object, seconds: float, mode: str = "http"
    ) -> None:
        self._seconds = seconds
        words = [mode, "--port", port, "--seconds", seconds, "--wait", *arguments]
        self._process = subprocess.Popen(
            [program, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment_of_others(),
        )
        self._begin()

    def _begin(self) -> None:
        """Waits until all connections are open, so that what comes next happens under load."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        ready = process.stdout.readline()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write("\n")
            process.stdin.close()
        process.stdin = None
        if not ready:
            raise AssertionError(process.communicate(timeout=_SLACK_S)[1])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> Counts:
        """Ends it before its time, and returns what it counted."""
        assert self.running, "the load was over before"
        self._process.terminate()
        return self.counts()

    def counts(self) -> Counts:
        """Waits for its end, and returns what it counted."""
        out, problem = self._process.communicate(timeout=self._seconds + _SLACK_S)
        assert self._process.returncode == 0, problem
        counts: Counts = json.loads(out)
        assert counts["sent"] == counts["right"] + counts["wrong"] + counts["lost"]
        return counts
