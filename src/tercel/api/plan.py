"""What a route takes from a request, as the engine has it (python/api/instance.cc)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tercel.api.dependencies import Step
from tercel.api.security import Demand

__all__ = ["BodyArgument", "Parameter", "Plan"]


@dataclass(slots=True)
class Parameter:
    """One argument that is a parameter of the request. The fields are those of the engine."""

    argument: str
    name: str
    place: str
    type: str
    required: bool
    array: bool = False
    separator: str = ""
    fallback: tuple[Any, ...] = ()
    convert: Callable[[Any], Any] | None = None
    annotation: Any = None
    schema: str = ""
    # Of a file, or of all files of a list.
    bytes_max: int = 0
    shown: bool = True  # In the OpenAPI document.

    @property
    def is_file(self) -> bool:
        return self.type in ("file", "bytes")

    def native(self) -> tuple[Any, ...]:
        return (
            self.name,
            self.place,
            self.type,
            self.required,
            self.array,
            self.separator,
            self.fallback,
            self.convert,
            self.schema,
            self.bytes_max,
        )


@dataclass(slots=True)
class BodyArgument:
    """The argument that is the body."""

    argument: str
    kind: str
    required: bool
    bytes_max: int
    unique_keys: bool = False
    fallback: tuple[Any, ...] = ()
    convert: Callable[[bytes], Any] | None = None
    annotation: Any = None
    schema: str = ""
    # How the engine makes it of the parsed document (shapes.py); None: `convert` makes it.
    shape: list[tuple[Any, ...]] | None = None
    msgpack: bool = False  # It may come as that instead of JSON.

    def native(self) -> tuple[Any, ...]:
        return (
            self.kind,
            self.required,
            self.bytes_max,
            self.fallback,
            self.convert,
            self.schema,
            self.shape,
            self.unique_keys,
            self.msgpack,
        )


@dataclass(slots=True)
class Plan:
    """What a route takes."""

    parameters: list[Parameter] = field(default_factory=list)
    body: BodyArgument | None = None
    request: str | None = None
    media_type: str | None = None  # To answer in.
    websocket: str | None = None  # Not the engine's: `names` are without it.
    # What is called, the handler last; empty: the handler depends on nothing else.
    steps: list[Step] = field(default_factory=list)

    @property
    def demands(self) -> list[Demand]:
        """The credentials that are asked for first, in the order in which they would be missed."""
        asked = [getattr(step.depends.function, "demand", None) for step in self.steps]
        return [one for one in asked if isinstance(one, Demand)]

    @property
    def form(self) -> list[Parameter]:
        """The parameters that are fields of a form, which is the body then."""
        return [parameter for parameter in self.parameters if parameter.place == "form"]

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments, in the order in which the engine gives them."""
        names = [parameter.argument for parameter in self.parameters]
        if self.body is not None:
            names.append(self.body.argument)
        if self.request is not None:
            names.append(self.request)
        if self.media_type is not None:
            names.append(self.media_type)
        return tuple(names)
