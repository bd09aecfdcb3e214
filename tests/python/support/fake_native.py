"""A stand-in for `_core.Server` that notes what is asked of it, in order.

For the order of events, which real sockets would only blur. It has no requests of its own: a test
sets `active` and `connections`.
"""

from __future__ import annotations

from typing import Any


class FakeNative:
    """One server; `FakeNative.events` are those of all, for tests that also log their own."""

    events: list[Any]
    # What listen() raises, if anything.
    listen_error: OSError | None = None
    made: list[FakeNative]

    def __init__(self, engine, loop, app, settings, state, context, wsgi, shared) -> None:
        self.app = app
        self.settings = settings
        self.state = state
        self.context = context
        self.active = 0
        self.connections = 0
        self.scrapes = 0
        self.certificate_warnings: list[str] = []
        self.addresses: list[Any] = []
        self.made.append(self)

    def listen(self, bind: str) -> str:
        self.events.append(("listen", bind))
        if self.listen_error is not None:
            raise self.listen_error
        self.addresses.append(("127.0.0.1", 4242))
        return "http://127.0.0.1:4242"

    def adopt(self, descriptor: int) -> str:
        self.events.append("adopt")
        self.addresses.append(("127.0.0.1", 4343))
        self.descriptor = descriptor
        return "http://127.0.0.1:4343"

    def log_requests(self, logger, shared=None) -> None:
        self.events.append("log_requests")

    def reopen_logs(self) -> None:
        self.events.append("reopen_logs")

    def start(self) -> None:
        self.events.append("start")

    def drain(self, notify_streams: bool) -> None:
        self.events.append("notify" if notify_streams else "drain")

    def close(self) -> None:
        self.events.append("close")
        self.active = self.connections = 0
