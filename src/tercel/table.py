"""The table of settings as people read it: for help, the reference, and names that are none.

Imported when one of these is wanted. A server that starts asks the engine's table (`_core`) itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tercel import _core

__all__ = ["Row", "closest", "closest_keyword", "rows"]


class Row(NamedTuple):
    """One setting of the table.

    Attributes:
        name: as an option, without the dashes before it.
        kind: flag, toggle, count, bytes, seconds, mode, text, list or choice.
        group: title of the group it belongs to.
        default: the value it has if nobody sets it.
        default_text: the same as people write it.
        must_be: what a value must be; completes "must be".
        unit: of counts and rates, else empty.
        zero: what 0 and "off" mean where they are special, else empty.
        choices: what may be written, of a choice.
        process_only: for the command line and `tercel.serve`, not for `tercel.Server`.
    """

    name: str
    kind: str
    group: str
    help: str
    default: Any
    default_text: str
    must_be: str
    unit: str
    zero: str
    choices: list[str]
    process_only: bool

    @property
    def keyword(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return "TERCEL_" + self.keyword.upper()


def rows() -> list[Row]:
    """Returns the table in its order: by group, then by importance."""
    return [Row(**row) for row in _core.settings_table()]


def closest(name: str, known: Iterable[str]) -> str | None:
    """Returns the one of `known` that `name` was probably meant to be, or None."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1)
    return found[0] if found else None


def closest_keyword(name: str, *others: str) -> str | None:
    """Returns the keyword of a setting, or of `others`, that `name` was meant to be, or None."""
    return closest(name, [*(row.keyword for row in rows()), *others])
