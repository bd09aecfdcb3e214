"""Converters of an application's own, for fields of paths: `/{name:slug(20)}`."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tercel.options import check_call

__all__ = ["bind", "check"]

# Of the engine (cpp/tercel/route/converter.h).
_TAKEN = frozenset({"str", "int", "float", "uuid", "date", "datetime", "path"})
_NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


def check(name: str, converter: Any, known: Mapping[str, Any]) -> None:
    """Refuses what cannot be a converter.

    Raises:
        ValueError: the name is none, or is taken.
        TypeError: it is nothing to be called, or a class without `convert`.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"the name of a converter is an identifier, not {name!r}")
    if name in _TAKEN or name in known:
        raise ValueError(f"there is a converter {name!r} already")
    if not callable(converter):
        raise TypeError(f"a converter is a class with a method convert(text), not {converter!r}")
    if inspect.isroutine(converter):
        raise TypeError(
            "a converter is a class with a method convert(text): make one of"
            f" {converter.__qualname__}()"
        )
    if inspect.isclass(converter):
        convert = getattr(converter, "convert", None)
        if convert is None:
            raise TypeError(f"{converter.__qualname__} has no method convert(text)")
        if inspect.iscoroutinefunction(convert):
            raise TypeError(f"{convert.__qualname__}() does not wait: write it without `async`")


def bind(converter: Callable[..., Any], arguments: str) -> Callable[[str], Any]:
    """Returns the `convert` of a converter with the arguments that a template gives it.

    Called by the engine (python/api/converters.cc).

    Raises:
        ValueError: the arguments are no literals.
        TypeError: the class does not take them, or `convert` does not take a text.
    """
    given, named = _read(arguments) if arguments.strip() else ((), _NO_ARGUMENTS)
    made = converter(*given, **named)
    convert: Callable[[str], Any] | None = getattr(made, "convert", None)
    if convert is None:
        raise TypeError(f"{type(made).__qualname__} has no method convert(text)")
    check_call(convert, "the method of a converter", "text")
    return convert


def _read(arguments: str) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        given = tuple(ast.literal_eval(one) for one in call.args)
        named = {one.arg or "": ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, AssertionError):
        raise ValueError(f"its arguments are literals of Python, not ({arguments})") from None
    return given, named
