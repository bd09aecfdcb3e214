"""Lines of a log in colour, for a terminal."""

from __future__ import annotations

import logging

__all__ = ["ColorFormatter"]

_COLORS = {
    logging.DEBUG: "\33[36m",
    logging.INFO: "\33[32m",
    logging.WARNING: "\33[33m",
    logging.ERROR: "\33[31m",
    logging.CRITICAL: "\33[1;31m",
}
_BOLD, _RESET = "\33[1m", "\33[0m"


class ColorFormatter(logging.Formatter):
    """Colours the level, and what a record names in its attribute `bold`."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        shown = logging.makeLogRecord(record.__dict__)
        color = _COLORS.get(record.levelno, "")
        shown.levelname = f"{color}{record.levelname}{_RESET}{' ' * (8 - len(record.levelname))}"
        for text in getattr(record, "bold", ()):
            shown.message = shown.message.replace(text, f"{_BOLD}{text}{_RESET}")
        return super().formatMessage(shown)
