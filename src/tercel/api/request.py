"""A request, for a handler that wants more of it than its parameters."""

from __future__ import annotations

from typing import Any

__all__ = ["Request"]


class Request:
    """What was asked.

    Attributes:
        method: in upper case; `WEBSOCKET` where a WebSocket is asked for.
        path: as it was sent, percent-encoded, without the query: `/%61` is the path `/a`, too.
        query: behind the `?`, percent-encoded; empty when there is none.
        headers: pairs of name, in lower case, and value, in the order in which they came. Bytes
            above 0x7F are the characters of their number (ISO 8859-1).
        body: as it was sent; up to 1 MiB, unless the route has an argument that says otherwise.
            Empty for what is called before it is read: hooks.
        route: the template of its route; None while that is not known.
        state: for the application: what hooks and the handler of one request tell each other.
    """

    __slots__ = ("body", "headers", "method", "path", "query", "route", "state")

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[str, str]],
        body: bytes,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.route: str | None = None
        self.state: dict[str, Any] = {}

    def header(self, name: str, default: str | None = None) -> str | None:
        """Returns the first header field called `name`, in any case."""
        lower = name.lower()
        return next((value for known, value in self.headers if known == lower), default)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"
