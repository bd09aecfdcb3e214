"""What scripts for `object_storage_proxy` say of backends and keys: dicts, under several names.

Tested by tests/python/test_s3_compat.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from tercel.options import check_flag, check_number
from tercel.s3.texts import check_text
from tercel.s3.values import ApiKey, Backend, Credentials, Hmac, check_ttl

__all__ = ["TTL", "CosMapItem", "backend_of", "item_of", "keys_of"]

TTL = 300  # Seconds, where nothing is said.
# Other names that the package takes for them.
_SYNONYMS = {
    "api_key": "apikey",
    "accessKey": "access_key",
    "secretKey": "secret_key",
    "time-to-live": "ttl",
    "addressingStyle": "addressing_style",
}


class CosMapItem(TypedDict, total=False):
    """The backend of a bucket. `host` and `port` have to be there.

    Attributes:
        apikey: of IBM's IAM; or else `access_key` and `secret_key`; or else `bucket_creds_fetcher`
            says them.
        ttl: seconds for which credentials and decisions are believed.
        addressing_style: "virtual", or "path", or "auto".
        is_tls_enabled: None: where the port is 443.
    """

    host: str
    port: int
    region: str | None
    apikey: str | None
    access_key: str | None
    secret_key: str | None
    ttl: int | None
    addressing_style: str | None
    is_tls_enabled: bool | None


def item_of(name: Any, said: Any) -> dict[str, Any]:
    """Returns what is said of a backend, under the usual names, with a `ttl`, and without None.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not isinstance(name, str):
        raise TypeError(f"cos_map has names of buckets, and {name!r} is none")
    where = f"cos_map of {name!r}"
    if not isinstance(said, Mapping):
        raise TypeError(f"{where} is a dict with host and port, not of {type(said).__name__}")
    known = CosMapItem.__annotations__
    item: dict[str, Any] = {}
    for key, value in said.items():
        field = _SYNONYMS.get(key, key)
        if field not in known:
            # All of them: other packages have keys that are like none, as tls.
            raise ValueError(f"{where} has {key!r}, which is none of {', '.join(known)}")
        if field in item:
            raise ValueError(f"{where} has {field} twice, as {key!r}, too: leave one out")
        if value is not None:
            item[field] = value
    if not {"host", "port"} <= item.keys():
        raise ValueError(f"{where} has host and port: give both")
    check_text(f"host of {where}", item["host"])
    check_number(f"port of {where}", item["port"], 1, 65_535)
    if "is_tls_enabled" in item:
        check_flag(f"is_tls_enabled of {where}", item["is_tls_enabled"])
    item.setdefault("ttl", TTL)
    check_ttl(where, item["ttl"])
    return item


def backend_of(name: str, item: Mapping[str, Any], verify: bool | None) -> Backend:
    """Returns the backend of what `item_of` returned.

    Raises:
        TypeError, ValueError: it is none.
    """
    where = f"cos_map of {name!r}"
    secure = item.get("is_tls_enabled", item["port"] == 443)
    host = f"[{item['host']}]" if ":" in item["host"] else item["host"]
    try:
        return Backend(
            f"{'https' if secure else 'http'}://{host}:{item['port']}",
            region=item.get("region") or "us-east-1",
            style=item.get("addressing_style", "virtual"),
            creds=_creds_of(item),
            verify=verify is not False,
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None


def _creds_of(item: Mapping[str, Any]) -> Credentials | None:
    # Texts that are empty, as of variables that are not set, are as good as none.
    api_key, access_key = item.get("apikey"), item.get("access_key")
    secret_key = item.get("secret_key")
    if bool(access_key) != bool(secret_key):
        raise ValueError("access_key and secret_key go together: give both, or none")
    if api_key and access_key:
        raise ValueError("it has either apikey, or access_key and secret_key: leave one out")
    if api_key:
        return ApiKey(api_key)
    return Hmac(access_key, secret_key) if access_key and secret_key else None


def keys_of(keystore: Any) -> dict[str, str]:
    """Returns the secrets of clients by their access keys.

    Raises:
        TypeError, ValueError: they are none.
    """
    if keystore is None:
        return {}
    wanted = "hmac_keystore is a list of dicts with access_key and secret_key"
    if isinstance(keystore, (str, bytes)) or not isinstance(keystore, Sequence):
        raise TypeError(f"{wanted}, not of {type(keystore).__name__}")
    keys: dict[str, str] = {}
    for number, row in enumerate(keystore, 1):
        if not isinstance(row, Mapping):
            raise TypeError(f"{wanted}, and number {number} is of {type(row).__name__}")
        for name in ("access_key", "secret_key"):
            if name not in row:
                raise ValueError(f"{wanted}, and number {number} has no {name}")
            check_text(f"{name} of number {number} of hmac_keystore", row[name])
        if keys.setdefault(row["access_key"], row["secret_key"]) != row["secret_key"]:
            raise ValueError(
                f"hmac_keystore has two secrets of {row['access_key']!r}: leave one out"
            )
    return keys
