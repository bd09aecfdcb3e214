"""versitygw, a real S3 server that verifies signatures: one of a test's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.processes import environment_of_others

__all__ = ["Versity", "find_versitygw", "versitygw"]

START_S = 15.0
_HERE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Versity:
    """A server that runs.

    Attributes:
        folder: what is in it are buckets, and files in them the objects.
    """

    url: str
    folder: Path
    access_key: str = "rootkey"
    secret: str = "the secret of root"
    region: str = "us-east-1"


def find_versitygw() -> str | None:
    """Returns the program: $TERCEL_VERSITYGW, or where it is usually installed."""
    if named := os.environ.get("TERCEL_VERSITYGW"):
        return named
    if found := shutil.which("versitygw"):
        return found
    for folder in (_HERE / "build" / "go" / "bin", Path.home() / "go" / "bin"):
        if (folder / "versitygw").exists():
            return str(folder / "versitygw")
    return None


@contextlib.contextmanager
def versitygw(folder: Path, *more: str, versions: bool = False) -> Iterator[Versity]:
    """Starts a server with no buckets, and skips the test where there is no program.

    Args:
        more: options.
        versions: its buckets may have versioning.
    """
    program = find_versitygw()
    if program is None:
        pytest.skip("versitygw is not installed: tools/deps.sh --test installs it where Go is")
    objects = folder / "objects"
    objects.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Versity(f"http://127.0.0.1:{port}", objects)
    options = ["--port", f"127.0.0.1:{port}", "--access", server.access_key]
    options += ["--secret", server.secret, "--region", server.region, "--quiet", *more]
    posix = ["posix", str(objects)]
    if versions:
        (folder / "versions").mkdir()
        posix[1:1] = ["--versioning-dir", str(folder / "versions")]
    output = folder / "versitygw.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [program, *options, *posix],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment_of_others(),
        )
    try:
        _await_listening(port, process, output)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_listening(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        over = process.poll() is not None or time.monotonic() > end
        assert not over, f"versitygw does not listen:\n{output.read_text(errors='replace')}"
        time.sleep(0.02)
