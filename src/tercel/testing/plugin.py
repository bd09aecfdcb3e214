"""The fixtures that pytest has wherever tercel is installed.

A project says what its application is, and has a client and a server for it::

    @pytest.fixture
    def app():
        return main.app

    def test_hello(client):
        assert client.get("/hello").status == 200

| fixture                 | is                                                      |
|-------------------------|---------------------------------------------------------|
| `tercel_client`         | a `TestClient` of the fixture `app`, in its lifespan    |
| `tercel_server`         | a `LiveServer` of it                                    |
| `tercel_client_factory` | a function that makes such clients: `(app, **options)`  |
| `tercel_server_factory` | the same for servers: `(app, **settings)`               |
| `client`, `server`      | short names of the first two, where no other plugin has |
|                         | a fixture of that name                                  |

Pytest takes the fixture of the plugin that it happens to load last, and those of pytest-django and
pytest-flask are called `client` too: installing a server must not change which client the tests of
a project use. So the short names give way; what a conftest.py or a test module defines is
stronger than any plugin.

Every run of pytest imports this module, so it imports nothing that a run without these fixtures
does not need.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tercel.testing import LiveServer, TestClient

__all__ = [
    "pytest_configure",
    "tercel_client",
    "tercel_client_factory",
    "tercel_server",
    "tercel_server_factory",
]


@pytest.fixture
def tercel_client_factory() -> Iterator[Callable[..., TestClient]]:
    """Makes clients that are closed when the test ends: `tercel_client_factory(app, **options)`."""
    from tercel.testing import TestClient

    with contextlib.ExitStack() as stack:

        def make(app: Any, **options: Any) -> TestClient:
            return stack.enter_context(TestClient(app, **options))

        yield make


@pytest.fixture
def tercel_server_factory() -> Iterator[Callable[..., LiveServer]]:
    """Starts servers that end with the test: `tercel_server_factory(app, **settings)`."""
    from tercel.testing import LiveServer

    with contextlib.ExitStack() as stack:

        def start(app: Any, **settings: Any) -> LiveServer:
            return stack.enter_context(LiveServer(app, **settings))

        yield start


@pytest.fixture
def tercel_client(app: Any, tercel_client_factory: Callable[..., TestClient]) -> TestClient:
    """A client of the fixture `app`, which the project defines, within its lifespan."""
    return tercel_client_factory(app)


@pytest.fixture
def tercel_server(app: Any, tercel_server_factory: Callable[..., LiveServer]) -> LiveServer:
    """The fixture `app`, which the project defines, on a free port of 127.0.0.1."""
    return tercel_server_factory(app)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives out the short names that are free, now that all plugins are there."""
    plugins = config.pluginmanager.get_plugins()
    short_names = ModuleType("tercel.testing.short_names")
    for name, fixture in _short_names().items():
        if not any(hasattr(plugin, name) for plugin in plugins):
            setattr(short_names, name, fixture)
    config.pluginmanager.register(short_names, short_names.__name__)


def _short_names() -> dict[str, Any]:
    # Not in this module, whose fixtures all are given out.
    @pytest.fixture
    def client(tercel_client: TestClient) -> TestClient:
        """The same as tercel_client."""
        return tercel_client

    @pytest.fixture
    def server(tercel_server: LiveServer) -> LiveServer:
        """The same as tercel_server."""
        return tercel_server

    return {"client": client, "server": server}
