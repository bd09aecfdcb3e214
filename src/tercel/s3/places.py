"""Which keys a request is about, for policies that judge by a folder.

S3 takes keys as texts, and "in/../private/s" as a key that begins with "in/". A backend that keeps
keys as files makes "private/s" of it. So what a policy says of the beginning of a key is worth
something only for keys that are plain: those that every backend takes as they are.

Tested by tests/python/test_s3_places.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tercel import _s3

__all__ = ["LISTS", "check_folder", "is_plain", "listed"]

# Operations that show keys of a bucket, below the parameter `prefix`.
LISTS = ("ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads")


def is_plain(key: str, copy_source: str, query: Mapping[str, str]) -> bool:
    """Returns whether everything in a request that names keys is plain.

    Ids and tokens are: the engine refuses others before anybody is asked.
    """
    return (
        _s3.is_plain_key(key)
        and _s3.is_plain_key(copy_source.partition("/")[2])
        and _s3.is_plain_key(query.get("prefix", ""))
    )


def listed(operation: str, query: Mapping[str, str]) -> str | None:
    """Returns the prefix of a list of keys; None: it is none."""
    return query.get("prefix", "") if operation in LISTS else None


def check_folder(folder: Any) -> None:
    """Refuses what is no folder of plain keys."""
    if not isinstance(folder, str):
        raise TypeError(f"a folder is a text, not {folder!r}")
    if not folder.endswith("/") or not _s3.is_plain_key(folder):
        raise ValueError(
            f"a folder is names with a / behind each, as in/, none of them . or .., not {folder!r}"
        )
