"""Signatures of S3 requests, version 4, by Python's own hmac: those of clients, and whether one is
right. Nothing of tercel is in here, so that it is an oracle for both sides of a gateway.

    headers = sign("GET", "/bucket/key", host, KEY)

Source: AWS, Signature Version 4, "Authenticating Requests: Using the Authorization Header" and
"Using Query Parameters" in the API reference of Amazon S3.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

__all__ = [
    "EMPTY",
    "UNSIGNED",
    "BadSignature",
    "Key",
    "chunked",
    "chunked_pieces",
    "presign",
    "sign",
    "verify",
]

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Key:
    access_key: str
    secret: str
    region: str = "us-east-1"
    service: str = "s3"
    token: str | None = None


class BadSignature(Exception):
    """A request is not signed, or not right. The text says why."""


def _stamp(at: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("latin-1"), hashlib.sha256).digest()


def _signing_key(key: Key, date: str) -> bytes:
    made = b"AWS4" + key.secret.encode()
    for part in (date, key.region, key.service, "aws4_request"):
        made = _hmac(made, part)
    return made


def _canonical_query(query: str, without: str = "") -> str:
    pairs = []
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        encoded = [
            quote(unquote_to_bytes(text.replace("+", " ")), safe="-._~") for text in (name, value)
        ]
        if encoded[0] != without:
            pairs.append((encoded[0], encoded[1]))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _digest(
    method: str, target: str, headers: Mapping[str, str], names: list[str], payload: str
) -> str:
    path, _, query = target.partition("?")
    lines = [
        method,
        quote(unquote_to_bytes(path), safe="/-._~"),
        _canonical_query(query, without="X-Amz-Signature"),
        *(f"{name}:{' '.join(headers[name].split())}" for name in names),
        "",
        ";".join(names),
        payload,
    ]
    return hashlib.sha256("\n".join(lines).encode("latin-1")).hexdigest()


def _signature(key: Key, stamp: str, digest: str) -> str:
    scope = f"{stamp[:8]}/{key.region}/{key.service}/aws4_request"
    return _hmac(_signing_key(key, stamp[:8]), f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}").hex()


def sign(
    method: str,
    target: str,
    host: str,
    key: Key,
    *,
    headers: Mapping[str, str] | None = None,
    payload: str = EMPTY,
    at: float | None = None,
    date: str | None = None,
) -> dict[str, str]:
    """Returns the fields of a request that is signed, Host among them.

    Args:
        target: path and query, as they are sent.
        headers: what else is signed.
        payload: the value of x-amz-content-sha256.
        at: when it is signed, in seconds since the epoch; None: now.
        date: of the credential's scope; None: that of the time.
    """
    stamp = _stamp(time.time() if at is None else at)
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    fields |= {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": payload}
    if key.token is not None:
        fields["x-amz-security-token"] = key.token
    names = sorted(fields)
    signature = _signature(key, stamp, _digest(method, target, fields, names, payload))
    credential = f"{key.access_key}/{date or stamp[:8]}/{key.region}/{key.service}/aws4_request"
    fields["authorization"] = (
        f"{_ALGORITHM} Credential={credential},"
        f"SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return fields


def presign(
    method: str, target: str, host: str, key: Key, *, expires: int = 60, at: float | None = None
) -> str:
    """Returns `target` with a signature in its query."""
    stamp = _stamp(time.time() if at is None else at)
    parameters = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{key.access_key}/{stamp[:8]}/{key.region}/{key.service}/aws4_request",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    if key.token is not None:
        parameters["X-Amz-Security-Token"] = key.token
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    target += ("&" if "?" in target else "?") + text
    digest = _digest(method, target, {"host": host}, ["host"], UNSIGNED)
    return f"{target}&X-Amz-Signature={_signature(key, stamp, digest)}"


def chunked(
    pieces: Iterable[bytes],
    key: Key,
    fields: Mapping[str, str],
    *,
    trailer: tuple[str, str] | None = None,
) -> bytes:
    """Returns a body of STREAMING-AWS4-HMAC-SHA256-PAYLOAD for a request with `fields`.

    Args:
        trailer: name and value of what is behind it, for the same with -TRAILER.
    """
    return b"".join(chunked_pieces(pieces, key, fields, trailer=trailer))


def chunked_pieces(
    pieces: Iterable[bytes],
    key: Key,
    fields: Mapping[str, str],
    *,
    trailer: tuple[str, str] | None = None,
) -> Iterator[bytes]:
    """Makes the same body, chunk by chunk."""
    stamp = fields["x-amz-date"]
    previous = fields["authorization"].rpartition("Signature=")[2]
    scope = f"{stamp[:8]}/{key.region}/{key.service}/aws4_request"
    secret = _signing_key(key, stamp[:8])
    for piece in [*pieces, b""]:
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{previous}\n{EMPTY}\n"
        previous = _hmac(secret, text + hashlib.sha256(piece).hexdigest()).hex()
        yield f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece
        if piece or trailer is None:
            yield b"\r\n"
    if trailer is None:
        return
    name, value = trailer
    text = f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{previous}\n"
    digest = hashlib.sha256(f"{name}:{value}\n".encode()).hexdigest()
    signature = _hmac(secret, text + digest).hex()
    yield f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def verify(method: str, target: str, headers: Mapping[str, str], keys: Mapping[str, Key]) -> str:
    """Returns whose signature the request of a client has. `headers` by lower-case name.

    Raises:
        BadSignature: it has none that is right.
    """
    written = headers.get("authorization", "")
    scheme, _, rest = written.partition(" ")
    if scheme != _ALGORITHM:
        raise BadSignature(f"no signature: {written[:40]!r}")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    access_key, date, region, service, _ = parts["Credential"].rsplit("/", 4)
    key = keys.get(access_key)
    if key is None:
        raise BadSignature(f"no such key: {access_key}")
    if (region, service) != (key.region, key.service):
        raise BadSignature(f"signed for {region}/{service}")
    stamp, payload = headers["x-amz-date"], headers["x-amz-content-sha256"]
    if date != stamp[:8] or abs(time.time() - _seconds(stamp)) > 900:
        raise BadSignature(f"signed at {stamp}")
    names = parts["SignedHeaders"].split(";")
    unsigned = [name for name in headers if name.startswith("x-amz-") and name not in names]
    if "host" not in names or unsigned or names != sorted(names):
        raise BadSignature(f"not signed: {unsigned}, signed: {names}")
    digest = _digest(method, target, headers, names, payload)
    if not hmac.compare_digest(_signature(key, stamp, digest), parts["Signature"]):
        raise BadSignature("another signature")
    return access_key


def _seconds(stamp: str) -> float:
    return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
