"""What answers the exceptions of handlers."""

from __future__ import annotations

import functools
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tercel.api.errors import HTTPError, HTTPStatus, InvalidValue
from tercel.api.files import FileResponse
from tercel.api.messages import InvalidMessage
from tercel.api.response import Response
from tercel.api.streams import Stream
from tercel.options import check_call

if TYPE_CHECKING:
    from tercel import _api

__all__ = ["ErrorHandlers"]

_log = logging.getLogger("tercel")

# They know their own answer, unless a function of the application's does.
_OURS: dict[Any, Callable[..., Any]] = {
    kind: kind.response for kind in (HTTPError, HTTPStatus, InvalidValue, InvalidMessage)
}


class ErrorHandlers:
    """Functions by class of exception; the most specific class wins.

    Args:
        encoder: of the application.
        debug: what has no function is answered with its traceback, and logged.
    """

    def __init__(self, encoder: _api.Encoder, *, debug: bool) -> None:
        self._encoder = encoder
        self._debug = debug
        self._functions: dict[type[Exception], Callable[[Any], Any]] = {}

    @staticmethod
    def check(kind: Any) -> None:
        """Raises TypeError if `kind` is no class of exceptions."""
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TypeError(f"error_handler takes a class of exceptions, not {kind!r}")

    def add(self, kind: type[Exception], function: Callable[[Any], Any]) -> None:
        """Registers a function, plain or a coroutine function.

        Raises:
            TypeError: it does not take an exception; or the engine calls it, and it waits.
        """
        check_call(function, f"the error handler of {kind.__name__}", "error")
        if issubclass(kind, InvalidValue) and inspect.iscoroutinefunction(function):
            raise TypeError(f"{function.__qualname__}() must be a plain function: it answers.")
        self._functions[kind] = function

    def answer(self, raised: Exception, path: str | None) -> Any:
        """Returns what answers an exception, or None: nobody knows it, or not without waiting.

        Args:
            path: of the request, as it was sent; None: it is no text.
        """
        function = self._find(raised, path)
        if function is not None and not inspect.iscoroutinefunction(function):
            return function(raised)
        if function is None and self._debug:
            _log.error("Exception in the application", exc_info=raised)
            return Response("".join(traceback.format_exception(raised)), status=500)
        return None

    async def answer_later(self, raised: Exception, path: str | None) -> Any:
        """Returns the same, of coroutine functions too."""
        function = self._find(raised, path)
        if function is not None and inspect.iscoroutinefunction(function):
            return await function(raised)
        return self.answer(raised, path)

    @property
    def have_errors(self) -> bool:
        """Whether a function of the application's answers an HTTPError."""
        return HTTPError in self._functions

    def guard(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `endpoint`, or what calls it, and the coroutine functions for what it raises."""
        if not any(inspect.iscoroutinefunction(one) for one in self._functions.values()):
            return endpoint

        @functools.wraps(endpoint)
        async def call(**arguments: Any) -> Any:
            try:
                result = endpoint(**arguments)
                return await result if isinstance(result, Awaitable) else result
            except Exception as raised:
                function = self._find(raised, None)
                if function is None or not inspect.iscoroutinefunction(function):
                    raise
                result = await function(raised)
                if isinstance(result, (Response, FileResponse, Stream)):
                    return result
                return Response.of(*self._encoder.answer(result, 500, "", []))

        return call

    def _find(self, raised: Exception, path: str | None) -> Callable[[Any], Any] | None:
        for kind in type(raised).__mro__:
            if kind in self._functions:
                return self._functions[kind]
            if kind in _OURS:
                return functools.partial(_OURS[kind], path=path)
        return None
