"""Handlers that are no functions: objects with a `__call__`, and functools.partial."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

__all__ = ["function_of"]


def function_of(handler: Any) -> Any:
    """Returns a function that does what a handler does; what is none of these as it is.

    What a `functools.partial` has been given is no argument of the function: no client can say it.

    Raises:
        TypeError: it has no signature.
    """
    if inspect.isroutine(handler) or inspect.isclass(handler) or not callable(handler):
        return handler
    inner, given = _innermost(handler)
    try:
        parameters = inspect.signature(handler).parameters.values()
        hints = typing.get_type_hints(inner, include_extras=True)
    except (TypeError, ValueError, NameError) as error:
        raise TypeError(f"{handler!r} cannot be a handler: {error}") from None
    made: Any
    if inspect.iscoroutinefunction(inner):

        async def made(**arguments: Any) -> Any:
            return await handler(**arguments)

    elif inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        return inner  # Refused as such.
    else:

        def made(**arguments: Any) -> Any:
            return handler(**arguments)

    named = inner if inspect.isroutine(handler) or inner.__name__ != "__call__" else type(handler)
    made.__name__, made.__qualname__ = named.__name__, named.__qualname__
    made.__module__, made.__doc__ = named.__module__, inner.__doc__ or named.__doc__
    made.__annotations__ = {name: hint for name, hint in hints.items() if name not in given}
    made.__signature__ = inspect.Signature(
        [
            one.replace(annotation=hints.get(one.name, str))
            for one in parameters
            if one.name not in given
        ]
    )
    return made


def _innermost(handler: Any) -> tuple[Callable[..., Any], set[str]]:
    """Returns the function that is called in the end, and what partials give it by name."""
    given: set[str] = set()
    while isinstance(handler, functools.partial):
        given |= handler.keywords.keys()
        handler = handler.func
    if inspect.isroutine(handler):
        return handler, given
    return type(handler).__call__, given
