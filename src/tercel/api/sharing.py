"""Joins what a handler, and all that it depends on, take from one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tercel.api.dependencies import Depends, Step
from tercel.api.plan import BodyArgument, Parameter, Plan

__all__ = ["Read", "Sharing"]

# Reads a function: what it takes from a request itself, and, by argument, what it depends on.
Read = Callable[[Callable[..., Any], str], tuple[Plan, dict[str, Depends]]]


class Sharing:
    """The plan of a handler with dependencies, as it grows.

    What several functions take is taken once, under a key: `place:name`, `:body`, `:request`,
    `:websocket`.

    Args:
        read: called with a function, and with how messages call it.
        path: of the route, for messages.
    """

    def __init__(self, read: Read, path: str) -> None:
        self._read = read
        self._path = path
        self._whole = Plan()
        # The number of a function's step, once it has one; None while those before it are made.
        self._numbers: dict[Callable[..., Any], int | None] = {}

    def depend(self, depends: Depends) -> None:
        """Adds a function whose result nobody is given."""
        self._number_of(depends)

    def plan(
        self, handler: Callable[..., Any], own: Plan, depends: dict[str, Depends], where: str
    ) -> Plan:
        """Returns the plan of the handler, whose step is the last."""
        self._add_step(Depends(handler), own, depends, where)
        return self._whole

    def _number_of(self, depends: Depends) -> int:
        function = depends.function
        name = getattr(function, "__qualname__", type(function).__name__)
        where = f"{name}(), which the handler of {self._path} depends on,"
        if function in self._numbers:
            number = self._numbers[function]
            if number is None:
                raise TypeError(f"{where} depends on itself.")
            if self._whole.steps[number].depends != depends:
                raise TypeError(
                    f"{where} has another scope, or blocks otherwise, at another place of the same"
                    " route: give both the same Depends."
                )
            return number
        self._numbers[function] = None
        own, inner = self._read(function, where)
        takes = own.names or own.websocket
        if depends.scope == "app" and (takes or self._of_requests(inner)):
            raise TypeError(f"{where} is for the whole app, and takes something of a request.")
        number = self._add_step(depends, own, inner, where)
        self._numbers[function] = number
        return number

    @staticmethod
    def _of_requests(depends: dict[str, Depends]) -> bool:
        return any(one.scope == "request" for one in depends.values())

    def _add_step(self, depends: Depends, own: Plan, inner: dict[str, Depends], where: str) -> int:
        results = {name: self._number_of(one) for name, one in inner.items()}
        values = {parameter.argument: self._share(parameter, where) for parameter in own.parameters}
        if own.body is not None:
            argument = own.body.argument
            values[argument] = self._share_body(own.body, where)
        if own.request is not None:
            self._whole.request = values[own.request] = ":request"
        if own.websocket is not None:
            self._whole.websocket = values[own.websocket] = ":websocket"
        self._whole.steps.append(Step(depends, values, results))
        return len(self._whole.steps) - 1

    def _share(self, parameter: Parameter, where: str) -> str:
        """Returns the key of a parameter, which several functions may take."""
        for known in self._whole.parameters:
            if (known.place, known.name) != (parameter.place, parameter.name):
                continue
            if (known.annotation, known.fallback) != (parameter.annotation, parameter.fallback):
                raise TypeError(
                    f"{where} takes the {known.place} parameter {known.name!r} otherwise than"
                    " another function of the same route: give both one type and one default."
                )
            known.shown |= parameter.shown
            return known.argument
        parameter.argument = f"{parameter.place}:{parameter.name}"
        self._whole.parameters.append(parameter)
        return parameter.argument

    def _share_body(self, body: BodyArgument, where: str) -> str:
        known = self._whole.body
        if known is not None and known.annotation != body.annotation:
            raise TypeError(f"{where} takes another body than another function of the same route.")
        if known is None:
            self._whole.body = body
            body.argument = ":body"
        return ":body"
