"""The most of something that changes while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

SAMPLE_PAUSE_S = 0.05


class Peak:
    """The most that `measure()` returned while the block ran, asked 20 times a second."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self.most = 0.0
        self._measure = measure
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_PAUSE_S):
            self.most = max(self.most, self._measure())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
