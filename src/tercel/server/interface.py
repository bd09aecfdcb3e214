"""Which kind of application an object is, by looking at it.

Source: ASGI 3.0 ("a single, asynchronous callable" of scope, receive, send), ASGI 2.0 (a callable
of scope that returns one of receive, send), PEP 3333 (a callable of environ, start_response).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from tercel.problems import TargetError

__all__ = ["require_factory", "require_interface"]

# The arguments without a default that a callable takes, and what it then is.
_BY_ARGUMENTS = {0: "factory", 1: "asgi2", 2: "wsgi", 3: "asgi3"}

# With the settings `factory` and `interface` to be filled in.
_ADVICE = {
    "factory": "takes no arguments: if it makes the application, add {factory}.",
    "async factory": "is an async function without arguments: if it makes the application, make it"
    " a plain function and add {factory}.",
    "asgi2": "is an application for ASGI 2: wrap it with"
    " asgiref.compatibility.guarantee_single_callable.",
    "class": "is a class: name an instance of it, or add {factory}.",
    "nothing": "is not an application: it cannot be called.",
    "other": "is neither an ASGI application, which takes scope, receive and send, nor a WSGI"
    " application, which takes environ and start_response: name another object, or give"
    " {interface}.",
}
_ON_COMMAND_LINE = {"factory": "--factory", "interface": "--interface"}
_IN_PYTHON = {"factory": "factory=True", "interface": "interface="}


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
    advice = _ADVICE[kind].format(**(_IN_PYTHON if in_python else _ON_COMMAND_LINE))
    raise TargetError(f"{name}, of type {type(application).__name__}, {advice}")


def require_factory(factory: Any, name: str, *, in_python: bool = False) -> None:
    """Raises TargetError, with advice, when `factory` cannot be called without arguments.

    The arguments are those of `require_interface`.
    """
    option = (_IN_PYTHON if in_python else _ON_COMMAND_LINE)["factory"]
    what = f"{name}, of type {type(factory).__name__},"
    if not callable(factory):
        raise TargetError(f"{what} cannot be called: remove {option}.")
    called = factory if inspect.isclass(factory) else _called(factory)
    if inspect.iscoroutinefunction(called):
        reason = "is an async function: a factory must be a plain function"
        raise TargetError(f"{what} {reason}; if it is the application, remove {option}.")
    if count := _required_arguments(called):
        takes = f"takes {count} argument{'s' if count > 1 else ''}"
        raise TargetError(f"{what} {takes}, and a factory none: remove {option}.")


def _kind(application: Any) -> str:
    if not callable(application):
        return "nothing"
    if inspect.isclass(application):
        return _kind_of_class(application)
    called = _called(application)
    arguments = _required_arguments(called)
    if arguments is None or _takes_three(called):
        return "asgi3"
    if inspect.iscoroutinefunction(called):
        return "other" if arguments else "async factory"
    return _BY_ARGUMENTS.get(arguments, "other")


def _kind_of_class(application: type) -> str:
    """A class whose instances are responses takes the arguments of a request when it is made."""
    if hasattr(application, "__await__"):
        return "asgi3"
    takes_two = hasattr(application, "__iter__") and _required_arguments(application) == 2
    return "wsgi" if takes_two else "class"


def _takes_three(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return False
    # A plain function with three arguments of which some have defaults may be of any kind.
    return inspect.iscoroutinefunction(function) or _required_arguments(function) == 3


def _called(application: Any) -> Callable[..., Any]:
    """Returns the function or method that runs when `application` is called."""
    while isinstance(application, functools.partial):
        if application.args or application.keywords:
            return application
        application = application.func
    if inspect.isroutine(application):
        return application
    call: Callable[..., Any] = application.__call__
    return call


def _required_arguments(function: Callable[..., Any]) -> int | None:
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
