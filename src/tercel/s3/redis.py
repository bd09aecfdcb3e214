"""The Redis that several gateways share: where it is, and what of them lies there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from tercel.extras import load
from tercel.options import check_number, listed, path_of
from tercel.s3.sealing import KEY_CHARS_MIN
from tercel.s3.texts import check_text

__all__ = ["COMMANDS_MAX", "Redis", "client_of", "has_password", "is_shared", "place_of"]

Share = Literal["decisions", "tokens", "limits", "secrets", "credentials"]

_SHARES = ("decisions", "tokens", "limits", "secrets", "credentials")
_USUAL = ("decisions", "tokens", "limits")
_SCHEMES = ("redis", "rediss", "unix")
_PREFIX_CHARS_MAX = 64
# At a time, of one process.
COMMANDS_MAX = 16
# Of each a connection; and one that listens, and one that looks whether Redis is there again.
_CONNECTIONS_MAX = COMMANDS_MAX + 2


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis (6 or later, or Valkey) in which several gateways, or worker processes, share.

    Attributes:
        url: "redis://user:password@host:6379/0", "rediss://..." over TLS, or
            "unix:///path/of/socket".
        key: a text at random of 32 characters or more, that all of them have, and nobody else: what
            lies in Redis is sealed with it. None: they share limits only.
        share: what they do: "decisions" of `authorize`, "tokens" that API keys were exchanged for,
            "limits"; these if nothing is said. And "secrets" that `secret_for` returned, and
            "credentials" that `credentials` did. All but limits need the `key`.
        policy: a name for what the functions answer; gateways where it differs share no answers.
        prefix: of the keys there.
        timeout: seconds that Redis may take. After that it rests, and every process goes on by
            itself until it answers again.
        ca: for rediss, a PEM file of those who sign its certificate; None: the system's.

    Raises:
        ImportError: the package redis is not installed.
    """

    url: str = field(repr=False)
    _: KW_ONLY
    key: str | None = field(default=None, repr=False)
    share: Iterable[Share] | None = None
    policy: str = ""
    prefix: str = "tercel:"
    timeout: float = 0.25
    ca: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        check_number("the timeout of Redis, in seconds,", self.timeout, 0.001, 5, fractions=True)
        check_text("the prefix of Redis", self.prefix)
        if len(self.prefix) > _PREFIX_CHARS_MAX:
            raise ValueError(f"the prefix of Redis has at most {_PREFIX_CHARS_MAX} characters")
        if not isinstance(self.policy, str):
            raise TypeError(f"the policy of Redis is a text, not {self.policy!r}")
        if self.key is not None:
            load("cryptography", "cryptography", "tercel.s3.Redis", "redis")
            check_text("the key of Redis", self.key)
            if len(self.key) < KEY_CHARS_MIN:
                raise ValueError(
                    f"the key of Redis has {KEY_CHARS_MIN} characters or more, at random:"
                    " `openssl rand -base64 32` makes one"
                )
        object.__setattr__(self, "share", _shares_of(self))
        _check_url(self.url)
        object.__setattr__(self, "ca", path_of("the ca of Redis", self.ca) or None)
        if self.ca is not None and urlsplit(self.url).scheme != "rediss":
            raise ValueError("the ca of Redis is for a url that begins with rediss://")
        client_of(self)


def is_shared(options: Redis, what: Share) -> bool:
    """Returns whether gateways share it."""
    assert options.share is not None  # __post_init__() said what.
    return what in options.share


def place_of(options: Redis) -> str:
    """Returns where it is, without a password."""
    parts = urlsplit(options.url)
    if parts.scheme == "unix":
        return f"unix://{unquote(parts.path)}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 6379}"


def has_password(url: str) -> bool:
    """Returns whether a URL has one."""
    return urlsplit(url).password is not None or "password=" in urlsplit(url).query


def _shares_of(options: Redis) -> tuple[str, ...]:
    if options.share is None:
        return _USUAL if options.key is not None else ("limits",)
    shares = listed("the share of Redis", options.share)
    for one in shares:
        if one not in _SHARES:
            raise ValueError(f"the share of Redis has {', '.join(_SHARES)}, not {one!r}")
        if one != "limits" and options.key is None:
            raise ValueError(f"Redis shares {one} only with a key, which seals what lies there")
    if not shares:
        raise ValueError("the share of Redis is empty: name what is shared, or have no Redis")
    return tuple(dict.fromkeys(shares))


def _check_url(url: Any) -> None:
    if not isinstance(url, str):
        raise TypeError(f"the url of Redis is a text, not of {type(url).__name__}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the url of Redis is none: {error}") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(
            "the url of Redis begins with redis://, rediss:// or unix://, as redis://127.0.0.1:6379"
        )
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("the url of Redis names no socket: unix:///path/of/socket")
    if parts.scheme != "unix" and (not parts.hostname or port == 0):
        raise ValueError("the url of Redis names no host and port, as redis://127.0.0.1:6379")
    if parts.scheme != "unix" and not (parts.path in ("", "/") or parts.path[1:].isdecimal()):
        raise ValueError("the path in the url of Redis is the number of a database, as /0")


def client_of(options: Redis) -> Any:
    """Returns a client. It connects when it is used first, from one loop.

    Raises:
        ImportError: the package redis is not installed.
        ValueError: the URL has options that cannot be used, or the file of `ca` is none.
    """
    redis = load("redis.asyncio", "redis", "tercel.s3.Redis", "redis")
    backoff, retry = (
        load("redis.backoff", "redis", "tercel.s3.Redis", "redis"),
        load("redis.asyncio.retry", "redis", "tercel.s3.Redis", "redis"),
    )
    more: dict[str, Any] = {}
    if options.ca is not None:
        more["ssl_ca_certs"] = options.ca
        try:
            with open(options.ca, "rb"):
                pass
        except OSError as error:
            raise ValueError(
                f"the ca of Redis, {options.ca}, cannot be read: {error.strerror}"
            ) from None
    try:
        pool = redis.BlockingConnectionPool.from_url(
            options.url,
            max_connections=_CONNECTIONS_MAX,
            timeout=options.timeout,
            # A connection that the server closed meanwhile is made anew.
            retry=retry.Retry(backoff.NoBackoff(), 1),
            **more,
        )
        pool.make_connection()
    except (TypeError, ValueError) as error:
        raise ValueError(f"the options in the url of Redis cannot be used: {error}") from None
    if pool.connection_kwargs.get("decode_responses"):
        raise ValueError("the url of Redis has decode_responses: leave it out, answers are bytes")
    return redis.Redis(connection_pool=pool)
