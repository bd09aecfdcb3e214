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
sentence about a mistake. Every key: file_tables.py and docs/guide/s3.md. Tested by
tests/python/test_s3_file.py.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from tercel import _s3
from tercel.problems import SettingError, StartError
from tercel.s3.cors import Cors
from tercel.s3.file_tables import KEYS, Mistake, made, meant, values_of
from tercel.s3.gateway import Gateway
from tercel.s3.limits import Limit
from tercel.s3.redis import Redis
from tercel.s3.rules import Rule, decide, fits
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

__all__ = ["FileGateway", "GatewayFile", "file_for_a_start", "read_file", "read_server"]

_log = logging.getLogger("tercel.s3")

_TABLES = ("server", *(name for name in KEYS if "." not in name))
_LISTS = ("policies", "limits")
_CREDENTIALS = ("access_key", "secret_key", "session_token", "api_key", "token_url", "token")
_ACCESS = ("read", "write", "list")


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


@dataclass
class _Said:
    """What a gateway's file says now."""

    file: GatewayFile


class FileGateway(Gateway):
    """The gateway that a file says.

    Args:
        check: raises StartError if a server cannot start with a file: asked of one that is read
            again. At the start the server finds that out.

    Raises:
        SettingError: the file has a mistake.
    """

    def __init__(self, path: str, check: Callable[[GatewayFile], None] | None = None) -> None:
        self._path = path
        self._check = check
        file = read_file(path)
        said = self._said = _Said(file)
        access = _s3.operations()

        # Neither knows this gateway: one that SIGHUP makes on trial is gone without the collector.
        async def secret_for(access_key: str) -> FrontKey | None:
            return said.file.keys.get(access_key)

        async def authorize(request: AuthzRequest) -> Decision:
            return decide(said.file.rules, request, access)

        try:
            super().__init__(
                file.buckets,
                secret_for=secret_for,
                authorize=authorize,
                limits=file.limits,
                shared=file.redis,
                **file.options,
            )
        except (TypeError, ValueError) as error:
            raise SettingError(f"{path} makes no gateway: {error}.") from None

    def warn(self) -> None:
        """Logs what is no mistake of the file, and hardly meant."""
        if not self._said.file.rules:
            _log.warning("There are no [[policies]] in %s: every request is denied.", self._path)

    def __tercel_reload__(self) -> None:
        """Reads the file again: for SIGHUP. With a mistake in it everything stays as it was."""
        try:
            # With all that the next start would look at, and refuse only then.
            file = file_for_a_start(self._path)
            if self._check is not None:
                self._check(file)
            self.update(file.buckets, limits=file.limits)
        except (StartError, TypeError, ValueError) as error:
            _log.error("The gateway stays as it was. %s", error)
            return
        old = self._said.file
        if (file.server, file.options, file.redis) != (old.server, old.options, old.redis):
            _log.warning(
                "[server], [gateway] and [redis] of %s count from the next start.", self._path
            )
        self._said.file = file
        self._forget("", "", "")  # Of this process: the others read their own files.
        _log.info("Read %s again.", self._path)
        self.warn()


def file_for_a_start(path: str) -> GatewayFile:
    """Returns what a file says, of which a gateway can be made: one was, on trial.

    Raises:
        SettingError: it cannot.
    """
    trial = FileGateway(path)
    trial._unshare()
    return trial._said.file


def read_file(path: str) -> GatewayFile:
    """Returns what a file says.

    Raises:
        SettingError: it cannot be read, or has a mistake: one sentence with file and key.
    """
    try:
        return _read(_tables_of(path))
    except Mistake as mistake:
        raise SettingError(f"{mistake} in {path}.") from None


def read_server(path: str) -> Mapping[str, Any]:
    """Returns [server] alone: what is secret in the file need not be there yet.

    Raises:
        SettingError: the file cannot be read.
    """
    server = _tables_of(path).get("server", {})
    return server if isinstance(server, dict) else {}  # read_file() says what is wrong with it.


def _tables_of(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingError(f"The gateway's file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"The gateway's file {path} is not TOML: {error}.") from None
    except RecursionError:
        raise SettingError(
            f"The gateway's file {path} has values in values in values: no key takes so many."
        ) from None


def _read(said: Mapping[str, Any]) -> GatewayFile:
    for name, value in said.items():
        if name not in _TABLES:
            raise Mistake(f"[{name}] is no table of a gateway{meant(name, _TABLES)}")
        if not isinstance(value, list if name in _LISTS else dict):
            shape = f"[[{name}]], a list of tables" if name in _LISTS else f"[{name}], a table"
            raise Mistake(f"{name} has to be {shape}")
    buckets = {
        name: _backend(f"[buckets.{name}]", table)
        for name, table in said.get("buckets", {}).items()
    }
    if not buckets:
        raise Mistake('There is no [buckets.NAME]: name one, "*" for all,')
    keys: dict[str, FrontKey] = {}
    for name, table in said.get("identities", {}).items():
        values = values_of(f"[identities.{name}]", "identities", table, "secret")
        access_key = values.get("access_key", name)
        what = f"access_key of [identities.{name}]"
        try:
            check_text(what if "access_key" in values else f"{what}, its name,", access_key)
        except ValueError as error:
            raise Mistake(f"{error}") from None
        if access_key in keys:
            raise Mistake(f"The access_key of [identities.{name}] is another identity's")
        keys[access_key] = made(
            f"[identities.{name}]",
            FrontKey,
            values["secret"],
            values.get("session_token"),
            identity=name,
        )
    rules = tuple(
        _rule(f"[[policies]] number {number}", table, said.get("identities", {}), buckets)
        for number, table in enumerate(said.get("policies", []), 1)
    )
    limits = tuple(
        _limit(f"[[limits]] number {number}", table)
        for number, table in enumerate(said.get("limits", []), 1)
    )
    options = values_of("[gateway]", "gateway", said.get("gateway", {}))
    redis = _redis(said["redis"]) if "redis" in said else None
    return GatewayFile(said.get("server", {}), options, buckets, keys, rules, limits, redis)


def _redis(table: Any) -> Redis:
    values = values_of("[redis]", "redis", table, "url")
    # What is decided here takes less time than to ask whether it was decided elsewhere.
    usual = ["tokens", "limits"] if "key" in values else ["limits"]
    for one in values.setdefault("share", usual):
        if one not in ("tokens", "limits"):
            raise Mistake(f"share of [redis] has tokens and limits, not {one!r}")
    return made("[redis]", Redis, **values)


def _backend(where: str, table: Any) -> Backend:
    values = values_of(where, "buckets", table, "endpoint")
    creds = {name: values.pop(name) for name in _CREDENTIALS if name in values}
    cors = [_cors(f"cors of {where}", rule) for rule in values.pop("cors", ())]
    return made(where, Backend, creds=_credentials(where, creds), cors=cors, **values)


def _cors(where: str, table: Any) -> Cors:
    return made(where, Cors, **values_of(where, "buckets.NAME.cors", table, "origins"))


def _limit(where: str, table: Any) -> Limit:
    return made(where, Limit, **values_of(where, "limits", table))


def _credentials(where: str, values: dict[str, Any]) -> Credentials:
    names = values.keys()
    if "access_key" in names and names <= {"access_key", "secret_key", "session_token"}:
        if "secret_key" in names:
            return made(where, Hmac, **values)
    elif "api_key" in names and names <= {"api_key", "token_url"}:
        return made(where, ApiKey, **values)
    elif names == {"token"}:
        return made(where, Bearer, **values)
    raise Mistake(
        f"{where} has either access_key and secret_key (and session_token), or api_key"
        " (and token_url), or token; and not what it has"
    )


def _names(patterns: Iterable[str]) -> list[str]:
    return [one for one in patterns if "*" not in one and "?" not in one]


def _rule(where: str, table: Any, identities: Collection[str], buckets: Collection[str]) -> Rule:
    values = values_of(where, "policies", table, "allow")
    operations: set[str] = set(values.get("operations", ()))
    known = _s3.operations()
    for name in operations:
        if name not in known:
            raise Mistake(f"operations of {where} has {name!r}{meant(name, known)}")
    for level in values.get("access", ()):
        if level not in _ACCESS:
            raise Mistake(f"access of {where} has read, write and list, not {level!r}")
        operations |= {name for name, of_name in known.items() if of_name == level}
    for key in ("identity", "bucket"):
        if any("[" in pattern for pattern in values.get(key, ())):
            raise Mistake(f"{key} of {where} has patterns of * and ?, without [")
    # A policy about nobody is a name that is misspelt, and denies or allows nothing.
    for name in _names(values.get("identity", ())):
        if name not in identities:
            raise Mistake(
                f"identity of {where} has {name!r}, which is none of [identities.NAME]"
                f"{meant(name, identities)}"
            )
    for name in _names(values.get("bucket", ())):
        if not fits(list(buckets), name):
            raise Mistake(
                f"bucket of {where} has {name!r}, which no [buckets.NAME] is for"
                f"{meant(name, buckets)}"
            )
    networks = []
    for text in values.get("cidr", ()):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            raise Mistake(f"cidr of {where} is no network: {error},") from None
    return made(
        where,
        Rule,
        values["allow"],
        values.get("identity", ()),
        values.get("bucket", ()),
        values.get("prefix", ()),
        frozenset(operations),
        tuple(networks),
    )
