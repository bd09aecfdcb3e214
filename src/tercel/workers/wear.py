"""When a worker has done enough and is replaced by a fresh one."""

from __future__ import annotations

import os
import random
import time

from tercel.settings import Settings

__all__ = ["Wear", "resident_bytes"]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Wear:
    """The limits of one worker, each up to `recycle-jitter` percent above what the settings say.

    Without that, workers that began together would be replaced together.
    """

    def __init__(self, settings: Settings) -> None:
        spread = 1 + settings.recycle_jitter / 100 * random.random()
        self._requests_max = int(settings.limit_max_requests * spread)
        self._bytes_max = int(settings.limit_worker_memory * spread)
        lifetime = settings.limit_worker_lifetime * spread
        self._ends_at = time.monotonic() + lifetime if lifetime else 0.0

    @property
    def limited(self) -> bool:
        """Whether it is worth looking."""
        return bool(self._requests_max or self._bytes_max or self._ends_at)

    def reason(self, now: float, requests: int, pid: int) -> str:
        """Returns why the worker is to be replaced; nothing if it is not.

        Args:
            now: on the monotonic clock.
            requests: that it has answered.
        """
        if self._ends_at and now >= self._ends_at:
            return "limit-worker-lifetime"
        if self._requests_max and requests >= self._requests_max:
            return "limit-max-requests"
        if self._bytes_max and resident_bytes(pid) >= self._bytes_max:
            return "limit-worker-memory"
        return ""


def resident_bytes(pid: int) -> int:
    """Returns how much memory a process has, what it shares with others included; 0 once it ended.

    Source: proc(5), statm.
    """
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
