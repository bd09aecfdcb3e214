"""Requests of budgets that several processes share: granted by a script in Redis, ahead of need.

A budget is one number in Redis: when it will be full again (GCRA, as cpp/tercel/edge/
token_bucket.h has it), in microseconds of the server's clock. The script gives as many requests as
are there, and says how long until there are more. It is told the numbers of the limit each time, so
gateways whose numbers differ use the same budget, each at its own pace. What a process does with
what it was given: cpp/tercel/edge/budget_shares.h.

Tested by tests/python/test_s3_shared_limits.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

from tercel.s3.store import Store

__all__ = ["SharedLimits", "Shares"]

# KEYS: the budget. ARGV: microseconds a request, requests at once, requests wanted. Numbers of Lua
# have 53 bits: microseconds are counted from a day in 2023 on, to have parts of them, too. A number
# that is none, or later than a budget can be, is somebody else's, or of a clock that went back.
_SCRIPT = """
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local token, wanted = tonumber(ARGV[1]), tonumber(ARGV[3])
local depth = token * tonumber(ARGV[2])
local kept = redis.pcall('GET', KEYS[1])
local before = type(kept) == 'string' and tonumber(kept) or now
if before ~= before then before = now end
local full = math.min(math.max(before, now), now + depth)
local given = math.min(wanted, math.floor((now + depth - full) / token + 1e-6))
local wait = 0
if given > 0 or full < before then
  full = full + given * token
  redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1)
end
if given < wanted then wait = math.max(math.ceil(full + token - depth - now), 1) end
return {given, wait}
"""


class Shares(Protocol):
    """The engine's half (cpp/tercel/edge/budget_shares.h)."""

    def wanted(self, key: int, token_ns: int, burst: int) -> int: ...
    def grant(self, key: int, count: int, wait: float) -> None: ...


class SharedLimits:
    """The budgets in one Redis.

    Args:
        name: makes a name of what a budget is.
    """

    def __init__(self, store: Store, prefix: str, name: Callable[[bytes], str]) -> None:
        self._store = store
        self._prefix = prefix
        self._name = name
        self._script = store.client.register_script(_SCRIPT)

    async def ask(self, question: tuple[Any, ...], shares: Shares) -> None:
        """Has requests of a budget pass, as many as are wanted and there."""
        (_, key, budget, token_ns, burst) = question
        wanted = shares.wanted(key, token_ns, burst)
        given, wait_us = 0, 0
        if wanted > 0:
            keys = [f"{self._prefix}limit:{self._name(budget)}"]
            numbers = [repr(token_ns / 1000), burst, wanted]
            found = await self._store.run(lambda client: self._script(keys, numbers, client))
            # Where there is no answer the process is alone by now, and limits for itself.
            if found is not None:
                given, wait_us = found
        shares.grant(key, given, wait_us / 1e6)


def plain_name(budget: bytes) -> str:
    """Returns a name for those who have no key."""
    return hashlib.sha256(budget).hexdigest()[:48]
