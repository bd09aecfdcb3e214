"""What a backend lets through without a signature: names, and the operations that they stand for.

Tested by tests/python/test_s3_anonymous.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tercel import _s3
from tercel.table import closest

__all__ = ["operations_of"]

_GROUPS = {
    "read": ("GetObject", "HeadObject"),
    "list": ("ListObjects", "ListObjectsV2", "HeadBucket"),
}


def operations_of(anonymous: str | Sequence[str] | None) -> list[str]:
    """Returns the operations that the `anonymous` of a Backend names, each once.

    Raises:
        TypeError, ValueError: it has a name of none, or of one that is for nobody.
    """
    names = [anonymous] if isinstance(anonymous, str) else anonymous or []
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"anonymous of Backend is a text or a list of texts, not {anonymous!r}")
    operations: dict[str, None] = {}
    possible = _s3.anonymous_operations()
    for name in names:
        if name in _GROUPS:
            operations |= dict.fromkeys(_GROUPS[name])
        elif name in possible:
            operations[name] = None
        elif name in _s3.operations():
            raise ValueError(
                f"anonymous of Backend has {name!r}, which nobody may do without a signature"
            )
        else:
            match = closest(name, (*_GROUPS, *possible))
            meant = f" (did you mean {match}?)" if match else ""
            raise ValueError(
                f"anonymous of Backend is of read, list and names of operations, not {name!r}"
                f"{meant}"
            )
    return list(operations)
