"""Packages of the extra `redis`, imported where they are needed first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["load"]


def load(module: str, package: str) -> Any:
    """Returns a module.

    Raises:
        ImportError: its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"tercel.s3.Redis needs {package}: install it with `pip install 'tercel[redis]'`"
        ) from error
