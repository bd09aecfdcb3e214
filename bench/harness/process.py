"""A process tree under measurement: how it starts and stops, and what the kernel says of it.

A tree is one session: the started process leads it, and whatever it forks stays in it, re-parented
or not. CPU time is the kernel's own sum of run time for each process (`sum_exec_runtime`, the
figure from which utime + stime of /proc/<pid>/stat are cut to ticks), with threads that have ended
included; memory is /proc/<pid>/smaps_rollup.

Source: proc(5), clock_getcpuclockid(3).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


class MeasureError(Exception):
    """A measurement that cannot be counted: the text says why, and goes into the result."""


def _stat_fields(pid: int) -> list[str]:
    """Returns the fields of /proc/<pid>/stat from the third (state) on."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def _session_of(pid: int) -> int:
    return int(_stat_fields(pid)[3])


def cpu_ns(pid: int) -> int:
    """Returns the CPU time of all threads of `pid`, ended ones included, in nanoseconds."""
    cpu_clock_sched = 2
    return time.clock_gettime_ns((~pid << 3) | cpu_clock_sched)


@dataclass(frozen=True)
class Memory:
    """Memory of a tree, in bytes. `peak_rss` is the highest RSS since `Tree.reset_peak()`."""

    pss: int
    private: int
    rss: int
    peak_rss: int


class Tree:
    """A started command and all its descendants, pinned to one core. A resource: call `stop()`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int | str,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
    ) -> None:
        """Starts `command` on `core`, or on a list of them as taskset reads it.

        Standard output and errors are appended to `log`.
        """
        self.log = log
        with log.open("ab") as sink:
            self._root = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process that was started; it leads the session."""
        return self._root.pid

    def pids(self) -> list[int]:
        """Returns the living processes of the tree."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if _session_of(int(entry)) == self._root.pid:
                    found.append(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def alive(self) -> bool:
        """True while the started process runs."""
        return self._root.poll() is None

    def tail(self) -> str:
        """Returns the end of what the tree printed, at most 200 characters."""
        return self.log.read_text(errors="replace")[-200:].strip()

    def cpu(self) -> dict[int, int]:
        """Returns the CPU time so far of each living process, in nanoseconds."""
        return {pid: cpu_ns(pid) for pid in self.pids()}

    def cpu_seconds_since(self, before: Mapping[int, int]) -> float:
        """Returns the CPU seconds of the tree since `before` was taken by `cpu()`.

        Raises:
            MeasureError: a process ended in between, so its last part is not known.
        """
        now = self.cpu()
        if lost := before.keys() - now.keys():
            raise MeasureError(
                f"{len(lost)} server process(es) ended during the run: {self.tail()}"
            )
        return sum(ns - before.get(pid, 0) for pid, ns in now.items()) / 1e9

    def first_thread_seconds(self) -> float:
        """Returns the CPU seconds so far of the first thread of the started process."""
        times = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text()
        return int(times.split()[0]) / 1e9

    def memory(self) -> Memory:
        """Returns the memory of the tree now. Cost: the kernel walks the page tables."""
        pss = private = rss = peak = 0
        for pid in self.pids():
            rollup = _kib_lines(Path(f"/proc/{pid}/smaps_rollup"))
            pss += rollup["Pss"]
            private += rollup["Private_Clean"] + rollup["Private_Dirty"]
            rss += rollup["Rss"]
            peak += _kib_lines(Path(f"/proc/{pid}/status"))["VmHWM"]
        return Memory(pss, private, rss, peak)

    def reset_peak(self) -> None:
        """Sets the peak RSS of each process back to its RSS now (proc(5), clear_refs)."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def stop(self) -> None:
        """Ends the tree: SIGTERM to its leader, then SIGKILL to what is left of the session."""
        if self.alive():
            self._root.send_signal(signal.SIGTERM)
            try:
                self._root.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._root.kill()
        self._root.wait()
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _kib_lines(path: Path) -> dict[str, int]:
    """Returns the `Name: N kB` lines of a /proc file, in bytes."""
    values = {}
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if unit == "kB":
            values[name] = int(number) * 1024
    return values
