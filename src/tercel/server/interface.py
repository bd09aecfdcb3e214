"""Which kind of application an object is, by looking at it.

Source: ASGI 3.0 ("a single, asynchronous callable" of scope, receive, send), ASGI 2.0 (a callable
of scope that returns one of receive, send), PEP 3333 (a callable of environ, start_response).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["function_of", "require_interface", "required_arguments"]

# The arguments without a default that a callable takes, and what it then is.
_BY_ARGUMENTS = {0: "factory", 1: "asgi2", 2: "wsgi", 3: "asgi3"}


def require_interface(
    application: Any, name: str, interface: str = "auto", *, in_python: bool = False
) -> str:
    """Returns what to serve `application` as: "asgi3" or "wsgi".

    Args:
        name: what to call it.
        interface: the setting; other than `auto`, only what cannot be called is refused.
        in_python: the advice is for who calls tercel from Python, not for the command line.

    Raises:
        TargetError, with advice: it is no application.
    """
    kind = _kind(application)
    if interface != "auto" and kind != "nothing":
        return interface
    if kind in ("asgi3", "wsgi"):
        return kind
    from tercel.server.interface_mistakes import refused

    raise refused(application, name, kind, in_python=in_python)


def _kind(application: Any) -> str:
    if not callable(application):
        return "nothing"
    if inspect.isclass(application):
        return _kind_of_class(application)
    called = function_of(application)
    arguments = required_arguments(called)
    if arguments is None or _takes_three(called):
        return "asgi3"
    if inspect.iscoroutinefunction(called):
        return "other" if arguments else "async factory"
    return _BY_ARGUMENTS.get(arguments, "other")


def _kind_of_class(application: type) -> str:
    """A class whose instances are responses takes the arguments of a request when it is made."""
    if hasattr(application, "__await__"):
        return "asgi3"
    takes_two = hasattr(application, "__iter__") and required_arguments(application) == 2
    return "wsgi" if takes_two else "class"


def _takes_three(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return False
    # A plain function with three arguments of which some have defaults may be of any kind.
    return inspect.iscoroutinefunction(function) or required_arguments(function) == 3


def function_of(application: Any) -> Callable[..., Any]:
    """Returns the function or method that runs when `application` is called."""
    while isinstance(application, functools.partial):
        if application.args or application.keywords:
            return application
        application = application.func
    if inspect.isroutine(application):
        return application
    call: Callable[..., Any] = application.__call__
    return call


def required_arguments(function: Callable[..., Any]) -> int | None:
    """Returns how many arguments have to be given, or None when that cannot be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(
        parameter.kind in positional and parameter.default is parameter.empty
        for parameter in parameters
    )
