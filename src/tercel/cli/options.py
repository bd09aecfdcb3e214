"""Reads a command line by the table of settings.

Not argparse: its messages name neither the close match nor the range, and it costs more memory than
the rest of the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tercel.problems import StartError
from tercel.settings import Row, closest

__all__ = ["CommandLine", "UsageError", "parse"]

_FLAGS = {"flag", "toggle"}


# Options of uvicorn, gunicorn and granian for what does not exist yet, and what to do meanwhile. A
# name stands for those that begin with it and a dash, too: ssl for ssl-keyfile.
_NOT_YET = {
    "workers": "worker processes do not exist yet: start several servers with --reuse-port.",
    "worker": "worker processes do not exist yet: start several servers with --reuse-port.",
    "limit-max-requests": "restarting after a number of requests does not exist yet.",
    "max-requests": "restarting after a number of requests does not exist yet.",
    "reload": "reloading does not exist yet: start the server again.",
}


class UsageError(StartError):
    """The command line cannot be understood."""

    exit_status = 2


class CommandLine(NamedTuple):
    """What was written after `tercel serve`.

    Attributes:
        target: the application, or None.
        config: the file of --config, or None.
        settings: texts by option name.
        help: --help was there.
    """

    target: str | None
    config: str | None
    settings: dict[str, list[str]]
    help: bool


def parse(words: Sequence[str], rows: Iterable[Row], command: str) -> CommandLine:
    """Returns what `words` say; values are texts that nobody has looked at yet.

    `--name value` and `--name=value` are the same. A flag stands alone, or as `--no-name`. The last
    of several wins, but a list collects them.

    Args:
        command: what to call it: `tercel serve`.

    Raises:
        UsageError: an option is unknown or lacks its value, or there are two targets.
    """
    options = {row.name: row for row in rows if row.name != "app"}
    target: str | None = None
    config: str | None = None
    settings: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        if word in ("-h", "--help"):
            return CommandLine(target, config, settings, help=True)
        if not word.startswith("-") or word == "-":
            if target is not None:
                raise UsageError(f"{command} takes one application, not {target} and {word}.")
            target = word
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        given = value if equals else None
        if name == "config":
            config = _value("--config", given, rest)
        elif name.startswith("no-") and _is_flag(options.get(name[3:])) and given is None:
            settings[name[3:]] = ["false"]
        elif name not in options or not word.startswith("--"):
            raise UsageError(_unknown(word.partition("=")[0], options, command))
        elif _is_flag(options[name]):
            settings[name] = ["true" if given is None else given]
        elif options[name].kind == "list":
            settings.setdefault(name, []).append(_value(f"--{name}", given, rest))
        else:
            settings[name] = [_value(f"--{name}", given, rest)]
    return CommandLine(target, config, settings, help=False)


def _is_flag(row: Row | None) -> bool:
    return row is not None and row.kind in _FLAGS


def _value(option: str, given: str | None, rest: Iterator[str]) -> str:
    """Returns what was written for `option`: with `=`, or as the next word."""
    if given is not None:
        return given
    word = next(rest, None)
    if word is None or word.startswith("--"):
        raise UsageError(f"{option} needs a value.")
    return word


def _not_yet(name: str) -> str | None:
    for begin, reason in _NOT_YET.items():
        if name == begin or name.startswith(f"{begin}-"):
            return reason
    return None


def _unknown(option: str, options: dict[str, Row], command: str) -> str:
    if reason := _not_yet(option.removeprefix("--")):
        return f"{option} is not an option of {command}: {reason}"
    known = [f"--{name}" for name in (*options, "config", "help")]
    known += [f"--no-{row.name}" for row in options.values() if _is_flag(row)]
    match = closest(option, known)
    if match:
        return f"{option} is not an option of {command}: did you mean {match}?"
    return f"{option} is not an option of {command}: `{command} --help` lists them."
