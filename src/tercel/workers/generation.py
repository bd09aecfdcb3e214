"""What workers are forked from: settings, and the application as these settings name it."""

from __future__ import annotations

import gc
import logging
import threading
from typing import Any

from tercel import _core
from tercel.server.server import Server
from tercel.server.serving import prepare
from tercel.settings import Settings
from tercel.workers.rehearsal import rehearse

__all__ = ["Generation"]

logger = logging.getLogger("tercel")


class Generation:
    """Workers that SIGHUP has not replaced yet are of an older one.

    Args:
        shared: what its workers have in common with those of other generations.

    Attributes:
        settings: of its workers.
        server: what each of them runs its copy of. It is never started here.
        make_loop: what makes their loops.
        proven: one of its workers has served.

    Raises:
        As `tercel.serve`.
    """

    def __init__(self, app: Any, settings: Settings, shared: _core.Shared) -> None:
        self.settings = settings
        self.proven = False
        self.make_loop = prepare(settings)
        self.server = Server.with_settings(app, settings, shared=shared)
        # With --reload the code is that of the next worker, not that of this process.
        if settings.preload and not settings.reload:
            self._preload()

    def _preload(self) -> None:
        """Imports the application, so that its memory is there once for all workers."""
        self.server.load()
        threads = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
        if threads:
            logger.warning(
                "Importing the application started %d thread(s) (%s), which the workers do not"
                " have: start them when the application starts up, or give --no-preload.",
                len(threads),
                ", ".join(threads),
            )
        elif self.settings.loop != "uvloop":
            rehearse(self.make_loop)
        # A collection writes to what it looks at, and what is written to is not shared any more.
        gc.collect()
        gc.freeze()
        _core.trim_memory()
