"""A message to a thousand WebSockets, in the examples of FastAPI and Django Channels."""

from __future__ import annotations

from typing import Any

import pytest

from support.broadcast import broadcast_with_channels, broadcast_with_fastapi

COUNT = 1000


@pytest.mark.timeout(120)
def test_fastapi_broadcasts_to_a_thousand(serve: Any, ledger: Any) -> None:
    seconds = broadcast_with_fastapi(serve("frameworks.fastapi_chat:app"), COUNT)
    ledger(f"websocket: FastAPI's chat tells {COUNT} sockets in {seconds * 1000:.0f} ms")


@pytest.mark.timeout(120)
def test_channels_broadcasts_to_a_thousand(serve: Any, ledger: Any) -> None:
    seconds = broadcast_with_channels(serve("frameworks.channels_chat:app"), COUNT)
    ledger(f"websocket: Channels' chat tells {COUNT} sockets in {seconds * 1000:.0f} ms")
