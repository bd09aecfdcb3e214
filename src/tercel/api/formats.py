"""What the engine asks of texts and numbers that msgspec makes values of.

A JSON Schema of msgspec's says of a `datetime` that it is a string, and of a `float` that it is a
number. With what is added here the engine refuses what msgspec would refuse, so that what comes to
Python is right (cpp/tercel/schema/format_value.cc; tests/python/test_api_values.py compares both).
"""

from __future__ import annotations

import sys
from typing import Any

from msgspec import inspect as types

__all__ = ["add_formats", "relaxed"]

Schema = dict[str, Any]

_DEFS = "#/$defs/"
# What msgspec calls them itself.
_THEIRS = (None, "date-time", "date", "time", "duration", "decimal")
_ITERABLES = (
    types.ListType,
    types.SetType,
    types.FrozenSetType,
    types.VarTupleType,
    types.CollectionType,
)
_OF_FIELDS = (
    types.StructType,
    types.DataclassType,
    types.TypedDictType,
    types.NamedTupleType,
)
_BYTES = (types.BytesType, types.ByteArrayType, types.MemoryViewType)


def add_formats(schema: Schema, info: types.Type) -> None:
    """Adds to a schema, which is msgspec's of the type `info`, what that leaves open."""
    _Adding(schema.get("$defs", {})).add(schema, info)


def relaxed(schema: Any) -> Any:
    """Returns a schema of pydantic's with what pydantic takes beyond what that says.

    An offset may be missing where it does not ask for one; durations are judged by pydantic alone.
    """
    if isinstance(schema, list):
        return [relaxed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    taken = {key: relaxed(part) for key, part in schema.items()}
    if taken.get("type") == "string":
        if taken.get("format") in ("date-time", "time"):
            taken["format"] = f"tercel:{taken['format']}"
        elif taken.get("format") == "duration":
            del taken["format"]
    return taken


class _Adding:
    """One schema, with the components that it refers to."""

    def __init__(self, defs: dict[str, Schema]) -> None:
        self._defs = defs
        self._seen: set[str] = set()

    def add(self, schema: Any, info: types.Type) -> None:
        while isinstance(info, types.Metadata):
            info = info.type
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_DEFS)
            if name in self._seen or name not in self._defs:
                return
            self._seen.add(name)
            schema = self._defs[name]
        if found := _format_of(info):
            _put(schema, found)
        elif isinstance(info, types.FloatType):
            _bound(schema)
        elif isinstance(info, types.UnionType):
            self._add_union(schema, info)
        elif isinstance(info, _ITERABLES):
            self.add(schema.get("items"), info.item_type)
        elif isinstance(info, types.TupleType):
            self._add_each(schema.get("prefixItems"), info.item_types)
        elif isinstance(info, types.DictType):
            self.add(schema.get("additionalProperties"), info.value_type)
            _add_keys(schema, info.key_type)
        elif isinstance(info, _OF_FIELDS):
            self._add_fields(schema, info)

    def _add_each(self, schemas: Any, infos: tuple[types.Type, ...]) -> None:
        if isinstance(schemas, list) and len(schemas) == len(infos):
            for schema, info in zip(schemas, infos, strict=True):
                self.add(schema, info)

    def _add_union(self, schema: Schema, info: types.UnionType) -> None:
        # In their order, but that null is the last, and that several structs are one option.
        options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        others = [one for one in info.types if not isinstance(one, types.NoneType)]
        structs = [one for one in others if isinstance(one, types.StructType)]
        if "discriminator" in schema:
            return self._add_each(options, tuple(structs))
        if len(structs) > 1:
            for group in [one for one in options if "discriminator" in one]:
                self._add_each(group.get("anyOf"), tuple(structs))
            options = [one for one in options if "discriminator" not in one]
            others = [one for one in others if one not in structs]
        self._add_each(options, tuple(others))

    def _add_fields(self, schema: Schema, info: Any) -> None:
        if items := schema.get("prefixItems"):
            # A tag is the first.
            tagged = getattr(info, "tag", None) is not None
            self._add_each(items[tagged:], tuple(field.type for field in info.fields))
        properties = schema.get("properties", {})
        for field in info.fields:
            self.add(properties.get(field.encode_name), field.type)


def _format_of(info: types.Type) -> str | None:
    if isinstance(info, types.DateTimeType):
        return f"tercel:{_zone(info.tz)}date-time"
    if isinstance(info, types.TimeType):
        return f"tercel:{_zone(info.tz)}time"
    if isinstance(info, types.DateType):
        return "tercel:date"
    if isinstance(info, types.TimeDeltaType):
        return "tercel:duration"
    if isinstance(info, types.DecimalType):
        return "tercel:decimal"
    return "tercel:base64" if isinstance(info, _BYTES) else None


def _zone(tz: bool | None) -> str:
    return {None: "", True: "zoned-", False: "local-"}[tz]


def _put(schema: Schema, name: str) -> None:
    if schema.get("type", "string") not in ("string", ["string", "number"]):
        return  # It is another type's.
    if schema.get("format") in _THEIRS:
        schema["format"] = name
    else:  # The application's own, besides.
        schema["allOf"] = [*schema.get("allOf", ()), {"format": name}]


def _bound(schema: Schema) -> None:
    """Refuses numbers that no float is."""
    if schema.get("type") != "number":
        return
    if schema.keys().isdisjoint(("minimum", "exclusiveMinimum")):
        schema["minimum"] = -sys.float_info.max
    if schema.keys().isdisjoint(("maximum", "exclusiveMaximum")):
        schema["maximum"] = sys.float_info.max


def _add_keys(schema: Schema, info: types.Type) -> None:
    while isinstance(info, types.Metadata):
        info = info.type
    found = _format_of(info)
    if isinstance(info, types.IntType):
        found = "tercel:integer"
    elif isinstance(info, types.UUIDType):
        found = "uuid"
    if found and schema.get("type") == "object":
        _put(schema.setdefault("propertyNames", {}), found)
