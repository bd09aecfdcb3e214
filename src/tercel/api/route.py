"""One function for one method of one path."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tercel import _api
from tercel.api.authentication import Authenticator
from tercel.api.plan import Plan
from tercel.api.threads import to_thread

__all__ = ["WEBSOCKET", "Around", "Remarks", "Route", "endpoint_of"]

# What stands for a method where there is none. Routes of WebSockets are a table of their own.
WEBSOCKET = "WEBSOCKET"


# Returns what to call in the place of a function.
Around = Callable[[Callable[..., Any]], Any]


@dataclass(frozen=True, slots=True)
class Remarks:
    """What the OpenAPI document says of a route, and its signature does not.

    The attributes are the options of `App.route`; `shown` is `include_in_schema`.
    """

    summary: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    shown: bool = True
    responses: Mapping[int, Any] | None = None


@dataclass(slots=True)
class Route:
    """What was registered.

    Attributes:
        function: what was decorated.
        status: of answers that are no `Response`.
        endpoint: what is called: a coroutine function, or a plain one that does not wait.
        rate: what counts its requests; None: nothing.
        timeout: what its handler may take, in seconds.
        origins: of pages that may ask for this WebSocket; None: all.
        demands: what asks for credentials, with what returns the error where they are missing.
        guarded: what the engine calls instead, which answers exceptions that only a coroutine
            function answers.
        after: hooks of its own, called with the request and what answers it.
        authenticator: asked before a request is told what is wrong with it; None: nobody is.
        negotiation: what chooses the media type of its answers; None: there is nothing to choose.
        strict: who takes none of these is refused.
    """

    method: str
    path: str
    name: str
    plan: Plan
    function: Callable[..., Any]
    status: int
    endpoint: Callable[..., Any]
    remarks: Remarks
    rate: _api.Rate | None = None
    timeout: float | None = None
    origins: frozenset[str] | None = None
    demands: list[tuple[_api.Credentials, Callable[[], Exception]]] = field(default_factory=list)
    after: tuple[Callable[..., Any], ...] = ()
    guarded: Callable[..., Any] | None = None
    authenticator: Authenticator | None = None
    negotiation: _api.Negotiation | None = None
    strict: bool = False

    def native(
        self, refused: Around | None = None, around: Around | None = None
    ) -> tuple[Any, ...]:
        """The route as the engine has it (python/api/instance.cc).

        Args:
            refused: returns what is called where credentials are missing; None: the engine answers.
            around: returns what to call in the place of the endpoint, and of the authenticator.
        """
        plan = self.plan
        endpoint = self.guarded or self.endpoint
        if around is not None:
            endpoint = around(endpoint)
        demands = []
        for rule, error in self.demands:
            called = refused(_raiser(error)) if refused is not None else None
            demands.append((rule, called, inspect.iscoroutinefunction(called)))
        return (
            self.method,
            self.path,
            self.name,
            [parameter.native() for parameter in plan.parameters],
            plan.body.native() if plan.body is not None else None,
            plan.names,
            endpoint,
            inspect.iscoroutinefunction(endpoint),
            plan.request is not None,
            self.status,
            self.rate,
            demands,
            bool(self.after),
            self.authenticator.native(around) if self.authenticator is not None else None,
            self.negotiation,
            self.strict,
        )


def _raiser(error: Callable[[], Exception]) -> Callable[..., Any]:
    def refuse() -> None:
        raise error()

    return refuse


def endpoint_of(function: Callable[..., Any], *, blocking: bool) -> Callable[..., Any]:
    """Returns what to call for `function`, which may wait if it is plain and `blocking`."""
    if blocking and not inspect.iscoroutinefunction(function):
        return _on_thread(function)
    return function


def _on_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def run(**arguments: Any) -> Any:
        return await to_thread(function, **arguments)

    return run
