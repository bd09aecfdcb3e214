"""An application whose start-up takes longer than anyone waits."""

import asyncio
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        print("starting", flush=True)
        await asyncio.sleep(600)
