"""What a route answers, as the OpenAPI document says it: `responses` of an operation.

The content of an answer follows from what the function returns as in python/api/answer.h.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from tercel.api.errors import title_of
from tercel.api.files import FileResponse
from tercel.api.response import Response
from tercel.api.schemas import Schemas
from tercel.api.streams import EventStream, Stream

__all__ = ["PROBLEM", "content_of", "described", "failures", "success"]

Object = dict[str, Any]

# RFC 9457, with what tercel adds: `errors`, where single values of the request are wrong.
PROBLEM: Object = {
    "title": "ProblemDetails",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "type": {"type": "string"},
                    "msg": {"type": "string"},
                    "input": {},
                },
                "required": ["loc", "type", "msg"],
            },
        },
    },
    "required": ["type", "title", "status"],
}
_BODYLESS = (204, 205, 304)
_SPECIAL = (Response, EventStream, FileResponse)


def described(status: int, response: Any, schemas: Schemas, problem: Object) -> Object:
    """Returns the Response Object of an entry of `responses=`.

    Args:
        response: a type, whose values are the body; None: there is no body; a str: a sentence, and
            from 400 on the body is a problem document; a dict: the Response Object itself.
        problem: the schema of problem documents.
    """
    if isinstance(response, dict):
        return {"description": title_of(status), **response}
    if isinstance(response, str):
        content = {"application/problem+json": {"schema": problem}} if status >= 400 else {}
        return _object(status, content, response)
    return _object(status, {} if response is None else content_of(response, schemas))


def failures(statuses: Mapping[int, str], problem: Object) -> dict[str, Object]:
    """Returns the answers that are problem documents: sentences by status."""
    content = {"application/problem+json": {"schema": problem}}
    return {str(status): _object(status, content, text) for status, text in statuses.items()}


def success(status: int, returned: Any, schemas: Schemas) -> dict[str, Object]:
    """Returns the answers of a function with the return annotation `returned`."""
    answers: dict[str, Object] = {}
    members = _members(returned)
    if any(member not in _SPECIAL for member in members):
        answers[str(status)] = _object(status, content_of(returned, schemas))
    if EventStream in members:
        content = answers.setdefault("200", _object(200, {})).setdefault("content", {})
        content["text/event-stream"] = {}
    if FileResponse in members:
        content = answers.setdefault("200", _object(200, {})).setdefault("content", {})
        content["*/*"] = {}
        answers["206"] = _object(206, {"*/*": {}}, "A part of the file.")
        answers["304"] = _object(304, {}, "The client has it already.")
        answers.setdefault("default", {"description": "What the request's conditions decide."})
    if Response in members:
        answers["default"] = {"description": "What the function decides."}
    return answers


def is_typed(annotation: Any) -> bool:
    """Whether all values of a type are encoded, and neither texts nor bytes nor responses."""
    return all(
        one not in (*_SPECIAL, bytes, Any, object) and not _is_text(one)
        for one in _members(annotation)
    )


def content_of(annotation: Any, schemas: Schemas) -> Object:
    """Returns the media types, each with its schema, of values of a type; {}: any."""
    members = [one for one in _members(annotation) if one not in _SPECIAL]
    if Any in members or object in members:
        return {}
    texts = [member for member in members if _is_text(member)]
    others = [member for member in members if member is not bytes and member not in texts]
    content: Object = {}
    if others:
        content["application/json"] = {"schema": schemas.of(Union[tuple(others)])}  # noqa: UP007
    if texts:
        content["text/plain"] = {"schema": schemas.of(Union[tuple(texts)])}  # noqa: UP007
    if bytes in members:
        content["application/octet-stream"] = {}
    return content


def _object(status: int, content: Object, description: str = "") -> Object:
    made: Object = {"description": description or title_of(status)}
    if content and status not in _BODYLESS:
        made["content"] = content
    return made


def _members(annotation: Any) -> list[Any]:
    """Returns the types that an annotation joins, without the names of others for them.

    What is neither encoded nor a text or bytes is one of: Response, for what decides everything
    itself, EventStream, and FileResponse.
    """
    plain = _resolved(annotation)
    if typing.get_origin(plain) in (Union, types.UnionType):
        return [member for one in typing.get_args(plain) for member in _members(one)]
    if isinstance(plain, type):
        for kind, stands_for in (
            (EventStream, EventStream),
            (FileResponse, FileResponse),
            ((Response, Stream), Response),
        ):
            if issubclass(plain, kind):
                return [stands_for]
    # Bytes only by that name: a subclass is encoded.
    return [bytes if plain is bytes else annotation]


def _resolved(annotation: Any) -> Any:
    """Returns what an Annotated, a NewType or a `type X = ...` stands for."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def _is_text(annotation: Any) -> bool:
    plain = _resolved(annotation)
    if typing.get_origin(plain) is Literal:
        return all(type(value) is str for value in typing.get_args(plain))
    return plain is str
