"""Header fields that a handler, or what it depends on, adds to whatever becomes the answer."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from tercel.api.cookies import SetsCookies
from tercel.api.files import FileResponse
from tercel.api.response import Response
from tercel.api.streams import Stream

if TYPE_CHECKING:
    from tercel import _api

__all__ = ["ResponseHeaders", "answer_with"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Printable, or above ASCII as ISO 8859-1 has it; spaces and tabs within.
_VALUE = re.compile(r"([!-~\x80-\xff]([ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
# These follow from what is returned.
_OF_THE_BODY = ("content-type", "content-length", "transfer-encoding")


class ResponseHeaders(SetsCookies):
    """An argument of a handler, or of a dependency: adds header fields to the answer.

    ::

        @app.post("/login", status=204)
        async def login(form: Login, headers: ResponseHeaders) -> None:
            headers.set_cookie("theme", "dark", max_age=3600)
            headers["cache-control"] = "no-store"

    It is one object for all functions of a request. The fields are added when the handler has
    returned, and what its dependencies do behind their `yield` is done. What is raised, and what a
    pre_handler hook answers, is sent without them.

    Attributes:
        headers: the fields so far, as pairs.
    """

    __slots__ = ("_fallbacks", "headers")

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self._fallbacks: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        """Adds a field, beside those of the same name.

        Raises:
            ValueError: it is none that an answer can have, or is the body's.
        """
        self.headers.append((_checked(name, value), value))

    def __setitem__(self, name: str, value: str) -> None:
        """Sets the only field of a name, unless the handler returns a `Response` that has it."""
        self._fallbacks[_checked(name, value)] = value

    def __bool__(self) -> bool:
        return bool(self.headers or self._fallbacks)


def answer_with(
    headers: ResponseHeaders, result: Any, status: int, encoder: _api.Encoder
) -> Response | FileResponse | Stream:
    """Returns the answer that a handler's result is, with the fields.

    What the handler returned stays as it is: it may return it again.
    """
    made: Response | FileResponse | Stream
    if isinstance(result, (Response, FileResponse, Stream)):
        made = copy.copy(result)
    else:
        # Whole, whatever the request's conditions are: those are looked at when it is sent.
        made = Response.of(*encoder.answer(result, status, "", []))
    known = {name.lower() for name, _ in made.headers}
    made.headers = [
        *made.headers,
        *((name, value) for name, value in headers._fallbacks.items() if name not in known),
        *headers.headers,
    ]
    return made


def _checked(name: str, value: str) -> str:
    """Returns a name in lower case."""
    lower = name.lower()
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"no header field is {name!r} with the value {value!r}")
    if lower in _OF_THE_BODY:
        raise ValueError(
            f"{name} is that of the body: return a Response with a media_type to decide it"
        )
    return lower
