"""Facts about a running process, from /proc. Linux only, as tercel is."""

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# ASan keeps freed memory back for a while, so sizes say nothing.
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


def cpu_seconds(pid: int) -> float:
    """Returns the CPU time of all threads of `pid` since it started, user and system."""
    return _cpu_seconds(Path(f"/proc/{pid}/stat"))


def main_thread_seconds(pid: int) -> float:
    """The same, of the first thread of `pid` alone."""
    return _cpu_seconds(Path(f"/proc/{pid}/task/{pid}/stat"))


def _cpu_seconds(stat: Path) -> float:
    # The name in parentheses may hold spaces: count from the last one.
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def open_files(pid: int) -> int:
    """Returns how many descriptors `pid` has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def private_bytes(pid: int) -> int:
    """Returns the memory that only `pid` uses, in bytes."""
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            total += int(line.split()[1]) * 1024
    return total


def environment_of_others() -> dict[str, str]:
    """The environment for a program that is not Python: no sanitizer comes with it."""
    return {**os.environ, "LD_PRELOAD": ""}


def environment_of_tests() -> dict[str, str]:
    """The environment for a Python program that imports `support`, and tercel from where we do."""
    paths = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
