"""Texts that stand in header fields. Tested by tests/python/test_s3_options.py."""

from __future__ import annotations

from typing import Any

__all__ = ["check_text"]


def check_text(what: str, value: Any, *, empty: bool = False) -> None:
    """Refuses what is no text that stands in a header field.

    Raises:
        TypeError, ValueError: it is none. The text itself is not told: it may be a secret.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not of {type(value).__name__}")
    if not (value or empty):
        raise ValueError(f"{what} is empty")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{what} has bytes that are not printable ASCII")
