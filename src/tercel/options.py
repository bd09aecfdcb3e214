"""Options as an application gives them: a mistake is said where it is made, in one sentence.

Tested by tests/python/test_api_options.py.
"""

from __future__ import annotations

import inspect
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["check_call", "check_flag", "check_number", "is_host", "listed", "pairs_of", "path_of"]

# A name ends in no number: what looks like an address is one (WHATWG URL, section 3.5).
_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*(?!\d+\.?$|0[xX][0-9A-Fa-f]*\.?$){_LABEL}\.?")

_MOST = (1 << 63) - 1  # Of the engine's integers.


def check_number(
    what: str, value: Any, least: float, most: float = _MOST, *, fractions: bool = False
) -> None:
    """Refuses what is no number, or out of its bounds.

    Args:
        fractions: it need not be a whole number.

    Raises:
        TypeError, ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float) if fractions else int):
        kind = "a number" if fractions else "a whole number"
        raise TypeError(f"{what} is {kind}, not {value!r}")
    if not least <= value <= most:
        bounds = f"{least} or more" if most == _MOST else f"from {least} to {most}"
        raise ValueError(f"{what} is {bounds}, not {value!r}")


def check_flag(what: str, value: Any) -> None:
    """Refuses what is neither True nor False: a text that says no would be taken for yes.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{what} is True or False, not {value!r}")


def is_host(text: str) -> bool:
    """Returns whether it is the name of a host, or an address, of IPv6 without brackets."""
    if _NAME.fullmatch(text) and len(text) <= 253:
        return True
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def path_of(what: str, value: Any) -> str:
    """Returns the path of a file, empty for None.

    Raises:
        TypeError, ValueError: it is none.
    """
    if value is None:
        return ""
    path = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(path, str):
        raise TypeError(f"{what} is the path of a file, not {value!r}")
    if not path or not path.isprintable():
        raise ValueError(f"{what} is the path of a file, of printable characters, not {path!r}")
    return path


def listed(what: str, value: Any) -> tuple[str, ...]:
    """Returns the texts of a list. A single text is none: it would be one of letters.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, str):
        raise TypeError(f"{what} is a list of texts, as [{value!r}], not {value!r}")
    if not isinstance(value, Iterable):
        raise TypeError(f"{what} is a list of texts, not {value!r}")
    texts = tuple(value)
    for one in texts:
        if not isinstance(one, str):
            raise TypeError(f"{what} is a list of texts, and {one!r} is none")
    return texts


def pairs_of(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns header fields as pairs, in a list of their own."""
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def check_call(function: Any, what: str, *given: str, named: Iterable[str] = ()) -> None:
    """Refuses what cannot be called with the arguments that it will be given.

    Args:
        what: it is, as "a hook of requests".
        given: what the arguments are, in their order.
        named: those that are given by their names.

    Raises:
        TypeError: it is no function, or one of other arguments, or a generator.
    """
    if not callable(function):
        raise TypeError(f"{what} is a function, not {function!r}")
    name = getattr(function, "__qualname__", repr(function))
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{name}() is a generator: {what} returns, and does not yield")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # Of C, perhaps: nobody knows.
    try:
        signature.bind(*given, **dict.fromkeys(named))
    except TypeError as error:
        arguments = ", ".join([*given, *(f"{one}=" for one in named)])
        said = f"with ({arguments})" if arguments else "without arguments"
        raise TypeError(f"{name}() is {what}, called {said}: {error}") from None
