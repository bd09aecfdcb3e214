"""What the command line does besides serving."""

from __future__ import annotations

from shutil import get_terminal_size

from tercel.cli import reference
from tercel.server.check import check as check_target
from tercel.settings import Settings
from tercel.table import rows

__all__ = ["check", "settings_text", "show_help"]

_MORE = """\
Files:
  --config FILE
      TOML file with settings; keys are the options' names with underscores.
      Each option is also a variable: TERCEL_PORT for --port."""


def check(target: str, values: Settings) -> None:
    """Says that everything that can be known without listening is right, or raises."""
    interface = check_target(target, values)
    found = ["The settings are right"]
    if target:
        kind = "a WSGI" if interface == "wsgi" else "an ASGI"
        found.append(f"{target} is {kind} application")
    found.append(f"it would listen on {' and '.join(values.binds())}")
    print(f"{', '.join(found)}.")


def show_help(command: str) -> None:
    print(f"usage: {command} main:app [options]\n\n{settings_text()}")
    print(_MORE)


def settings_text() -> str:
    """Returns a paragraph for each setting, as wide as the terminal."""
    return reference.text(rows(), width=min(get_terminal_size().columns, 100))
