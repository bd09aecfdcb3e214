"""The fixtures of tests/python, for the tests that take minutes (`make test-long`)."""

from support.fixtures import *  # noqa: F403 - pytest looks for them here.
