"""Which pages of other origins may read what a gateway answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tercel import _s3
from tercel.options import check_flag, check_number, listed

__all__ = ["Cors", "cors_rules"]

_EXPOSED = ("ETag", "Accept-Ranges", "Content-Range", "Retry-After", "x-amz-*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """A rule for pages in browsers: `Backend(..., cors=Cors(origins=[...]))`.

    Attributes:
        origins: of the pages, as browsers say them: `https://app.example.com`;
            `https://*.example.com` for all hosts below one; `"*"`, alone, for everybody.
        methods: that they may use; `"*"` for all.
        headers: fields that they may send, besides those that need no permission; `"x-amz-*"` for
            all that begin so, `"*"` for all.
        expose: fields of answers that they may read, likewise.
        max_age: seconds for which a browser may keep what it was told, up to a day.
        credentials: they may send cookies and the like. A signature is none of these.
        private_network: pages of public networks may ask this gateway in a private one.
    """

    origins: Iterable[str]
    methods: Iterable[str] = ("GET", "HEAD")
    headers: Iterable[str] = ("*",)
    expose: Iterable[str] = _EXPOSED
    max_age: int = 600
    credentials: bool = False
    private_network: bool = False

    def __post_init__(self) -> None:
        for name in ("origins", "methods", "headers", "expose"):
            object.__setattr__(self, name, listed(f"{name} of Cors", getattr(self, name)))
        check_number("max_age of Cors, in seconds,", self.max_age, 0, 86_400)
        for name in ("credentials", "private_network"):
            check_flag(f"{name} of Cors", getattr(self, name))
        if problem := _s3.cors_problem(self._native()):
            raise ValueError(problem.rstrip("."))

    def _native(self) -> tuple[Any, ...]:
        """Returns the rule as the engine has it (python/s3/config.cc)."""
        return (
            list(self.origins),
            list(self.methods),
            list(self.headers),
            list(self.expose),
            self.max_age,
            self.credentials,
            self.private_network,
        )


def cors_rules(rules: Any) -> tuple[Cors, ...]:
    """Returns the rules that a Backend was given: none, one, or a list.

    Raises:
        TypeError: one is none.
    """
    if isinstance(rules, Cors):
        return (rules,)
    found = tuple(rules) if isinstance(rules, Iterable) else (rules,)
    for rule in found:
        if not isinstance(rule, Cors):
            raise TypeError(f"the cors of Backend is a Cors, or a list of them, not {rule!r}")
    return found
