"""What ends a handler: an exception class for each status, and for each redirect.

::

    from tercel.errors import Conflict, SeeOther

    raise Conflict("There is a thing of that name.", type="https://example.com/problems/name-taken")
    raise SeeOther("/things/7")

Each takes what `tercel.HTTPError` takes, without the status. Source: RFC 9110 section 15, and where
a docstring says so, another RFC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import quote

from tercel.api.errors import HTTPError, HTTPStatus
from tercel.api.response import Response
from tercel.options import pairs_of

__all__ = [
    "BadGateway",
    "BadRequest",
    "Conflict",
    "ContentTooLarge",
    "ExpectationFailed",
    "FailedDependency",
    "Forbidden",
    "Found",
    "GatewayTimeout",
    "Gone",
    "HTTPError",
    "HTTPStatus",
    "InsufficientStorage",
    "InternalServerError",
    "LengthRequired",
    "Locked",
    "LoopDetected",
    "MethodNotAllowed",
    "MisdirectedRequest",
    "MovedPermanently",
    "NetworkAuthenticationRequired",
    "NotAcceptable",
    "NotFound",
    "NotImplementedByServer",
    "PaymentRequired",
    "PermanentRedirect",
    "PreconditionFailed",
    "PreconditionRequired",
    "RangeNotSatisfiable",
    "RequestHeaderFieldsTooLarge",
    "SeeOther",
    "ServiceUnavailable",
    "TemporaryRedirect",
    "TooManyRequests",
    "URITooLong",
    "Unauthorized",
    "UnavailableForLegalReasons",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "UpgradeRequired",
]

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


class _OfStatus(HTTPError):
    """An HTTPError whose status is that of its class."""

    of_status: ClassVar[int]

    def __init__(self, detail: str | None = None, *, headers: Headers = (), **more: Any) -> None:
        super().__init__(self.of_status, detail, headers=headers, **more)


class _WithField(_OfStatus):
    """One with a header field that its status has."""

    def __init__(
        self, name: str, value: str | None, detail: str | None, headers: Headers, more: Any
    ) -> None:
        pairs = pairs_of(headers)
        if value is not None:
            pairs.append((name, value))
        super().__init__(detail, headers=pairs, **more)


class _RetryAfter(_WithField):
    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after: int | datetime | None = None,
        headers: Headers = (),
        **more: Any,
    ) -> None:
        value = None if retry_after is None else _retry_after(retry_after)
        super().__init__("retry-after", value, detail, headers, more)


def _retry_after(value: int | datetime) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(UTC), usegmt=True)
    return str(int(value))


class BadRequest(_OfStatus):
    of_status = 400


class Unauthorized(_WithField):
    """`challenge` is the WWW-Authenticate field that the status needs."""

    of_status = 401

    def __init__(
        self, detail: str | None = None, *, challenge: str, headers: Headers = (), **more: Any
    ) -> None:
        super().__init__("www-authenticate", challenge, detail, headers, more)


class PaymentRequired(_OfStatus):
    of_status = 402


class Forbidden(_OfStatus):
    of_status = 403


class NotFound(_OfStatus):
    of_status = 404


class MethodNotAllowed(_WithField):
    """`allow` are the methods that there are: the Allow field that the status needs."""

    of_status = 405

    def __init__(
        self,
        detail: str | None = None,
        *,
        allow: Iterable[str],
        headers: Headers = (),
        **more: Any,
    ) -> None:
        super().__init__("allow", ", ".join(allow), detail, headers, more)


class NotAcceptable(_OfStatus):
    of_status = 406


class Conflict(_OfStatus):
    of_status = 409


class Gone(_OfStatus):
    of_status = 410


class LengthRequired(_OfStatus):
    of_status = 411


class PreconditionFailed(_OfStatus):
    of_status = 412


class ContentTooLarge(_RetryAfter):
    """`retry_after`: seconds, or a time, when it is for a while only."""

    of_status = 413


class URITooLong(_OfStatus):
    of_status = 414


class UnsupportedMediaType(_OfStatus):
    of_status = 415


class RangeNotSatisfiable(_WithField):
    """`length` is the whole length of what was asked for, in bytes."""

    of_status = 416

    def __init__(
        self, detail: str | None = None, *, length: int, headers: Headers = (), **more: Any
    ) -> None:
        super().__init__("content-range", f"bytes */{length}", detail, headers, more)


class ExpectationFailed(_OfStatus):
    of_status = 417


class MisdirectedRequest(_OfStatus):
    of_status = 421


class UnprocessableContent(_OfStatus):
    of_status = 422


class Locked(_OfStatus):
    """RFC 4918."""

    of_status = 423


class FailedDependency(_OfStatus):
    """RFC 4918."""

    of_status = 424


class UpgradeRequired(_WithField):
    """`upgrade` are the protocols that will do: the Upgrade field that the status needs."""

    of_status = 426

    def __init__(
        self,
        detail: str | None = None,
        *,
        upgrade: Iterable[str],
        headers: Headers = (),
        **more: Any,
    ) -> None:
        super().__init__("upgrade", ", ".join(upgrade), detail, headers, more)


class PreconditionRequired(_OfStatus):
    """RFC 6585."""

    of_status = 428


class TooManyRequests(_RetryAfter):
    """`retry_after`: seconds, or a time. RFC 6585."""

    of_status = 429


class RequestHeaderFieldsTooLarge(_OfStatus):
    """RFC 6585."""

    of_status = 431


class UnavailableForLegalReasons(_OfStatus):
    """RFC 7725."""

    of_status = 451


class InternalServerError(_OfStatus):
    of_status = 500


class NotImplementedByServer(_OfStatus):
    """501, Not Implemented: `NotImplementedError` is Python's."""

    of_status = 501


class BadGateway(_OfStatus):
    of_status = 502


class ServiceUnavailable(_RetryAfter):
    """`retry_after`: seconds, or a time."""

    of_status = 503


class GatewayTimeout(_OfStatus):
    of_status = 504


class InsufficientStorage(_OfStatus):
    """RFC 4918."""

    of_status = 507


class LoopDetected(_OfStatus):
    """RFC 5842."""

    of_status = 508


class NetworkAuthenticationRequired(_OfStatus):
    """RFC 6585."""

    of_status = 511


# What a URI has as it is, and the sign of what is encoded already (RFC 3986, section 2).
_OF_A_URI = ":/?#[]@!$&'()*+,;=-._~%"


class _Redirect(HTTPStatus):
    """Sends the client to `location`, a URI or a path; what no URI has is percent-encoded."""

    of_status: ClassVar[int]

    def __init__(self, location: str, *, headers: Headers = ()) -> None:
        pairs = pairs_of(headers)
        pairs.append(("location", quote(location, safe=_OF_A_URI)))
        super().__init__(Response(status=self.of_status, headers=pairs))


class MovedPermanently(_Redirect):
    """301: a client may make a GET of a POST. `PermanentRedirect` keeps the method."""

    of_status = 301


class Found(_Redirect):
    """302: a client may make a GET of a POST. `TemporaryRedirect` keeps the method."""

    of_status = 302


class SeeOther(_Redirect):
    """303: the answer is at another place, to be had by GET."""

    of_status = 303


class TemporaryRedirect(_Redirect):
    """307."""

    of_status = 307


class PermanentRedirect(_Redirect):
    """308."""

    of_status = 308
