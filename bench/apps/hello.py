"""The raw ASGI answer: what a server costs when the application costs next to nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY = b'{"message":"Hello"}'


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answers every HTTP request with the 19 bytes of `BODY`; has no lifespan."""
    if scope["type"] != "http":
        raise RuntimeError("this application speaks HTTP only")
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"19")],
        }
    )
    await send({"type": "http.response.body", "body": BODY})
