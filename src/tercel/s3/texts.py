"""Texts of header fields, regions and URLs. Tested by tests/python/test_s3_options.py."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tercel.options import is_host

__all__ = ["check_region", "check_text", "parts_of_url"]

_REGION_CHARS_MAX = 64  # As cpp/tercel/s3/signing_key.h.


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


def check_region(what: str, value: Any) -> None:
    """Refuses what is no part of the scope of a signature: ACCESS-KEY/DATE/REGION/s3/aws4_request.

    Raises:
        TypeError, ValueError: it is none.
    """
    check_text(what, value)
    if len(value) > _REGION_CHARS_MAX:
        raise ValueError(f"{what} has at most {_REGION_CHARS_MAX} characters")
    if set(value) & set("/, "):
        raise ValueError(f"{what} is a name, as eu-de, without slash, comma and blank")


def parts_of_url(what: str, value: Any) -> SplitResult:
    """Returns the parts of a URL by which a host can be reached, at the port that is in it if any.

    Raises:
        TypeError, ValueError: it is none. It is not told where it may have a password.
    """
    check_text(what, value)
    if "@" in re.split("[/?#]", value.partition("://")[2], maxsplit=1)[0]:
        raise ValueError(f"{what} has a user or a password: leave out what is before the @")
    try:
        parts: SplitResult = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:  # Brackets without an address.
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not is_host(host):
        shown = "" if "@" in value else f", not {value!r}"
        raise ValueError(f"{what} is an http(s) URL, as https://s3.example.com{shown}")
    try:
        valid = parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"{what} has a port that is none: it is from 1 to 65535, not as {value!r}")
    return parts
