"""The processes of a server with workers, and what is done to them under load."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.server import APPS, ServerProcess
from support.waiting import wait_until

READY_S = 20.0


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that there are, as the system knows them."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return sorted(map(int, text.split()))


class Site:
    """A server with workers, whichever process is its supervisor by now.

    Attributes:
        supervisor: its process id.
        upgrades: how many took over from another.
    """

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.supervisor = server.pid
        self.upgrades = 0

    def workers(self) -> list[int]:
        return children(self.supervisor)

    def all_serve(self, count: int) -> list[int]:
        """Waits until as many as `count` are there and started, and returns them."""

        def started() -> list[int]:
            now = self.workers()
            said = set(map(int, re.findall(r"started (\d+)", self.server.output)))
            return now if len(now) == count and said.issuperset(now) else []

        return list(wait_until(started, f"{count} workers:\n{self.server.output}"))

    def reload(self) -> None:
        """SIGHUP, and waits until each worker is another one."""
        before = set(self.workers())
        os.kill(self.supervisor, signal.SIGHUP)
        wait_until(lambda: before.isdisjoint(self.workers()), "other workers")

    def upgrade(self) -> None:
        """SIGUSR2, and waits until the new supervisor is alone."""
        old = self.supervisor
        os.kill(old, signal.SIGUSR2)
        self.upgrades += 1
        said = r"Process (\d+) serves: this one ends"
        self.supervisor = int(self.server.wait_for(said, timeout=30, count=self.upgrades)[1])
        wait_until(lambda: not runs(old), "the old supervisor has ended", 60)

    def kill_worker(self, count: int) -> None:
        """SIGKILL to one of `count` workers, and waits until there are as many again."""
        victim = self.all_serve(count)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not runs(victim) and len(self.workers()) == count, "another one")
        self.all_serve(count)

    def stop(self) -> int | None:
        """SIGTERM, and waits. Returns the exit status, if it is that of the first supervisor."""
        os.kill(self.supervisor, signal.SIGTERM)
        wait_until(lambda: not runs(self.supervisor), "the supervisor has ended", 60)
        return self.server.wait() if self.supervisor == self.server.pid else None


def runs(pid: int) -> bool:
    """Whether there is such a process, and it has not ended: one that nobody waits for has a name
    left.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def serve_from_shell(before: str, **options: Any) -> subprocess.Popen[Any]:
    """Starts a server with two workers from a shell that did `before`, as the same process."""
    serve = f"exec {sys.executable} -m tercel serve crew:app --workers 2 --port 0 --app-dir {APPS}"
    return subprocess.Popen(["bash", "-c", f"{before}; {serve}"], start_new_session=True, **options)
