"""One function for one method of one path."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tercel.api.signature import Plan

__all__ = ["Route"]


@dataclass
class Route:
    """What was registered.

    Attributes:
        function: what was decorated.
        status: of answers that are no `Response`.
        blocking: a plain function may wait: it runs on a thread.
    """

    method: str
    path: str
    name: str
    plan: Plan
    function: Callable[..., Any]
    status: int
    blocking: bool

    @functools.cached_property
    def endpoint(self) -> Callable[..., Any]:
        """What is called: a coroutine function, or a plain one that does not wait."""
        if self.blocking and not inspect.iscoroutinefunction(self.function):
            return _on_thread(self.function)
        return self.function

    def native(self) -> tuple[Any, ...]:
        """The route as the engine has it (python/api/instance.cc)."""
        plan = self.plan
        return (
            self.method,
            self.path,
            self.name,
            [parameter.native() for parameter in plan.parameters],
            plan.body.native() if plan.body is not None else None,
            plan.names,
            self.endpoint,
            inspect.iscoroutinefunction(self.endpoint),
            plan.request is not None,
            self.status,
        )


def _on_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def run(**arguments: Any) -> Any:
        return await asyncio.to_thread(function, **arguments)

    return run
