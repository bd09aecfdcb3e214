"""The fixtures of tests/python, for the tests that take minutes (`make test-long`)."""

from support.fixtures import preload, pytest_runtest_makereport, serve, serve_here, serve_shared

__all__ = ["preload", "pytest_runtest_makereport", "serve", "serve_here", "serve_shared"]
