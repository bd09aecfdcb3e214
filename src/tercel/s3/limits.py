"""How much whom: limits of a gateway."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tercel.options import check_number, listed

__all__ = ["Limit", "native_limits"]

Per = Literal["identity", "bucket", "pair", "all"]

# As cpp/tercel/gateway/limits.h has them.
_PER = ("identity", "bucket", "pair", "all")
_RATE_MAX = 1_000_000
_CONCURRENT_MAX = (1 << 20) - 1
_BANDWIDTH = (65_536, 1 << 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much those may do whom it fits. Above it, requests are answered with 503 `SlowDown`.

    Attributes:
        per: who shares a budget: "identity": the requests of one identity, "bucket": those on one
            bucket, "pair": those of one identity on one bucket, "all": all that the limit fits.
        rate: requests a second.
        burst: requests that may come at once after a pause; None: as many as in a second.
        concurrent: requests under way.
        bandwidth: bytes of bodies a second, up and down together; what is faster is held up.
        identity: whom it is for: a name or a pattern (`*`, `?`), or a list of them. "" is who has
            no signature, in anonymous buckets: each is counted by its address.
        bucket: for which buckets, likewise.
    """

    per: Per = "identity"
    rate: float | None = None
    burst: int | None = None
    concurrent: int | None = None
    bandwidth: int | None = None
    identity: str | Iterable[str] = "*"
    bucket: str | Iterable[str] = "*"

    def __post_init__(self) -> None:
        if self.per not in _PER:
            raise ValueError(f"the per of Limit is one of {', '.join(_PER)}, not {self.per!r}")
        if self.rate is not None:
            label = "the rate of Limit, in requests a second,"
            check_number(label, self.rate, 0.001, _RATE_MAX, fractions=True)
        if self.burst is not None:
            if self.rate is None:
                raise ValueError("the burst of Limit is that of a rate: name one")
            check_number("the burst of Limit", self.burst, 1, _RATE_MAX)
        if self.concurrent is not None:
            check_number("the concurrent of Limit", self.concurrent, 1, _CONCURRENT_MAX)
        if self.bandwidth is not None:
            check_number("the bandwidth of Limit, in bytes a second,", self.bandwidth, *_BANDWIDTH)
        for name in ("identity", "bucket"):
            object.__setattr__(self, name, _patterns(name, getattr(self, name)))


def native_limits(limits: Iterable[Limit]) -> list[tuple[Any, ...]]:
    """Returns limits as the engine has them (python/s3/config.cc).

    Raises:
        TypeError: one is none.
    """
    if isinstance(limits, (str, Limit)) or not isinstance(limits, Iterable):
        raise TypeError(f"limits is a list of Limit, not {limits!r}")
    return [_native(limit) for limit in limits]


def _native(limit: Limit) -> tuple[Any, ...]:
    if not isinstance(limit, Limit):
        raise TypeError(f"limits is a list of Limit, and {limit!r} is none")
    token_ns, burst = 0, 1
    if limit.rate is not None:
        token_ns = round(1e9 / limit.rate)
        burst = limit.burst or math.ceil(limit.rate)
    return (
        _PER.index(limit.per),
        list(limit.identity),
        list(limit.bucket),
        token_ns,
        burst,
        limit.concurrent or 0,
        limit.bandwidth or 0,
    )


def _patterns(name: str, value: Any) -> tuple[str, ...]:
    patterns = (value,) if isinstance(value, str) else listed(f"the {name} of Limit", value)
    if not patterns or not (name == "identity" or all(patterns)):
        raise ValueError(f"the {name} of Limit is a name or a pattern, or a list of them")
    return patterns
