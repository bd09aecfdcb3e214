"""What lies in a store that others may read and write: sealed, under names that tell nothing.

    sealer = Sealer(key, "what it is for")
    name = sealer.name(b"alice", b"logs")
    text = sealer.seal(name, b"yes")
    assert sealer.open(name, text) == b"yes" and sealer.open(name, b"forged") is None

A name is a MAC (HMAC-SHA256): nobody without the key knows what it is of. A text is encrypted and
authenticated (AES-256-GCM) for its name, and opens under no other. Each name has a key of its own,
made with HMAC-SHA256 of the operator's: random nonces of 96 bits do not repeat for the few texts
that a name ever has. That a text is the latest of its name, nobody can tell: put an end into it.

Source: NIST SP 800-38D section 8.3; RFC 5869. Tested by tests/python/test_s3_sealing.py.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

from tercel.extras import load

__all__ = ["KEY_CHARS_MIN", "Sealer"]

KEY_CHARS_MIN = 32
_NONCE_BYTES = 12
_NAME_BYTES = 24  # Of the MAC: enough that no two are the same.
_MARK = b"tercel s3 1:"


class Sealer:
    """Seals texts with an operator's key.

    Args:
        key: at random, at least KEY_CHARS_MIN characters.
        purpose: what differs here opens nothing there.
    """

    def __init__(self, key: str, purpose: str) -> None:
        aead = load(
            "cryptography.hazmat.primitives.ciphers.aead",
            "cryptography",
            "tercel.s3.Redis",
            "redis",
        )
        self._invalid = load(
            "cryptography.exceptions", "cryptography", "tercel.s3.Redis", "redis"
        ).InvalidTag
        self._aead = aead.AESGCM
        secret = hmac.digest(_MARK + purpose.encode(), key.encode(), "sha256")
        self._names = hmac.digest(secret, b"names", "sha256")
        self._texts = hmac.digest(secret, b"texts", "sha256")

    def name(self, *parts: bytes) -> str:
        """Returns the name of something, in ASCII. No two lists of parts have the same."""
        mac = hmac.new(self._names, digestmod=hashlib.sha256)
        for part in parts:
            mac.update(len(part).to_bytes(8, "big") + part)
        return mac.digest()[:_NAME_BYTES].hex()

    def seal(self, name: str, text: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed: bytes = self._cipher(name).encrypt(nonce, text, name.encode())
        return nonce + sealed

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """Returns what was sealed for that name; None: nothing that the key has sealed."""
        if len(sealed) < _NONCE_BYTES:
            return None
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            text: bytes = self._cipher(name).decrypt(nonce, rest, name.encode())
        except self._invalid:
            return None
        return text

    def _cipher(self, name: str) -> Any:
        return self._aead(hmac.digest(self._texts, name.encode(), "sha256"))
