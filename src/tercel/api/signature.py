"""From the signature of a handler to what its route takes from a request."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tercel.api import forms, values
from tercel.api.arguments import body_of, parameter_of, place_of
from tercel.api.background import BackgroundTasks
from tercel.api.dependencies import Depends
from tercel.api.forms import FormModel
from tercel.api.given_schemas import GivenSchemas
from tercel.api.markers import Body, File, Form, Header, Path
from tercel.api.marks import Marks, marks_of
from tercel.api.plan import Parameter, Plan
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.response_headers import ResponseHeaders
from tercel.api.sharing import Sharing
from tercel.api.websocket import WebSocket

__all__ = ["plan_of"]

# The fields of a template, as plan_of() has them.
Fields = Mapping[str, Callable[[str], Any] | None]

# Arguments by their type alone: one object for all functions of a request, made in it.
_MADE = (BackgroundTasks, ResponseHeaders)
_NONE_GIVEN = GivenSchemas()


def plan_of(
    function: Callable[..., Any],
    path: str,
    fields: Mapping[str, Callable[[str], Any] | None],
    dependencies: Iterable[Depends] = (),
    given: GivenSchemas | None = None,
) -> Plan:
    """Returns what `function`, as the handler of the template `path`, takes from a request.

    Args:
        fields: those of the template, each with what makes its value, if that is no business of its
            annotation.
        dependencies: functions that are called before it, whose results it is not given.
        given: schemas that were given besides.

    Raises:
        TypeError: the signature is not one that a request can be made into.
    """
    templated = dict(fields)
    name = getattr(function, "__qualname__", type(function).__name__)
    where = f"{name}(), the handler of {path},"

    def read(one: Callable[..., Any], where: str) -> tuple[Plan, dict[str, Depends]]:
        return _read(one, templated, where)

    plan, depends = _read(function, templated, where, given or _NONE_GIVEN)
    before = list(dependencies)
    if depends or before:
        sharing = Sharing(read, path)
        for one in before:
            sharing.depend(one)
        plan = sharing.plan(function, plan, depends, where)
    if plan.body is not None and plan.form:
        raise TypeError(
            f"{where} takes the body {plan.body.argument!r}, and the field {plan.form[0].name!r} of"
            " a form: a form is the body."
        )
    missing = set(templated) - {one.name for one in plan.parameters if one.place == "path"}
    if missing:
        raise TypeError(f"{where} has no argument for {{{min(missing)}}}.")
    return plan


def _read(
    function: Callable[..., Any],
    templated: Fields,
    where: str,
    given: GivenSchemas = _NONE_GIVEN,
) -> tuple[Plan, dict[str, Depends]]:
    """Returns what a function takes from a request, and, by argument, what it depends on."""
    if isinstance(function, FormModel):
        return _read_model(function, where), {}
    hints = _hints_of(function, where)
    plan = Plan()
    depends: dict[str, Depends] = {}
    for parameter in _parameters_of(function, where):
        name = parameter.name
        if name == "self" and name not in hints:
            raise TypeError(
                f"{where} has an argument `self`: register the method of an object, as in"
                " `app.get(path)(thing.method)`."
            )
        annotation = given.annotation_of(name, hints.get(name), name in templated)
        marks = marks_of(annotation, parameter.default, name, where)
        if marks.plain in _MADE:
            depends[name] = Depends(marks.plain, blocking=False)
            continue
        if found := marks.depends or _model_of(marks, parameter, where):
            depends[name] = found
            continue
        try:
            _add(plan, parameter, annotation, marks, templated, where, given)
        except values.UnknownType as unknown:
            raise _unknown(where, name, annotation, unknown) from None
    has_body = plan.body is not None and plan.body.kind == "json"
    given.check([one.argument for one in plan.parameters], has_body, where)
    return plan, depends


def _parameters_of(function: Callable[..., Any], where: str) -> Iterable[inspect.Parameter]:
    try:
        return inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TypeError(
            f"{where} has no signature that says what it takes: call it in a function that has."
        ) from None


def _hints_of(function: Callable[..., Any], where: str) -> dict[str, Any]:
    """Returns the annotations of a function, of a class's `__init__`, or of a `__call__`."""
    called: Any = function
    if isinstance(own := getattr(function, "__signature__", None), inspect.Signature):
        # An object that says it itself, and differently from others of its class.
        return {parameter.name: parameter.annotation for parameter in own.parameters.values()}
    if isinstance(function, type):
        called = vars(function).get("__init__", function)
    elif not inspect.isroutine(function):
        called = type(function).__call__
    try:
        return typing.get_type_hints(called, include_extras=True)
    except NameError as error:
        raise TypeError(f"{where} has an annotation that is not defined: {error}.") from None
    except Exception as error:  # It is evaluated: it may raise anything.
        raise TypeError(f"{where} has an annotation that is none: {error}.") from None


def _model_of(marks: Marks, parameter: inspect.Parameter, where: str) -> Depends | None:
    """Returns what makes an argument whose parts are fields of a form."""
    plain, marker = marks.plain, marks.marker
    if not isinstance(marker, Form) or not forms.has_parts(plain):
        return None
    if marker != Form() or parameter.default is not parameter.empty:
        raise TypeError(
            f"{where} has {parameter.name!r}, whose parts are fields of a form, with a default or"
            " with something in the brackets of Form(): give that to its parts."
        )
    return Depends(FormModel(plain), blocking=False)


def _read_model(model: FormModel, where: str) -> Plan:
    """Returns what makes a value of a type of the fields of a form."""
    plan = Plan()
    for part in model.parts():
        marks = marks_of(part.annotation, None, part.attribute, where)
        marker = marks.marker or (File() if forms.is_upload(marks.plain) else Form())
        name, annotation = marker.alias or part.name, part.annotation
        if constraints := marker.meta():
            annotation = typing.Annotated[annotation, constraints]
        try:
            parameter = parameter_of(part.attribute, name, annotation, marker, part.fallback, where)
        except values.UnknownType as unknown:
            raise _unknown(where, part.attribute, part.annotation, unknown) from None
        plan.parameters.append(parameter)
    return plan


def _unknown(where: str, argument: str, annotation: Any, unknown: values.UnknownType) -> TypeError:
    if reason := str(unknown):
        return TypeError(
            f"{where} has the argument {argument!r} of a type that cannot be: {reason}."
        )
    return TypeError(
        f"{where} has the argument {argument!r} of a type that neither msgspec nor pydantic knows:"
        f" {annotation!r}."
    )


def _add(
    plan: Plan,
    parameter: inspect.Parameter,
    annotation: Any,
    marks: Marks,
    templated: Fields,
    where: str,
    given: GivenSchemas,
) -> None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise TypeError(f"{where} takes *{parameter.name}: name each argument.")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"{where} has the positional-only argument {parameter.name!r}: remove `/`.")
    name = parameter.name
    has_default = parameter.default is not parameter.empty
    fallback = (parameter.default,) if has_default else given.default_of(name)
    plain, marker = marks.plain, marks.marker
    if plain is Response:
        raise TypeError(
            f"{where} takes a Response as {name!r}: what adds header fields and cookies to the"
            " answer is a tercel.ResponseHeaders; a Response is returned."
        )
    if plain is Request:
        if plan.request is not None:
            raise TypeError(f"{where} takes the request twice.")
        plan.request = name
        return
    if plain is WebSocket:
        if plan.websocket is not None:
            raise TypeError(f"{where} takes the WebSocket twice.")
        plan.websocket = name
        return
    if marker is None:
        marker = place_of(name, plain, templated)
    elif constraints := marker.meta():
        annotation = typing.Annotated[annotation, constraints]
    if isinstance(marker, Body):
        if plan.body is not None:
            raise TypeError(f"{where} takes two bodies: {plan.body.argument!r} and {name!r}.")
        plan.body = body_of(name, given.body_of(annotation), marker, fallback)
        return
    wire_name = marker.alias or (name.replace("_", "-") if isinstance(marker, Header) else name)
    if isinstance(marker, Header):
        wire_name = wire_name.lower()
    if isinstance(marker, Path):
        if wire_name not in templated:
            raise TypeError(f"{where} takes {wire_name!r} from a path that has no such field.")
        fallback = ()
        if has_default:
            raise TypeError(f"{where} has a default for {wire_name!r}, which the path always has.")
        if convert := templated[wire_name]:
            # The template's converter decides what it is, whatever the annotation says.
            plan.parameters.append(
                Parameter(name, wire_name, "path", "string", True, convert=convert, annotation=str)
            )
            return
    plan.parameters.append(parameter_of(name, wire_name, annotation, marker, fallback, where))
