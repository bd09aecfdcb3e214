"""WebSockets of docs/guide/websockets.md: rooms, and an inbox for who is signed in."""

# [rooms]
import contextlib
from typing import Annotated

import msgspec

import tercel
from tercel import Cookie, Depends, HTTPError, InvalidMessage, Query, WebSocket, WebSocketDisconnect

app = tercel.App()
rooms: dict[str, set[WebSocket]] = {}


class Say(msgspec.Struct):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Said(msgspec.Struct):
    who: str
    text: str


@app.websocket("/rooms/{room}")
async def join(socket: WebSocket, room: str, name: Annotated[str, Query(min_length=1)]) -> None:
    await socket.accept()
    members = rooms.setdefault(room, set())
    members.add(socket)
    try:
        async for say in socket.iter(Say):
            for member in list(members):
                with contextlib.suppress(WebSocketDisconnect):  # It may be leaving just now.
                    await member.send(Said(name, say.text))
    finally:
        members.discard(socket)


# [/rooms]
users = {"s3cr3t": "ann"}


# [inbox]
async def user(session: Annotated[str, Cookie()] = "") -> str:
    if session not in users:
        raise HTTPError(401, "Sign in first.")
    return users[session]


@app.websocket("/inbox", origins=["https://example.org"])
async def inbox(socket: WebSocket, user: Annotated[str, Depends(user)]) -> None:
    await socket.accept("inbox.v1" if "inbox.v1" in socket.subprotocols else None)
    await socket.send({"user": user, "unread": 0})
    while True:
        try:
            say = await socket.receive(Say)
        except InvalidMessage as invalid:
            await socket.send({"errors": invalid.errors})
            continue
        if say.text == "bye":
            await socket.close(4000, "as you wish")
            return


# [/inbox]
