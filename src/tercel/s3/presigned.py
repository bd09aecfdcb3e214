"""Links to objects: whoever has one may make one request until it expires."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tercel import _s3
from tercel.options import check_number
from tercel.s3.texts import check_region, check_text, parts_of_url
from tercel.s3.values import Hmac

__all__ = ["presign"]

_WEEK = 604_800
_PORTS = {"http": 80, "https": 443}
_YEAR_10000 = 253_402_300_800
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2.
_PAYLOAD = re.compile("[0-9a-f]{64}|UNSIGNED-PAYLOAD")
# That stand elsewhere in a link, or make it one that every server refuses.
_NOT_AS_HEADERS = {
    "host": "is that of the url",
    "authorization": "is what a link has its query for",
    "x-amz-security-token": "is the session_token of the credentials",
}


def presign(
    method: str,
    url: str,
    *,
    credentials: Hmac,
    region: str = "us-east-1",
    expires_s: int = 3600,
    headers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> str:
    """Returns `url` with a Signature Version 4 query that allows one kind of request.

    Args:
        method: HTTP method, upper case. The link is good for this method only.
        url: `https://host/bucket/key` or `https://bucket.host/key`, percent-encoded; it may have a
            query, as `?versionId=1`.
        credentials: of the storage or of a gateway before it, at which the link is used.
        region: that the link is signed for.
        expires_s: lifetime in seconds, from 1 to 604800, a week, which is S3's limit.
        headers: that the request must have, with these values. `x-amz-content-sha256` with the
            SHA-256 of a body, in lower-case hex, allows this body only; servers differ in whether
            they look at it (this gateway does).
        now: start of the lifetime, with a time zone; None: now.

    Returns:
        The URL, some 300 bytes longer. It is a secret as long as it is valid: do not log it.

    Raises:
        ValueError, TypeError: an argument is out of its range, or the URL is none.

    Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", of
    which this is the example.

    >>> from datetime import timezone
    >>> link = presign("GET", "https://examplebucket.s3.amazonaws.com/test.txt",
    ...     credentials=Hmac("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ...     expires_s=86400, now=datetime(2013, 5, 24, tzinfo=timezone.utc))
    >>> link.rpartition("=")[2][:16]
    'aeeed9bbccd4d02e'
    """
    if not isinstance(credentials, Hmac):
        raise TypeError(f"credentials is an Hmac, not of {type(credentials).__name__}")
    check_text("the method", method)
    if not re.fullmatch("[A-Z]+", method):
        raise ValueError(f"the method is one of HTTP in upper case, as GET, not {method!r}")
    check_region("the region", region)
    check_number("expires_s, in seconds,", expires_s, 1, _WEEK)
    parts = parts_of_url("the url", url)
    if parts.fragment:
        raise ValueError("the url has a fragment, which no server sees: leave out the # behind it")
    if " " in url:
        raise ValueError("the url has a blank: percent-encode it, as %20")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if parts.port not in (None, _PORTS[parts.scheme]):
        host += f":{parts.port}"
    path = parts.path or "/"
    query = _s3.presign(
        method,
        path,
        parts.query,
        host,
        _fields_of(headers),
        credentials.access_key,
        credentials.secret_key,
        credentials.session_token or "",
        region,
        _seconds_of(now),
        expires_s,
    )
    return f"{parts.scheme}://{host}{path}?{query}"


def _fields_of(headers: Any) -> list[tuple[str, str]]:
    if headers is None:
        return []
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers is a dict of names and values, not of {type(headers).__name__}")
    fields = []
    for name, value in headers.items():
        check_text("the name of a header", name)
        if not _TOKEN.fullmatch(name):
            raise ValueError(
                f"the name of a header is of letters, digits and hyphens, not {name!r}"
            )
        check_text(f"the value of {name}", value, empty=True)
        lower = name.lower()
        if lower in _NOT_AS_HEADERS:
            raise ValueError(f"{name} {_NOT_AS_HEADERS[lower]}: leave it out of headers")
        if lower == "x-amz-content-sha256" and not _PAYLOAD.fullmatch(value):
            raise ValueError(f"the value of {name} is a SHA-256, 64 digits of hex in lower case")
        fields.append((lower, value))
    return fields


def _seconds_of(now: Any) -> int:
    if now is None:
        return int(time.time())
    if not isinstance(now, datetime):
        raise TypeError(f"now is a datetime, not of {type(now).__name__}")
    if now.tzinfo is None or now.utcoffset() is None:
        raise ValueError("now must have a time zone")
    seconds = int(now.timestamp())
    if not 0 <= seconds < _YEAR_10000 - _WEEK:
        raise ValueError(f"now is a time from 1970 to 9999, not {now.isoformat()}")
    return seconds
