"""What to say of an object that is not an application, or not the factory of one."""

from __future__ import annotations

import inspect
from typing import Any

from tercel.problems import TargetError
from tercel.server.interface import function_of, required_arguments

__all__ = ["refused", "require_factory"]

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


def refused(application: Any, name: str, kind: str, *, in_python: bool) -> TargetError:
    """Returns what to raise of an application of a kind that is not served."""
    advice = _ADVICE[kind].format(**_settings(in_python))
    return TargetError(f"{name}, of type {type(application).__name__}, {advice}")


def require_factory(factory: Any, name: str, *, in_python: bool = False) -> None:
    """Raises TargetError, with advice, when `factory` cannot be called without arguments.

    The arguments are those of `interface.require_interface`.
    """
    option = _settings(in_python)["factory"]
    what = f"{name}, of type {type(factory).__name__},"
    if not callable(factory):
        raise TargetError(f"{what} cannot be called: remove {option}.")
    called = factory if inspect.isclass(factory) else function_of(factory)
    if inspect.iscoroutinefunction(called):
        reason = "is an async function: a factory must be a plain function"
        raise TargetError(f"{what} {reason}; if it is the application, remove {option}.")
    if count := required_arguments(called):
        takes = f"takes {count} argument{'s' if count > 1 else ''}"
        raise TargetError(f"{what} {takes}, and a factory none: remove {option}.")


def _settings(in_python: bool) -> dict[str, str]:
    return _IN_PYTHON if in_python else _ON_COMMAND_LINE
