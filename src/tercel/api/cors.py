"""Which pages of other origins may read an application's answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tercel import _api
from tercel.api.streams import Send
from tercel.options import check_flag, check_number, listed

__all__ = ["CORS"]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class CORS:
    """What browsers are told of an application: `tercel.App(cors=tercel.CORS(...))`.

    Preflights are answered by the engine, whatever their path; the answers to other requests have
    the fields too, 404 and 422 among them. A request of an origin that is not named is answered all
    the same, but its page may not read it. An answer that has an `Access-Control-Allow-Origin` of
    its own keeps it.

    Args:
        origins: as browsers say them, `https://app.example.com` or `http://localhost:3000`;
            `https://*.example.com` for all hosts below one; `"*"`, alone, for everybody.
        methods: that pages may use; `"*"` for all.
        headers: fields that pages may send, besides those that need no permission; `"x-app-*"` for
            all that begin so, `"*"` for all.
        credentials: pages may send cookies and the like.
        expose: fields of answers that pages may read, besides those that need no permission; they
            may be patterns, too.
        max_age: seconds for which a browser may keep what a preflight was told, up to a day.
        private_network: pages of public networks may ask a private one.

    Raises:
        ValueError: a sentence says what to change: an origin that no browser sends, or `"*"` with
            credentials.
    """

    def __init__(
        self,
        *,
        origins: Iterable[str],
        methods: Iterable[str] = _METHODS,
        headers: Iterable[str] = (),
        credentials: bool = False,
        expose: Iterable[str] = (),
        max_age: int = 600,
        private_network: bool = False,
    ) -> None:
        check_number("max_age, in seconds,", max_age, 0, 86_400)
        check_flag("credentials of CORS", credentials)
        check_flag("private_network of CORS", private_network)
        self._native = _api.Cors(
            list(listed("origins", origins)),
            list(listed("methods", methods)),
            list(listed("headers", headers)),
            list(listed("expose", expose)),
            credentials,
            private_network,
            max_age,
        )

    def _preflight(self, scope: dict[str, Any]) -> Any:
        """Returns the answer to a preflight as status, headers and body; None if it is none."""
        return self._native.preflight(scope["method"].encode(), _pairs(scope["headers"]))

    def _sender(self, scope: dict[str, Any], send: Send) -> Send:
        """Returns a `send` that adds the fields to the answer, or that one: there are none."""
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        if origin is None:
            return send

        async def amending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = self._native.amend(origin, _pairs(message.get("headers", ())))
                message = {**message, "headers": headers}
            await send(message)

        return amending


def _pairs(headers: Iterable[Iterable[bytes]]) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in headers]
