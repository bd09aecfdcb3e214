"""What says where a parameter comes from: `Annotated[str, Header("X-Token")]`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Body", "Cookie", "Header", "Marker", "Path", "Query"]


@dataclass(frozen=True)
class Marker:
    """Where a parameter comes from.

    Args:
        alias: its name in requests, if that is not the name of the argument. A header's is the
            argument's with `-` for `_`.
    """

    alias: str | None = None
    place = ""


@dataclass(frozen=True)
class Path(Marker):
    """A field of the route's template."""

    place = "path"


@dataclass(frozen=True)
class Query(Marker):
    """A parameter of the query.

    Args:
        separator: of a list: one text holds several elements, cut at this character.
    """

    separator: str = ""
    place = "query"


@dataclass(frozen=True)
class Header(Marker):
    """A header field.

    Args:
        separator: of a list: one field holds several elements, cut at this character.
    """

    separator: str = ""
    place = "header"


@dataclass(frozen=True)
class Cookie(Marker):
    """A cookie."""

    place = "cookie"


@dataclass(frozen=True)
class Body(Marker):
    """The body of the request.

    Args:
        bytes_max: a longer one is answered with 413.
    """

    bytes_max: int = 1 << 20
    place = "body"
