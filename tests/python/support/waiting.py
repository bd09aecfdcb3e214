"""Waiting for what happens a moment later."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 20.0


def wait_until(condition: Callable[[], T], what: str = "it happens", timeout: float = WAIT_S) -> T:
    """Waits until `condition` returns something true, and returns that.

    Args:
        what: what is waited for, for whoever reads that it did not happen.
    """
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {timeout:g} s: {what}"
        time.sleep(0.02)
    return value
