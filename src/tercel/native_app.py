"""Applications that C++ answers for: what an ASGI server still says to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

__all__ = ["run_lifespan_alone"]


async def run_lifespan_alone(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    refusal: str,
    while_it_runs: AbstractAsyncContextManager[object] | None = None,
) -> None:
    """Starts up and shuts down, of an application that has nothing to start but `while_it_runs`.

    Raises:
        RuntimeError: the scope is that of a request, which Python cannot answer: `refusal`.
    """
    if scope["type"] != "lifespan":
        raise RuntimeError(refusal)
    await receive()
    async with while_it_runs or nullcontext():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
