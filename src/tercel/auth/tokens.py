"""JSON Web Tokens: who asks is what a signed token says.

PyJWT does the cryptography and checks the registered claims. What is here is what goes wrong around
it: algorithms are the application's and never the token's, keys are of the kind of their algorithm
before any token comes, everything that a client sends is limited first.

Source: RFC 7519, RFC 7515, RFC 8725. Tested by tests/python/test_auth_tokens.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tercel.api import values
from tercel.api.errors import InvalidValue
from tercel.auth import keys
from tercel.auth.authorization import Bearer
from tercel.auth.jwks import PublishedKeys
from tercel.extras import load

__all__ = ["JWT", "Claims", "encode_jwt"]

_LEEWAY_S_MAX = 600


class Claims(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The registered claims, and `scope`. An application derives its own from it.

    ::

        class UserClaims(Claims):
            roles: tuple[str, ...] = ()

    Attributes:
        iss: who issued the token; `sub`: whom it is about; `aud`: for whom it is.
        exp: when it expires, in seconds since 1970; `nbf`: when it begins; `iat`: when it was made.
        jti: its id.
        scope: what it is good for, with spaces between.
    """

    iss: str | None = None
    sub: str | None = None
    aud: str | list[str] | None = None
    exp: int | float | None = None
    nbf: int | float | None = None
    iat: int | float | None = None
    jti: str | None = None
    scope: str = ""


class JWT(Bearer):
    """A bearer token that is a JSON Web Token; the result is its claims.

    ::

        token = JWT(key=SECRET, algorithms=["HS256"], audience="shop", type=Claims)

        @app.get("/orders")
        async def orders(claims: Annotated[Claims, Depends(token)]) -> list[Order]: ...

        @app.delete("/orders/{id}", dependencies=[Depends(token.requires("orders:write"))])
        async def remove(id: int) -> None: ...

    Args:
        algorithms: how tokens may be signed: HS256, HS384, HS512, as well RS, PS and ES; EdDSA.
        key: a secret (HS), or a public key in PEM or of cryptography; or several by their names,
            which is the `kid` of tokens.
        jwks_url: instead of it: where the issuer publishes its keys.
        audience: who we are, one name or several: a token must be for one of them. None: a token
            that says for whom it is, is refused.
        issuer: who may have issued it, one or several; None: whoever has the key.
        leeway: in seconds, how far clocks may differ.
        type: what the claims must be, and the result: a Struct, a dataclass, a model of pydantic;
            dict as they are.
        required: claims that must be there.
        token_type: the `typ` of tokens, as `at+jwt` (RFC 9068); None: any.
        name: of the scheme in the OpenAPI document; the rest is as of `Bearer`.

    Raises:
        ImportError: PyJWT or cryptography is not installed.
        ValueError: a key does not fit an algorithm, or is too weak.
    """

    def __init__(
        self,
        *,
        algorithms: Iterable[str],
        key: Any = None,
        jwks_url: str | None = None,
        audience: str | Sequence[str] | None = None,
        issuer: str | Sequence[str] | None = None,
        leeway: float = 0,
        type: Any = dict,
        required: Sequence[str] = ("exp",),
        token_type: str | None = None,
        name: str = "jwt",
        realm: str | None = None,
        optional: bool = False,
        token_bytes_max: int = 8192,
        description: str | None = None,
    ) -> None:
        super().__init__(
            self._claims_of,
            name=name,
            realm=realm,
            format="JWT",
            optional=optional,
            token_bytes_max=token_bytes_max,
            description=description,
        )
        if (key is None) == (jwks_url is None):
            raise TypeError("JWT takes either key= or jwks_url=")
        if not 0 <= leeway <= _LEEWAY_S_MAX:
            raise ValueError(f"leeway is from 0 to {_LEEWAY_S_MAX} seconds, not {leeway!r}")
        self._jwt = load("jwt", "PyJWT", "JWT", "auth")
        self._algorithms = keys.checked_algorithms(algorithms)
        self._published: PublishedKeys | None = None
        if jwks_url is not None:
            if keys.FAMILIES[self._algorithms[0]] == "oct":
                raise ValueError("keys at jwks_url are public: algorithms cannot be HMAC")
            self._published = PublishedKeys(jwks_url, self._algorithms)
            self.refusals[503] = "The keys of tokens cannot be had."
        else:
            self._keys = keys.of_application(key, self._algorithms)
        self._audience = _names("audience", audience)
        self._issuer = _names("issuer", issuer)
        self._leeway = leeway
        self._options = {"require": list(required), "strict_aud": False}
        self._token_type = _short_type(token_type) if token_type else None
        self._converted = _converter(type)

    async def _claims_of(self, token: str) -> Any:
        """Returns the claims of a token that is valid.

        Raises:
            HTTPError: 401, it is not; 503, nobody can know.
        """
        try:
            header = self._jwt.get_unverified_header(token)
        except (self._jwt.PyJWTError, ValueError, RecursionError):
            raise self.invalid("The token is malformed.") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._algorithms:
            raise self.invalid("The token is signed in a way that is not accepted.")
        if "crit" in header:
            # RFC 7515, section 4.1.11: what must be understood, and is not.
            raise self.invalid("The token has critical header parameters.")
        if self._token_type is not None and _short_type(header.get("typ")) != self._token_type:
            raise self.invalid("The token is of another type.")
        known = self._keys if self._published is None else await self._published.get(kid)
        key = self._key_of(known, kid).get(algorithm)
        if key is None:
            raise self.invalid("The token is signed with an unknown key.")
        return self._checked(token, key, algorithm)

    @staticmethod
    def _key_of(known: keys.Keys, kid: str | None) -> dict[str, Any]:
        """Returns the key that a token names, or the only one there is."""
        if len(known) == 1 and (kid is None or None in known):
            (only,) = known.values()
            return only
        return known.get(kid, {}) if kid is not None else {}

    def _checked(self, token: str, key: Any, algorithm: str) -> Any:
        jwt = self._jwt
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options=self._options,
            )
            return self._converted(claims)
        except jwt.ExpiredSignatureError:
            raise self.invalid("The token has expired.") from None
        except jwt.ImmatureSignatureError:
            raise self.invalid("The token is not valid yet.") from None
        except jwt.InvalidSignatureError:
            raise self.invalid("The signature of the token is wrong.") from None
        except jwt.MissingRequiredClaimError as error:
            raise self.invalid(f"The token lacks the claim {error.claim}.") from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise self.invalid("The token is for somebody else, or by somebody else.") from None
        # Of claims that are no numbers, or too large or deep ones: signed, and wrong all the same.
        except (
            jwt.PyJWTError,
            msgspec.ValidationError,
            InvalidValue,
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ):
            raise self.invalid("The claims of the token are not what they must be.") from None


def _names(option: str, given: str | Sequence[str] | None) -> list[str] | None:
    if given is None:
        return None
    names = [given] if isinstance(given, str) else list(given)
    if not names or not all(isinstance(one, str) and one for one in names):
        raise ValueError(f"{option} is a name or a list of names, or None, not {given!r}")
    return names


def _short_type(value: Any) -> str | None:
    """Returns a `typ` as it is compared (RFC 7515, section 4.1.9)."""
    return value.lower().removeprefix("application/") if isinstance(value, str) else None


def _converter(type_: Any) -> Any:
    if type_ is dict:
        return lambda claims: claims
    if values.needs_pydantic(type_):
        return values.converter_of(type_, ["claims"])
    try:
        values.schema_of(type_)
    except values.UnknownType:
        raise TypeError(
            f"the type of claims is one that msgspec or pydantic knows, not {type_!r}"
        ) from None
    return lambda claims: msgspec.convert(claims, type_)


def encode_jwt(
    claims: Mapping[str, Any] | msgspec.Struct,
    *,
    key: Any,
    algorithm: str,
    lifetime_s: float,
    key_name: str | None = None,
    token_type: str = "JWT",
) -> str:
    """Returns a signed token.

    Args:
        claims: `iat` and `exp` are set here; what a Struct has as None is left out.
        key: a secret (HS), or a private key in PEM or of cryptography.
        lifetime_s: after so many seconds it expires. Short: nobody can take it back.
        key_name: the `kid`, by which `JWT(key={...})` finds the key.

    Raises:
        ImportError: PyJWT or cryptography is not installed.
        ValueError: the key does not fit the algorithm, or is too weak.
    """
    (algorithm,) = keys.checked_algorithms([algorithm])
    if lifetime_s <= 0:
        raise ValueError(f"lifetime_s is a number of seconds, not {lifetime_s!r}")
    jwt = load("jwt", "PyJWT", "encode_jwt", "auth")
    now = int(time.time())
    said = {name: one for name, one in msgspec.to_builtins(claims).items() if one is not None}
    said |= {"iat": now, "exp": now + int(lifetime_s)}
    header = {"typ": token_type} | ({"kid": key_name} if key_name is not None else {})
    signing = keys.prepared(key, algorithm, sign=True)
    token: str = jwt.encode(said, signing, algorithm=algorithm, headers=header)
    return token
