"""The fixtures of support/fixtures.py, for every test of this folder."""

from support.fixtures import preload, pytest_runtest_makereport, serve, serve_here, serve_shared

__all__ = ["preload", "pytest_runtest_makereport", "serve", "serve_here", "serve_shared"]
