"""How long to wait before another worker is started, when the last ones came to nothing."""

from __future__ import annotations

import time

__all__ = ["Backoff"]

_FIRST_S = 1.0
_MOST_S = 30.0


class Backoff:
    """Doubles from 1 s to 30 s.

    Attributes:
        seconds: the pause that was set last; 0 if none is.
        until: when it is over, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.until = 0.0

    def extend(self) -> None:
        """It came to nothing again."""
        self.seconds = min(2 * self.seconds or _FIRST_S, _MOST_S)
        self.until = time.monotonic() + self.seconds

    def reset(self) -> None:
        self.seconds = self.until = 0.0
