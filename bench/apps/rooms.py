"""Raw ASGI WebSockets: `/room` says each message to everybody in it, any other path echoes it."""

from collections.abc import Awaitable, Callable
from typing import Any

import hello

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_room: dict[Send, None] = {}


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answers HTTP as `hello` does, so that a harness can ask whether it is there."""
    if scope["type"] != "websocket":
        await hello.app(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    await (_take_part if scope["path"] == "/room" else _echo)(receive, send)


def _reply(message: Message) -> Message:
    """Returns the message of a `websocket.receive`, to be sent. One of its two values is None."""
    text = message.get("text")
    if text is not None:
        return {"type": "websocket.send", "text": text}
    return {"type": "websocket.send", "bytes": message["bytes"]}


async def _echo(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        await send(_reply(message))


async def _take_part(receive: Receive, send: Send) -> None:
    _room[send] = None
    try:
        while (message := await receive())["type"] == "websocket.receive":
            reply = _reply(message)
            for member in list(_room):
                await member(reply)
    finally:
        del _room[send]
