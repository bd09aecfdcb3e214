"""Links to objects: whoever has one may make one request until it expires."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from tercel import _s3
from tercel.options import check_number
from tercel.s3.values import Hmac, check_text

__all__ = ["presign"]

_WEEK = 604_800
_PORTS = {"http": 80, "https": 443}


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
        headers: that the request must have, with these values.
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
    check_text("the url", url)
    check_text("the region", region)
    check_number("expires_s, in seconds,", expires_s, 1, _WEEK)
    if now is not None and now.tzinfo is None:
        raise ValueError("now must have a time zone")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("the url is an http(s) URL without user and fragment")
    host = parts.netloc.lower()
    if parts.port in (None, _PORTS[parts.scheme]):
        host = host.removesuffix(f":{_PORTS[parts.scheme]}").removesuffix(":")
    fields = []
    for name, value in (headers or {}).items():
        check_text("the name of a header", name)
        check_text(f"the value of {name}", value, empty=True)
        fields.append((name.lower(), value))
    path = parts.path or "/"
    query = _s3.presign(
        method,
        path,
        parts.query,
        host,
        fields,
        credentials.access_key,
        credentials.secret_key,
        credentials.session_token or "",
        region,
        int(time.time() if now is None else now.timestamp()),
        expires_s,
    )
    return f"{parts.scheme}://{host}{path}?{query}"
