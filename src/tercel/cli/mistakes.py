"""What to say of a word that is no option and no command. Imported when there is one."""

from __future__ import annotations

from tercel.cli.options import FLAGS
from tercel.table import closest, rows

__all__ = ["unknown_command", "unknown_option"]

# Options of uvicorn, gunicorn and granian for what does not exist yet, and what to do meanwhile. A
# name stands for those that begin with it and a dash, too: ssl for ssl-keyfile.
_NOT_YET = {
    "workers": "worker processes do not exist yet: start several servers with --reuse-port.",
    "worker": "worker processes do not exist yet: start several servers with --reuse-port.",
    "limit-max-requests": "restarting after a number of requests does not exist yet.",
    "max-requests": "restarting after a number of requests does not exist yet.",
    "reload": "reloading does not exist yet: start the server again.",
}


def unknown_command(word: str) -> str:
    """Returns the sentence about `word`, which stands where a command should."""
    if ":" in word:
        return f"{word!r} is not a command: write tercel serve {word}."
    match = closest(word, ("serve", "check", "settings"))
    if match:
        return f"{word!r} is not a command: did you mean {match}?"
    return f"{word!r} is not a command: `tercel --help` lists them."


def _not_yet(name: str) -> str | None:
    for begin, reason in _NOT_YET.items():
        if name == begin or name.startswith(f"{begin}-"):
            return reason
    return None


def unknown_option(option: str, command: str) -> str:
    """Returns the sentence about `option`, which is none."""
    if reason := _not_yet(option.removeprefix("--")):
        return f"{option} is not an option of {command}: {reason}"
    options = [row for row in rows() if row.name != "app"]
    known = ["--config", "--help", *(f"--{row.name}" for row in options)]
    known += [f"--no-{row.name}" for row in options if row.kind in FLAGS]
    match = closest(option, known)
    if match:
        return f"{option} is not an option of {command}: did you mean {match}?"
    return f"{option} is not an option of {command}: `{command} --help` lists them."
