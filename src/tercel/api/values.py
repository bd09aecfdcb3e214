"""Types of Python as what a request has: the JSON Schema of their values, and how those are made.

msgspec knows most of them. pydantic 2 is asked where a type has one of its models as a part, or
constraints in its words (`Field`, annotated_types).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Union

import msgspec

from tercel.api.errors import InvalidValue
from tercel.api.formats import add_formats, relaxed

__all__ = [
    "SCALARS",
    "UnknownType",
    "converter_of",
    "decoder_of",
    "has_constraints",
    "is_pydantic",
    "is_scalar",
    "metadata_of",
    "needs_pydantic",
    "schema_of",
    "type_of",
    "without_name",
    "without_none",
]

# What a text is read as before it becomes a value of these types.
SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
# What one text can be, as msgspec has it.
_OF_ONE_TEXT = (
    msgspec.inspect.UUIDType,
    msgspec.inspect.DateType,
    msgspec.inspect.DateTimeType,
    msgspec.inspect.TimeType,
    msgspec.inspect.TimeDeltaType,
    msgspec.inspect.DecimalType,
    msgspec.inspect.EnumType,
    msgspec.inspect.LiteralType,
    msgspec.inspect.StrType,
    msgspec.inspect.IntType,
    msgspec.inspect.FloatType,
    msgspec.inspect.BoolType,
)


class UnknownType(Exception):
    """Neither msgspec nor pydantic knows a type, or one refuses it with the text of this."""


# --- annotations


def metadata_of(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Returns the type of an `Annotated`, or what is none, with what it is annotated with."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return annotation, ()
    plain, *metadata = typing.get_args(annotation)
    return plain, tuple(metadata)


def without_none(plain: Any) -> Any:
    """Returns T of `T | None`."""
    if typing.get_origin(plain) in (Union, types.UnionType):
        members = [one for one in typing.get_args(plain) if one is not type(None)]
        if len(members) == 1:
            return members[0]
    return plain


def without_name(plain: Any) -> Any:
    """Returns the type that a NewType gives another name."""
    while hasattr(plain, "__supertype__"):
        plain = plain.__supertype__
    return plain


def is_scalar(annotation: Any) -> bool:
    """Whether one text can be a value of this type."""
    plain = metadata_of(annotation)[0]
    if plain in SCALARS:
        return True
    try:
        return isinstance(msgspec.inspect.type_info(plain), _OF_ONE_TEXT)
    except (TypeError, NotImplementedError, ValueError):  # The last for what is no Unicode.
        return False


def has_constraints(annotation: Any) -> bool:
    """Whether more is asked of a value than its type."""
    return any(
        isinstance(item, msgspec.Meta) or _is_of_pydantic(item)
        for item in metadata_of(annotation)[1]
    )


def type_of(plain: Any) -> str:
    """Returns what a text is read as for a type that is none of JSON's own."""
    info = msgspec.inspect.type_info(plain)
    values: Iterable[Any] = ()
    if isinstance(info, msgspec.inspect.EnumType):
        values = [member.value for member in info.cls]
    elif isinstance(info, msgspec.inspect.LiteralType):
        values = info.values
    if values and all(isinstance(value, int) for value in values):
        return "integer"
    return "string"


def is_pydantic(annotation: Any) -> bool:
    """Whether it is a model of pydantic 2, which knows its own schema."""
    return isinstance(annotation, type) and hasattr(annotation, "model_validate_json")


def _is_of_pydantic(item: Any) -> bool:
    """Whether an item of an `Annotated` is of those that pydantic understands."""
    return type(item).__module__.partition(".")[0] in ("pydantic", "annotated_types")


def needs_pydantic(annotation: Any) -> bool:
    """Whether a type has a part that only pydantic knows."""
    plain, metadata = metadata_of(annotation)
    if is_pydantic(plain) or any(_is_of_pydantic(item) for item in metadata):
        return True
    return any(needs_pydantic(part) for part in typing.get_args(plain))


# --- schemas


def schema_of(annotation: Any) -> str:
    """Returns the JSON Schema of a type, as text; empty: any value will do.

    Raises:
        UnknownType: it is not known what values it has.
    """
    if annotation is Any or (metadata_of(annotation)[0] is Any and not has_constraints(annotation)):
        return ""
    try:
        if needs_pydantic(annotation):
            schema = relaxed(_adapter(annotation).json_schema())
        else:
            schema = _as_taken(msgspec.json.schema(annotation))
            add_formats(schema, msgspec.inspect.type_info(annotation))
        return msgspec.json.encode(schema).decode()
    except Exception as error:  # pydantic's are of many kinds.
        raise UnknownType(_reason_of(error)) from error


def _reason_of(error: Exception) -> str:
    """Returns what a library has against a type; empty: it does not know it."""
    first = str(error).partition("\n")[0].partition(" - type `")[0].rstrip(".")
    is_unknown = first.startswith(("Generating JSON schema", "Type '", "Unable to generate"))
    return "" if is_unknown else first


def _as_taken(schema: Any) -> Any:
    """Returns a schema of msgspec's with what it takes beyond what that says.

    A set may be given with an element twice, and a Decimal as a number. What is in `allOf` is an
    application's own schema (markers.py).
    """
    if isinstance(schema, list):
        return [_as_taken(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    taken = {key: part if key == "allOf" else _as_taken(part) for key, part in schema.items()}
    if taken.get("type") == "array":
        taken.pop("uniqueItems", None)
    if taken.get("type") == "string" and taken.get("format") == "decimal":
        taken["type"] = ["string", "number"]
    return taken


# --- values


def converter_of(annotation: Any, loc: list[str]) -> Callable[[Any], Any]:
    """Returns what makes a value of a type from one that JSON has.

    Args:
        loc: where it stands in the request, for the failures.
    """
    if needs_pydantic(annotation):
        return _by_pydantic(_adapter(annotation).validate_python, loc)

    # The engine has looked at the constraints.
    bare = _bare(annotation)

    def convert(value: Any) -> Any:
        try:
            return msgspec.convert(value, bare, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidValue([_failure(error, loc, value)]) from None

    return convert


def _bare(annotation: Any) -> Any:
    """Returns a type without what it is annotated with."""
    plain = metadata_of(annotation)[0]
    parts = typing.get_args(plain)
    origin = typing.get_origin(plain)
    if origin in (Union, types.UnionType):
        return Union[tuple(_bare(part) for part in parts)]  # noqa: UP007
    if origin in (list, set, frozenset, tuple):
        return origin[tuple(part if part is ... else _bare(part) for part in parts)]
    return plain


def decoder_of(annotation: Any, place: str = "body") -> Callable[[bytes], Any]:
    """Returns what makes a value of a type from JSON.

    Args:
        place: what the JSON is, for the failures.
    """
    if needs_pydantic(annotation):
        return _by_pydantic(_adapter(annotation).validate_json, [place])
    decode = msgspec.json.Decoder(annotation).decode

    def convert(body: bytes) -> Any:
        try:
            return decode(body)
        except msgspec.ValidationError as error:
            raise InvalidValue([_failure(error, [place], None)]) from None

    return convert


def _adapter(annotation: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(annotation)


def _by_pydantic(validate: Callable[[Any], Any], loc: list[str]) -> Callable[[Any], Any]:
    from pydantic import ValidationError

    def convert(value: Any) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            failures = error.errors(include_url=False, include_context=False)
            raise InvalidValue(
                [
                    {"type": one["type"], "msg": f"{one['msg']}.", "loc": [*loc, *one["loc"]]}
                    for one in failures
                ]
            ) from None

    return convert


# What only msgspec judges, by its words, and the code that pydantic has for it.
_CODES = {
    "Invalid RFC3339 encoded datetime": "datetime_parsing",
    "Expected `datetime` with no timezone component": "timezone_naive",
    "Invalid RFC3339 encoded time": "time_parsing",
    "Expected `time` with no timezone component": "timezone_naive",
    "Invalid ISO8601 duration": "time_delta_parsing",
    "Invalid decimal string": "decimal_parsing",
}


def _failure(error: msgspec.ValidationError, loc: list[str], value: Any) -> dict[str, Any]:
    """Returns an item of a problem's `errors` for what msgspec has to say."""
    message, _, at = str(error).partition(" - at `$")
    steps = [step for step in at.rstrip("`").replace("[", ".").replace("]", "").split(".") if step]
    where: list[Any] = [*loc, *(int(step) if step.isdigit() else step for step in steps)]
    failure: dict[str, Any] = {
        "type": _CODES.get(message, "value_error"),
        "msg": f"{message}.",
        "loc": where,
    }
    if isinstance(value, (str, int, float, bool)) and len(str(value)) <= 256:
        failure["input"] = value
    return failure
