"""Media types of an application's own, for typed bodies and results."""

from __future__ import annotations

import inspect
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

__all__ = ["MediaHandler", "check", "reader_of"]

_log = logging.getLogger("tercel")

# RFC 6838, section 4.2, in lower case.
_NAME = "[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
_TYPE = re.compile(f"{_NAME}/{_NAME}")
# What the engine reads, or other bodies are.
_TAKEN = re.compile(
    r"application/(json|(x-|vnd\.)?msgpack|x-www-form-urlencoded|problem\+json)|.*\+json"
    r"|multipart/.*"
)
_WORDS_MAX = 200


class MediaHandler(ABC):
    """Reads bodies in a media type, and writes results in it: `tercel.App(media_types=[...])`.

    Both deal with what JSON can say: None, bool, int, float, str, lists, and dicts whose keys are
    str. What a body says is checked as if it had come as JSON; of a result, dates and the like are
    texts, as JSON has them. They are called on the event loop, so they do not wait.

    Attributes:
        media_type: as "application/yaml": in lower case, without parameters.
        malformed: what `read()` raises where the body is to blame: the client gets 400, with the
            words of the exception. Any other is a fault of the application: 500.
    """

    media_type: str
    malformed: tuple[type[Exception], ...] = (ValueError,)

    @abstractmethod
    def read(self, body: bytes) -> Any:
        """Returns what a body says, or raises what `malformed` names."""

    @abstractmethod
    def write(self, value: Any) -> bytes:
        """Returns a result as a body."""


def check(handler: MediaHandler) -> None:
    """Refuses a handler whose attributes are not what they must be.

    Raises:
        ValueError, TypeError: its media type is none, or needs no handler; `malformed` is wrong; or
            its methods are coroutine functions.
    """
    name = getattr(handler, "media_type", None)
    kind = type(handler).__qualname__
    if not isinstance(name, str) or not _TYPE.fullmatch(name):
        raise ValueError(
            f"the media_type of {kind} is one in lower case, as application/yaml, not {name!r}"
        )
    kinds = handler.malformed
    if not isinstance(kinds, tuple) or not all(
        isinstance(one, type) and issubclass(one, Exception) for one in kinds
    ):
        raise TypeError(f"malformed of {kind} is a tuple of classes of exceptions, not {kinds!r}")
    for method in (handler.read, handler.write):
        if inspect.iscoroutinefunction(method):
            raise TypeError(f"{method.__qualname__}() must be a plain function: it does not wait")
    if _TAKEN.fullmatch(name):
        raise ValueError(f"the media_type of {kind} is {name}, which needs no handler")


def reader_of(
    handler: MediaHandler, encode: Callable[[Any], bytes]
) -> Callable[[bytes], bytes | str | None]:
    """Returns what the engine reads bodies with (python/api/media.h).

    Args:
        encode: to JSON.
    """

    def read(body: bytes) -> bytes | str | None:
        try:
            value = handler.read(body)
        except handler.malformed as error:
            try:
                return f"The body is not {handler.media_type}: {_words_of(error)}."
            except Exception:  # Of its own words, which are code, too.
                _log.exception("%s.read() raised what has no text", type(handler).__qualname__)
                return None
        except Exception:
            _log.exception("%s.read() failed", type(handler).__qualname__)
            return None
        try:
            return encode(value)
        except Exception as error:  # Mostly the body's: a map whose keys are lists, for one.
            _log.debug("%s.read() returned no JSON: %s", type(handler).__qualname__, error)
            return f"The body is {handler.media_type} that says what JSON could not."

    return read


def _words_of(error: Exception) -> str:
    """Returns what an exception says, for the client: in one line, whatever it quotes."""
    # Of many lines, as parsers of YAML have them, the words.
    said = " ".join(str(error).split())[:_WORDS_MAX]
    return said.encode(errors="replace").decode() or "it is malformed"
