"""From the signature of a handler to what its route takes from a request."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Union

import msgspec

from tercel.api.dependencies import Depends, Step
from tercel.api.errors import InvalidValue
from tercel.api.markers import Body, Header, Marker, Path, Query
from tercel.api.request import Request

__all__ = ["BodyArgument", "Parameter", "Plan", "plan_of"]

# What a text is read as before it becomes a value of these types.
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_LISTS = (list, set, frozenset, tuple)


class _UnknownType(Exception):
    pass


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
        )


@dataclass(slots=True)
class BodyArgument:
    """The argument that is the body."""

    argument: str
    kind: str
    required: bool
    bytes_max: int
    fallback: tuple[Any, ...] = ()
    convert: Callable[[bytes], Any] | None = None
    annotation: Any = None
    schema: str = ""

    def native(self) -> tuple[Any, ...]:
        return (
            self.kind,
            self.required,
            self.bytes_max,
            self.fallback,
            self.convert,
            self.schema,
        )


@dataclass(slots=True)
class Plan:
    """What a route takes."""

    parameters: list[Parameter] = field(default_factory=list)
    body: BodyArgument | None = None
    request: str | None = None
    # What is called, the handler last; empty: the handler depends on nothing else.
    steps: list[Step] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments, in the order in which the engine gives them."""
        names = [parameter.argument for parameter in self.parameters]
        if self.body is not None:
            names.append(self.body.argument)
        if self.request is not None:
            names.append(self.request)
        return tuple(names)


def plan_of(function: Callable[..., Any], path: str, fields: list[tuple[str, str]]) -> Plan:
    """Returns what `function`, as the handler of the template `path`, takes from a request.

    Args:
        fields: names and converters of the template's fields.

    Raises:
        TypeError: the signature is not one that a request can be made into.
    """
    where = f"{_name(function)}(), the handler of {path},"
    templated = dict(fields)
    own, depends = _read(function, templated, where)
    plan = _Planner(templated, path).plan(function, own, depends) if depends else own
    missing = set(templated) - {p.name for p in plan.parameters if p.place == "path"}
    if missing:
        raise TypeError(f"{where} has no argument for {{{min(missing)}}}.")
    return plan


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


def _read(
    function: Callable[..., Any], templated: dict[str, str], where: str
) -> tuple[Plan, dict[str, Depends]]:
    """Returns what a function takes from a request, and, by argument, what it depends on."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{where} has an annotation that is not defined: {error}.") from None
    plan = Plan()
    depends: dict[str, Depends] = {}
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints.get(parameter.name, str)
        if found := _depends_of(annotation, parameter.default):
            depends[parameter.name] = found
            continue
        try:
            _add(plan, parameter, annotation, templated, where)
        except _UnknownType:
            raise TypeError(
                f"{where} has the argument {parameter.name!r} of a type that neither msgspec nor"
                f" pydantic knows: {annotation!r}."
            ) from None
    return plan, depends


def _depends_of(annotation: Any, default: Any) -> Depends | None:
    """Returns the mark of an argument that is the result of a function."""
    if isinstance(default, Depends):
        return default
    if typing.get_origin(annotation) is typing.Annotated:
        for item in typing.get_args(annotation)[1:]:
            if isinstance(item, Depends):
                return item
    return None


class _Planner:
    """Joins what a handler, and all that it depends on, take from one request."""

    def __init__(self, templated: dict[str, str], path: str) -> None:
        self._templated = templated
        self._path = path
        self._whole = Plan()
        # The number of a function's step, once it has one; None while those before it are made.
        self._numbers: dict[Callable[..., Any], int | None] = {}

    def plan(self, handler: Callable[..., Any], own: Plan, depends: dict[str, Depends]) -> Plan:
        """Returns the plan of the handler, whose step is the last."""
        where = f"{_name(handler)}(), the handler of {self._path},"
        self._add_step(Depends(handler), own, depends, where)
        return self._whole

    def _number_of(self, depends: Depends) -> int:
        function = depends.function
        where = f"{_name(function)}(), which the handler of {self._path} depends on,"
        if function in self._numbers:
            number = self._numbers[function]
            if number is None:
                raise TypeError(f"{where} depends on itself.")
            return number
        self._numbers[function] = None
        own, inner = _read(function, self._templated, where)
        if depends.scope == "app" and (own.names or self._of_requests(inner)):
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


def _add(
    plan: Plan,
    parameter: inspect.Parameter,
    annotation: Any,
    templated: dict[str, str],
    where: str,
) -> None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise TypeError(f"{where} takes *{parameter.name}: name each argument.")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"{where} has the positional-only argument {parameter.name!r}: remove `/`.")
    name = parameter.name
    has_default = parameter.default is not parameter.empty
    fallback = (parameter.default,) if has_default else ()
    plain, marker = _unwrap(annotation)
    if plain is Request:
        if plan.request is not None:
            raise TypeError(f"{where} takes the request twice.")
        plan.request = name
        return
    if marker is None:
        marker = _place_of(name, plain, templated)
    if isinstance(marker, Body):
        if plan.body is not None:
            raise TypeError(f"{where} takes two bodies: {plan.body.argument!r} and {name!r}.")
        plan.body = _body_of(name, annotation, plain, marker, fallback)
        return
    wire_name = marker.alias or (name.replace("_", "-") if isinstance(marker, Header) else name)
    if isinstance(marker, Header):
        wire_name = wire_name.lower()
    if isinstance(marker, Path):
        if wire_name not in templated:
            raise TypeError(f"{where} takes {wire_name!r} from a path that has no such field.")
        if has_default:
            raise TypeError(f"{where} has a default for {wire_name!r}, which the path always has.")
    plan.parameters.append(_parameter_of(name, wire_name, annotation, plain, marker, fallback))


def _unwrap(annotation: Any) -> tuple[Any, Marker | None]:
    """Returns the type without its metadata, and the marker among that."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return annotation, None
    plain, *metadata = typing.get_args(annotation)
    for item in metadata:
        if isinstance(item, Marker):
            return plain, item
        if isinstance(item, type) and issubclass(item, Marker):
            return plain, item()
    return plain, None


def _without_none(plain: Any) -> Any:
    """Returns T of `T | None`."""
    if typing.get_origin(plain) in (Union, types.UnionType):
        members = [one for one in typing.get_args(plain) if one is not type(None)]
        if len(members) == 1:
            return members[0]
    return plain


def _without_name(plain: Any) -> Any:
    """Returns the type that a NewType gives another name."""
    while hasattr(plain, "__supertype__"):
        plain = plain.__supertype__
    return plain


def _place_of(name: str, plain: Any, templated: dict[str, str]) -> Marker:
    """A field of the template, a parameter of the query, or, for what has parts, the body."""
    if name in templated:
        return Path()
    inner = _without_none(plain)
    origin = typing.get_origin(inner) or inner
    if origin in _LISTS:
        arguments = typing.get_args(inner)
        return Query() if not arguments or _is_scalar(arguments[0]) else Body()
    return Query() if _is_scalar(inner) else Body()


def _is_scalar(plain: Any) -> bool:
    """Whether one text can be a value of this type."""
    plain = _unwrap(plain)[0]
    if plain in _SCALARS:
        return True
    try:
        info = msgspec.inspect.type_info(plain)
    except (TypeError, NotImplementedError):
        return False
    return isinstance(
        info,
        (
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
        ),
    )


def _parameter_of(
    argument: str,
    name: str,
    annotation: Any,
    plain: Any,
    marker: Marker,
    fallback: tuple[Any, ...],
) -> Parameter:
    inner = _without_none(plain)
    origin = typing.get_origin(inner) or inner
    array = origin in _LISTS
    element = inner
    if array:
        arguments = typing.get_args(inner)
        element = arguments[0] if arguments else str
    element_plain = _without_name(_unwrap(element)[0])
    known = _SCALARS.get(element_plain)
    # A str, an int, a float, a bool, or a list of one is what its text is read as.
    is_plain = element_plain is element and known is not None and origin in (element, list)
    convert, schema = None, ""
    if not is_plain or _has_constraints(annotation):
        convert = _converter(annotation, [marker.place, name])
        schema = schema_of(annotation)
    return Parameter(
        argument=argument,
        name=name,
        place=marker.place,
        type=known or _type_of(element_plain),
        required=not fallback,
        array=array,
        separator=getattr(marker, "separator", ""),
        fallback=fallback,
        convert=convert,
        annotation=annotation,
        schema=schema,
    )


def schema_of(annotation: Any) -> str:
    """Returns the JSON Schema of a type, as text; empty: any value will do.

    Raises:
        _UnknownType: it is not known what values it has.
    """
    if annotation is Any:
        return ""
    if is_pydantic(annotation):
        schema = annotation.model_json_schema()
    else:
        try:
            schema = _as_taken(msgspec.json.schema(annotation))
        except TypeError as error:
            raise _UnknownType from error
    return msgspec.json.encode(schema).decode()


def _as_taken(schema: Any) -> Any:
    """Returns a schema of msgspec's with what it takes beyond what that says.

    A set may be given with an element twice, a Decimal as a number; and durations with fractions
    and signs are judged by msgspec alone, which sends them.
    """
    if isinstance(schema, list):
        return [_as_taken(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    taken = {key: _as_taken(value) for key, value in schema.items()}
    if taken.get("type") == "array":
        taken.pop("uniqueItems", None)
    if taken.get("type") == "string" and taken.get("format") == "decimal":
        taken["type"] = ["string", "number"]
    if taken.get("format") == "duration":
        del taken["format"]
    return taken


def is_pydantic(annotation: Any) -> bool:
    """Whether it is a model of pydantic 2, which knows its own schema."""
    return isinstance(annotation, type) and hasattr(annotation, "model_validate_json")


def _has_constraints(annotation: Any) -> bool:
    if typing.get_origin(annotation) is not typing.Annotated:
        return False
    return any(isinstance(item, msgspec.Meta) for item in typing.get_args(annotation)[1:])


def _type_of(plain: Any) -> str:
    """What a text is read as for a type that is none of JSON's own."""
    info = msgspec.inspect.type_info(plain)
    values: typing.Iterable[Any] = ()
    if isinstance(info, msgspec.inspect.EnumType):
        values = [member.value for member in info.cls]
    elif isinstance(info, msgspec.inspect.LiteralType):
        values = info.values
    if values and all(isinstance(value, int) for value in values):
        return "integer"
    return "string"


def _converter(annotation: Any, loc: list[str]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        try:
            return msgspec.convert(value, annotation, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidValue([_failure(error, loc, value)]) from None

    return convert


def _body_of(
    argument: str, annotation: Any, plain: Any, marker: Body, fallback: tuple[Any, ...]
) -> BodyArgument:
    kind, convert, schema = "json", None, ""
    if _without_none(plain) is bytes:
        kind = "bytes"
    else:
        schema = schema_of(annotation if plain is not Any else Any)
        if plain not in (dict, list, Any):
            convert = _decoder(annotation)
    return BodyArgument(
        argument=argument,
        kind=kind,
        required=not fallback,
        bytes_max=marker.bytes_max,
        fallback=fallback,
        convert=convert,
        annotation=annotation,
        schema=schema,
    )


def _decoder(annotation: Any) -> Callable[[bytes], Any]:
    if is_pydantic(annotation):
        return _pydantic_decoder(annotation)
    decode = msgspec.json.Decoder(annotation).decode

    def convert(body: bytes) -> Any:
        try:
            return decode(body)
        except msgspec.ValidationError as error:
            raise InvalidValue([_failure(error, ["body"], None)]) from None

    return convert


def _pydantic_decoder(model: Any) -> Callable[[bytes], Any]:
    from pydantic import ValidationError

    def convert(body: bytes) -> Any:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            failures = error.errors(include_url=False, include_context=False)
            raise InvalidValue(
                [
                    {"type": one["type"], "msg": f"{one['msg']}.", "loc": ["body", *one["loc"]]}
                    for one in failures
                ]
            ) from None

    return convert


def _failure(error: msgspec.ValidationError, loc: list[str], value: Any) -> dict[str, Any]:
    """An item of a problem's `errors` for what msgspec has to say."""
    message, _, at = str(error).partition(" - at `$")
    steps = [step for step in at.rstrip("`").replace("[", ".").replace("]", "").split(".") if step]
    where: list[Any] = [*loc, *(int(step) if step.isdigit() else step for step in steps)]
    failure: dict[str, Any] = {"type": "value_error", "msg": f"{message}.", "loc": where}
    if isinstance(value, (str, int, float, bool)) and len(str(value)) <= 256:
        failure["input"] = value
    return failure
