"""Applications whose exceptions are noted on their way out, for a test that wants to see them.

A server answers 500 for an exception and logs it. What stands here hands the exception to somebody
first, and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tercel import _api

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
        return {**specification, "answer_raised": self._answer_raised}

    def _answer_raised(self, raised: Exception) -> Any:
        try:
            answer = self._app._error_handlers.answer(raised)
        except Exception as error:
            self._note(error)
            raise
        if answer is None:
            self._note(raised)
        return answer


def observe(app: Any, note: Note) -> Observed:
    """Returns what to serve in the place of `app`; exceptions that nobody answers go to `note`."""
    native = hasattr(type(app), "__tercel_front__")
    return ObservedApi(app, note) if native else Observed(app, note)
