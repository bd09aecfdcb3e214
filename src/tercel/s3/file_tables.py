"""The tables of a gateway's file, and the values in them, looked at one by one.

What is wrong is a Mistake, a sentence with table and key; what is secret is fetched from where the
value says that it is. What a table means is file.py's. Tested by tests/python/test_s3_file.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tercel.s3.redis import has_password
from tercel.table import closest

__all__ = ["KEYS", "Mistake", "made", "meant", "values_of"]

Value = TypeVar("Value")

# The keys of each table, and what a value is: "text", "secret", "url" (which may be a secret),
# "flag", "number", "texts" (a text or a list of them), "names" (texts that may be empty) or
# "tables" (a table or a list of them).
KEYS: Mapping[str, Mapping[str, str]] = {
    "gateway": {
        "domains": "texts",
        "region": "text",
        "key_ttl": "number",
        "unknown_key_ttl": "number",
        "allow_ttl": "number",
        "deny_ttl": "number",
        "credentials_ttl": "number",
        "error_ttl": "number",
        "policy_timeout": "number",
        "cache_entries": "number",
        "debug": "flag",
        "audit_log": "text",
    },
    "buckets": {
        "endpoint": "texts",
        "region": "text",
        "style": "text",
        "bucket": "text",
        "prefix": "text",
        "anonymous": "texts",
        "redirects": "text",
        "ca": "text",
        "verify": "flag",
        "trailers": "flag",
        "certificate": "text",
        "key": "text",
        "spread": "flag",
        "connect_timeout": "number",
        "response_timeout": "number",
        "progress_timeout": "number",
        "idle_timeout": "number",
        "retries": "number",
        "check": "text",
        "check_interval": "number",
        "access_key": "text",
        "secret_key": "secret",
        "session_token": "secret",
        "api_key": "secret",
        "token_url": "text",
        "token": "secret",
        "cors": "tables",
    },
    "buckets.NAME.cors": {
        "origins": "texts",
        "methods": "texts",
        "headers": "texts",
        "expose": "texts",
        "max_age": "number",
        "credentials": "flag",
        "private_network": "flag",
    },
    "identities": {"access_key": "text", "secret": "secret", "session_token": "secret"},
    "policies": {
        "allow": "flag",
        "identity": "texts",
        "bucket": "texts",
        "prefix": "texts",
        "access": "texts",
        "operations": "texts",
        "cidr": "texts",
    },
    "limits": {
        "per": "text",
        "rate": "number",
        "burst": "number",
        "concurrent": "number",
        "bandwidth": "number",
        "identity": "names",
        "bucket": "texts",
    },
    "redis": {
        "url": "url",
        "key": "secret",
        "share": "texts",
        "prefix": "text",
        "timeout": "number",
        "ca": "text",
    },
}
_SECRET_BYTES_MAX = 64 * 1024


class Mistake(Exception):
    """A sentence, to which the file is added."""


def values_of(where: str, kind: str, table: Any, *required: str) -> dict[str, Any]:
    """Returns a table with its values looked at, and what is secret fetched."""
    if not isinstance(table, dict):
        raise Mistake(f"{where} is a table")
    known = KEYS[kind]
    for key in table:
        if key not in known:
            raise Mistake(f"{key!r} is no key of {where}{meant(key, known)}")
    for key in required:
        if key not in table:
            raise Mistake(f"{where} has no {key}")
    for key, value in table.items():
        if value == [] and known[key] != "tables":
            how = "name one"
            if key not in required:
                how += " or leave it out" + (", which is for all" if kind == "policies" else "")
            raise Mistake(f"{key} of {where} is an empty list: {how},")
    return {key: _value(f"{key} of {where}", known[key], value) for key, value in table.items()}


def _value(what: str, kind: str, value: Any) -> Any:
    if kind == "secret" or (kind == "url" and not isinstance(value, str)):
        return _secret(what, value)
    if kind == "url":
        if has_password(value):
            raise Mistake(f'{what} has a password: it is {{ env = "NAME" }} or {{ file = "PATH" }}')
        return value
    if kind == "flag":
        if not isinstance(value, bool):
            raise Mistake(f"{what} is true or false")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Mistake(f"{what} is a number")
    elif kind == "text":
        if not isinstance(value, str):
            raise Mistake(f"{what} is a text")
    elif kind == "tables":
        value = [value] if isinstance(value, dict) else value
        if not isinstance(value, list):
            raise Mistake(f"{what} is a table or a list of tables")
    else:
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Mistake(f"{what} is a text or a list of texts")
        if kind == "texts" and not all(value):
            raise Mistake(f"{what} is a text or a list of texts, none of them empty")
    return value


def _secret(what: str, value: Any) -> str:
    """Returns what a variable or a file has; never a text that stands in the gateway's file."""
    match value:
        case {"env": str(name), **rest} if not rest:
            found = os.environ.get(name)
            if not found:
                why = "is not set" if found is None else "is empty"
                raise Mistake(f"{what} is in the variable {name}, which {why},")
            return found
        case {"file": str(name), **rest} if not rest:
            try:
                with open(name, encoding="ascii") as file:
                    found = file.read(_SECRET_BYTES_MAX + 1)
            except OSError as error:
                raise Mistake(
                    f"{what} is in the file {name}, which cannot be read ({error.strerror}),"
                ) from None
            except UnicodeDecodeError:
                raise Mistake(f"{what} is in the file {name}, which is not ASCII,") from None
            except ValueError:
                raise Mistake(f"{what} is in a file whose name no file has, {name!r},") from None
            if len(found) > _SECRET_BYTES_MAX:
                raise Mistake(f"{what} is in the file {name}, which has more than 64 KiB,")
            found = found.strip()
            if not found:
                raise Mistake(f"{what} is in the file {name}, which is empty,")
            return found
    raise Mistake(f'{what} is {{ env = "NAME" }} or {{ file = "PATH" }}, and no text')


def made(where: str, kind: Callable[..., Value], *values: Any, **named: Any) -> Value:
    """Returns what `kind` makes of values that are right one by one, if they are together."""
    try:
        return kind(*values, **named)
    except (ImportError, TypeError, ValueError) as error:
        raise Mistake(f"{where}: {error},") from None


def meant(name: str, known: Any) -> str:
    """Returns what is asked behind a name that nobody knows; nothing if none is like it."""
    match = closest(name, known)
    return f" (did you mean {match}?)" if match else ""
