"""Budgets that several processes share: requests are granted by a script in Redis, ahead of need,
and bytes are added up there, after they were reserved.

A budget is one number in Redis: when it will be full again (GCRA, as cpp/tercel/edge/
token_bucket.h has it), in microseconds of the server's clock. The script gives as many requests as
are there, and says how long until there are more. It is told the numbers of the limit each time, so
gateways whose numbers differ use the same budget, each at its own pace. What a process does with
what it was given: cpp/tercel/edge/budget_shares.h.

Bytes have a budget of the same kind, in time: each process tells, ten times a second, for how long
what it reserved takes, is told when the budget will be full, and holds its transfers up until then
as if it had reserved everything itself.

Tested by tests/python/test_s3_shared_limits.py.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from tercel.s3.store import Store, end

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


# KEYS: the budget. ARGV: microseconds that bytes take. Nobody is in arrears for more than a minute.
_TELL = """
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local kept = redis.pcall('GET', KEYS[1])
local full = type(kept) == 'string' and tonumber(kept) or now
if full ~= full then full = now end
full = math.min(math.max(full, now) + tonumber(ARGV[1]), now + 60000000)
if full <= now then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return math.ceil(full - now)
"""

_TELL_EVERY_S = 0.1
# A process tells of so many budgets; the bytes of others are its own.
_FOLLOWED_MAX = 4096


class Shares(Protocol):
    """The engine's half (cpp/tercel/edge/budget_shares.h)."""

    def wanted(self, key: int, token_ns: int, burst: int) -> int: ...
    def grant(self, key: int, count: int, wait: float) -> None: ...
    def take_bytes(self, key: int) -> int: ...
    def leave_bytes(self, key: int) -> bool: ...
    def hold_up(self, key: int, seconds: float) -> None: ...


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
        self._tell = store.client.register_script(_TELL)
        # Whose bytes are told: their names, and bytes a second.
        self._followed: dict[int, tuple[str, int]] = {}
        self._telling: asyncio.Task[None] | None = None

    async def ask(self, question: tuple[Any, ...], shares: Shares) -> None:
        """Has requests of a budget pass, as many as are wanted and there, and its bytes told."""
        (_, key, budget, token_ns, burst, bandwidth) = question
        if bandwidth and len(self._followed) < _FOLLOWED_MAX:
            self._followed[key] = (f"{self._prefix}bytes:{self._name(budget)}", bandwidth)
            if self._telling is None or self._telling.done():
                self._telling = asyncio.get_running_loop().create_task(self._tell_all(shares))
        if not token_ns:
            return
        wanted = shares.wanted(key, token_ns, burst)
        given, wait_us = 0, 0
        if wanted > 0:
            keys = [f"{self._prefix}limit:{self._name(budget)}"]
            numbers = [repr(token_ns / 1000), burst, wanted]
            found = await self._store.run(lambda client: self._script(keys, numbers, client))
            # Where there is no answer the process is alone by now, and limits for itself; or too
            # many ask at a time, and those who wait ask again.
            if found is not None:
                given, wait_us = found
        shares.grant(key, given, wait_us / 1e6)

    def forget_rates(self) -> None:
        """Has budgets whose bytes are told asked about anew: their rates may be others now."""
        self._followed.clear()

    async def _tell_all(self, shares: Shares) -> None:
        """Tells of bytes until no budget is followed."""
        while self._followed:
            await asyncio.sleep(_TELL_EVERY_S)
            costs: dict[int, tuple[str, float]] = {}
            for key, (name, bandwidth) in list(self._followed.items()):
                taken = shares.take_bytes(key)
                if taken:
                    costs[key] = (name, taken * 1e6 / bandwidth)
                elif shares.leave_bytes(key):
                    del self._followed[key]  # Whoever uses it again asks.
            if not costs:
                continue
            found = await self._store.run(partial(self._add, costs))
            for key, wait_us in zip(costs, found or (), strict=False):
                shares.hold_up(key, wait_us / 1e6)

    async def _add(self, costs: Mapping[int, tuple[str, float]], client: Any) -> list[int]:
        commands = client.pipeline(transaction=False)
        for name, cost in costs.values():
            await self._tell([name], [f"{cost:.3f}"], commands)
        waits: list[int] = await commands.execute()
        return waits

    async def close(self) -> None:
        if self._telling is not None:
            await end([self._telling])


def plain_name(budget: bytes) -> str:
    """Returns a name for those who have no key."""
    return hashlib.sha256(budget).hexdigest()[:48]
