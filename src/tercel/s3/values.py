"""What a gateway is told: backends, credentials, and what policies are asked and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tercel import _s3
from tercel.options import check_number
from tercel.s3.anonymous import operations_of
from tercel.s3.cors import Cors, cors_rules
from tercel.s3.places import check_folder, is_plain, listed
from tercel.s3.reach import check_reach, endpoints_of
from tercel.s3.texts import check_region, check_text, parts_of_url

__all__ = [
    "ApiKey",
    "AuthzRequest",
    "Backend",
    "Bearer",
    "Credentials",
    "Decision",
    "FrontKey",
    "Hmac",
    "check_text",
]

Style = Literal["path", "virtual", "auto"]
Scope = Literal["request", "prefix", "operation", "bucket"]
Check = Literal["off", "connect", "head"]

_STYLES = ("path", "virtual", "auto")
_SCOPES = ("request", "prefix", "operation", "bucket")
_SECONDS_MAX = 31 * 86_400
# Old ones at AWS have upper-case letters and underscores; those of a tenant of Ceph have a colon.
_BUCKET = re.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")
_IBM_IAM = "https://iam.cloud.ibm.com/identity/token"


# --- credentials of a backend


@dataclass(frozen=True, slots=True)
class Hmac:
    """An access key of the backend, with which requests are signed anew.

    Attributes:
        session_token: of temporary credentials; None: they are not temporary.
        expires_at: seconds since the epoch; None: they do not expire. New ones are asked for
            before that.
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    def __post_init__(self) -> None:
        check_text("the access_key of Hmac", self.access_key)
        check_text("the secret_key of Hmac", self.secret_key)
        if self.session_token is not None:
            check_text("the session_token of Hmac", self.session_token)
        _check_expiry("Hmac", self.expires_at)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that the backend takes in `Authorization: Bearer`.

    Attributes:
        expires_at: seconds since the epoch; None: it does not expire.
    """

    token: str = field(repr=False)
    expires_at: float | None = None

    def __post_init__(self) -> None:
        check_text("the token of Bearer", self.token)
        _check_expiry("Bearer", self.expires_at)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key that IBM's IAM exchanges for a token, which is renewed before it expires.

    Attributes:
        token_url: where it does.
    """

    api_key: str = field(repr=False)
    token_url: str = _IBM_IAM

    def __post_init__(self) -> None:
        check_text("the api_key of ApiKey", self.api_key)
        parts_of_url("the token_url of ApiKey", self.token_url)


Credentials = Hmac | Bearer | ApiKey


def _check_expiry(what: str, expires_at: Any) -> None:
    if expires_at is not None:
        label = f"expires_at of {what}, in seconds since the epoch,"
        check_number(label, expires_at, 0, 1 << 40, fractions=True)


# --- where buckets are


@dataclass(frozen=True, slots=True)
class Backend:
    """An object storage behind the gateway, and how a bucket is on it.

    Attributes:
        endpoint: its URL, as "https://s3.eu-de.example": scheme, host and port. Or a list of them,
            where the same objects are: the first that answers is used.
        region: that requests to it are signed for.
        style: "virtual": the bucket is in the host name, "path": in the path, "auto": in the host
            name where it can be a label of one and the endpoint is no address.
        bucket: the name that it has there; None: the one that clients use.
        prefix: of its keys there, as "team-a/"; clients have the keys below it, without it, and
            nothing else of the bucket. None: they have the whole bucket.
        creds: with which it is reached; None: the gateway's `credentials` say that.
        ca: a PEM file of those who sign its certificate; None: the system's.
        verify: False: its certificate may be anybody's. For tests.
        trailers: whether it takes `STREAMING-UNSIGNED-PAYLOAD-TRAILER`; False: bodies are decoded
            and their checksums verified here.
        redirects: a domain, as "example.com": where the backend says that a bucket is at another
            host below it, the request goes there, signed for it. None: only to the endpoint itself,
            and to the other endpoints of Amazon S3 where it is one.
        anonymous: what is let through without a signature, if `authorize` allows it to the identity
            "": "read" (GetObject and HeadObject), "list" (ListObjects, ListObjectsV2 and
            HeadBucket), names of operations, or a list of those; None: nothing.
        certificate, key: PEM files of the certificate that is shown to it, with its chain, and of
            its private key; without `key` that is in the first one.
        spread: True: requests go to the endpoints in turn.
        connect_timeout: seconds for a connection, with its name and TLS.
        response_timeout: seconds from the end of a request to the first byte of its answer; after
            that the client gets 504.
        progress_timeout: seconds without a byte in a transfer, either way.
        idle_timeout: seconds for which a connection is kept that nobody uses.
        retries: how often a request is repeated that the backend may have worked on: GET and HEAD
            after 500, 502, 503, 504 or a broken connection, others, of whose body nothing was sent,
            after 503.
        check: whether endpoints are looked at while nobody asks: "off", "connect" (a connection),
            "head" (`HEAD /`, unsigned, with an answer other than 500, 502, 503, 504).
        check_interval: seconds between two looks.
        cors: the rules of its buckets for pages of other origins, of which the first that fits a
            request counts. With none, answers have what the backend says, and preflights are
            refused.
    """

    endpoint: str | Sequence[str]
    region: str = "us-east-1"
    style: Style = "auto"
    bucket: str | None = None
    creds: Credentials | None = None
    ca: str | None = None
    verify: bool = True
    trailers: bool = True
    prefix: str | None = None
    redirects: str | None = None
    anonymous: str | Sequence[str] | None = None
    certificate: str | None = None
    key: str | None = None
    spread: bool = False
    connect_timeout: float = 5
    response_timeout: float = 300
    progress_timeout: float = 60
    idle_timeout: float = 60
    retries: int = 2
    check: Check = "off"
    check_interval: float = 10
    cors: Cors | Iterable[Cors] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", endpoints_of(self.endpoint))
        check_reach(self)
        check_region("the region of Backend", self.region)
        if self.style not in _STYLES:
            raise ValueError(
                f"the style of Backend is one of {', '.join(_STYLES)}, not {self.style!r}"
            )
        if self.bucket is not None:
            _check_bucket(self.bucket)
        if self.creds is not None and not isinstance(self.creds, (Hmac, Bearer, ApiKey)):
            raise TypeError(f"the creds of Backend are Hmac, Bearer or ApiKey, not {self.creds!r}")
        if self.prefix is not None:
            _check_prefix(self.prefix)
        if self.redirects is not None:
            _check_redirects(self.redirects)
        operations_of(self.anonymous)
        object.__setattr__(self, "cors", cors_rules(self.cors))


def _check_bucket(name: Any) -> None:
    check_text("the bucket of Backend", name)
    if not _BUCKET.fullmatch(name):
        raise ValueError(
            "the bucket of Backend is a name: 1 to 255 letters, digits, and . _ : - after the first"
            f" one, not {name!r}"
        )


def _check_prefix(prefix: Any) -> None:
    if not isinstance(prefix, str):
        raise TypeError(f"the prefix of Backend is a text, not {prefix!r}")
    if not _s3.valid_key_prefix(prefix):
        raise ValueError(
            "the prefix of Backend is a folder, as team-a/: names with a / behind each, no . or ..,"
            f" at most 512 bytes; not {prefix!r}"
        )


def _check_redirects(domain: Any) -> None:
    check_text("redirects of Backend", domain)
    labels = domain.split(".")
    if len(labels) < 2 or not all(
        re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", one) for one in labels
    ):
        raise ValueError(
            f"redirects of Backend is a domain, as example.com, in lower case, not {domain!r}"
        )


# --- what policies answer


@dataclass(frozen=True, slots=True)
class FrontKey:
    """The secret of an access key of the gateway's clients.

    Attributes:
        session_token: that they have to send with it; None: they send none.
        ttl: seconds for which this is believed; None: the gateway's `key_ttl`.
        identity: for whom the other policies are asked; None: the access key.
        session: anything; it is the `session` of the AuthzRequest.
    """

    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    ttl: float | None = None
    identity: str | None = None
    session: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_text("the secret of FrontKey", self.secret)
        if self.session_token is not None:
            check_text("the session_token of FrontKey", self.session_token)
        if self.identity is not None and not isinstance(self.identity, str):
            raise TypeError(f"the identity of FrontKey is a text, not {self.identity!r}")
        if self.identity == "":
            raise ValueError(
                "the identity of FrontKey is empty, which is that of requests without a signature"
            )
        check_ttl("FrontKey", self.ttl)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may be made.

    Attributes:
        ttl: seconds for which this is believed; None: the gateway's `allow_ttl` or `deny_ttl`.
        scope: for which other requests of the same identity, from the same address. "request": of
            the same operation on the same bucket and key, with the same query and `x-amz-*`
            headers. "prefix": of the same operation on keys with the same text up to the last
            slash. "operation": of the same operation on the bucket. "bucket": of any operation on
            the bucket.
        reason: for the audit log.
    """

    allow: bool
    ttl: float | None = None
    scope: Scope = "request"
    reason: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.allow, bool):
            raise TypeError(f"allow of Decision is True or False, not {self.allow!r}")
        check_ttl("Decision", self.ttl)
        if self.scope not in _SCOPES:
            raise ValueError(
                f"the scope of Decision is one of {', '.join(_SCOPES)}, not {self.scope!r}"
            )
        if not isinstance(self.reason, str):
            raise TypeError(f"the reason of Decision is a text, not {self.reason!r}")


def check_ttl(what: str, ttl: Any) -> None:
    """Refuses what is no number of seconds for which something is believed."""
    if ttl is not None:
        what = what.removesuffix(",")  # Of one that has several: "a Gateway, allow_ttl,".
        check_number(f"the ttl of {what}, in seconds,", ttl, 0, _SECONDS_MAX, fractions=True)


# --- what policies are asked


@dataclass(frozen=True, slots=True)
class AuthzRequest:
    """A request whose signature is valid, or that needs none.

    Judge keys with `below()` and `outside()`: to some backends "in/../private/s" begins with "in/"
    and is "private/s".

    Attributes:
        identity: of the FrontKey; the access key where that says none; empty: the request is not
            signed, and the backend lets its operation through without (`Backend.anonymous`).
        session: of the FrontKey.
        bucket: as the client names it; empty: none, as for ListBuckets.
        key: of the object, decoded; empty: none.
        operation: as AWS names it: "GetObject", "PutObject", "ListObjectsV2" ...
        query: what is asked besides, decoded, without what signs; of a name that comes twice, the
            last value.
        source_ip: of the client; empty on a Unix socket.
        headers: the client's `x-amz-*` headers, in lower case, without what signs.
        copy_source: "bucket/key" that is copied, decoded; empty: nothing is.
        presigned: the signature is in the query.
    """

    identity: str
    access_key: str
    session: Any
    bucket: str
    key: str
    operation: str
    method: str
    query: Mapping[str, str]
    source_ip: str
    headers: Mapping[str, str]
    copy_source: str = ""
    presigned: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether every backend takes its keys as they are.

        Key, source of a copy and prefix of a list have no segment that is `.` or `..`, none that is
        empty but the last, and no NUL byte, however often they are decoded.
        """
        return is_plain(self.key, self.copy_source, self.query)

    def below(self, folder: str) -> bool:
        """Returns whether it is about keys in a folder, and about no others.

        Args:
            folder: with a slash behind each of its names, as `in/`.

        Returns:
            True: it is plain, and its key begins with the folder; without a key, it is a list
            whose prefix does. The source of a copy is asked about by itself, as `GetObject`.

        Raises:
            TypeError, ValueError: `folder` is none.
        """
        check_folder(folder)
        place = self.key or listed(self.operation, self.query) or ""
        return place.startswith(folder) and self.is_plain

    def outside(self, folder: str) -> bool:
        """Returns whether it is about keys, and about none in a folder.

        This is not the opposite of `below()`: what is not plain is neither, and so is what is about
        the bucket as a whole, as `DeleteObjects`, whose keys are in its body.

        Args:
            folder: as for `below()`.

        Returns:
            True: it is plain, and its key does not begin with the folder; without a key, it is a
            list that shows none that do.

        Raises:
            TypeError, ValueError: `folder` is none.
        """
        check_folder(folder)
        if self.key:
            return not self.key.startswith(folder) and self.is_plain
        shown = listed(self.operation, self.query)
        if shown is None or shown.startswith(folder) or folder.startswith(shown):
            return False
        return self.is_plain
