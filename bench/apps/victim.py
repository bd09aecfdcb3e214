"""What is attacked: `/wait` waits for the client's end, `/pour` sends 6 MiB, else it is `rooms`."""

from collections.abc import Awaitable, Callable
from typing import Any

import rooms

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BLOCK = bytes(65536)
BLOCKS = 96


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Has no lifespan."""
    if scope["type"] != "http" or scope["path"] not in ("/wait", "/pour"):
        await rooms.app(scope, receive, send)
    elif scope["path"] == "/wait":
        while (await receive())["type"] != "http.disconnect":
            pass
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(BLOCKS):
            await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
