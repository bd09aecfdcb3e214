"""Who asks: API keys, bearer tokens, passwords, JWTs, and sessions in a signed cookie.

Each scheme is an object that handlers, routers and applications depend on; the OpenAPI document
has it as `security`. JWT needs PyJWT and cryptography, Sessions itsdangerous, which the extra
`auth` installs.
"""

from tercel.auth.api_keys import APIKey
from tercel.auth.authorization import Basic, Bearer, Requires
from tercel.auth.credentials import AnyOf
from tercel.auth.passwords import hash_password, needs_rehash, verify_password
from tercel.auth.sessions import Session, Sessions
from tercel.auth.tokens import JWT, Claims, encode_jwt

__all__ = [
    "JWT",
    "APIKey",
    "AnyOf",
    "Basic",
    "Bearer",
    "Claims",
    "Requires",
    "Session",
    "Sessions",
    "encode_jwt",
    "hash_password",
    "needs_rehash",
    "verify_password",
]
