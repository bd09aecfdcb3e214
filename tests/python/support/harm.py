"""What an attack costs: the memory of the server, its time against the attacker's, and what a
polite client notices meanwhile. Source: docs/internals/attacks.md.

    with Victim(server) as victim:
        victim.settle(1)
        with Harm(server, victim) as harm:
            ...  # The attack.
        harm.check(grows=8 * MEBIBYTE, p99_s=0.02)
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from support.processes import SANITIZED, TICKS_PER_SECOND, cpu_seconds, private_bytes
from support.server import ServerProcess
from support.victim import Seen, Victim

MEBIBYTE = 1 << 20
BASE = 2 * MEBIBYTE  # What stays: pools, and the arenas of Python.
RETURN_S = 10.0
WORK_FACTOR = 10
# Of a core. An attacker that hardly sends is hardly to be measured, nor is what it costs.
WORK_FREE = 0.01
SAMPLE_PAUSE_S = 0.05


class Harm:
    """Measures while the block runs.

    Attributes:
        seen: what the victim saw.
        grown: by how many bytes the server grew at most.
        server_s: CPU time of the server, without what the victim costs it when idle.
        own_s: CPU time of this process, which is the attacker.
        seconds: how long it took.
    """

    def __init__(self, server: ServerProcess, victim: Victim) -> None:
        self.seen = Seen()
        self.grown = 0
        self.server_s = self.own_s = self.seconds = 0.0
        self._server = server
        self._victim = victim
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_PAUSE_S):
            self.grown = max(self.grown, private_bytes(self._server.pid) - self._before)

    def __enter__(self) -> Self:
        self._before = private_bytes(self._server.pid)
        self._victim.seen()
        self._cpu, self._own = cpu_seconds(self._server.pid), time.process_time()
        self._begin = time.monotonic()
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = self.lasts()
        self.own_s = time.process_time() - self._own
        spent = cpu_seconds(self._server.pid) - self._cpu
        self.server_s = max(0.0, spent - self._victim.idle_share * self.seconds)
        self._over.set()
        self._watcher.join()
        if kind is None:
            self.seen = self._victim.seen()

    def lasts(self) -> float:
        """For how many seconds it has been measuring."""
        return time.monotonic() - self._begin

    def check(self, *, grows: int, p99_s: float, works: int = WORK_FACTOR) -> None:
        """Asserts that the victim had no error and waited for less than three times what it waits
        when idle, or `p99_s`; that the server grew by less than `grows` and gives it back; and that
        it worked no more than `works` times as long as the attacker.
        """
        assert self.seen.errors == []
        assert self.seen.count > 0
        if SANITIZED:
            return
        waited = self.seen.p99_s
        assert waited < max(3 * self._victim.idle.p99_s, p99_s), f"{waited * 1000:.1f} ms"
        assert self.grown < grows, f"{self.grown / MEBIBYTE:.1f} MiB"
        self._check_work(works)
        self._check_return()

    def _check_work(self, works: int) -> None:
        free = WORK_FREE * self.seconds + 2 / TICKS_PER_SECOND
        assert self.server_s <= works * self.own_s + free, (
            f"{self.server_s:.2f} s for {self.own_s:.2f} s of the attacker"
        )

    def _check_return(self) -> None:
        end = time.monotonic() + RETURN_S
        while (kept := private_bytes(self._server.pid) - self._before) > BASE:
            assert time.monotonic() < end, f"{kept / MEBIBYTE:.1f} MiB are kept"
            time.sleep(0.1)

    @property
    def work_ratio(self) -> float:
        """CPU time of the server for one second of the attacker's."""
        return self.server_s / max(self.own_s, 1e-6)
