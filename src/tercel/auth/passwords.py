"""Passwords as they are stored: hashes that take long, and memory, by scrypt.

Source: RFC 7914 (scrypt); OWASP, "Password Storage Cheat Sheet" (its parameters); the PHC string
format. Tested by tests/python/test_auth_passwords.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass

__all__ = ["hash_password", "needs_rehash", "verify_password"]

_PASSWORD_BYTES_MAX = 4096
_HASHED_BYTES_MAX = 256
# Of what is stored, which may be hostile: 128 MiB, and about two seconds.
_MEMORY_BYTES_MAX = 128 << 20
_WORK_MAX = 1 << 22
_SALT_BYTES, _KEY_BYTES = 16, 32
_FORM = re.compile(
    r"\$scrypt\$ln=([1-9][0-9]?),r=([1-9][0-9]?),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Cost:
    """The parameters of scrypt: N is 2 to the power of `ln`."""

    ln: int
    r: int
    p: int

    def derive(self, password: str, salt: bytes, size: int) -> bytes:
        # The same characters, however a keyboard composed them.
        text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        return hashlib.scrypt(
            text,
            salt=salt,
            n=1 << self.ln,
            r=self.r,
            p=self.p,
            maxmem=2 * _MEMORY_BYTES_MAX,  # The parameters are within the limit.
            dklen=size,
        )


# 32 MiB: one of the settings that OWASP holds for equal, with less memory than most.
_COST = _Cost(ln=15, r=8, p=3)


def hash_password(password: str) -> str:
    """Returns what to store of a password: its hash, with a new salt and the parameters.

    It takes a tenth of a second or more and 32 MiB, with the GIL released: plain handlers and
    `Basic(verify)` run on a thread already; a coroutine function writes
    `await asyncio.to_thread(hash_password, password)`.

    Raises:
        ValueError: the password is longer than 4096 bytes.
    """
    if _too_long(password):
        raise ValueError(f"a password has at most {_PASSWORD_BYTES_MAX} bytes")
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _COST.derive(password, salt, _KEY_BYTES)
    return f"$scrypt$ln={_COST.ln},r={_COST.r},p={_COST.p}${_base64(salt)}${_base64(key)}"


def verify_password(password: str, hashed: str | None) -> bool:
    """Returns whether `hashed` was made of this password. Takes as long as `hash_password`.

    Args:
        hashed: None, where there is no such user: takes as long and returns False, so that the time
            does not tell who is one.

    Raises:
        ValueError: `hashed` is none that hash_password() makes, or its parameters ask for more than
            128 MiB or two seconds.
    """
    if _too_long(password):
        return False
    if hashed is None:
        _COST.derive(password, bytes(_SALT_BYTES), _KEY_BYTES)
        return False
    cost, salt, key = _read(hashed)
    return hmac.compare_digest(cost.derive(password, salt, len(key)), key)


def needs_rehash(hashed: str) -> bool:
    """Returns whether `hash_password` would make it otherwise today, with other parameters.

    When a user signs in is the time to store it anew.

    Raises:
        ValueError: as verify_password().
    """
    cost, salt, key = _read(hashed)
    return cost != _COST or len(salt) < _SALT_BYTES or len(key) < _KEY_BYTES


def _too_long(password: str) -> bool:
    # A character has at least one byte: a long text is not encoded to be measured.
    long = len(password) > _PASSWORD_BYTES_MAX
    return long or len(password.encode("utf-8", "surrogatepass")) > _PASSWORD_BYTES_MAX


def _read(hashed: str) -> tuple[_Cost, bytes, bytes]:
    match = _FORM.fullmatch(hashed) if len(hashed) <= _HASHED_BYTES_MAX else None
    if match is None:
        raise ValueError("this is no hash that hash_password() makes: $scrypt$ln=..,r=..,p=..$..")
    ln, r, p, salt, key = match.groups()
    cost = _Cost(int(ln), int(r), int(p))
    blocks = cost.r << cost.ln
    if 128 * blocks > _MEMORY_BYTES_MAX or blocks * cost.p > _WORK_MAX:
        raise ValueError(f"the hash asks for too much: ln={ln}, r={r}, p={p}")
    try:
        return cost, _from_base64(salt), _from_base64(key)
    except binascii.Error:
        raise ValueError("the salt or the key of the hash is no base64") from None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
