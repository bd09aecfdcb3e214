"""What to say of a word that is no option and no command. Imported when there is one."""

from __future__ import annotations

from tercel.cli.options import FLAGS
from tercel.table import closest, rows

__all__ = ["unknown_command", "unknown_option"]

# What gunicorn and granian call what has another name here.
_CALLED_HERE = {
    "max-requests": "limit-max-requests",
    "max-requests-jitter": "recycle-jitter",
    "limit-max-requests-jitter": "recycle-jitter",
    "workers-lifetime": "limit-worker-lifetime",
    "workers-max-rss": "limit-worker-memory",
    "preload-app": "preload",
    "timeout-worker-healthcheck": "timeout-worker",
    "reload-paths": "reload-dir",
    "reload-ignore-patterns": "reload-exclude",
    "graceful-timeout": "timeout-graceful-shutdown",
}


def unknown_command(word: str) -> str:
    """Returns the sentence about `word`, which stands where a command should."""
    if ":" in word:
        return f"{word!r} is not a command: write tercel serve {word}."
    match = closest(word, ("serve", "check", "gateway", "settings", "routes", "openapi"))
    if match:
        return f"{word!r} is not a command: did you mean {match}?"
    return f"{word!r} is not a command: `tercel --help` lists them."


def unknown_option(option: str, command: str) -> str:
    """Returns the sentence about `option`, which is none."""
    if name := _CALLED_HERE.get(option.removeprefix("--")):
        return f"{option} is not an option of {command}: it is called --{name} here."
    options = [row for row in rows() if row.name != "app"]
    known = ["--config", "--help", *(f"--{row.name}" for row in options)]
    known += [f"--no-{row.name}" for row in options if row.kind in FLAGS]
    match = closest(option, known)
    if match:
        return f"{option} is not an option of {command}: did you mean {match}?"
    return f"{option} is not an option of {command}: `{command} --help` lists them."
