"""Applications for the tests of the process: how it starts, ends and speaks."""

import asyncio
import contextlib
import os
import sys
import time
from typing import Any


async def _lifespan(receive: Any, send: Any) -> None:
    for name in ("startup", "shutdown"):
        await receive()
        print(name, flush=True)
        await send({"type": f"lifespan.{name}.complete"})


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the value of CONF_TEXT; /sleep takes a minute, /busy blocks the loop for one,
    /stubborn does not let itself be cancelled, /thread has one that does not return."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send)
    print("begun", flush=True)
    if scope["path"] == "/sleep":
        await asyncio.sleep(60)
    elif scope["path"] == "/stubborn":
        await _ignore_cancellation()
    elif scope["path"] == "/thread":
        await asyncio.to_thread(time.sleep, 60)
    elif scope["path"] == "/busy":
        time.sleep(60)  # noqa: ASYNC251
    elif scope["path"] == "/second":
        await asyncio.sleep(1)
    body = os.environ.get("CONF_TEXT", "text").encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def slow_start(scope: dict[str, Any], receive: Any, send: Any) -> None:
    print("starting", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("start-up ended", flush=True)


async def slow_shutdown(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("shutting down", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("shutdown ended", flush=True)


async def _ignore_cancellation() -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


async def stubborn_start(scope: dict[str, Any], receive: Any, send: Any) -> None:
    print("starting", flush=True)
    await _ignore_cancellation()


async def stubborn_shutdown(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("shutting down", flush=True)
    await _ignore_cancellation()


async def failing_start(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def failing_shutdown(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "stuck"})


def make() -> Any:
    print("made by", sys._getframe(1).f_code.co_name, flush=True)
    return app
