"""Work that is done when the answer has been sent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tercel.api.files import SentFile
from tercel.api.response import Response, texts_of
from tercel.api.streams import Receive, Send, Stream
from tercel.api.threads import submit

if TYPE_CHECKING:
    from tercel import _api

__all__ = ["BackgroundTasks", "Followed"]

_log = logging.getLogger("tercel")


class BackgroundTasks:
    """An argument of a handler: collects what is called when its answer has been sent.

    ::

        @app.post("/orders", status=202)
        async def order(new: Order, background: BackgroundTasks) -> None:
            background.add(send_mail, new.customer, subject="Thank you")

    The functions are called one after the other; a plain one on a thread. What one raises is
    logged, and the others are called all the same. A server that shuts down waits for them as for
    requests. They are part of the process: what must not be lost belongs in a queue of its own.
    """

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def add(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> None:
        """Calls `function(*arguments, **named)` later."""
        if not callable(function):
            raise TypeError(f"add() takes a function and its arguments, not {function!r}")
        self._calls.append((function, arguments, named))

    def __len__(self) -> int:
        return len(self._calls)

    async def run(self) -> None:
        """Calls the functions, and those that they add."""
        while self._calls:
            function, arguments, named = self._calls.pop(0)
            try:
                if inspect.iscoroutinefunction(function):
                    await function(*arguments, **named)
                else:
                    result = await submit(function, *arguments, **named)
                    if inspect.isawaitable(result):
                        await result
            except Exception:
                _log.exception("a background task failed: %r", function)


class Followed(Stream):
    """An answer with work behind it."""

    def __init__(
        self, result: Any, status: int, tasks: BackgroundTasks, encoder: _api.Encoder
    ) -> None:
        self._stream = result.copy() if isinstance(result, Stream) else None
        if self._stream is not None:
            self.status, self.headers = self._stream.status, self._stream.headers
        else:
            # Whole, whatever the request's conditions are: nobody knows them here.
            answer = encoder.answer(result, status, "", [])
            self.status, headers, self._body = answer
            if not isinstance(self._body, bytes):
                self._stream = SentFile(answer, None, {})
            self.headers = texts_of(headers)
        self._tasks = tasks
        self._encoder = encoder

    def instead(self, result: Response | Stream) -> Followed:
        """Returns another answer with the same work behind it."""
        return Followed(result, result.status, self._tasks, self._encoder)

    async def send_through(self, receive: Receive, send: Send, head: bool = False) -> None:
        """Sends the answer, and does the work."""
        try:
            if self._stream is not None:
                # Hooks may have changed them here.
                self._stream.status, self._stream.headers = self.status, self.headers
                await self._stream.send_through(receive, send, head)
            else:
                await send(self.start())
                await send({"type": "http.response.body", "body": self._body})
        except Exception:
            # A client that left has not taken back what it asked for.
            await self._tasks.run()
            raise
        await self._tasks.run()
