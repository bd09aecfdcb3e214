"""Texts that are nearly right, for parsers that are compared with each other."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["mutated"]


def mutated(text: bytes, rng: random.Random, pieces: Sequence[bytes]) -> bytes:
    """Returns `text` with up to three changes: bytes, pieces, cuts, repetitions."""
    data = bytearray(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                data[at:at] = rng.choice(pieces)
            case 2:
                del data[at : at + size]
            case 3:
                data[at:at] = data[at : at + size]
            case _:
                data[at : at + 1] = rng.choice(pieces)
    return bytes(data)
