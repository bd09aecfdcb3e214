"""What a client shows who it is with, as the OpenAPI document says it.

The schemes themselves are in tercel.auth; an application may have one of its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tercel.api.errors import HTTPError

__all__ = ["Demand", "Securities", "SecurityScheme"]

_NAME = re.compile(r"[a-zA-Z0-9._\-]+")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request must show before its parameters and its body are looked at.

    Attributes:
        any_of: where credentials stand, as (place, name, word before them, in lower case); one is
            enough.
        refusal: returns what is raised when they are missing.
        of: the dependencies that ask for them: where one of these is overridden, nobody asks.
    """

    any_of: tuple[tuple[str, str, str], ...]
    refusal: Callable[[], HTTPError]
    of: tuple[Any, ...]


class SecurityScheme:
    """A dependency that finds out who asks: an object, called as its `__signature__` says.

    The functions that depend on it have it as `security` in the OpenAPI document.

    Args:
        name: of the scheme in the document.
        scheme: a Security Scheme Object of OpenAPI.
        scopes: that a client must have.
        optional: a client may show nothing.
        refusals: what it answers, by status, as sentences.

    Attributes: as the arguments.
    """

    # What the function takes from a request; that of the class's __call__ if it is not set.
    __signature__: inspect.Signature
    __call__: Callable[..., Any]

    def __init__(
        self,
        name: str,
        scheme: Mapping[str, Any],
        *,
        scopes: Iterable[str] = (),
        optional: bool = False,
        refusals: Mapping[int, str] | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"the name of a security scheme is of letters, digits, . _ and -, not {name!r}"
            )
        self.name = name
        self.scheme = dict(scheme)
        self.scopes = tuple(scopes)
        self.optional = optional
        # Of these one is enough; the scheme itself is not in the document then.
        self.alternatives: tuple[SecurityScheme, ...] = ()
        self.refusals = dict(refusals or {401: "Nothing says who asks, or it is not valid."})
        # What the engine asks for, before anything else; None: nothing.
        self.demand: Demand | None = None


class Securities:
    """The schemes of a document, as it grows.

    Attributes:
        components: the Security Scheme Objects, by name.
    """

    def __init__(self) -> None:
        self.components: dict[str, dict[str, Any]] = {}

    def of(self, functions: Iterable[Any]) -> tuple[list[dict[str, list[str]]], dict[int, str]]:
        """Returns what is required by those of `functions` that are schemes, and their refusals."""
        required: dict[str, list[str]] = {}
        optional: dict[str, list[str]] = {}
        refusals: dict[int, str] = {}
        one_is_enough = False
        for one in functions:
            if not isinstance(one, SecurityScheme):
                continue
            refusals |= one.refusals
            if one.alternatives:
                one_is_enough = True
                continue
            scopes = (optional if one.optional else required).setdefault(self._name_of(one), [])
            scopes += [scope for scope in one.scopes if scope not in scopes]
        for name in required:
            optional.pop(name, None)
        if not required and not optional:
            return [], refusals
        with_each = [required | {name: scopes} for name, scopes in optional.items()]
        # Where all of them are optional, the last alternative is {}: nothing.
        return [*with_each, *([] if one_is_enough and with_each else [required])], refusals

    def _name_of(self, scheme: SecurityScheme) -> str:
        """Returns the name of a component; another scheme of the same name has a number behind."""
        name, number = scheme.name, 1
        while self.components.setdefault(name, scheme.scheme) != scheme.scheme:
            number += 1
            name = f"{scheme.name}_{number}"
        return name
