"""The command lines of frameworks that bring their own server."""

from __future__ import annotations

from pathlib import Path

from harness.target import Target

_APPS = Path(__file__).resolve().parent.parent / "apps"

# spikard 0.17.2 listens here, whatever its ServerConfig says.
SPIKARD_PORT = 8000


def spikard(target: Target) -> list[str]:
    return [target.python, str(_APPS / f"{target.app}.py")]


def robyn(target: Target) -> list[str]:
    return [
        *("env", f"PORT={target.port}", target.python, str(_APPS / f"{target.app}.py")),
        *("--processes", "1", "--workers", "1", "--log-level", "WARN", "--disable-openapi"),
    ]
