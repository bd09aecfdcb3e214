"""JSON Schemas of Python types, and the components of a document that they refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tercel.api.values import is_pydantic

__all__ = ["Schemas", "without_null"]

Schema = dict[str, Any]

_PREFIX = "#/components/schemas/"
_TYPES = {bool: "boolean", int: "integer", str: "string"}


class Schemas:
    """Collects what the schemas of a document have in common: its `components.schemas`.

    Classes with a name are components. The first of a name has it; one of the same name that is
    something else is called `Name_2`, and so on, so names depend on the order alone in which types
    are added.
    """

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        # By name and meaning: what the component is called.
        self._names: dict[tuple[str, str], str] = {}

    def of(self, annotation: Any) -> Schema:
        """Returns the schema of a type: a reference, if it is a class that is a component.

        What neither msgspec nor pydantic knows is {}, which allows everything; as a part of another
        type, it also says its name.
        """
        models: dict[str, Schema] = {}
        try:
            (schema,), parts = msgspec.json.schema_components(
                [annotation],
                schema_hook=lambda kind: _of_unknown(kind, models),
                ref_template=_PREFIX + "{name}",
            )
        # KeyError: two classes of one type have the same name, and the same module.
        except (TypeError, KeyError):
            return {}
        parts |= models
        called = {name: self._name(name, _meaning(name, parts)) for name in parts}

        def rename(text: str) -> str:
            name = text.removeprefix(_PREFIX)
            return _PREFIX + called[name] if text.startswith(_PREFIX) and name in called else text

        for name, part in parts.items():
            self.components[called[name]] = _changed(part, rename)
        changed: Schema = _changed(schema, rename)
        return {} if schema.keys() == {"title"} else changed

    def add(self, name: str, schema: Schema) -> Schema:
        """Makes `schema`, which refers to nothing, a component. Returns the reference."""
        called = self._name(name, _meaning(name, {name: schema}))
        self.components[called] = schema
        return {"$ref": _PREFIX + called}

    def _name(self, name: str, meaning: str) -> str:
        if (name, meaning) not in self._names:
            taken = set(self._names.values())
            free, number = name, 1
            while free in taken:
                number += 1
                free = f"{name}_{number}"
            self._names[name, meaning] = free
        return self._names[name, meaning]


def without_null(schema: Schema) -> Schema:
    """Returns the schema of T for that of `T | None`: a text has no null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def _of_unknown(kind: Any, models: dict[str, Schema]) -> Schema:
    """Returns the schema of what msgspec does not know. Adds models of pydantic to `models`."""
    if not is_pydantic(kind):
        return {"title": kind.__name__}
    schema: Schema = kind.model_json_schema(ref_template=_PREFIX + "{model}")
    models |= schema.pop("$defs", {})
    if "$ref" in schema:
        return schema  # To one of those: the model has itself as a part.
    # As pydantic names the others.
    name = re.sub(r"[^\w.-]", "_", kind.__name__)
    models[name] = schema
    return {"$ref": _PREFIX + name}


def _meaning(name: str, parts: dict[str, Schema]) -> str:
    """Returns a component with everything that it refers to, as one text."""
    reached: dict[str, Schema] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached[one] = parts[one]
            texts = [text for text in _texts(parts[one]) if text.startswith(_PREFIX)]
            names = [text.removeprefix(_PREFIX) for text in texts]
            waiting += [name for name in names if name in parts]
    return msgspec.json.encode(reached, order="deterministic").decode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _changed(value: Any, rename: Callable[[str], str]) -> Any:
    """Returns a copy of a schema, or of a part of it, with references renamed and types told."""
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, dict):
        return _type_of_enum(value) | {key: _changed(part, rename) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_changed(part, rename) for part in value]
    return value


def _type_of_enum(schema: Schema) -> Schema:
    """Returns the `type` of an enumeration, which msgspec leaves out, if its values have one."""
    values = schema.get("enum")
    if not isinstance(values, list) or "type" in schema:
        return {}
    types = {_TYPES.get(type(value)) for value in values}
    return {"type": types.pop()} if len(types) == 1 and None not in types else {}
