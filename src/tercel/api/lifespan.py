"""The life of a `tercel.App`: what begins before its first request, and ends after its last."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any

from tercel.api.hooks import call_all
from tercel.api.streams import Receive, Send

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["run_lifespan"]


async def run_lifespan(app: App, receive: Receive, send: Send) -> None:
    """Starts an application up and shuts it down, as the ASGI messages of a server say.

    What ends later began earlier: the lifespan, what is mounted, what dependencies with
    `scope="app"` made, the hooks.
    """
    await receive()
    started = False
    try:
        async with AsyncExitStack() as stack:
            if app._lifespan is not None:
                await stack.enter_async_context(_entered(app._lifespan(app)))
            await stack.enter_async_context(app._mounts.lifespans())
            # What the requests made goes before what the lifespan has.
            stack.push_async_callback(app._table.singletons.close)
            for hook in reversed(app._hooks.shutdown):
                stack.push_async_callback(call_all, [hook])  # One may fail: all are called.
            await call_all(app._hooks.startup)
            app._threads.enter()  # Requests inherit this context.
            started = True
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        phase = "shutdown" if started else "startup"
        await send({"type": f"lifespan.{phase}.failed", "message": repr(error)})
        raise
    await send({"type": "lifespan.shutdown.complete"})


def _entered(context: Any) -> AbstractAsyncContextManager[Any]:
    """Returns what a lifespan returned, if it is what can be entered."""
    if not isinstance(context, AbstractAsyncContextManager):
        raise TypeError(
            "a lifespan returns an asynchronous context manager, which"
            f" @contextlib.asynccontextmanager makes of a generator, not {context!r}"
        )
    return context
