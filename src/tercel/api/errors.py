"""How a handler says no: exceptions that are answered with problem details."""

from __future__ import annotations

import http
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tercel.api.response import Response

__all__ = ["HTTPError", "HTTPStatus", "InvalidValue", "failed", "problem", "title_of"]


# Of a problem document.
_MEMBERS = {"type", "title", "status", "detail", "instance", "errors"}


class HTTPError(Exception):
    """Ends the handler; the client gets a problem document (RFC 9457).

    `tercel.errors` has a class for each status.

    Args:
        status: from 400 to 599.
        detail: a sentence about this occurrence, for the client to read.
        headers: more header fields of the answer.
        type: a URI that says what kind of problem it is; its documentation, perhaps.
        title: what kind of problem it is, in words; those of the status if None.
        instance: a URI of this occurrence; the path of the request if None.
        extra: more members of the document.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        type: str = "about:blank",
        title: str | None = None,
        instance: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"the status of an HTTPError is from 400 to 599, not {status!r}")
        if reserved := _MEMBERS & set(extra or ()):
            raise ValueError(f"{min(reserved)!r} of a problem document has an argument of its own")
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.type = type
        self.title = title
        self.instance = instance
        self.extra = extra

    def response(self, path: str | None = None) -> Response:
        """Returns the problem document of this error, which came of a request of that path."""
        return problem(
            self.status,
            self.detail,
            headers=self.headers,
            type=self.type,
            title=self.title,
            instance=self.instance or path,
            extra=self.extra,
        )

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}" if self.detail else str(self.status)


class HTTPStatus(Exception):
    """Ends the handler with an answer that is no error: a redirect, mostly.

    Args:
        response: the answer.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self._response = response

    def response(self, path: str | None = None) -> Response:
        """Returns the answer, whatever the path of the request."""
        return self._response


class InvalidValue(Exception):
    """A value of the request that its type refuses."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors

    def response(self, path: str | None = None) -> Response:
        """Returns the problem document of a request of that path."""
        detail = "Values of the request are missing or not what they must be."
        return problem(422, detail, instance=path, errors=self.errors)


def problem(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    type: str = "about:blank",
    title: str | None = None,
    instance: str | None = None,
    errors: list[dict[str, Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Response:
    """Returns a response whose body is a problem document."""
    document: dict[str, Any] = {"type": type, "title": title or title_of(status), "status": status}
    more = {"detail": detail, "instance": instance, "errors": errors}
    document |= {name: value for name, value in more.items() if value}
    document |= extra or {}
    return Response(
        msgspec.json.encode(document),
        status=status,
        media_type="application/problem+json",
        headers=headers,
    )


def title_of(status: int) -> str:
    """Returns what a status means, in its own words."""
    try:
        # The name that RFC 9110 gave it.
        return "Unprocessable Content" if status == 422 else http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"


def failed(path: str | None = None) -> Response:
    """Returns what is answered when a handler fails, or what it returns is no answer."""
    return problem(500, "The application failed.", instance=path)
