"""How a handler says no: exceptions that are answered with problem details."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from tercel.api.response import Response

__all__ = ["FAILED", "HTTPError", "InvalidValue", "problem", "title_of"]


class HTTPError(Exception):
    """Ends the handler; the client gets a problem document (RFC 9457).

    Args:
        status: from 400 to 599.
        detail: a sentence about this occurrence, for the client to read.
        headers: more header fields of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"the status of an HTTPError is from 400 to 599, not {status!r}")
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def response(self) -> Response:
        """Returns the problem document of this error."""
        return problem(self.status, self.detail, headers=self.headers)

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}" if self.detail else str(self.status)


class InvalidValue(Exception):
    """A value of the request that its type refuses."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors

    def response(self) -> Response:
        detail = "Values of the request are missing or not what they must be."
        return problem(422, detail, errors=self.errors)


def problem(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    errors: list[dict[str, Any]] | None = None,
    instance: str | None = None,
) -> Response:
    """Returns a response whose body is a problem document."""
    document: dict[str, Any] = {"type": "about:blank", "title": title_of(status), "status": status}
    if detail:
        document["detail"] = detail
    if instance:
        document["instance"] = instance
    if errors:
        document["errors"] = errors
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
        return "Unprocessable Content" if status == 422 else HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"


# What is answered when a handler fails, or what it returns is no answer.
FAILED = problem(500, "The application failed.")
