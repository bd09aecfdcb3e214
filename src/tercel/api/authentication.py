"""Who asks is found out before a request is told what is wrong with it.

The engine looks at parameters and bodies before Python is entered. Where it refuses a request of a
route that depends on a scheme of `tercel.auth`, what it would answer is given to an authenticator:
the schemes, and the functions that have nothing but these to go by, are called; what they raise is
the answer, and else that which the engine had. A request that is right is not asked twice: its
handler's dependencies ask. Tested by tests/python/test_auth_first.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tercel.api.dependencies import Depends, Singletons, Step, caller
from tercel.api.plan import Parameter, Plan
from tercel.api.response import Response
from tercel.api.security import SecurityScheme

__all__ = ["Authenticator", "authenticator_of", "refusal_of"]

# The argument that is what the engine would answer, or what its converters raised.
_REFUSAL = ":refusal"
# Where credentials stand: before the body is read.
_PLACES = ("path", "query", "header", "cookie")


@dataclass(slots=True)
class Authenticator:
    """What the engine asks (cpp/tercel/api/route.h).

    Attributes:
        parameters: what it takes from a request.
        endpoint: a coroutine function of these, and of what would be answered.
        guarded: what the engine calls instead, as that of a route.
    """

    parameters: list[Parameter]
    endpoint: Callable[..., Any]
    guarded: Callable[..., Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (*(parameter.argument for parameter in self.parameters), _REFUSAL)

    def native(self, around: Callable[[Callable[..., Any]], Any] | None = None) -> tuple[Any, ...]:
        """The authenticator as the engine has it (python/api/instance.cc)."""
        endpoint = self.guarded or self.endpoint
        if around is not None:
            endpoint = around(endpoint)
        return (
            [parameter.native() for parameter in self.parameters],
            self.names,
            endpoint,
            inspect.iscoroutinefunction(endpoint),
        )


def authenticator_of(
    plan: Plan,
    singletons: Singletons,
    overrides: Mapping[Callable[..., Any], Callable[..., Any]],
) -> Authenticator | None:
    """Returns that of a route, or None: it depends on nothing that says who asks."""
    steps = _asking(plan)
    if not steps:
        return None
    keys = {key for step in steps for key in step.values.values()}
    last = Step(Depends(_answer, blocking=False), {"refusal": _REFUSAL}, {})
    return Authenticator(
        [parameter for parameter in plan.parameters if parameter.argument in keys],
        caller([*steps, last], singletons, overrides, lambda result, *_: result),
    )


def refusal_of(
    status: int, media_type: str, headers: list[tuple[str, str]], body: bytes
) -> Response:
    """Returns what the engine would answer."""
    return Response(body, status=status, media_type=media_type, headers=headers)


def _answer(refusal: Response | Exception) -> Response:
    if isinstance(refusal, Exception):
        raise refusal
    return refusal


def _asking(plan: Plan) -> list[Step]:
    """Returns the steps that can tell who asks before anything else is known of the request."""
    steps = plan.steps[:-1]  # Without the handler.
    keys = _keys_of_credentials(plan)
    # By step: whether it has nothing but credentials to go by, and whether it has some.
    possible: list[bool] = []
    asks: list[bool] = []
    for step in steps:
        numbers = step.results.values()
        possible.append(
            keys.issuperset(step.values.values()) and all(possible[number] for number in numbers)
        )
        is_scheme = isinstance(step.depends.function, SecurityScheme)
        asks.append(
            is_scheme or any(asks[number] or _is_session(steps[number]) for number in numbers)
        )
    wanted = {number for number in range(len(steps)) if possible[number] and asks[number]}
    for number in range(len(steps) - 1, -1, -1):
        if number in wanted:
            wanted.update(steps[number].results.values())
    places = {old: new for new, old in enumerate(sorted(wanted))}
    return [
        replace(
            steps[old],
            results={name: places[number] for name, number in steps[old].results.items()},
        )
        for old in sorted(wanted)
    ]


def _keys_of_credentials(plan: Plan) -> set[str]:
    """Returns the keys of what schemes take from a request, if they are no parts of its body."""
    places = {parameter.argument: parameter.place for parameter in plan.parameters}
    return {
        key
        for step in plan.steps[:-1]
        if isinstance(step.depends.function, SecurityScheme) or _is_session(step)
        for key in step.values.values()
        if places.get(key) in _PLACES
    }


def _is_session(step: Step) -> bool:
    """Whether its result says who asks to those that depend on it."""
    return getattr(step.depends.function, "_is_session", False) is True
