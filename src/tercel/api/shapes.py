"""What a body becomes, for the engine: types as it builds their values from a parsed document.

A shape is a list of nodes, whose first is that of the whole; nodes refer to others by their number.
python/api/shape.h has the kinds. A type that is not known here, or whose values do more when they
are made than to keep what they are given, has no shape: its decoder makes it from the text.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import inspect
import uuid
from typing import Annotated, Any

import msgspec
from msgspec import inspect as types

__all__ = ["shape_of"]

Node = tuple[Any, ...]

# As parsing has them.
_AS_PARSED = (types.AnyType, types.NoneType, types.BoolType, types.StrType)
_NUMBERS = (types.IntType, types.FloatType)
# One value of JSON, which msgspec makes another of.
_LEAVES: dict[type, type] = {
    types.DateType: datetime.date,
    types.TimeDeltaType: datetime.timedelta,
    types.UUIDType: uuid.UUID,
    types.BytesType: bytes,
}
# With a time zone or without is not said by the schema.
_WITH_ZONES: dict[type, type] = {
    types.DateTimeType: datetime.datetime,
    types.TimeType: datetime.time,
}
_ITERABLES: dict[type, str] = {
    types.ListType: "list",
    types.SetType: "set",
    types.FrozenSetType: "frozenset",
    types.VarTupleType: "tuple",
}
_OF_CLASSES = (types.StructType, types.DataclassType, types.TypedDictType)
_FIELDS_MAX = 64


class _NoShape(Exception):
    pass


def shape_of(annotation: Any) -> list[Node] | None:
    """Returns the shape of a type, or None: it has none."""
    try:
        return _Shape().made(types.type_info(annotation))
    except (_NoShape, TypeError, ValueError):
        return None


class _Shape:
    def __init__(self) -> None:
        self._nodes: list[Node | None] = []
        # Of classes: they may have themselves as a part.
        self._numbers: dict[Any, int] = {}

    def made(self, info: types.Type) -> list[Node]:
        self._add(info)
        return [node for node in self._nodes if node is not None]

    def _add(self, info: types.Type) -> int:
        """Adds a type with its parts; returns its number."""
        kept = info.cls if isinstance(info, _OF_CLASSES) else None
        if kept is not None and kept in self._numbers:
            return self._numbers[kept]
        number = len(self._nodes)
        self._nodes.append(None)
        if kept is not None:
            self._numbers[kept] = number
        self._nodes[number] = self._node(info)
        return number

    def _node(self, info: types.Type) -> Node:
        if isinstance(info, types.Metadata):
            return self._node(info.type)
        if isinstance(info, _AS_PARSED):
            return ("parsed",)
        if isinstance(info, _NUMBERS):
            return ("integer" if isinstance(info, types.IntType) else "float",)
        if isinstance(info, types.LiteralType):
            return self._literal(info)
        if isinstance(info, types.EnumType):
            kind, convert = _leaf(info.cls)
            is_integer = all(isinstance(member.value, int) for member in info.cls)
            return ("integer leaf" if is_integer else kind, convert)
        if made := _LEAVES.get(type(info)):
            return _leaf(made)
        if made := _WITH_ZONES.get(type(info)):
            return _leaf(Annotated[made, msgspec.Meta(tz=info.tz)])  # type: ignore[attr-defined]
        if kind := _ITERABLES.get(type(info)):
            return (kind, self._add(info.item_type))  # type: ignore[attr-defined]
        if isinstance(info, types.TupleType):
            return ("fixed", tuple(self._add(item) for item in info.item_types))
        if isinstance(info, types.DictType) and isinstance(info.key_type, types.StrType):
            return ("dict", self._add(info.value_type))
        if isinstance(info, types.UnionType):
            return self._union(info)
        if isinstance(info, types.TypedDictType):
            return ("mapping", *self._fields(info.fields))
        if isinstance(info, types.StructType) and not info.array_like:
            return self._object(info.cls, info.fields)
        if isinstance(info, types.DataclassType) and dataclasses.is_dataclass(info.cls):
            return self._object(info.cls, info.fields)
        raise _NoShape

    def _literal(self, info: types.LiteralType) -> Node:
        if all(isinstance(value, str) for value in info.values):
            return ("parsed",)
        return ("integer",)  # One of them may be written as 1.0.

    def _union(self, info: types.UnionType) -> Node:
        others = [one for one in info.types if not isinstance(one, types.NoneType)]
        if len(others) == 1:
            return ("optional", self._add(others[0]))
        # An integer is one however it is written, so that is a node of its own.
        if all(isinstance(one, (*_AS_PARSED, types.IntType)) for one in others):
            return ("integer",)
        raise _NoShape

    def _fields(self, fields: tuple[types.Field, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        if len(fields) > _FIELDS_MAX:
            raise _NoShape
        keys = tuple(field.encode_name for field in fields)
        return keys, tuple(self._add(field.type) for field in fields)

    def _object(self, cls: Any, fields: tuple[types.Field, ...]) -> Node:
        """What is made by calling its class with the fields that are there."""
        if not isinstance(cls, type) or not _only_keeps(cls):
            raise _NoShape
        parameters = inspect.signature(cls).parameters
        if list(parameters) != [field.name for field in fields]:
            raise _NoShape
        kinds = [parameter.kind for parameter in parameters.values()]
        by_place = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return ("object", *self._fields(fields), cls, tuple(parameters), by_place)


def _only_keeps(cls: type) -> bool:
    """Whether to make a value runs nothing of the application's."""
    if hasattr(cls, "__post_init__"):
        return False
    if issubclass(cls, msgspec.Struct):
        return type(cls) is type(msgspec.Struct)
    made: Any = vars(cls).get("__init__")
    # Such a function has no file.
    generated = inspect.isfunction(made) and made.__code__.co_filename == "<string>"
    return generated and type(cls) is type and cls.__new__ is object.__new__


def _leaf(made: Any) -> Node:
    return ("leaf", functools.partial(msgspec.convert, type=made))
