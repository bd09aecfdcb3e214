"""Fixtures of the Python tests: servers that are gone when the test ends.

Everything listens on 127.0.0.1 at a free port, and every wait has an end.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.load import find_load_client
from support.server import ServerProcess, ServerThread
from support.tls import Authority, Transport

# All that a conftest.py takes from here.
__all__ = [
    "access_records",
    "ledger",
    "load_client",
    "logger_as_before",
    "preload",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "serve",
    "serve_here",
    "serve_shared",
    "transport",
]

ServeProcess = Callable[..., ServerProcess]
ServeThread = Callable[..., ServerThread]
Ledger = Callable[[str], None]


# Whether the figures of the run were printed.
PRINTED = pytest.StashKey[bool]()
# The servers started for a test, or for the module it is in.
SERVERS = pytest.StashKey[list[ServerProcess]]()


def shortened(text: str, *, lines: int = 60, columns: int = 300) -> str:
    """Returns the last `lines` of `text`, each cut at `columns`."""
    return "\n".join(line[:columns] for line in text.splitlines()[-lines:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows what the servers printed beside the failure of a test that used them."""
    report = yield
    if report.failed:
        for node in item.listchain():
            for server in node.stash.get(SERVERS, []):
                report.sections.append(
                    (f"output of {server.command_line}", shortened(server.output))
                )
    return report


@pytest.fixture
def ledger(record_property: Callable[[str, object], None]) -> Ledger:
    """Notes a figure, such as "row 5: 0 descriptors leaked of 12000 aborts", for the summary."""
    return lambda figure: record_property("ledger", figure)


@pytest.fixture(scope="session")
def load_client() -> str:
    """The program of the load client."""
    if program := find_load_client():
        return program
    pytest.skip("load_client is not built: cmake --preset dev && cmake --build --preset dev")


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    """Leaves the logger `tercel` as it was: commands configure it, Django disables it."""
    logger = logging.getLogger("tercel")
    logger.disabled = False
    handlers, propagate, level = [*logger.handlers], logger.propagate, logger.level
    yield
    logger.handlers[:] = handlers
    logger.propagate = propagate
    logger.setLevel(level)


@pytest.fixture
def access_records() -> Iterator[list[logging.LogRecord]]:
    """What a handler of the access log's logger gets."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    with access_log_handler(Keep()):
        yield records


@contextlib.contextmanager
def access_log_handler(handler: logging.Handler) -> Iterator[None]:
    """Gives the access log's logger a handler, as long as the context lasts."""
    logger = logging.getLogger("tercel.access")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints the figures of the tests that passed, once."""
    figures = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "ledger"
    ]
    if figures and not config.stash.get(PRINTED, False):
        config.stash[PRINTED] = True
        terminalreporter.section("ledger")
        for figure in sorted(figures):
            terminalreporter.line(figure)


def server_starter(
    node: pytest.Item | pytest.Collector, stack: contextlib.ExitStack
) -> ServeProcess:
    started = node.stash.setdefault(SERVERS, [])

    def start(target: str, **options: Any) -> ServerProcess:
        server = ServerProcess(target, **options)
        started.append(server)
        return stack.enter_context(server)

    return start


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Iterator[ServeProcess]:
    """Starts servers in processes of their own: `serve("echo:app", timeout_header=1)`.

    Returns:
        A function with the arguments of support.server.ServerProcess, to call any number of times.
    """
    with contextlib.ExitStack() as stack:
        yield server_starter(request.node, stack)


@pytest.fixture(scope="module")
def serve_shared(request: pytest.FixtureRequest) -> Iterator[ServeProcess]:
    """As `serve`, for servers that the tests of a module share: the same call, the same server."""
    with contextlib.ExitStack() as stack:
        start = server_starter(request.node, stack)
        running: dict[str, ServerProcess] = {}

        def find_or_start(target: str, **options: Any) -> ServerProcess:
            key = repr((target, sorted(options.items())))
            if key not in running:
                running[key] = start(target, **options)
            return running[key]

        yield find_or_start


@pytest.fixture(scope="module", params=["clear", "tls"])
def transport(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Transport:
    """Runs a test twice, in clear and over TLS: `serve("live:app", **transport.settings)`."""
    if request.param == "clear":
        return Transport({})
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    certificate, key = authority.issue("localhost", "127.0.0.1", file="server")
    return Transport({"ssl_certfile": [certificate], "ssl_keyfile": [key]}, authority)


@pytest.fixture
def serve_here() -> Iterator[ServeThread]:
    """Starts servers in threads of this process: `serve_here(app, loop_factory=...)`.

    Returns:
        A function with the arguments of support.server.ServerThread, to call any number of times.
    """
    with contextlib.ExitStack() as stack:

        def start(app: Any, **options: Any) -> ServerThread:
            return stack.enter_context(ServerThread(app, **options))

        yield start


@pytest.fixture
def preload() -> str:
    """What $LD_PRELOAD holds already: the sanitizers, when they run."""
    return os.environ.get("LD_PRELOAD", "")
