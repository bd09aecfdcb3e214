"""The file of the setting `env_file`: variables for the application."""

from __future__ import annotations

import os

from tercel.problems import SettingError

__all__ = ["load_env_file"]


def load_env_file(path: str) -> None:
    """Sets the environment variables that the lines `NAME=value` of a file name, and no others.

    A variable that is set already keeps its value. Empty lines and lines that begin with `#` are
    skipped, a leading `export` too; quotes around a value are taken off. Nothing is expanded.

    Raises:
        SettingError: the file cannot be read, or a line is none of these.
    """
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(f"env-file {path} cannot be read: {reason}.") from None
    for number, line in enumerate(lines, start=1):
        line = line.strip().removeprefix("export ").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise SettingError(f"Line {number} of env-file {path} must be NAME=value.")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        os.environ.setdefault(name, value)
