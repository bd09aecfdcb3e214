"""JSON Schemas of a route that are given as dicts: `body_schema=` and `params_schema=`.

For APIs whose schemas are there before their types. What they say is asked besides what the
annotations say; an argument without an annotation has the type that its schema names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from tercel.api.markers import Body, Marker, Query

__all__ = ["GivenSchemas"]

Schema = Mapping[str, Any]

_TYPES: dict[Any, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
# What is said of all parameters together: each is checked by itself.
_OF_PARAMS = {"$schema", "$defs", "type", "title", "description", "properties", "required"}


@dataclass(frozen=True, slots=True)
class GivenSchemas:
    """Those of one route; None: there is none.

    Attributes:
        body: of the body.
        params: an object's, whose properties are arguments of the handler.
    """

    body: Schema | None = None
    params: Schema | None = None

    @classmethod
    def of(cls, body_schema: Any, params_schema: Any) -> GivenSchemas | None:
        """Returns what the options of a route say.

        Raises:
            TypeError, ValueError: one of them is none, or says what cannot be asked.
        """
        if body_schema is None and params_schema is None:
            return None
        if body_schema is not None:
            Body(schema=body_schema)  # Says what is wrong with it.
        given = cls(body_schema, params_schema)
        if params_schema is not None:
            _check_params(params_schema)
            for name in given.properties:
                Query(schema=given._schema_of(name))
        return given

    @property
    def properties(self) -> Mapping[str, Any]:
        """The schemas of parameters, by argument."""
        return self.params.get("properties", {}) if self.params is not None else {}

    def check(self, names: Iterable[str], has_body: bool, where: str) -> None:
        """Refuses schemas of what a handler does not take.

        Args:
            names: of its arguments.
            where: how messages call it.

        Raises:
            TypeError: it does not take one of them.
        """
        unknown = set(self.properties) - set(names)
        if unknown:
            raise TypeError(f"{where} has no argument {min(unknown)!r}, which params_schema names.")
        if self.body is not None and not has_body:
            raise TypeError(f"{where} has a body_schema, and takes no body as JSON.")

    def annotation_of(self, name: str, annotation: Any, is_field: bool) -> Any:
        """Returns the annotation of an argument with what its schema says.

        Args:
            annotation: its own; None: it has none.
            is_field: it is a field of the path.
        """
        if name in self.properties:
            schema = self._schema_of(name)
            if annotation is None:
                annotation = _type_of(self.properties[name])
            return Annotated[annotation, _meta(schema)]
        if annotation is None:
            return Annotated[Any, Body()] if self.body is not None and not is_field else str
        return annotation

    def body_of(self, annotation: Any) -> Any:
        """Returns the annotation of the body with what its schema says."""
        return annotation if self.body is None else Annotated[annotation, _meta(self.body)]

    def default_of(self, name: str) -> tuple[Any, ...]:
        """Returns the default of an argument without one, in a tuple; empty: it must be given."""
        if self.params is None or name not in self.properties:
            return ()
        if name in self.params.get("required", ()):
            return ()
        return (self.properties[name].get("default"),)

    def _schema_of(self, name: str) -> Schema:
        schema = self.properties[name]
        defs = self.params.get("$defs") if self.params is not None else None
        return {**schema, "$defs": defs} if defs and isinstance(schema, Mapping) else schema


def _check_params(schema: Any) -> None:
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties", {}), Mapping):
        raise TypeError(
            'params_schema is the JSON Schema of an object, as {"properties": {"page": {"type":'
            f' "integer"}}}}}}, not {schema!r}'
        )
    if unknown := set(schema) - _OF_PARAMS:
        raise ValueError(
            f"params_schema has {min(unknown)!r}, which is about several parameters: each is"
            " checked by itself"
        )
    if schema.get("type", "object") != "object":
        raise ValueError(f"params_schema is that of an object, not of {schema['type']!r}")
    if missing := set(schema.get("required", ())) - set(schema.get("properties", ())):
        raise ValueError(f"params_schema requires {min(missing)!r}, and has no schema for it")


def _meta(schema: Schema) -> msgspec.Meta:
    marker = Marker(schema=schema)
    made = marker.meta()
    assert made is not None
    return made


def _type_of(schema: Any) -> Any:
    """Returns the type of Python that a schema names; str: none, or several."""
    if not isinstance(schema, Mapping):
        return str
    kind = schema.get("type")
    if kind == "array":
        return list[_type_of(schema.get("items"))]  # type: ignore[misc]
    return _TYPES.get(kind, str) if isinstance(kind, str) else str
