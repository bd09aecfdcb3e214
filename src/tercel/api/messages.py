"""Messages of a WebSocket as values of a type."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from tercel.api import values
from tercel.api.errors import InvalidValue, problem
from tercel.api.response import Response

__all__ = ["InvalidMessage", "decoder_of"]

_DECODERS_MAX = 256


class InvalidMessage(Exception):
    """A message that is not of the type that the handler asked for.

    The message is gone, and the WebSocket still open: a handler may catch this and go on. If it
    does not, the WebSocket is closed with `code` and the first of the errors.

    Attributes:
        errors: as those of a 422: `{"loc": ["message", "text"], "type": ..., "msg": ...}`.
        code: 1003 for text where bytes were asked for, or the other way round, else 1007.
    """

    def __init__(self, errors: list[dict[str, Any]], code: int = 1007) -> None:
        super().__init__(errors)
        self.errors = errors
        self.code = code

    def response(self, path: str | None = None) -> Response:
        """Returns the problem document of this error, on a WebSocket of that path."""
        detail = "The message is not what it must be."
        return problem(422, detail, instance=path, errors=self.errors)

    def __str__(self) -> str:
        first = self.errors[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def decoder_of(kind: Any) -> Callable[[str | bytes], Any]:
    """Returns what makes a value of a type from a message (`WebSocket.receive`).

    What it calls raises InvalidMessage.

    Raises:
        TypeError: neither msgspec nor pydantic knows the type.
    """
    try:
        return _cached_decoder_of(kind)
    except TypeError:  # Perhaps it has no hash.
        return _make_decoder(kind)


def _make_decoder(kind: Any) -> Callable[[str | bytes], Any]:
    if kind in (str, bytes):
        return functools.partial(_checked, kind)
    try:
        values.schema_of(kind)
    except values.UnknownType:
        raise TypeError(
            f"a message is made into a type that msgspec or pydantic knows, not {kind!r}"
        ) from None
    return functools.partial(_decoded, values.decoder_of(kind, "message"))


_cached_decoder_of = functools.lru_cache(_DECODERS_MAX)(_make_decoder)


def _checked(kind: type, message: str | bytes) -> str | bytes:
    if isinstance(message, kind):
        return message
    wanted, type_ = ("text", "string_type") if kind is str else ("bytes", "bytes_type")
    failure = {"loc": ["message"], "type": type_, "msg": f"This must be a message of {wanted}."}
    raise InvalidMessage([failure], 1003)


def _decoded(decode: Callable[[bytes], Any], message: str | bytes) -> Any:
    try:
        return decode(message.encode() if isinstance(message, str) else message)
    except InvalidValue as invalid:
        raise InvalidMessage(invalid.errors) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        failure = {"loc": ["message"], "type": "json_invalid", "msg": f"This is not JSON: {error}."}
        raise InvalidMessage([failure]) from None
