"""The gateway as Python sees it: options in, counts out. What requests meet is C++."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from tercel import _s3
from tercel.native_app import run_lifespan_alone
from tercel.options import check_call, check_flag, check_number, listed, path_of
from tercel.s3.anonymous import operations_of
from tercel.s3.answers import Times
from tercel.s3.cors import cors_rules
from tercel.s3.limits import Limit, native_limits
from tercel.s3.policy import Policy
from tercel.s3.reach import EndpointState, native_reach
from tercel.s3.redis import Redis, is_shared
from tercel.s3.resolved import ResolvedBackends
from tercel.s3.sharing import Sharing
from tercel.s3.texts import check_region, check_text
from tercel.s3.values import (
    ApiKey,
    AuthzRequest,
    Backend,
    Bearer,
    Credentials,
    Decision,
    FrontKey,
    Hmac,
    check_ttl,
)

__all__ = ["Gateway"]

SecretFor = (
    Mapping[str, str | FrontKey]
    | Callable[[str], str | FrontKey | Awaitable[str | FrontKey | None] | None]
)
Authorize = Callable[[AuthzRequest], bool | Decision | Awaitable[bool | Decision]]
Resolver = Callable[[str], Backend | Awaitable[Backend | None] | None]
CredentialsFor = Callable[[str, str], Credentials | str | Awaitable[Credentials | str]]

# Where the credentials of a backend come from, and its styles, as cpp/tercel/gateway/backend.h.
_FOREIGN, _EXCHANGED, _HMAC, _BEARER = range(4)
_STYLES = ("path", "virtual", "auto")


class Gateway:
    """A gateway for S3 clients in front of object storage.

    It verifies the signature of each request (SigV4), asks whether it may be made and with which
    credentials, signs it for its backend, and streams both ways. What it was answered it believes
    for some time, and asks no Python meanwhile.

    Args:
        buckets: the backend of each bucket, by name or by pattern (`*`, `?`); "*" is the default.
            Names are those that clients use; they are what a list of buckets has.
        secret_for: returns the secret of an access key, or None where there is no such key; or a
            dict of them.
        authorize: returns whether a request may be made. It is called for what has a valid
            signature only, and there is no gateway without it.
        credentials: returns with which credentials an identity goes to a bucket's backend; called
            for backends without `creds`.
        resolver: returns the backend of a bucket that `buckets` does not have, or None where there
            is no such bucket. It is called for what has a valid signature and may be made. Buckets
            that need no signature, and rules for pages of other origins, are for `buckets`.
        domains: host names below which buckets are labels: with "s3.example.com" the bucket of
            "logs.s3.example.com" is "logs".
        region: that clients have to sign for; None: any.
        key_ttl, unknown_key_ttl: seconds for which a secret is believed, and that there is none.
        allow_ttl, deny_ttl: seconds for which a decision is, unless it says that itself.
        credentials_ttl: seconds for which credentials without an end are.
        bucket_ttl, unknown_bucket_ttl: seconds for which what `resolver` returned is believed, and
            that there is no such bucket.
        error_ttl: seconds before a function that failed is called again for the same question.
        policy_timeout: seconds that a function may take; after that the answer is 503.
        cache_entries: answers of each kind that are kept, of 1 KiB on average.
        limits: how much whom. Of those with the same `per` the first that fits a request counts.
            They count for what has a valid signature, before `authorize` is called; in each
            process by itself, unless it shares them.
        shared: a Redis in which several gateways, or worker processes, share answers and limits.
        debug: an answer to a wrong signature says what was to be signed. Not for production.
        audit_log: file that gets a line of JSON for each request; "-": standard output.

    Each function is plain, and then runs on a thread of a pool, or a coroutine function. One that
    raises, or returns nonsense, ends the request with 500; nothing is forwarded then.
    """

    __tercel_front__ = _s3.front

    def __init__(
        self,
        buckets: Mapping[str, Backend],
        *,
        secret_for: SecretFor,
        authorize: Authorize,
        credentials: CredentialsFor | None = None,
        resolver: Resolver | None = None,
        domains: Iterable[str] = (),
        region: str | None = None,
        key_ttl: float = 300,
        unknown_key_ttl: float = 10,
        allow_ttl: float = 60,
        deny_ttl: float = 5,
        credentials_ttl: float = 300,
        bucket_ttl: float = 300,
        unknown_bucket_ttl: float = 10,
        error_ttl: float = 1,
        policy_timeout: float = 5,
        cache_entries: int = 10_000,
        limits: Iterable[Limit] = (),
        shared: Redis | None = None,
        debug: bool = False,
        audit_log: str | os.PathLike[str] | None = None,
    ) -> None:
        lookup = secret_for.get if isinstance(secret_for, Mapping) else secret_for
        if not isinstance(secret_for, Mapping):
            check_call(lookup, "secret_for", "access_key")
        elif isinstance(secret_for, dict):  # Others may have more than is to be looked through.
            _check_secrets(secret_for)
        check_call(authorize, "authorize", "request")
        if credentials is not None:
            check_call(credentials, "credentials", "bucket", "identity")
        if resolver is not None:
            check_call(resolver, "resolver", "bucket")
        if region is not None:
            check_region("the region of Gateway", region)
        check_number("policy_timeout, in seconds,", policy_timeout, 0.001, 600, fractions=True)
        check_number("cache_entries", cache_entries, 1, 1 << 24)
        check_flag("debug", debug)
        for name, ttl in (
            ("key_ttl", key_ttl),
            ("unknown_key_ttl", unknown_key_ttl),
            ("allow_ttl", allow_ttl),
            ("deny_ttl", deny_ttl),
            ("credentials_ttl", credentials_ttl),
            ("bucket_ttl", bucket_ttl),
            ("unknown_bucket_ttl", unknown_bucket_ttl),
            ("error_ttl", error_ttl),
        ):
            check_ttl(f"a Gateway, {name},", ttl)
        self._asks_for_credentials = credentials is not None
        times = Times(
            key=key_ttl,
            unknown=unknown_key_ttl,
            allow=allow_ttl,
            deny=deny_ttl,
            credentials=credentials_ttl,
            bucket=bucket_ttl,
            no_bucket=unknown_bucket_ttl,
            failure=error_ttl,
            patience=policy_timeout,
        )
        self._sharing = _sharing(shared, times)
        self._policy = Policy(lookup, authorize, credentials, times, self._sharing, resolver)
        self._native = _s3.Gateway(
            self._policy.ask,
            domains=[_domain(one) for one in listed("domains", domains)],
            region=region or "",
            cache_entries=cache_entries,
            debug=debug,
            audit_log=path_of("audit_log, if it is not -,", audit_log),
            shared_limits=shared is not None and is_shared(shared, "limits"),
            resolves=resolver is not None,
        )
        if resolver is not None:
            self._policy.resolved = ResolvedBackends(
                lambda rule, backend: self._native.backend(_native(rule, backend)),
                self._asks_for_credentials,
            )
        if self._sharing is not None:
            self._sharing.join(self._native, self._forget)
        self._buckets: Mapping[str, Backend] = {}
        self._limits: list[tuple[Any, ...]] = []
        self.update(buckets, limits=limits)

    def update(
        self,
        buckets: Mapping[str, Backend] | None = None,
        *,
        limits: Iterable[Limit] | None = None,
    ) -> None:
        """Has other backends, or limits, from the next request on. Thread: any.

        What is None stays. Requests that are under way go on as they began. What functions have
        answered is still believed; see `invalidate()`. What was used of a limit stays used where
        another one of the same `per`, `identity` and `bucket` comes in its place. Certificates are
        read again, and count for new connections.

        Raises:
            ValueError, TypeError: a bucket is none, or its backend has no credentials; or a limit
                is none.
        """
        buckets = self._buckets if buckets is None else buckets
        new_limits = self._limits if limits is None else native_limits(limits)
        if not isinstance(buckets, Mapping):
            raise TypeError(f"buckets is a dict of backends by name, not {buckets!r}")
        for name, backend in buckets.items():
            if not isinstance(name, str) or not isinstance(backend, Backend):
                raise TypeError(
                    f"buckets is a dict of backends by name, not of {name!r}: {backend!r}"
                )
            if backend.creds is None and not self._asks_for_credentials:
                raise ValueError(
                    f"the backend of {name!r} has no creds, and the gateway has no credentials="
                )
        rules = [_native(name, backend) for name, backend in buckets.items()]
        keys = {n: b.creds for n, b in buckets.items() if isinstance(b.creds, ApiKey)}
        self._policy.update(keys)
        if self._policy.resolved is not None:
            self._policy.resolved.forget()
        self._native.update(rules, new_limits)
        if self._sharing is not None:
            self._sharing.update()
        self._buckets, self._limits = dict(buckets), new_limits

    def invalidate(
        self,
        *,
        access_key: str | None = None,
        identity: str | None = None,
        bucket: str | None = None,
    ) -> None:
        """Forgets what functions have answered: of an access key, an identity, a bucket, or all.

        What is being asked now is asked again. Thread: any. Gateways that share answers with this
        one forget them, too, within a second; one that Redis does not answer, when it does again.
        """
        forget = (access_key or "", identity or "", bucket or "")
        if self._sharing is not None:
            self._sharing.announce(*forget)
        self._forget(*forget)

    def _forget(self, access_key: str, identity: str, bucket: str) -> None:
        self._policy.forget()
        self._native.invalidate(access_key, identity, bucket)

    def _unshare(self) -> None:
        """Has a gateway that is not to be served keep nothing alive that is shared."""
        self._policy.unshare()

    def counts(self) -> dict[str, int]:
        """Returns what was counted so far, of this process. Thread: any."""
        counts: dict[str, int] = self._native.counts()
        return counts

    def endpoints(self) -> list[EndpointState]:
        """Returns what this process has learnt of the endpoints of its backends. Thread: any.

        One that stays when the backends are updated keeps what was learnt of it.
        """
        return [EndpointState(*state) for state in self._native.endpoints()]

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The gateway as an ASGI application, which has a lifespan and nothing else.

        Raises:
            RuntimeError: it is served by another server.
        """
        refusal = "a Gateway answers under tercel only: run it by `tercel serve`"
        await run_lifespan_alone(scope, receive, send, refusal, self._sharing)


def _check_secrets(secrets: Mapping[Any, Any]) -> None:
    """Refuses what would be no secret when a request comes. Those that it may be are not told."""
    for access_key, secret in secrets.items():
        if not isinstance(access_key, str):
            raise TypeError(f"secret_for is a dict of secrets by access key, not by {access_key!r}")
        if isinstance(secret, FrontKey):
            continue
        if not isinstance(secret, str):
            raise TypeError(
                f"the secret of {access_key!r} in secret_for is a text or a FrontKey, not of"
                f" {type(secret).__name__}"
            )
        check_text(f"the secret of {access_key!r} in secret_for", secret)


def _sharing(shared: Any, times: Times) -> Sharing | None:
    """Returns what a gateway shares whose answers count for these times."""
    if shared is None:
        return None
    if not isinstance(shared, Redis):
        raise TypeError(f"shared is a Redis, not of {type(shared).__name__}")
    if shared.timeout > times.patience:
        raise ValueError(
            f"the timeout of Redis, {shared.timeout:g} s, is longer than policy_timeout,"
            f" {times.patience:g} s"
        )
    lasting = (times.key, times.unknown, times.allow, times.deny, times.credentials)
    return Sharing(shared, " ".join(map(str, lasting)))


def _native(name: str, backend: Backend) -> tuple[Any, ...]:
    """Returns a rule as the engine has it (python/s3/config.cc)."""
    creds = backend.creds
    kind, access_key, secret, token = _FOREIGN, "", "", ""
    if isinstance(creds, Hmac):
        kind, access_key = _HMAC, creds.access_key
        secret, token = creds.secret_key, creds.session_token or ""
    elif isinstance(creds, Bearer):
        kind, secret = _BEARER, creds.token
    elif isinstance(creds, ApiKey):
        kind = _EXCHANGED
    return (
        name,
        backend.region,
        _STYLES.index(backend.style),
        backend.bucket or "",
        kind,
        access_key,
        secret,
        token,
        backend.trailers,
        backend.prefix or "",
        backend.redirects or "",
        operations_of(backend.anonymous),
        native_reach(backend),
        [rule._native() for rule in cors_rules(backend.cors)],
    )


def _domain(text: str) -> str:
    """Returns the name of a host as it is compared."""
    if not text or not text.isascii() or set(text) & set("/:@*? "):
        raise ValueError(f"domains are names of hosts, as s3.example.com, not {text!r}")
    return text.lower().rstrip(".")
