"""One argument of a handler: where its value comes from, and how it is made."""

from __future__ import annotations

import typing
from collections.abc import Container
from typing import Any

from tercel.api import forms, values
from tercel.api.markers import Body, File, Form, Marker, Path, Query
from tercel.api.plan import BodyArgument, Parameter
from tercel.api.shapes import shape_of

__all__ = ["body_of", "parameter_of", "place_of"]

_LISTS = (list, set, frozenset, tuple)
# Of the places, what is one text.
_TEXTS = {
    "path": "field of a path",
    "query": "parameter of the query",
    "header": "header field",
    "cookie": "cookie",
    "form": "field of a form",
}


def place_of(name: str, plain: Any, templated: Container[str]) -> Marker:
    """Returns where an argument without a marker comes from.

    That is a field of the template, a parameter of the query, or, for what has parts, the body.
    """
    if name in templated:
        return Path()
    if forms.is_upload(plain):
        return File()
    inner = values.without_none(plain)
    origin = typing.get_origin(inner) or inner
    if origin in _LISTS:
        arguments = typing.get_args(inner)
        return Query() if not arguments or values.is_scalar(arguments[0]) else Body()
    return Query() if values.is_scalar(inner) else Body()


def parameter_of(
    argument: str,
    name: str,
    annotation: Any,
    marker: Marker,
    fallback: tuple[Any, ...],
    where: str,
) -> Parameter:
    if isinstance(marker, File):
        return forms.file_of(argument, name, annotation, marker, fallback, where)
    inner = values.without_none(values.metadata_of(annotation)[0])
    origin = typing.get_origin(inner) or inner
    array = origin in _LISTS
    element = inner
    if array:
        arguments = typing.get_args(inner)
        element = arguments[0] if arguments else str
    element_plain = values.without_name(values.metadata_of(element)[0])
    if isinstance(marker, Form) and element_plain is bytes:
        raise TypeError(
            f"{where} has the argument {argument!r}, bytes of a form: those are a file, File()."
        )
    _check_is_text(argument, element_plain, marker, where)
    known = values.SCALARS.get(element_plain)
    # A str, an int, a float, a bool, or a list of one is what its text is read as.
    is_plain = element_plain is element and known is not None and origin in (element, list)
    convert, schema = None, ""
    if not is_plain or values.has_constraints(annotation):
        schema = values.schema_of(annotation)
    if not is_plain or values.needs_pydantic(annotation):
        place = "body" if marker.place == "form" else marker.place
        convert = values.converter_of(annotation, [place, name])
    return Parameter(
        argument=argument,
        name=name,
        place=marker.place,
        type=known or values.type_of(element_plain),
        required=not fallback,
        array=array,
        separator=getattr(marker, "separator", ""),
        fallback=fallback,
        convert=convert,
        annotation=annotation,
        schema=schema,
        shown=marker.include_in_schema,
    )


def _check_is_text(argument: str, plain: Any, marker: Marker, where: str) -> None:
    """Refuses a type that one text cannot be."""
    if forms.has_parts(plain) or (typing.get_origin(plain) or plain) in (dict, *_LISTS):
        raise TypeError(
            f"{where} has the argument {argument!r} of the type {plain!r}, which is more than one"
            f" {_TEXTS[marker.place]} can be: that is one text, or a list of texts."
        )


def body_of(
    argument: str, annotation: Any, marker: Body, fallback: tuple[Any, ...]
) -> BodyArgument:
    plain = values.metadata_of(annotation)[0]
    kind, convert, schema, shape = "json", None, "", None
    if values.without_none(plain) is bytes:
        kind = "bytes"
    else:
        schema = values.schema_of(annotation)
        if plain not in (dict, list, Any):
            convert = values.decoder_of(annotation)
            shape = None if values.needs_pydantic(annotation) else shape_of(annotation)
    return BodyArgument(
        argument=argument,
        kind=kind,
        required=not fallback,
        bytes_max=marker.bytes_max,
        unique_keys=marker.unique_keys,
        fallback=fallback,
        convert=convert,
        annotation=annotation,
        schema=schema,
        shape=shape,
    )
