"""Keys that tokens are verified with: which fits which algorithm, checked before any token comes.

Source: RFC 7518 (algorithms and sizes of keys), RFC 7517 (JWK), RFC 8725 (what went wrong).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tercel.extras import load
from tercel.options import listed

__all__ = ["FAMILIES", "Keys", "checked_algorithms", "from_jwks", "of_application", "prepared"]

# By algorithm, what kind of key it has. Not in here is not verified: "none" among them.
FAMILIES = {
    **dict.fromkeys(("HS256", "HS384", "HS512"), "oct"),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
_KEYS_MAX = 100
_RSA_BITS_MIN = 2048

# By the name of a key, or None for one without, by algorithm: what PyJWT verifies with.
Keys = dict[str | None, dict[str, Any]]


def checked_algorithms(algorithms: Iterable[str]) -> tuple[str, ...]:
    """Returns the algorithms of an application.

    Raises:
        ValueError: there are none, or some that are not known, or HMAC among others.
    """
    checked = listed("algorithms", algorithms)
    if not checked:
        raise ValueError("algorithms names at least one: a token does not decide how it is checked")
    for one in checked:
        if one not in FAMILIES:
            raise ValueError(f"the algorithm {one!r} is none of {', '.join(FAMILIES)}")
    families = {FAMILIES[one] for one in checked}
    if "oct" in families and len(families) > 1:
        raise ValueError(
            "algorithms has HMAC beside others: who knows the public key could sign with it"
        )
    return checked


def prepared(key: Any, algorithm: str, *, sign: bool = False) -> Any:
    """Returns a key as PyJWT takes it: bytes, or an object of cryptography.

    Raises:
        ValueError: it is not of the algorithm's kind, or too weak for it.
    """
    jwt = load("jwt", "PyJWT", "JWT", "auth")
    load("cryptography", "cryptography", "JWT", "auth")
    made = jwt.get_algorithm_by_name(algorithm)
    try:
        found = made.prepare_key(key)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ValueError(f"the key is none of {algorithm}: {error}") from None
    if isinstance(found, bytes):
        size = int(algorithm[2:]) // 8
        if len(found) < size:
            # RFC 7518, section 3.2; RFC 8725, section 3.5: short ones are found by trying.
            raise ValueError(
                f"the key of {algorithm} has {len(found)} bytes, and needs {size}: a password is"
                " none, `secrets.token_bytes()` makes one"
            )
        return found
    if FAMILIES[algorithm] == "RSA" and found.key_size < _RSA_BITS_MIN:
        raise ValueError(f"the key of {algorithm} has {found.key_size} bits, not {_RSA_BITS_MIN}")
    if sign and not hasattr(found, "public_key"):
        raise ValueError(
            f"a token is signed with a private key of {algorithm}, this is a public one"
        )
    return found if sign or not hasattr(found, "public_key") else found.public_key()


def of_application(key: Any, algorithms: tuple[str, ...]) -> Keys:
    """Returns the keys of an application: one, or several by their names.

    Raises:
        ValueError: one of them fits none of the algorithms, or a single one not all.
    """
    if not isinstance(key, Mapping):
        return {None: {one: prepared(key, one) for one in algorithms}}
    if not key or len(key) > _KEYS_MAX:
        raise ValueError(f"key has from 1 to {_KEYS_MAX} keys by their names, not {len(key)}")
    return {name: _fitting(one, algorithms) for name, one in key.items()}


def _fitting(key: Any, algorithms: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    reason = ""
    for algorithm in algorithms:
        try:
            found[algorithm] = prepared(key, algorithm)
        except ValueError as error:
            reason = str(error)
    if not found:
        raise ValueError(reason)
    return found


def from_jwks(document: Any, algorithms: tuple[str, ...]) -> Keys:
    """Returns the keys of a JWK Set that verify one of `algorithms`; others are passed over.

    Raises:
        ValueError: it is none, or has no such key.
    """
    jwt = load("jwt", "PyJWT", "JWT", "auth")
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no JWK Set: it has no list `keys`")
    keys: Keys = {}
    for jwk in listed[:_KEYS_MAX]:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not _verifies(jwk):
            continue
        allowed = [
            one
            for one in algorithms
            if FAMILIES[one] == jwk.get("kty") and jwk.get("alg", one) == one
        ]
        for algorithm in allowed:
            try:
                key = prepared(jwt.PyJWK(jwk, algorithm).key, algorithm)
            except (jwt.PyJWTError, ValueError, TypeError, KeyError):
                continue  # Malformed, weak, or of another curve.
            kid = jwk.get("kid")
            keys.setdefault(kid if isinstance(kid, str) else None, {})[algorithm] = key
    if not keys:
        raise ValueError(f"it has no key of {', '.join(algorithms)}")
    return keys


def _verifies(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops")
    return not isinstance(operations, list) or "verify" in operations
