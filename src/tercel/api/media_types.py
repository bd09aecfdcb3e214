"""In which media types typed values come and go: JSON, and others where the App says so.

A handler's result that is neither sent as it is, nor a text or bytes, is written in the one of them
that the client likes best (RFC 9110, section 12.5.1). What hooks and error handlers return is JSON.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tercel import _api
from tercel.api import responses
from tercel.api.files import FileResponse
from tercel.api.media_handler import MediaHandler, check, reader_of
from tercel.api.plan import Plan
from tercel.api.response import Response
from tercel.api.returned import returned_by
from tercel.api.streams import Stream
from tercel.options import listed

__all__ = ["JSON", "MSGPACK", "MediaTypes"]

JSON = "application/json"
MSGPACK = "application/msgpack"

# As many as the engine chooses from (cpp/tercel/http/accept.h).
_NAMES_MAX = 16

_BODYLESS = (204, 205, 304)
# The argument that is the media type to answer in.
_CHOSEN = ":media type"


class MediaTypes:
    """Those of one application.

    Args:
        media_types: names of them, and handlers; the first is for clients that take any.
        encode: to JSON.
        of_unknown: returns what is encoded in place of a value that msgspec does not know.

    Raises:
        TypeError, ValueError: they are no list of what there is, with JSON among it.

    Attributes:
        names: of them, in that order.
        readers: what reads bodies in those that have a handler, by name.
        negotiation: what chooses one of them, in the engine; None: there is nothing to choose.
    """

    def __init__(
        self,
        media_types: Iterable[str | MediaHandler],
        encode: Callable[[Any], bytes],
        of_unknown: Callable[[Any], Any],
    ) -> None:
        if isinstance(media_types, str) or not isinstance(media_types, Iterable):
            raise TypeError(f"media_types is a list, as [{JSON!r}], not {media_types!r}")
        given = tuple(media_types)
        handlers = [one for one in given if isinstance(one, MediaHandler)]
        named = [one for one in given if not isinstance(one, MediaHandler)]
        for one in named:
            if isinstance(one, type) and issubclass(one, MediaHandler):
                raise TypeError(
                    f"media_types has the class {one.__qualname__}: put an object of it there"
                )
        listed("media_types", named)
        for handler in handlers:
            check(handler)
        self.names = tuple(one if isinstance(one, str) else one.media_type for one in given)
        own = {handler.media_type: handler for handler in handlers}
        if not {JSON} <= set(self.names) <= {JSON, MSGPACK, *own}:
            raise ValueError(
                f"media_types are {JSON!r}, and if you like {MSGPACK!r} and objects of classes"
                f" derived from tercel.MediaHandler, not {list(self.names)!r}"
            )
        if len(set(self.names)) < len(self.names) or len(self.names) > _NAMES_MAX:
            raise ValueError(
                f"media_types are up to {_NAMES_MAX}, each of them once, not {list(self.names)!r}"
            )
        self.readers = [(name, reader_of(handler, encode)) for name, handler in own.items()]
        to_msgpack = msgspec.msgpack.Encoder().encode

        def encode_msgpack(value: Any) -> bytes:
            # Dates, keys and the like as in JSON, so that what is written can be read; but bytes.
            plain = msgspec.to_builtins(
                value,
                builtin_types=(bytes, bytearray, memoryview),
                str_keys=True,
                enc_hook=of_unknown,
            )
            return to_msgpack(plain)

        def encode_own(handler: MediaHandler, value: Any) -> bytes:
            plain = msgspec.to_builtins(value, str_keys=True, enc_hook=of_unknown)
            body = handler.write(plain)
            if not isinstance(body, bytes):
                raise TypeError(f"{type(handler).__qualname__}.write() returned no bytes: {body!r}")
            return body

        self.negotiation = _api.Negotiation(list(self.names)) if self.are_several else None
        self._encoders = {JSON: encode, MSGPACK: encode_msgpack}
        for name, handler in own.items():
            self._encoders[name] = functools.partial(encode_own, handler)
        self._chosen: contextvars.ContextVar[str] = contextvars.ContextVar("media_type")

    @property
    def has_msgpack(self) -> bool:
        return MSGPACK in self.names

    @property
    def are_several(self) -> bool:
        """Whether there is something to choose from."""
        return len(self.names) > 1

    def encoded(self, result: Any, status: int) -> Any:
        """Returns the response that a typed result is, and other results as they are."""
        if not self.are_several or status in _BODYLESS:
            return result
        if isinstance(result, (bytes, str, Response, FileResponse, Stream)):
            return result
        name = self._chosen.get(self.names[0])
        return Response(
            self._encoders[name](result),
            status=status,
            media_type=name,
            headers={"vary": "Accept"},
        )

    def refuses(self, function: Callable[..., Any], status: int) -> bool:
        """Whether a client that takes none of the media types is refused."""
        typed = responses.is_typed(returned_by(function))
        return self.are_several and typed and status not in _BODYLESS

    def negotiated(self, endpoint: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
        """Returns what calls `endpoint` when it is known what the client likes best.

        The plan has that then: the engine finds it out, and refuses who takes nothing of it.
        """
        if not self.are_several:
            return endpoint
        plan.media_type = _CHOSEN

        @functools.wraps(endpoint)
        async def run(**arguments: Any) -> Any:
            self._chosen.set(arguments.pop(_CHOSEN))
            made = endpoint(**arguments)
            return await made if inspect.isawaitable(made) else made

        return run
