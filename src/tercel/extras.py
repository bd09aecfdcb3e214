"""Packages of extras, imported where they are needed first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["load"]


def load(module: str, package: str, what: str, extra: str) -> Any:
    """Returns a module.

    Args:
        package: that has it; `what` needs it, and `extra` brings it.

    Raises:
        ImportError: the package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{what} needs {package}: install it with `pip install 'tercel[{extra}]'`"
        ) from error
