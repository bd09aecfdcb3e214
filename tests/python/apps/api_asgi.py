"""The application of api_things.py as a mere ASGI application: tercel does not know what it is."""

from __future__ import annotations

from typing import Any

from api_things import app as things


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await things(scope, receive, send)
