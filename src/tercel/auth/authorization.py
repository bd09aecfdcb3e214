"""The schemes of the Authorization field: Bearer, with what asks for scopes, and Basic.

Source: RFC 7617 (Basic); RFC 6750 (Bearer). Tested by tests/python/test_auth_credentials.py.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from tercel.api.dependencies import Depends
from tercel.api.errors import HTTPError
from tercel.api.markers import Header
from tercel.api.security import Demand, SecurityScheme
from tercel.auth.credentials import CREDENTIALS_BYTES_MAX, Credentials, taking

__all__ = ["Basic", "Bearer", "Requires"]

_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_QUOTABLE = re.compile(r"[ !#-\[\]-~]*")
# RFC 6749, section 3.3.
_TOKEN_OF_SCOPE = re.compile(r"[!#-\[\]-~]+")


class _Authorization(Credentials):
    """A scheme of the Authorization field."""

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
        raise self.missing()


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
        token_bytes_max: int = CREDENTIALS_BYTES_MAX,
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
    if len(credentials) > CREDENTIALS_BYTES_MAX:
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
        if scheme.optional:
            self.demand = Demand((scheme.place,), scheme.missing, (self, scheme))
        self.__signature__ = taking("identity", Annotated[Any, Depends(scheme)])

    async def __call__(self, identity: Any) -> Any:
        if identity is None:
            raise self._asked.missing()
        if not _scopes_of(identity).issuperset(self.scopes):
            raise self._asked.refusal(
                f"This needs the scope {' '.join(self.scopes)}.",
                403,
                error="insufficient_scope",
                scope=" ".join(self.scopes),
            )
        return identity


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
