# The module tercel._s3 (python/s3/module.cc). Private: tercel.s3 is what users see.
from collections.abc import Callable
from typing import Any

front: object

class Gateway:
    def __init__(
        self,
        ask: Callable[[tuple[Any, ...], Reply], None],
        *,
        domains: list[str],
        region: str,
        cache_entries: int,
        debug: bool,
        audit_log: str,
    ) -> None: ...
    def update(self, rules: list[tuple[Any, ...]], limits: list[tuple[Any, ...]]) -> None: ...
    def invalidate(self, access_key: str, identity: str, bucket: str) -> None: ...
    def counts(self) -> dict[str, int]: ...
    def endpoints(self) -> list[tuple[str, bool, int, int]]: ...

class PolicyBridge:
    def __init__(self, function: Callable[[tuple[Any, ...], Reply], None]) -> None: ...

class Reply:
    def __call__(self, answer: tuple[Any, ...]) -> None: ...

def presign(
    method: str,
    path: str,
    query: str,
    host: str,
    headers: list[tuple[str, str]],
    access_key: str,
    secret: str,
    token: str,
    region: str,
    now: int,
    expires: int,
) -> str: ...
def operations() -> dict[str, str]: ...
def valid_key_prefix(prefix: str) -> bool: ...
def anonymous_operations() -> list[str]: ...
def tls_problem(ca: str, verify: bool, certificate: str, key: str) -> str: ...
def cors_problem(rule: tuple[Any, ...]) -> str | None: ...
