"""The fixtures of support/fixtures.py, for every test of this folder."""

import signal

from support.fixtures import (
    ledger,
    preload,
    pytest_runtest_makereport,
    pytest_terminal_summary,
    serve,
    serve_here,
    serve_shared,
)

__all__ = [
    "ledger",
    "preload",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "serve",
    "serve_here",
    "serve_shared",
]


def pytest_configure() -> None:
    """A shell that starts the tests in the background lets them ignore SIGINT; some send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
