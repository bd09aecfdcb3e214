"""A response, for a handler that decides more of it than the body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tercel.api.cookies import SetsCookies
from tercel.options import pairs_of

__all__ = ["Response", "texts_of"]


class Response(SetsCookies):
    """A whole response.

    Args:
        body: bytes as they are, or a str in UTF-8.
        status: from 200 to 599.
        media_type: the Content-Type; None for that of the type of `body`.
        headers: more header fields; several of one name as pairs.

    Attributes:
        headers: all of them, as pairs, Content-Type with them. May be appended to until the handler
            returns. Content-Length is the server's.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: bytes | str = b"",
        *,
        status: int = 200,
        media_type: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self.body = body
        self.status = status
        self.headers = pairs_of(headers)
        if media_type is None and (body or not self.headers):
            is_text = isinstance(body, str)
            media_type = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
        if media_type and all(name.lower() != "content-type" for name, _ in self.headers):
            self.headers.insert(0, ("content-type", media_type))

    @classmethod
    def of(cls, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
        """Returns a response for what the engine made, as an application may change it."""
        response = cls(body, status=status)
        # A Response has the length of its body, whatever becomes of that.
        response.headers = [pair for pair in texts_of(headers) if pair[0] != "content-length"]
        return response

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


def texts_of(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Returns header fields of the engine, which sends a str in UTF-8, as they were given to it."""
    return [(name.decode(), value.decode(errors="replace")) for name, value in headers]
