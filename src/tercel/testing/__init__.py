"""Tests of applications: `TestClient` without a port, `LiveServer` with one, fixtures for pytest.

Importing this package is cheap, since pytest does it in every run (plugin.py): each name below is
loaded on first use, and httpx with the first client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tercel.testing.client import TestClient
    from tercel.testing.events import ServerSentEvent
    from tercel.testing.live_server import LiveServer
    from tercel.testing.websocket import WebSocketDenied

__all__ = ["LiveServer", "ServerSentEvent", "TestClient", "WebSocketDenied"]

_HOME = {
    "LiveServer": "tercel.testing.live_server",
    "ServerSentEvent": "tercel.testing.events",
    "TestClient": "tercel.testing.client",
    "WebSocketDenied": "tercel.testing.websocket",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
