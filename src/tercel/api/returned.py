"""What a function says that it returns, and whether it does."""

from __future__ import annotations

import types
import typing
from collections.abc import Awaitable, Callable
from typing import Any, Union

from tercel.api import values
from tercel.api.errors import InvalidValue
from tercel.api.files import FileResponse
from tercel.api.response import Response
from tercel.api.streams import Stream

__all__ = ["returned_by", "validated", "validator_of"]


def returned_by(function: Callable[..., Any]) -> Any:
    """Returns the annotation of what a function returns; Any, if there is none."""
    try:
        return typing.get_type_hints(function, include_extras=True).get("return", Any)
    except (NameError, TypeError):
        return Any


def validator_of(
    function: Callable[..., Any], encode: Callable[[Any], bytes]
) -> Callable[[Any], None]:
    """Returns what raises RuntimeError if it is called with no result of `function`.

    What is sent as it is, responses and streams, is not looked at.

    Args:
        encode: to JSON.

    Raises:
        TypeError: the annotation is not one of JSON's values.
    """
    annotation = _encoded(returned_by(function))
    name = getattr(function, "__qualname__", repr(function))
    if annotation is Any or annotation is None:
        raise TypeError(
            f"{name}() has no annotation of what it returns to hold its answers against: write one,"
            " or leave validate_response out."
        )
    decode = values.decoder_of(annotation)

    def validate(result: Any) -> None:
        if isinstance(result, (Response, FileResponse, Stream)):
            return
        try:
            decode(encode(result))
        except InvalidValue as error:
            (first, *_) = error.errors
            place = ".".join(str(step) for step in first["loc"][1:]) or "the value"
            raise RuntimeError(
                f"{name}() returned something else than it says: {place}: {first['msg']}"
            ) from None

    return validate


def validated(endpoint: Callable[..., Any], validate: Callable[[Any], None]) -> Callable[..., Any]:
    """Returns what calls `endpoint`, and `validate` with its result."""

    async def call(**arguments: Any) -> Any:
        result = endpoint(**arguments)
        if isinstance(result, Awaitable):
            result = await result
        validate(result)
        return result

    return call


def _encoded(annotation: Any) -> Any:
    """Returns an annotation without what is not encoded; None: nothing is left."""
    plain = values.metadata_of(annotation)[0]
    if typing.get_origin(plain) in (Union, types.UnionType):
        members = [one for one in typing.get_args(plain) if not _is_response(one)]
        return Union[tuple(members)] if members else None  # noqa: UP007
    return None if _is_response(plain) else annotation


def _is_response(plain: Any) -> bool:
    return isinstance(plain, type) and issubclass(plain, (Response, FileResponse, Stream))
