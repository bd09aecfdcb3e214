"""What the command line of pytest says about the servers under test: `pytest --io-threads 2`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Of servers whose test does not say it. Set by conftest.py.
io_threads = 0


def io_threads_for(settings: Mapping[str, Any]) -> int:
    """Returns how many I/O threads a server with `settings` should have.

    Not more than one of its limits has places: that would be refused.
    """
    if "io_threads" in settings:
        return int(settings["io_threads"])
    limits = [int(settings.get(name, 0)) for name in ("limit_connections", "limit_concurrency")]
    return min([io_threads, *(limit for limit in limits if limit)])
