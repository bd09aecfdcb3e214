"""The end of a server whose requests, threads and exit functions are still there."""

from __future__ import annotations

import contextlib
from typing import Any

from support.http1 import Closed


def finalise(serve: Any, interface: str, workers: int, runs: int) -> int:
    """Ends a server that often, cutting requests off. Returns how often it ended cleanly."""
    clean = 0
    for _ in range(runs):
        server = serve(
            f"stalls:{interface}",
            workers=workers,
            timeout_graceful_shutdown=0.1,
            timeout_stream_grace=0.05,
        )
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(4)]
            if interface == "app":
                clients[0].request("GET", "/start-threads?5")
            for client in clients:
                client.send("GET /after?5&s=0.4 HTTP/1.1\r\nHost: a\r\n\r\n")
            status = server.stop()
            for client in clients:
                with contextlib.suppress(Closed, OSError):
                    client.read_to_close()
        told = server.output
        assert "Fatal Python error" not in told, told
        assert "Segmentation" not in told, told
        assert "killed by" not in told, told
        if interface == "app":
            assert told.count("atexit\n") == workers, told
        clean += status == 0
    return clean
