"""How often, and for how long, a route is worked on."""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tercel import _api
from tercel.api.errors import HTTPError
from tercel.options import check_number

__all__ = ["Limits", "Rate", "rate_of"]

_TEXT = re.compile(r"(\d+)/(\d*)(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_REQUESTS_MAX = 1_000_000
_FILLING_SECONDS_MAX = 31 * 86_400
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a route takes from one client: above it, the answer is 429.

    A token bucket: it holds `burst` requests, and fills by `requests` in `per` seconds. Each route
    has buckets of its own, which all of its methods share. Each worker process counts for itself.

    Args:
        requests: from 1 to 1,000,000.
        per: seconds, up to a day.
        burst: requests that may come at once; `requests` if None.
        by: whose requests are counted together: `"client"`, those of an IPv4 address or of a /64 of
            IPv6; or the name of a header field, those with one value of it. Without that field a
            request is its client's. Clients invent values: name a field that is checked before.
        clients: that are kept count of, at 16 bytes each. When more of them are active, the count
            of the least busy ones starts anew.
    """

    requests: int
    per: float = 1.0
    burst: int | None = None
    by: str = "client"
    clients: int = 4096

    def __post_init__(self) -> None:
        check_number("requests of a Rate", self.requests, 1, _REQUESTS_MAX)
        check_number("per of a Rate, in seconds,", self.per, 0.001, 86_400, fractions=True)
        if self.burst is not None:
            check_number("burst of a Rate", self.burst, 1, _REQUESTS_MAX)
        if (self.burst or 1) * self.per / self.requests > _FILLING_SECONDS_MAX:
            raise ValueError("the burst of a Rate takes more than 31 days to fill: lower it")
        if not isinstance(self.by, str) or not _TOKEN.fullmatch(self.by):
            raise ValueError(f"by of a Rate is 'client' or the name of a header, not {self.by!r}")
        check_number("clients of a Rate", self.clients, 8, 1 << 24)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a route.

    Attributes:
        rate: above it, a request is answered with 429.
        timeout: seconds; a handler that takes longer is answered for with 503.
    """

    rate: Rate | None = None
    timeout: float | None = None

    @classmethod
    def of(cls, rate: Rate | str | None, timeout: float | None) -> Limits:
        """Returns what the options of a route say.

        Raises:
            ValueError, TypeError: one of them is none.
        """
        if timeout is not None:
            check_number(
                "the timeout of a route, in seconds,", timeout, 0.001, 86_400, fractions=True
            )
        return cls(None if rate is None else rate_of(rate), timeout)

    def counter(self) -> _api.Rate | None:
        """Returns what counts the requests of a route, in the engine; None: nothing."""
        rate = self.rate
        if rate is None:
            return None
        header = "" if rate.by == "client" else rate.by.lower()
        return _api.Rate(rate.requests, rate.per, rate.burst or 0, header, rate.clients)

    def around(self, endpoint: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Returns what to call instead of `endpoint`, so that it keeps to the time limit.

        Raises:
            TypeError: it cannot be ended.
        """
        if self.timeout is None:
            return endpoint
        if not inspect.iscoroutinefunction(endpoint):
            raise TypeError(
                f"{name}() runs on the event loop, where no timeout can end it: make it a coroutine"
                " function, or leave out blocking=False."
            )
        return _timed(endpoint, self.timeout)


def _timed(endpoint: Callable[..., Awaitable[Any]], seconds: float) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    async def run(**arguments: Any) -> Any:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await endpoint(**arguments)
        except TimeoutError:
            # Or one of its own.
            if not limit.expired():
                raise
            raise HTTPError(503, f"The answer took longer than {seconds:g} seconds.") from None

    return run


def rate_of(said: Rate | str) -> Rate:
    """Returns what an option `rate` says.

    Raises:
        ValueError: it is no rate.
        TypeError: it is neither a Rate nor a text.
    """
    if isinstance(said, Rate):
        return said
    if not isinstance(said, str):
        raise TypeError(f'a rate is a text as "10/s", or a tercel.Rate, not {said!r}')
    match = _TEXT.fullmatch(said)
    if match is None:
        raise ValueError(f'a rate is written as "10/s", "100/min", "5/10s" or "1000/h": {said!r}')
    requests, count, unit = match.groups()
    return Rate(int(requests), per=int(count or 1) * _SECONDS[unit])
