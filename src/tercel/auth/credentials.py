"""Credentials that come with each request: API keys, and the schemes of the Authorization field.

What is missing or wrong is answered with 401 and a problem document, whose WWW-Authenticate says
what is asked for.

Source: RFC 9110, section 11; RFC 7617 (Basic); RFC 6750 (Bearer). Tested by
tests/python/test_auth_credentials.py.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from tercel.api.dependencies import Depends
from tercel.api.errors import HTTPError
from tercel.api.markers import Cookie, Header, Marker, Query
from tercel.api.security import SecurityScheme

__all__ = ["APIKey", "AnyOf", "Basic", "Bearer", "Requires"]

_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_QUOTABLE = re.compile(r"[ !#-\[\]-~]*")
# Of a key, or of user and password in base64: far more than anybody has.
_CREDENTIALS_BYTES_MAX = 8192


class _Credentials(SecurityScheme):
    """A scheme whose credentials a function of the application knows."""

    def __init__(
        self,
        name: str,
        scheme: Mapping[str, Any],
        marker: Marker,
        verify: Callable[..., Any],
        *,
        optional: bool,
        blocking: bool,
    ) -> None:
        super().__init__(name, scheme, optional=optional)
        if not callable(verify):
            kind = type(self).__name__
            raise TypeError(f"{kind} takes a function that knows credentials, not {verify!r}")
        called = verify if inspect.isroutine(verify) else type(verify).__call__
        self._verify = verify
        self._on_thread = blocking and not inspect.iscoroutinefunction(called)
        self.__signature__ = _taking("given", Annotated[list[str], marker], [])

    def _challenge(self, **parameters: str) -> str:
        raise NotImplementedError

    def refusal(self, detail: str, status: int = 401, **parameters: str) -> HTTPError:
        """Returns what is raised, with a challenge that has `parameters`."""
        challenge = self._challenge(**parameters)
        return HTTPError(status, detail, headers={"www-authenticate": challenge})

    async def _identity(self, *credentials: str) -> Any:
        """Returns who has the credentials; None: nobody."""
        if self._on_thread:
            found = await asyncio.to_thread(self._verify, *credentials)
        else:
            found = self._verify(*credentials)
        if inspect.isawaitable(found):
            found = await found
        return None if found is False else found


def _taking(name: str, annotation: Any, *default: Any) -> inspect.Signature:
    """Returns the signature of a function with one argument."""
    parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    return inspect.Signature([parameter.replace(default=one) for one in default] or [parameter])


class APIKey(_Credentials):
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
            raise self.refusal("The API key is missing.")
        if len(given) > 1:
            raise HTTPError(400, "There is more than one API key.")
        if not given[0] or len(given[0]) > _CREDENTIALS_BYTES_MAX:
            raise self.refusal("The API key is not valid.")
        identity = await self._identity(given[0])
        if identity is None:
            raise self.refusal("The API key is not valid.")
        return identity

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


class _Authorization(_Credentials):
    """A scheme of the Authorization field."""

    word = ""

    def __init__(
        self,
        verify: Callable[..., Any],
        scheme: Mapping[str, Any],
        *,
        name: str,
        realm: str | None,
        optional: bool,
        blocking: bool,
        description: str | None,
    ) -> None:
        if realm is not None and not _QUOTABLE.fullmatch(realm):
            raise ValueError(f"a realm is of printable ASCII without quotes, not {realm!r}")
        self._realm = realm
        super().__init__(
            name,
            {**scheme, "description": description} if description else scheme,
            Header("Authorization", include_in_schema=False),
            verify,
            optional=optional,
            blocking=blocking,
        )

    def _challenge(self, **parameters: str) -> str:
        known = {"realm": self._realm, **parameters}
        said = [f'{name}="{value}"' for name, value in known.items() if value is not None]
        return f"{self.word} {', '.join(said)}".rstrip()

    def _given(self, fields: list[str]) -> str | None:
        """Returns the credentials of this scheme, or None where there are none."""
        if len(fields) > 1:
            # Another one on the way may have looked at the other.
            raise HTTPError(400, "There is more than one Authorization field.")
        word, _, credentials = fields[0].partition(" ") if fields else ("", "", "")
        if word.lower() == self.word.lower():
            return credentials.strip(" ")
        if self.optional:
            return None
        raise self.refusal(f"{self.word} credentials are missing.")


class Bearer(_Authorization):
    """A token of which a function knows whose it is: `Authorization: Bearer ...`.

    Args:
        verify: called with a token; returns who has it, or None or False. A coroutine function, or
            a plain one, which runs on a thread unless `blocking` is false.
        name: of the scheme in the OpenAPI document.
        realm: what is protected, for the challenge.
        format: of the tokens, for the OpenAPI document.
        optional: without a token, the result is None. A wrong one is refused all the same.
        token_bytes_max: a longer one is refused before anything is done with it.
        description: for the OpenAPI document.
    """

    word = "Bearer"

    def __init__(
        self,
        verify: Callable[[str], Any],
        *,
        name: str = "bearer",
        realm: str | None = None,
        format: str | None = None,
        optional: bool = False,
        blocking: bool = True,
        token_bytes_max: int = _CREDENTIALS_BYTES_MAX,
        description: str | None = None,
    ) -> None:
        scheme = {"type": "http", "scheme": "bearer"}
        if format:
            scheme["bearerFormat"] = format
        super().__init__(
            verify,
            scheme,
            name=name,
            realm=realm,
            optional=optional,
            blocking=blocking,
            description=description,
        )
        self._token_bytes_max = token_bytes_max

    async def __call__(self, given: list[str]) -> Any:
        token = self._given(given)
        if token is None:
            return None
        if len(token) > self._token_bytes_max:
            raise self.invalid("The token is too long.")
        if not _TOKEN68.fullmatch(token):
            raise self.invalid("The token is malformed.")
        identity = await self._identity(token)
        if identity is None:
            raise self.invalid("The token is not valid.")
        return identity

    def invalid(self, detail: str) -> HTTPError:
        """Returns what is raised for a token that is not valid; `detail` is for the client."""
        return self.refusal(detail, error="invalid_token", error_description=detail)

    def requires(self, *scopes: str) -> Requires:
        """Returns a dependency on this one that is refused, with 403, to who lacks a scope."""
        return Requires(self, *scopes)


class Basic(_Authorization):
    """A name and a password: `Authorization: Basic ...`. For TLS only: they are not encrypted.

    Args:
        verify: called with name and password; returns who that is, or None or False. A coroutine
            function, or a plain one, which runs on a thread unless `blocking` is false: it has the
            time for `verify_password`.
        realm: what is protected: browsers show it.
        name: of the scheme in the OpenAPI document.
        optional: without credentials, the result is None. Wrong ones are refused all the same.
        description: for the OpenAPI document.
    """

    word = "Basic"

    def __init__(
        self,
        verify: Callable[[str, str], Any],
        *,
        realm: str = "API",
        name: str = "basic",
        optional: bool = False,
        blocking: bool = True,
        description: str | None = None,
    ) -> None:
        super().__init__(
            verify,
            {"type": "http", "scheme": "basic"},
            name=name,
            realm=realm,
            optional=optional,
            blocking=blocking,
            description=description,
        )

    async def __call__(self, given: list[str]) -> Any:
        credentials = self._given(given)
        if credentials is None:
            return None
        pair = _user_and_password(credentials)
        if pair is None:
            raise self.refusal("The Basic credentials are malformed.")
        identity = await self._identity(*pair)
        if identity is None:
            raise self.refusal("The name or the password is wrong.")
        return identity

    def _challenge(self, **parameters: str) -> str:
        return super()._challenge(**parameters, charset="UTF-8")


def _user_and_password(credentials: str) -> tuple[str, str] | None:
    if len(credentials) > _CREDENTIALS_BYTES_MAX:
        return None
    try:
        text = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    # RFC 7617, section 2.
    return (user, password) if colon and not _CONTROLS.search(text) else None


class Requires(SecurityScheme):
    """A dependency on a `Bearer` or `JWT` that asks for scopes. Made by its `requires()`.

    The scopes of a client are what its identity has as `scope`, a str with spaces between them
    (RFC 8693, section 4.2) or a list, or as `scp`. Its result is that of what it depends on.
    """

    def __init__(self, scheme: Bearer, *scopes: str) -> None:
        if not scopes or not all(one and _TOKEN_OF_SCOPE.fullmatch(one) for one in scopes):
            raise ValueError(f"requires() takes scopes, as 'orders:write', not {scopes!r}")
        super().__init__(
            scheme.name,
            scheme.scheme,
            scopes=scopes,
            refusals={**scheme.refusals, 403: "Who asks has not the scopes for it."},
        )
        self._asked = scheme
        self.__signature__ = _taking("identity", Annotated[Any, Depends(scheme)])

    async def __call__(self, identity: Any) -> Any:
        if identity is None:
            raise self._asked.refusal(f"{self._asked.word} credentials are missing.")
        if not _scopes_of(identity).issuperset(self.scopes):
            raise self._asked.refusal(
                f"This needs the scope {' '.join(self.scopes)}.",
                403,
                error="insufficient_scope",
                scope=" ".join(self.scopes),
            )
        return identity


class AnyOf(SecurityScheme):
    """A dependency on several schemes, one of which is enough: the first that a client shows.

    ::

        anybody = AnyOf(APIKey(keys=KEYS, optional=True), JWT(..., optional=True))

    What is wrong is refused, whatever else is right. Its result is that of the scheme.

    Args:
        schemes: two or more, all of them optional.
    """

    def __init__(self, *schemes: _Credentials) -> None:
        if len(schemes) < 2 or not all(isinstance(one, _Credentials) for one in schemes):
            raise TypeError("AnyOf takes two schemes or more, as APIKey(...) and JWT(...)")
        for one in schemes:
            if not one.optional:
                raise TypeError(
                    f"AnyOf takes schemes that need not be there: give {type(one).__name__}"
                    " optional=True"
                )
        super().__init__("anyOf", {})
        for one in schemes:
            self.refusals |= one.refusals
        self.alternatives = self._schemes = schemes
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    f"identity_{number}",
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[Any, Depends(one)],
                )
                for number, one in enumerate(schemes)
            ]
        )

    async def __call__(self, **identities: Any) -> Any:
        for identity in identities.values():
            if identity is not None:
                return identity
        # RFC 9110, section 11.6.1: a challenge for each.
        challenges = [("www-authenticate", one._challenge()) for one in self._schemes]
        raise HTTPError(401, "Credentials are missing.", headers=challenges)


# RFC 6749, section 3.3.
_TOKEN_OF_SCOPE = re.compile(r"[!#-\[\]-~]+")


def _scopes_of(identity: Any) -> frozenset[str]:
    found: Any = None
    for name in ("scope", "scp"):
        if found is None:
            is_mapping = isinstance(identity, Mapping)
            found = identity.get(name) if is_mapping else getattr(identity, name, None)
    if isinstance(found, str):
        return frozenset(found.split(" "))
    if isinstance(found, (list, tuple, set, frozenset)):
        return frozenset(one for one in found if isinstance(one, str))
    return frozenset()
