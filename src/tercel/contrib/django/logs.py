"""Where a development server's messages go: to LOGGING, as those of Django's own server do.

A line for each request goes to the logger `django.server`, so what LOGGING, and filters, say of it
holds as it is; Django's formatter for it colours by status.
"""

from __future__ import annotations

import logging
import time

from tercel.server.logs import configure
from tercel.settings import Settings

__all__ = ["ACCESS_FORMAT", "connect", "keeps_access_log"]

# What the handler below reads: status, bytes, request line.
ACCESS_FORMAT = "%s %B %r"
# The client left before there was an answer: not a mistake of the project.
_CLIENT_GONE = 499

_access = logging.getLogger("tercel.access")
_django = logging.getLogger("django.server")
_tercel = logging.getLogger("tercel")


class _ToDjango(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        status, size, line = record.getMessage().split(" ", 2)
        extra: dict[str, object] = {
            # What records of this logger carry, for formatters that name it.
            "request": None,
            "server_time": time.strftime("%d/%b/%Y %H:%M:%S", time.localtime(record.created)),
        }
        level = logging.INFO
        # It is "-" for a request that was cut off before it was answered.
        if status.isdigit():
            code = int(status)
            extra["status_code"] = code
            if code >= 500:
                level = logging.ERROR
            elif code >= 400 and code != _CLIENT_GONE:
                level = logging.WARNING
        _django.log(level, '"%s" %s %s', line, status, size, extra=extra)


def keeps_access_log() -> bool:
    """Whether LOGGING has a handler for `tercel.access`: it gets the lines, in tercel's format."""
    return any(not isinstance(handler, _ToDjango) for handler in _access.handlers)


def connect(settings: Settings) -> None:
    """Connects the loggers of tercel. To be called once the project's application is imported.

    That configures logging again, and disables what LOGGING does not name.
    """
    if not _access.handlers:
        _access.addHandler(_ToDjango())
        _access.setLevel(logging.INFO)
        _access.propagate = False
    # LOGGING may have a place for what tercel has to say.
    if not _tercel.hasHandlers():
        configure(settings)
    _access.disabled = _tercel.disabled = False
