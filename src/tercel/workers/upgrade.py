"""SIGUSR2: another program takes over the sockets, and this one ends when that one serves.

The supervisor starts what it was started as once more, which may be a newer version by now, and
gives it its sockets: the variable TERCEL_UPGRADE says which descriptors they are. The new one says
through a pipe that it is ready. Nobody is refused meanwhile, as both listen on the same sockets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from tercel import _core
from tercel.workers import UPGRADE_VARIABLE

__all__ = ["Predecessor", "Successor", "handed_over", "metrics_name"]

logger = logging.getLogger("tercel")

_READY = b"ready"
_METRICS = "metrics "


def metrics_name(bind: str) -> str:
    """Returns what the sockets of an address of metrics are called among those of a program."""
    return _METRICS + bind


class Successor:
    """The program that is to take over, in the process that it takes over from.

    Args:
        sockets: descriptors by the `bind` that they were opened for.
        environ: variables to start it with.
        folder: to start it in.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, sockets: Mapping[str, list[int]], environ: Mapping[str, str], folder: str
    ) -> None:
        self._pipe, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        note = {"parent": os.getpid(), "ready": theirs, "sockets": sockets}
        descriptors = [one for some in sockets.values() for one in some]
        try:
            self._process = subprocess.Popen(
                [sys.executable, *sys.orig_argv[1:]],
                env={**environ, UPGRADE_VARIABLE: json.dumps(note)},
                cwd=folder,
                pass_fds=[theirs, *descriptors],
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """Readable when it is ready, or has failed."""
        return self._pipe

    def is_ready(self) -> bool:
        """Whether it is, once it is readable. If not, it has ended, or will."""
        with contextlib.suppress(OSError):
            return os.read(self._pipe, len(_READY)) == _READY
        return False

    def close(self) -> None:
        """Hears no more of it. If it serves, it outlives this process."""
        os.close(self._pipe)
        if self._process.returncode is None:
            self._process.returncode = 0

    def fail(self) -> int:
        """Ends it, if it has not ended by itself, and returns its exit code."""
        for end in (self._process.terminate, self._process.kill):
            try:
                return self._process.wait(1)
            except subprocess.TimeoutExpired:
                end()
        return self._process.wait()


class Predecessor:
    """The supervisor that this process takes over from, if there is one.

    Args:
        environ: what tells of it is taken out, so that no child believes it.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        note = _note(environ)
        environ.pop(UPGRADE_VARIABLE, None)
        self._sockets: dict[str, list[int]] = note.get("sockets", {})
        self._pipe: int = note.get("ready", -1)
        if note:
            os.set_inheritable(self._pipe, False)

    def listen(self, shared: _core.Shared, bind: str) -> str:
        """Takes over the sockets of `bind`, or opens them if there are none. Returns what to open.

        Raises:
            OSError: they cannot be opened.
        """
        inherited = self._sockets.pop(bind, [])
        urls = [shared.adopt(descriptor) for descriptor in inherited]
        return urls[0] if urls else shared.listen(bind)

    def listen_metrics(self, shared: _core.Shared, bind: str) -> str:
        """The same for an address of metrics."""
        inherited = self._sockets.pop(metrics_name(bind), [])
        urls = [shared.adopt_metrics(descriptor) for descriptor in inherited]
        return urls[0] if urls else shared.listen_metrics(bind)

    def close_rest(self) -> None:
        """Closes the sockets that nobody took over."""
        for descriptors in self._sockets.values():
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._sockets.clear()

    def leave(self) -> None:
        """In a child of fork(): whoever is told is told by the parent."""
        if self._pipe >= 0:
            os.close(self._pipe)

    def tell_ready(self, shared: _core.Shared) -> None:
        """From now on it may end, and the paths of its sockets are this process's."""
        if self._pipe >= 0:
            shared.own_paths()
            with contextlib.suppress(OSError):
                os.write(self._pipe, _READY)
            os.close(self._pipe)
            self._pipe = -1


def handed_over(environ: Mapping[str, str]) -> list[str]:
    """Returns what the supervisor listened on that this process takes over from, as `bind` has it;
    nothing if it takes over from none.
    """
    names: dict[str, list[int]] = _note(environ).get("sockets", {})
    return [name for name in names if not name.startswith(_METRICS)]


def _note(environ: Mapping[str, str]) -> dict[str, Any]:
    """Returns what the parent process left in the variable; nothing if another one did."""
    try:
        note = json.loads(environ[UPGRADE_VARIABLE])
        is_parents = note["parent"] == os.getppid()
    except (ValueError, KeyError, TypeError):
        return {}
    return dict(note) if is_parents else {}
