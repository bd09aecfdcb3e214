"""Children that are nobody's.

The first process of a container is the parent of every process in it whose own parent has ended.
Until it waits for those that end, each keeps its place in the table of processes (a zombie).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container

__all__ = ["inherits_orphans", "wait_for_orphans"]


def inherits_orphans() -> bool:
    """Whether this process is the first of its container."""
    return os.getpid() == 1


def wait_for_orphans(own: Container[int]) -> None:
    """Waits for children that have ended, but for those in `own`.

    One of these that has ended hides what ended after it: call it again when it is waited for.
    """
    what = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, what)) is not None and ended.si_pid not in own:
            os.waitpid(ended.si_pid, 0)
