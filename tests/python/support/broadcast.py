"""A room full of WebSockets, for tests of two sizes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import websockets

from support.server import ServerProcess

# As a browser says it; Channels lets in who comes from an allowed host.
ORIGIN = websockets.Origin("http://127.0.0.1")


async def _broadcast(url: str, path: str, say: Any, hear: Any, count: int) -> float:
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for start in range(0, count, 50):
            clients += await asyncio.gather(
                *(
                    stack.enter_async_context(
                        websockets.connect(
                            url + path.format(i), origin=ORIGIN, compression=None, max_queue=None
                        )
                    )
                    for i in range(start, min(start + 50, count))
                )
            )
        begin = time.monotonic()
        await clients[0].send(say)
        heard = await asyncio.gather(*(hear(client) for client in clients))
        assert heard == [heard[0]] * count
        return time.monotonic() - begin


def broadcast_with_fastapi(server: ServerProcess, count: int) -> float:
    """Returns the seconds from one client's message to the last of `count` that hear it."""

    async def hear(client: Any) -> str:
        while (text := await client.recv()).startswith("You wrote"):
            pass
        return text

    return asyncio.run(_broadcast(ws(server), "/ws/{}", "hello", hear, count))


def broadcast_with_channels(server: ServerProcess, count: int) -> float:
    """The same with Django Channels."""

    async def hear(client: Any) -> str:
        return json.loads(await client.recv())["message"]

    say = json.dumps({"message": "hello"})
    return asyncio.run(_broadcast(ws(server), "/ws/chat/room/", say, hear, count))


def ws(server: ServerProcess) -> str:
    return server.url.replace("http", "ws", 1)
