"""The fixtures of support/fixtures.py, for every test of this folder."""

from support.fixtures import pytest_runtest_makereport, serve, serve_here, serve_shared

__all__ = ["pytest_runtest_makereport", "serve", "serve_here", "serve_shared"]
