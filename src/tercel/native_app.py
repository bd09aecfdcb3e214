"""Applications that C++ answers for: what an ASGI server still says to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["run_lifespan_alone"]


async def run_lifespan_alone(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    refusal: str,
) -> None:
    """Starts up and shuts down at once, of an application that has nothing to start.

    Raises:
        RuntimeError: the scope is that of a request, which Python cannot answer: `refusal`.
    """
    if scope["type"] != "lifespan":
        raise RuntimeError(refusal)
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
