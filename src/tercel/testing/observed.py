"""Applications whose exceptions are noted on their way out, for a test that wants to see them.

A server answers 500 for an exception and logs it. What stands here hands the exception to somebody
first, and changes nothing else.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tercel import ClientDisconnected, _api
from tercel.api.streams import Receive, Send, Stream

__all__ = ["Observed", "observe"]

Note = Callable[[BaseException], None]


class Observed:
    """An ASGI application around another one.

    Attributes:
        lifespan_error: what the application raised from its lifespan, which is no failure when it
            has none.
    """

    def __init__(self, app: Any, note: Note) -> None:
        self._app = app
        self._note = note
        self.lifespan_error: BaseException | None = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.lifespan_error = error
            else:
                self._note(error)
            raise


class ObservedApi(Observed):
    """The same around a `tercel.App`, which is served natively all the same.

    The engine asks it what to compile, and it says what the app says; but who is asked about an
    exception of a handler is this object.
    """

    __tercel_front__ = _api.front

    def _specification(self) -> dict[str, Any]:
        specification: dict[str, Any] = self._app._specification()
        routes = self._app._native(self._app._routes, self._observing)
        return {**specification, "routes": routes, "answer_raised": self._answer_raised}

    def _observing(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """Returns what calls an endpoint, and notes what its stream raises."""
        if inspect.iscoroutinefunction(endpoint):

            @functools.wraps(endpoint)
            async def wait(**arguments: Any) -> Any:
                return self._observed(await endpoint(**arguments))

            return wait

        @functools.wraps(endpoint)
        def call(**arguments: Any) -> Any:
            return self._observed(endpoint(**arguments))

        return call

    def _observed(self, result: Any) -> Any:
        return _ObservedStream(result, self._note) if isinstance(result, Stream) else result

    def _answer_raised(self, raised: Exception, path: str | None) -> Any:
        try:
            answer = self._app._error_handlers.answer(raised, path)
            if answer is not None and not isinstance(answer, Stream):
                self._app._encoder.answer(answer, 500, "", [])  # Raises what the engine logs.
        except Exception as error:
            self._note(error)
            raise
        if answer is None:
            self._note(raised)
        return answer


class _ObservedStream(Stream):
    """A stream whose exceptions are noted."""

    def __init__(self, stream: Stream, note: Note) -> None:
        self._stream = stream
        self._note = note

    async def send_through(self, receive: Receive, send: Send, head: bool = False) -> None:
        try:
            await self._stream.send_through(receive, send, head)
        except ClientDisconnected:
            raise  # A test that has read enough is no failure.
        except Exception as error:
            self._note(error)
            raise


def observe(app: Any, note: Note) -> Observed:
    """Returns what to serve in the place of `app`; exceptions that nobody answers go to `note`."""
    native = hasattr(type(app), "_specification")
    return ObservedApi(app, note) if native else Observed(app, note)
