"""Where tercel's messages go: Python's logging, on the loggers `tercel` and `tercel.access`.

By default `tercel` prints to standard error with time and level, in colour on a terminal. A program
that has given the logger a handler of its own keeps it.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import sys
from typing import Any

from tercel import _core
from tercel.problems import SettingError, StartError
from tercel.settings import Settings

__all__ = [
    "access_logger",
    "cannot_write_access_log",
    "check_access_log",
    "configure",
    "connect_engine",
]

_COLORS = {
    logging.DEBUG: "\33[36m",
    logging.INFO: "\33[32m",
    logging.WARNING: "\33[33m",
    logging.ERROR: "\33[31m",
    logging.CRITICAL: "\33[1;31m",
}
_BOLD, _RESET = "\33[1m", "\33[0m"


class _Formatter(logging.Formatter):
    """`2026-01-31 12:00:00.000 INFO     message`; arguments named by `bold` stand out in colour."""

    default_time_format = "%Y-%m-%d %H:%M:%S"
    default_msec_format = "%s.%03d"

    def __init__(self, *, colors: bool) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s")
        self._colors = colors

    def formatMessage(self, record: logging.LogRecord) -> str:
        if not self._colors:
            return super().formatMessage(record)
        shown = logging.makeLogRecord(record.__dict__)
        color = _COLORS.get(record.levelno, "")
        shown.levelname = f"{color}{record.levelname}{_RESET}{' ' * (8 - len(record.levelname))}"
        for text in getattr(record, "bold", ()):
            shown.message = shown.message.replace(text, f"{_BOLD}{text}{_RESET}")
        return super().formatMessage(shown)


def configure(settings: Settings) -> None:
    """Sets up logging as `log_level`, `log_config` and `use_colors` say.

    Raises:
        SettingError: the file of `log_config` cannot be read or is not a logging configuration.
    """
    logger = logging.getLogger("tercel")
    level = getattr(logging, settings.log_level.upper())
    if settings.log_config:
        _configure_from(settings.log_config)
        # The file decides, unless it is silent about the level.
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
        return
    logger.setLevel(level)
    if not logger.handlers:
        logger.addHandler(_standard_error(settings.use_colors))
        # An application that configures the root logger would show each message twice.
        logger.propagate = False


def _standard_error(colors: bool | None) -> logging.Handler:
    # A process without standard error has nobody to tell.
    if sys.stderr is None:
        return logging.NullHandler()
    if colors is None:
        colors = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(colors=colors))
    return handler


def connect_engine() -> None:
    """Sends what the engine itself has to say to the logger `tercel`. May be called again."""
    _core.install_log_bridge()
    # Registered later than logging's own, so it runs before handlers are closed.
    atexit.unregister(_disconnect_engine)
    atexit.register(_disconnect_engine)


def _disconnect_engine() -> None:
    _core.deliver_log()
    _core.remove_log_bridge()


def access_logger() -> logging.Logger | None:
    """Returns `tercel.access` if somebody gave it a handler, else None."""
    logger = logging.getLogger("tercel.access")
    return logger if logger.handlers else None


def check_access_log(settings: Settings) -> None:
    """Raises StartError if the file of the access log cannot be written. Does not make it."""
    path = settings.access_log_file
    if not settings.access_log or path == "-":
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
    except FileNotFoundError as error:
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise StartError(cannot_write_access_log(settings, error)) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            raise StartError(cannot_write_access_log(settings, denied)) from None
    except OSError as error:
        raise StartError(cannot_write_access_log(settings, error)) from None


def cannot_write_access_log(settings: Settings, error: OSError) -> str:
    """Returns the sentence about the file of the access log that could not be opened."""
    return (
        f"access-log-file {settings.access_log_file} cannot be written: {error.strerror or error}."
    )


def _configure_from(path: str) -> None:
    import logging.config

    try:
        config = _read(path)
        if config is None:
            logging.config.fileConfig(path, disable_existing_loggers=False)
            return
        # Without this, dictConfig() silences the loggers it does not name: ours and others'.
        config.setdefault("disable_existing_loggers", False)
        logging.config.dictConfig(config)
    except OSError as error:
        raise SettingError(f"log-config {path} cannot be read: {error.strerror}.") from None
    except Exception as error:
        # Both functions raise whatever their handlers and formatters raise.
        reason = " ".join(str(error).split()) or type(error).__name__
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise SettingError(
            f"log-config {path} is not a logging configuration: {reason}{cause}."
        ) from None


def _read(path: str) -> dict[str, Any] | None:
    """Returns the dictionary in a .json, .toml or .yaml file; None for an INI file."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".json":
        import json

        with open(path, "rb") as file:
            config = json.load(file)
    elif suffix == ".toml":
        import tomllib

        with open(path, "rb") as file:
            config = tomllib.load(file)
    else:
        # fileConfig() takes a missing file for an empty one.
        with open(path, "rb"):
            return None
    if not isinstance(config, dict):
        raise ValueError("it must be an object at the top")
    return config
