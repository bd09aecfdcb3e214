"""What an application does around all of its requests."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tercel.api.dependencies import BEFORE
from tercel.api.plan import Plan
from tercel.options import check_call

__all__ = ["Hooks", "call", "call_all", "checked", "preceded"]

Hook = Callable[..., Any]

# The methods of a middleware object, with the hooks that they are. What comes behind the handler
# runs in the reverse order.
_METHODS = {
    "process_startup": "startup",
    "process_request": "request",
    "process_resource": "pre_handler",
    "process_response": "response",
    "process_shutdown": "shutdown",
}


# What each is called with.
_GIVEN: dict[str, tuple[str, ...]] = {
    "request": ("request",),
    "pre_validation": ("request",),
    "pre_handler": ("request", "arguments"),
    "error": ("request", "error"),
    "response": ("request", "response", "succeeded"),
    "startup": (),
    "shutdown": (),
}


@dataclass(slots=True)
class Hooks:
    """The hooks of an application, in the order in which they are called.

    Attributes:
        request: called with the request, before it is routed.
        pre_validation: called with the request, when its route is known.
        pre_handler: called with the request and the arguments, before the handler.
        error: called with the request and what the handler raised.
        response: called with the request, the response, and whether nothing was raised.
        startup: called without arguments, as `shutdown` is.
    """

    request: list[Hook] = field(default_factory=list)
    pre_validation: list[Hook] = field(default_factory=list)
    pre_handler: list[Hook] = field(default_factory=list)
    error: list[Hook] = field(default_factory=list)
    response: list[Hook] = field(default_factory=list)
    startup: list[Hook] = field(default_factory=list)
    shutdown: list[Hook] = field(default_factory=list)

    @property
    def are_around_requests(self) -> bool:
        """Whether requests are more than found, checked, and handed to their function."""
        return bool(
            self.request or self.pre_validation or self.pre_handler or self.error or self.response
        )

    def add(self, kind: str, hook: Hook, *, first: bool = False) -> None:
        """Adds a hook.

        Args:
            kind: the name of the attribute.
            first: it is called before the others.

        Raises:
            TypeError: it cannot be called with what it would be given.
        """
        check_call(hook, f"a hook of {kind}", *_GIVEN[kind])
        hooks: list[Hook] = getattr(self, kind)
        hooks.insert(0 if first else len(hooks), hook)

    def add_middleware(self, middleware: Any) -> None:
        """Adds the methods that an object has.

        Raises:
            TypeError: it has none of them, or is a class; or one has other arguments.
        """
        if isinstance(middleware, type):
            raise TypeError(f"add_middleware() takes an object: {middleware.__name__}(...)")
        found = {name: getattr(middleware, name, None) for name in _METHODS}
        if not any(found.values()):
            raise TypeError(
                f"{middleware!r} is no middleware: it has none of the methods"
                f" {', '.join(_METHODS)}."
            )
        for name, method in found.items():
            if method is not None:
                backwards = name in ("process_response", "process_shutdown")
                self.add(_METHODS[name], method, first=backwards)


async def call(hooks: list[Hook], *arguments: Any) -> Any:
    """Calls hooks until one returns something; returns that, or None."""
    for hook in hooks:
        result = hook(*arguments)
        if inspect.isawaitable(result):
            result = await result
        if result is not None:
            return result
    return None


async def call_all(hooks: list[Hook], *arguments: Any) -> None:
    """Calls hooks, whatever they return."""
    for hook in hooks:
        result = hook(*arguments)
        if inspect.isawaitable(result):
            await result


# The argument of the request, for a handler that takes none and has hooks.
_REQUEST = ":request"


def checked(option: str, hooks: Iterable[Hook], *given: str) -> tuple[Hook, ...]:
    """Returns the hooks of one handler.

    Args:
        option: that they are given as.
        given: what they are called with.

    Raises:
        TypeError: they are no list, or one cannot be called with what it would be given.
    """
    if not isinstance(hooks, Iterable):
        raise TypeError(f"{option} is a list of functions, as [check], not {hooks!r}")
    listed = tuple(hooks)
    for hook in listed:
        check_call(hook, f"a hook in {option}=[...]", *given)
    return listed


def preceded(endpoint: Hook, before: tuple[Hook, ...], plan: Plan) -> Hook:
    """Returns what calls `before`, and then `endpoint`, if none of them answered.

    The plan has the request then.
    """
    if not before:
        return endpoint
    own = list(before)
    hidden = plan.request is None and not plan.steps
    name = plan.request = plan.request or _REQUEST

    @functools.wraps(endpoint)
    async def run(**arguments: Any) -> Any:
        request = arguments.pop(name) if hidden else arguments[name]
        if plan.steps:
            outer = arguments.get(BEFORE)

            async def ask(given: dict[str, Any]) -> Any:
                result = await outer(given) if outer is not None else None
                return await call(own, request, given) if result is None else result

            arguments[BEFORE] = ask
        else:
            result = await call(own, request, arguments)
            if result is not None:
                return result
        made = endpoint(**arguments)
        return await made if inspect.isawaitable(made) else made

    return run
