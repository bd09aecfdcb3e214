"""Where tercel's messages go: Python's logging, on the loggers `tercel` and `tercel.access`.

By default `tercel` prints to standard error with time and level, in colour on a terminal. A program
that has given the logger a handler of its own keeps it.
"""

from __future__ import annotations

import atexit
import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tercel import _core
from tercel.settings import Settings

__all__ = [
    "access_logger",
    "cannot_write_access_log",
    "configure",
    "connect_engine",
    "kept_enabled",
]


def configure(settings: Settings) -> None:
    """Sets up logging as `log_level`, `log_config` and `use_colors` say.

    Raises:
        SettingError: the file of `log_config` cannot be read or is not a logging configuration.
    """
    logger = logging.getLogger("tercel")
    level = getattr(logging, settings.log_level.upper())
    if settings.log_config:
        from tercel.server.log_config import configure_from

        configure_from(settings.log_config)
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
    handler = _handler_of(sys.stderr)
    handler.setFormatter(_formatter(colors))
    return handler


def _formatter(colors: bool) -> logging.Formatter:
    """Returns what writes `2026-01-31 12:00:00.000 INFO     message`."""
    make = logging.Formatter
    if colors:
        from tercel.server.colors import ColorFormatter

        make = ColorFormatter
    formatter = make("%(asctime)s %(levelname)-8s %(message)s")
    formatter.default_msec_format = "%s.%03d"
    return formatter


def _handler_of(stream: TextIO) -> logging.Handler:
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError, AttributeError):  # Something else in its place, or it is closed.
        return logging.StreamHandler(stream)
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return logging.StreamHandler(stream)
    from tercel.server.standard_error import PatientHandler

    return PatientHandler(descriptor)


@contextmanager
def kept_enabled() -> Iterator[None]:
    """Keeps the loggers enabled while an application is imported.

    One that configures logging then, as Django does with LOGGING, disables every logger that is
    there and that it does not name, unless it asks for the contrary.
    """
    loggers = [logging.getLogger(name) for name in ("tercel", "tercel.access")]
    enabled = [logger for logger in loggers if not logger.disabled]
    try:
        yield
    finally:
        for logger in enabled:
            logger.disabled = False


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


def cannot_write_access_log(settings: Settings, error: OSError) -> str:
    """Returns the sentence about the file of the access log that could not be opened."""
    return (
        f"access-log-file {settings.access_log_file} cannot be written: {error.strerror or error}."
    )
