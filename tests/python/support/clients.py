"""Programs of others that ask a server: curl, nghttp and h2load."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from support.processes import environment_of_others

needs_nghttp2_client = pytest.mark.skipif(
    shutil.which("nghttp") is None or shutil.which("h2load") is None,
    reason="nghttp and h2load are missing: install nghttp2-client",
)


def curl(*arguments: str, data: bytes = b"") -> str:
    """Returns what curl prints. Raises CalledProcessError if it fails."""
    return run("curl", "-sS", "--max-time", "20", *arguments, data=data)


def run(*command: str, data: bytes = b"", timeout: float = 50.0) -> str:
    """Returns what a program prints. Raises CalledProcessError if it fails."""
    done = subprocess.run(
        command,
        input=data,
        capture_output=True,
        check=True,
        timeout=timeout,
        env=environment_of_others(),
    )
    return done.stdout.decode()
