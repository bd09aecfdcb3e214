"""Reads a command line by the table of settings.

Not argparse: its messages name neither the close match nor the range, and it costs more memory than
the rest of the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tercel.problems import StartError
from tercel.settings import Row

__all__ = ["CommandLine", "UsageError", "is_flag", "parse"]

_FLAGS = {"flag", "toggle"}


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
        elif name.startswith("no-") and is_flag(options.get(name[3:])) and given is None:
            settings[name[3:]] = ["false"]
        elif name not in options or not word.startswith("--"):
            from tercel.cli.mistakes import unknown_option

            raise UsageError(unknown_option(word.partition("=")[0], options, command))
        elif is_flag(options[name]):
            settings[name] = ["true" if given is None else given]
        elif options[name].kind == "list":
            settings.setdefault(name, []).append(_value(f"--{name}", given, rest))
        else:
            settings[name] = [_value(f"--{name}", given, rest)]
    return CommandLine(target, config, settings, help=False)


def is_flag(row: Row | None) -> bool:
    return row is not None and row.kind in _FLAGS


def _value(option: str, given: str | None, rest: Iterator[str]) -> str:
    """Returns what was written for `option`: with `=`, or as the next word."""
    if given is not None:
        return given
    word = next(rest, None)
    if word is None or word.startswith("--"):
        raise UsageError(f"{option} needs a value.")
    return word
