"""What says where a parameter comes from: `Annotated[str, Header("X-Token")]`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from tercel import _api
from tercel.options import check_number

__all__ = ["Body", "Cookie", "File", "Form", "Header", "Marker", "Path", "Query"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What of a msgspec.Meta says which values there may be.
LIMITS = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
)
# What of a JSON Schema counts from the root of its document.
_OF_A_DOCUMENT = ("$ref", "$dynamicRef", "$recursiveRef", "$schema")
_META = (*LIMITS, "title", "description", "examples")


@dataclass(frozen=True, repr=False)
class Marker:
    """Where a parameter comes from, and what its value must be.

    Args:
        alias: its name in requests, if that is not the name of the argument. A header's is the
            argument's with `-` for `_`.
        gt: it must be greater; `ge`: greater or equal; `lt`: less; `le`: less or equal;
            `multiple_of`: a multiple of this.
        min_length: of a str or a list; `max_length` likewise.
        pattern: a regular expression that a str must have a match of, anywhere in it.
        title: for the OpenAPI document, as `description` and `examples` are.
        schema: a JSON Schema that values must match besides, of the drafts 2020-12, 2019-09 or 7.
        include_in_schema: False keeps it out of the OpenAPI document.
    """

    alias: str | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    title: str | None = None
    description: str | None = None
    examples: list[Any] | None = None
    schema: Mapping[str, Any] | None = None
    include_in_schema: bool = True
    place = ""

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if self.alias is not None and not isinstance(self.alias, str):
            raise TypeError(
                f"{kind} takes the name of the parameter, not {self.alias!r}: a default stands"
                f" behind the argument, as in `x: Annotated[T, {kind}()] = {self.alias!r}`."
            )
        if self.alias == "":
            raise ValueError(f"{kind} takes the name of the parameter, which is not empty")
        if self.schema is not None and not isinstance(self.schema, Mapping):
            raise TypeError(f"the schema of {kind} is a JSON Schema as a dict, not {self.schema!r}")
        try:
            self.meta()
            if self.schema is not None and (problem := _api.check_schema(_text(self.schema))):
                raise ValueError(f"its schema is none: {problem}")
        except re.error as error:
            raise ValueError(
                f"the pattern {self.pattern!r} of {kind} is malformed: {error}"
            ) from None
        except RecursionError:  # As repr() would.
            raise ValueError(f"the schema of {kind} is too deep, or a part of itself") from None
        except (ValueError, TypeError) as error:
            # Those of Unicode take other arguments.
            of_kind = TypeError if isinstance(error, TypeError) else ValueError
            raise of_kind(f"{self!r} cannot be: {error}") from None

    def __repr__(self) -> str:
        said = [
            f"{one.name}={value!r}"
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default
        ]
        return f"{type(self).__name__}({', '.join(said)})"

    def meta(self) -> msgspec.Meta | None:
        """Returns the constraints; None: there are none."""
        known = {name: getattr(self, name) for name in _META}
        known = {name: value for name, value in known.items() if value is not None}
        if self.schema is not None:
            known["extra_json_schema"] = {"allOf": [_standing_alone(self.schema)]}
        return msgspec.Meta(**known) if known else None


def _text(schema: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(schema)).decode()


def _standing_alone(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a schema that means the same where it is a part of another one.

    References begin at the nearest `$id`, and only there may be a `$schema`.
    """
    text = _text(schema)
    if "$id" in schema or not any(f'"{name}"' in text for name in _OF_A_DOCUMENT):
        return dict(schema)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {"$id": f"urn:tercel:{digest}", **schema}


def _check_token(marker: Marker, what: str) -> None:
    if marker.alias is not None and not _TOKEN.fullmatch(marker.alias):
        raise ValueError(f"no {what} has the name {marker.alias!r}: it would never come")


@dataclass(frozen=True, repr=False)
class Path(Marker):
    """A field of the route's template."""

    place = "path"


@dataclass(frozen=True, repr=False)
class _Separated(Marker):
    separator: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        separator: Any = self.separator
        if not isinstance(separator, str) or len(separator) > 1 or not separator.isascii():
            raise ValueError(
                f"the separator of {type(self).__name__} is one ASCII character,"
                f" not {self.separator!r}"
            )


@dataclass(frozen=True, repr=False)
class Query(_Separated):
    """A parameter of the query.

    Args:
        separator: of a list: one text holds several elements, cut at this character.
    """

    place = "query"


@dataclass(frozen=True, repr=False)
class Header(_Separated):
    """A header field.

    Args:
        separator: of a list: one field holds several elements, cut at this character.
    """

    place = "header"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_token(self, "header field")


@dataclass(frozen=True, repr=False)
class Cookie(Marker):
    """A cookie."""

    place = "cookie"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_token(self, "cookie")


@dataclass(frozen=True, repr=False)
class Body(Marker):
    """The body of the request.

    Args:
        bytes_max: a longer one is answered with 413.
        unique_keys: of JSON: an object with a key twice is answered with 400; otherwise the last
            one counts.
    """

    bytes_max: int = 1 << 20
    unique_keys: bool = False
    place = "body"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("bytes_max of Body", self.bytes_max, 0)


@dataclass(frozen=True, repr=False)
class Form(Marker):
    """A field of a form: `application/x-www-form-urlencoded`, or `multipart/form-data`.

    Of a type with parts, a `Struct` or a dataclass, each part is a field of the form.
    """

    place = "form"


@dataclass(frozen=True, repr=False)
class File(Marker):
    """A file of a form: an `UploadFile`, `bytes`, or a list of one of them.

    Args:
        bytes_max: a longer file, or longer files of a list together, are answered with 413. None is
            64 MiB, and 1 MiB of bytes, which are in memory.
    """

    bytes_max: int | None = None
    place = "form"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bytes_max is not None:
            check_number("bytes_max of File", self.bytes_max, 0)
