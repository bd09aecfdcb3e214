"""The public names, as a golden file: a change of it is a decision, not an accident.

To accept a change: `python tests/python/test_api_surface.py > tests/python/api_surface.txt`.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import tercel
import tercel.auth
import tercel.proxy
import tercel.s3
import tercel.testing

MODULES = {
    "": tercel,
    "auth.": tercel.auth,
    "proxy.": tercel.proxy,
    "s3.": tercel.s3,
    "testing.": tercel.testing,
}
GOLDEN = Path(__file__).with_name("api_surface.txt")


def _describe(name: str, value: Any) -> list[str]:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__)
        members = [
            f"    {line}"
            for member, part in sorted(vars(value).items())
            if not member.startswith("_") or member == "__init__"
            for line in _describe(member, part)
        ]
        return [f"class {name}({bases})", *members]
    if isinstance(value, (classmethod, staticmethod)):
        return [f"{type(value).__name__} {name}{inspect.signature(value.__func__)}"]
    if inspect.isfunction(value):
        kind = "async def" if inspect.iscoroutinefunction(value) else "def"
        return [f"{kind} {name}{inspect.signature(value)}"]
    if isinstance(value, property):
        return [f"property {name}"]
    return [f"{name}: {type(value).__name__}"]


def surface() -> str:
    """Returns the public names of all MODULES with their signatures, one a line."""
    lines = []
    for prefix, module in MODULES.items():
        for name in sorted(module.__all__):
            lines += _describe(prefix + name, getattr(module, name))
    return "\n".join(lines) + "\n"


def test_the_public_names_are_those_of_the_golden_file():
    assert surface() == GOLDEN.read_text()


def test_every_public_name_has_a_docstring():
    for module in MODULES.values():
        for name in module.__all__:
            if name != "__version__":
                assert inspect.getdoc(getattr(module, name)), name


if __name__ == "__main__":
    print(surface(), end="")
