"""Reads a command line by the table of settings.

Not argparse: its messages name neither the close match nor the range, and it costs more memory than
the rest of the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tercel import _core
from tercel.problems import StartError

__all__ = ["FLAGS", "CommandLine", "UsageError", "parse"]

# The kinds of settings that stand alone on a command line.
FLAGS = ("flag", "toggle")


class UsageError(StartError):
    """The command line cannot be understood."""

    exit_status = 2


class CommandLine:
    """What was written after `tercel serve`.

    Attributes:
        target: the application, or None.
        config: the file of --config, or None.
        settings: texts by option name.
        help: --help was there; what follows it was not looked at.
    """

    __slots__ = ("config", "help", "settings", "target")

    def __init__(self) -> None:
        self.target: str | None = None
        self.config: str | None = None
        self.settings: dict[str, list[str]] = {}
        self.help = False


def parse(words: Sequence[str], command: str) -> CommandLine:
    """Returns what `words` say; values are texts that nobody has looked at yet.

    `--name value` and `--name=value` are the same. A flag stands alone, or as `--no-name`. The last
    of several wins, but a list collects them.

    Args:
        command: what to call it: `tercel serve`.

    Raises:
        UsageError: an option is unknown or lacks its value, or there are two targets.
    """
    line = CommandLine()
    rest = iter(words)
    for word in rest:
        if word in ("-h", "--help"):
            line.help = True
            break
        if not word.startswith("-") or word == "-":
            if line.target is not None:
                raise UsageError(f"{command} takes one application, not {line.target} and {word}.")
            line.target = word
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        given = value if equals else None
        if name == "config":
            line.config = _value("--config", given, rest)
        elif name.startswith("no-") and _kind(name[3:]) in FLAGS and given is None:
            line.settings[name[3:]] = ["false"]
        elif not word.startswith("--") or (kind := _kind(name)) is None:
            from tercel.cli.mistakes import unknown_option

            raise UsageError(unknown_option(word.partition("=")[0], command))
        elif kind in FLAGS:
            line.settings[name] = ["true" if given is None else given]
        elif kind == "list":
            line.settings.setdefault(name, []).append(_value(f"--{name}", given, rest))
        else:
            line.settings[name] = [_value(f"--{name}", given, rest)]
    return line


def _kind(name: str) -> str | None:
    """Returns the kind of the option `name`, or None. The application is no option."""
    return None if name == "app" or "_" in name else _core.setting_kind(name)


def _value(option: str, given: str | None, rest: Iterator[str]) -> str:
    """Returns what was written for `option`: with `=`, or as the next word."""
    if given is not None:
        return given
    word = next(rest, None)
    if word is None or word.startswith("--"):
        raise UsageError(f"{option} needs a value.")
    return word
