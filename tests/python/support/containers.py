"""tercel as the first process of a container, made of the kernel's namespaces.

with ContainerProcess("crew:app", workers=2) as server:
    assert server.stop() == 0

What a container engine adds (an image, control groups, a network) is not there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import Any

import pytest

from support.crew import children
from support.server import ServerProcess

# The mount of / becomes read-only in this namespace, and so does all that is on it.
_READ_ONLY = 'mount -o remount,ro,bind / && exec "$@"'


def _unshare() -> list[str]:
    """The start of the command. Who is not root is root in a namespace of users."""
    users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *users, "--pid", "--fork", "--mount-proc", "--kill-child"]


def skip_without_namespaces() -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: the package util-linux has it")
    probe = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, timeout=20)
    if probe.returncode != 0:
        pytest.skip(f"this machine does not let us make namespaces: {probe.stderr.strip()}")


class ContainerProcess(ServerProcess):
    """A server whose process id is 1, as it sees it.

    Args:
        read_only: nothing can be written on the root file system.
        others: as ServerProcess.
    """

    def __init__(self, target: str, *, read_only: bool = False, **others: Any) -> None:
        super().__init__(target, **others)
        skip_without_namespaces()
        shell = ["sh", "-c", _READ_ONLY, "sh"] if read_only else []
        self.command = [*_unshare(), *shell, *self.command]

    def send_signal(self, number: signal.Signals) -> None:
        """To the server, not to what made the namespaces and waits for it."""
        for pid in children(self.pid):
            os.kill(pid, number)
