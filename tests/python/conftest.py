"""The fixtures of support/fixtures.py, for every test of this folder."""

import signal

import pytest

from support import options
from support.fixtures import *  # noqa: F403 - pytest looks for them here.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--io-threads", type=int, default=0, help="I/O threads of servers whose test says nothing"
    )


def pytest_configure(config: pytest.Config) -> None:
    options.io_threads = config.getoption("--io-threads")
    # A shell that starts the tests in the background lets them ignore SIGINT; some send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
