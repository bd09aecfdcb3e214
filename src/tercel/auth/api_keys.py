"""API keys, in a header field, a parameter of the query, or a cookie.

Tested by tests/python/test_auth_credentials.py.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

from tercel.api.errors import HTTPError
from tercel.api.markers import Cookie, Header, Query
from tercel.auth.credentials import CREDENTIALS_BYTES_MAX, Credentials

__all__ = ["APIKey"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_QUOTABLE = re.compile(r"[ !#-\[\]-~]*")


class APIKey(Credentials):
    """A key that a client was given, in a header field, a parameter of the query, or a cookie.

    ::

        key = APIKey(header="X-API-Key", keys={"s3cr3t": "billing"})

        @app.get("/invoices")
        async def invoices(client: Annotated[str, Depends(key)]) -> list[Invoice]: ...

    Args:
        header: its name, or that of `query` or `cookie`; `X-API-Key` if none is given. What is in
            a query stands in the logs of proxies and in the history of browsers.
        keys: who has which key; compared one after the other in constant time, so for some
            hundreds at most. There is a `verify` for more.
        verify: called with a key; returns who has it, or None or False. A coroutine function, or a
            plain one, which runs on a thread unless `blocking` is false.
        name: of the scheme in the OpenAPI document.
        optional: without a key, the result is None. A wrong one is refused all the same.
        description: for the OpenAPI document.
    """

    def __init__(
        self,
        *,
        header: str | None = None,
        query: str | None = None,
        cookie: str | None = None,
        keys: Mapping[str, Any] | None = None,
        verify: Callable[[str], Any] | None = None,
        name: str = "apiKey",
        optional: bool = False,
        blocking: bool = True,
        description: str | None = None,
    ) -> None:
        places = {"header": header, "query": query, "cookie": cookie}
        named = [(place, called) for place, called in places.items() if called]
        if len(named) > 1:
            raise TypeError("APIKey is in one place: give one of header, query and cookie")
        if (keys is None) == (verify is None):
            raise TypeError("APIKey takes either keys={key: who has it}, or verify=, a function")
        self._place, self._called = named[0] if named else ("header", "X-API-Key")
        kind = {"header": Header, "query": Query, "cookie": Cookie}[self._place]
        scheme = {"type": "apiKey", "in": self._place, "name": self._called}
        if description:
            scheme["description"] = description
        if verify is None:
            self._known = _hashed(keys or {})
            verify, blocking = self._find, False
        super().__init__(
            name,
            scheme,
            kind(self._called, include_in_schema=False),
            verify,
            optional=optional,
            blocking=blocking,
        )

    async def __call__(self, given: list[str]) -> Any:
        if not given:
            if self.optional:
                return None
            raise self.missing()
        if len(given) > 1:
            raise HTTPError(400, "There is more than one API key.")
        if not given[0] or len(given[0]) > CREDENTIALS_BYTES_MAX:
            raise self.refusal("The API key is not valid.")
        identity = await self._identity(given[0])
        if identity is None:
            raise self.refusal("The API key is not valid.")
        return identity

    def missing(self) -> HTTPError:
        return self.refusal("The API key is missing.")

    def _challenge(self, **parameters: str) -> str:
        return f'APIKey in="{self._place}", name="{self._called}"'

    def _find(self, key: str) -> Any:
        # Hashes, so that the length is not told; all of them, so that the place is not.
        digest = _digest(key)
        found = None
        for known, identity in self._known:
            if hmac.compare_digest(known, digest):
                found = identity
        return found


def _hashed(keys: Mapping[str, Any]) -> list[tuple[bytes, Any]]:
    for key, identity in keys.items():
        if not isinstance(key, str) or not key or not key.isascii() or not key.isprintable():
            raise ValueError("a key of APIKey is a str of printable ASCII, and not empty")
        if identity is None or identity is False:
            raise ValueError("who has a key of APIKey is neither None nor False")
    return [(_digest(key), identity) for key, identity in keys.items()]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
