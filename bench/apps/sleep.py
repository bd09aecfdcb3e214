"""Sleeps 5 s on /sleep, then answers: what waiting requests cost."""

import asyncio

import hello
from hello import Message, Receive, Send


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answers as `hello.app`, after 5 s when the path is /sleep."""
    if scope["type"] == "http" and scope["path"] == "/sleep":
        await asyncio.sleep(5)
    await hello.app(scope, receive, send)
