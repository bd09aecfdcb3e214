"""A gateway from a TOML file: `tercel gateway s3.toml`.

    [server]
    port = 9000

    [buckets."*"]
    endpoint = "https://s3.eu-de.example"
    access_key = "AKIA..."
    secret_key = { env = "S3_SECRET" }

    [identities.alice]
    secret = { file = "/run/secrets/alice" }

    [[policies]]
    identity = "alice"
    access = ["read", "list"]
    allow = true

What is secret stands in a variable or in a file of its own, never in this one, and never in a
sentence about a mistake. Every key: docs/guide/s3.md. Tested by tests/python/test_s3_file.py.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, TypeVar

from tercel import _s3
from tercel.problems import SettingError
from tercel.s3.cors import Cors
from tercel.s3.gateway import Gateway
from tercel.s3.limits import Limit
from tercel.s3.redis import Redis, has_password
from tercel.s3.rules import Rule, decide
from tercel.s3.texts import check_text
from tercel.s3.values import (
    ApiKey,
    AuthzRequest,
    Backend,
    Bearer,
    Credentials,
    Decision,
    FrontKey,
    Hmac,
)
from tercel.table import closest

__all__ = ["KEYS", "FileGateway", "GatewayFile", "read_file"]

Value = TypeVar("Value")

_log = logging.getLogger("tercel.s3")

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
_TABLES = ("server", *(name for name in KEYS if "." not in name))
_LISTS = ("policies", "limits")
_CREDENTIALS = ("access_key", "secret_key", "session_token", "api_key", "token_url", "token")
_ACCESS = ("read", "write", "list")
_SECRET_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class GatewayFile:
    """What a file says.

    Attributes:
        server: settings of `tercel serve`, by keyword.
        options: of the Gateway.
        keys: of the clients, by access key.
    """

    server: Mapping[str, Any]
    options: Mapping[str, Any]
    buckets: Mapping[str, Backend]
    keys: Mapping[str, FrontKey]
    rules: tuple[Rule, ...]
    limits: tuple[Limit, ...]
    redis: Redis | None = None


class FileGateway(Gateway):
    """The gateway that a file says.

    Raises:
        SettingError: the file has a mistake.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = read_file(path)
        access = _s3.operations()

        async def secret_for(access_key: str) -> FrontKey | None:
            return self._file.keys.get(access_key)

        async def authorize(request: AuthzRequest) -> Decision:
            return decide(self._file.rules, request, access)

        try:
            super().__init__(
                self._file.buckets,
                secret_for=secret_for,
                authorize=authorize,
                limits=self._file.limits,
                shared=self._file.redis,
                **self._file.options,
            )
        except (TypeError, ValueError) as error:
            raise SettingError(f"{path} makes no gateway: {error}.") from None

    def __tercel_reload__(self) -> None:
        """Reads the file again: for SIGHUP. With a mistake in it everything stays as it was."""
        try:
            file = read_file(self._path)
            self.update(file.buckets, limits=file.limits)
        except (SettingError, TypeError, ValueError) as error:
            _log.error("The gateway stays as it was. %s", error)
            return
        if (file.server, file.options, file.redis) != (
            self._file.server,
            self._file.options,
            self._file.redis,
        ):
            _log.warning(
                "[server], [gateway] and [redis] of %s count from the next start.", self._path
            )
        self._file = file
        self._forget("", "", "")  # Of this process: the others read their own files.
        _log.info("Read %s again.", self._path)


def read_file(path: str) -> GatewayFile:
    """Returns what a file says.

    Raises:
        SettingError: it cannot be read, or has a mistake: one sentence with file and key.
    """
    try:
        with open(path, "rb") as file:
            said = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"The gateway's file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"The gateway's file {path} is not TOML: {error}.") from None
    except RecursionError:
        raise SettingError(
            f"The gateway's file {path} has values in values in values: no key takes so many."
        ) from None
    try:
        return _read(said)
    except _Mistake as mistake:
        raise SettingError(f"{mistake} in {path}.") from None


class _Mistake(Exception):
    """A sentence, to which the file is added."""


def _read(said: Mapping[str, Any]) -> GatewayFile:
    for name, value in said.items():
        if name not in _TABLES:
            raise _Mistake(f"[{name}] is no table of a gateway{_meant(name, _TABLES)}")
        if not isinstance(value, list if name in _LISTS else dict):
            shape = f"[[{name}]], a list of tables" if name in _LISTS else f"[{name}], a table"
            raise _Mistake(f"{name} has to be {shape}")
    buckets = {
        name: _backend(f"[buckets.{name}]", table)
        for name, table in said.get("buckets", {}).items()
    }
    if not buckets:
        raise _Mistake('There is no [buckets.NAME]: name one, "*" for all,')
    keys: dict[str, FrontKey] = {}
    for name, table in said.get("identities", {}).items():
        values = _values(f"[identities.{name}]", "identities", table, "secret")
        access_key = values.get("access_key", name)
        what = f"access_key of [identities.{name}]"
        try:
            check_text(what if "access_key" in values else f"{what}, its name,", access_key)
        except ValueError as error:
            raise _Mistake(f"{error}") from None
        if access_key in keys:
            raise _Mistake(f"The access_key of [identities.{name}] is another identity's")
        keys[access_key] = _made(
            f"[identities.{name}]",
            FrontKey,
            values["secret"],
            values.get("session_token"),
            identity=name,
        )
    rules = tuple(
        _rule(f"[[policies]] number {number}", table)
        for number, table in enumerate(said.get("policies", []), 1)
    )
    limits = tuple(
        _limit(f"[[limits]] number {number}", table)
        for number, table in enumerate(said.get("limits", []), 1)
    )
    options = _values("[gateway]", "gateway", said.get("gateway", {}))
    redis = _redis(said["redis"]) if "redis" in said else None
    return GatewayFile(said.get("server", {}), options, buckets, keys, rules, limits, redis)


def _redis(table: Any) -> Redis:
    values = _values("[redis]", "redis", table, "url")
    # What is decided here takes less time than to ask whether it was decided elsewhere.
    usual = ["tokens", "limits"] if "key" in values else ["limits"]
    for one in values.setdefault("share", usual):
        if one not in ("tokens", "limits"):
            raise _Mistake(f"share of [redis] has tokens and limits, not {one!r}")
    return _made("[redis]", Redis, **values)


def _backend(where: str, table: Any) -> Backend:
    values = _values(where, "buckets", table, "endpoint")
    creds = {name: values.pop(name) for name in _CREDENTIALS if name in values}
    cors = [_cors(f"cors of {where}", rule) for rule in values.pop("cors", ())]
    return _made(where, Backend, creds=_credentials(where, creds), cors=cors, **values)


def _cors(where: str, table: Any) -> Cors:
    return _made(where, Cors, **_values(where, "buckets.NAME.cors", table, "origins"))


def _limit(where: str, table: Any) -> Limit:
    return _made(where, Limit, **_values(where, "limits", table))


def _credentials(where: str, values: dict[str, Any]) -> Credentials:
    names = values.keys()
    if "access_key" in names and names <= {"access_key", "secret_key", "session_token"}:
        if "secret_key" in names:
            return _made(where, Hmac, **values)
    elif "api_key" in names and names <= {"api_key", "token_url"}:
        return _made(where, ApiKey, **values)
    elif names == {"token"}:
        return _made(where, Bearer, **values)
    raise _Mistake(
        f"{where} has either access_key and secret_key (and session_token), or api_key"
        " (and token_url), or token; and not what it has"
    )


def _rule(where: str, table: Any) -> Rule:
    values = _values(where, "policies", table, "allow")
    operations: set[str] = set(values.get("operations", ()))
    known = _s3.operations()
    for name in operations:
        if name not in known:
            raise _Mistake(f"operations of {where} has {name!r}{_meant(name, known)}")
    for level in values.get("access", ()):
        if level not in _ACCESS:
            raise _Mistake(f"access of {where} has read, write and list, not {level!r}")
        operations |= {name for name, of_name in known.items() if of_name == level}
    for key in ("identity", "bucket"):
        if any("[" in pattern for pattern in values.get(key, ())):
            raise _Mistake(f"{key} of {where} has patterns of * and ?, without [")
    networks = []
    for text in values.get("cidr", ()):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            raise _Mistake(f"cidr of {where} is no network: {error},") from None
    return _made(
        where,
        Rule,
        values["allow"],
        values.get("identity", ()),
        values.get("bucket", ()),
        values.get("prefix", ()),
        frozenset(operations),
        tuple(networks),
    )


# --- values


def _values(where: str, kind: str, table: Any, *required: str) -> dict[str, Any]:
    """Returns a table with its values looked at, and what is secret fetched."""
    if not isinstance(table, dict):
        raise _Mistake(f"{where} is a table")
    known = KEYS[kind]
    for key in table:
        if key not in known:
            raise _Mistake(f"{key!r} is no key of {where}{_meant(key, known)}")
    for key in required:
        if key not in table:
            raise _Mistake(f"{where} has no {key}")
    for key, value in table.items():
        if value == [] and known[key] != "tables":
            how = "name one"
            if key not in required:
                how += " or leave it out" + (", which is for all" if kind == "policies" else "")
            raise _Mistake(f"{key} of {where} is an empty list: {how},")
    return {key: _value(f"{key} of {where}", known[key], value) for key, value in table.items()}


def _value(what: str, kind: str, value: Any) -> Any:
    if kind == "secret" or (kind == "url" and not isinstance(value, str)):
        return _secret(what, value)
    if kind == "url":
        if has_password(value):
            raise _Mistake(
                f'{what} has a password: it is {{ env = "NAME" }} or {{ file = "PATH" }}'
            )
        return value
    if kind == "flag":
        if not isinstance(value, bool):
            raise _Mistake(f"{what} is true or false")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _Mistake(f"{what} is a number")
    elif kind == "text":
        if not isinstance(value, str):
            raise _Mistake(f"{what} is a text")
    elif kind == "tables":
        value = [value] if isinstance(value, dict) else value
        if not isinstance(value, list):
            raise _Mistake(f"{what} is a table or a list of tables")
    else:
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _Mistake(f"{what} is a text or a list of texts")
        if kind == "texts" and not all(value):
            raise _Mistake(f"{what} is a text or a list of texts, none of them empty")
    return value


def _secret(what: str, value: Any) -> str:
    """Returns what a variable or a file has; never a text that stands in the gateway's file."""
    match value:
        case {"env": str(name), **rest} if not rest:
            found = os.environ.get(name, "")
            if not found:
                raise _Mistake(f"{what} is in the variable {name}, which is not set,")
            return found
        case {"file": str(name), **rest} if not rest:
            try:
                with open(name, encoding="ascii") as file:
                    found = file.read(_SECRET_BYTES_MAX + 1)
            except (OSError, ValueError):
                raise _Mistake(f"{what} is in the file {name}, which cannot be read,") from None
            if len(found) > _SECRET_BYTES_MAX:
                raise _Mistake(f"{what} is in the file {name}, which has more than 64 KiB,")
            return found.strip()
    raise _Mistake(f'{what} is {{ env = "NAME" }} or {{ file = "PATH" }}, and no text')


def _made(where: str, kind: Callable[..., Value], *values: Any, **named: Any) -> Value:
    try:
        return kind(*values, **named)
    except (ImportError, TypeError, ValueError) as error:
        raise _Mistake(f"{where}: {error},") from None


def _meant(name: str, known: Any) -> str:
    match = closest(name, known)
    return f" (did you mean {match}?)" if match else ""
