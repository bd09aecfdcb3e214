"""The fixtures of tests/python, for the tests that take minutes (`make test-long`)."""

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
