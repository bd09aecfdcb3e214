"""`tercel.testing.LiveServer`: a real server for a client that needs a port."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from tercel.loop import EventLoop
from tercel.server import Server

__all__ = ["LiveServer"]

# Beyond the server's own time for a shutdown.
_PATIENCE_S = 10.0


class LiveServer:
    """Serves an application from a thread, on a free port of 127.0.0.1, while a `with` block lasts.

    ::

        with LiveServer(app) as server:
            subprocess.run(["curl", "--fail", f"{server.url}/things"], check=True)

    For a browser, a client in another language, or one that speaks what `TestClient` does not.
    Handlers run in the thread of the server.

    Args:
        app: the application, or its target (`main:app`).
        settings: those of `tercel.Server`. There is no access log unless they ask for one.

    Raises:
        StartError, on entry: as `tercel.Server.serve`.

    Attributes:
        url: where it serves, `http://127.0.0.1:49153`, without a slash at the end.
        server: the `tercel.Server`.
    """

    def __init__(self, app: Any, **settings: Any) -> None:
        if not settings.keys() & {"port", "bind", "uds", "fd"}:
            settings["port"] = 0
        settings.setdefault("access_log", False)
        self.server = Server(app, **settings)
        self._loop = EventLoop()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="tercel-live-server", daemon=True)

    @property
    def url(self) -> str:
        return self.server.urls[0]

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if not self.server.started:
            self._join()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self.server.shutdown)
        self._join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        serving = asyncio.ensure_future(self.server.serve())
        await self.server.wait_started()
        self._started.set()
        await serving

    def _join(self) -> None:
        """Waits for the end of the thread, and raises what ended it early."""
        patience = self.server.settings.timeout_graceful_shutdown + _PATIENCE_S
        self._thread.join(patience)
        if self._thread.is_alive():
            raise RuntimeError(f"The server still runs after {patience:g} s.")
        if self._error is not None:
            raise self._error
