"""Runs schemathesis against a server: requests made from its OpenAPI document, answers held to it.

A program of its own: as a plugin of pytest it would cost every run seconds.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.processes import environment_of_others

__all__ = ["run"]

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")


def run(url: str, folder: Path, *options: str, timeout: float) -> str:
    """Tries every check on the API at `url`, and returns what was found: nothing, if it is right.

    Args:
        folder: where it keeps its notes.
        options: of `schemathesis run`.
    """
    done = subprocess.run(
        [
            *[PROGRAM, "--config-file", CONFIG, "run", f"{url}/openapi.json"],
            *["--checks", "all", "--no-color", "--continue-on-failure", *options],
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment_of_others(),
    )
    assert "operations" in done.stdout.lower(), done.stdout + done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr
