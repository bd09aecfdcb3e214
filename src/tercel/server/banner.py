"""What a person sees when the server has started: where to look, what runs, how to stop it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from tercel import _core
from tercel.server.server import Server

__all__ = ["show", "show_workers"]

logger = logging.getLogger("tercel")

# Addresses that stand for every address of the machine, and one of them that a browser can open.
_OPENED_AT = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


def show(
    server: Server, loop: asyncio.AbstractEventLoop, *, stopped_by_signals: bool = True
) -> None:
    """Logs the banner of a server that has started on `loop`.

    Args:
        stopped_by_signals: False in a thread, where tercel hears none.
    """
    _show(server.name, server.urls, _loop_name(loop), stopped_by_signals=stopped_by_signals)
    _show_metrics(server.metrics_url)


def show_workers(server: Server, urls: list[str], count: int, metrics_url: str = "") -> None:
    """Logs the banner of `count` workers that have started, each with a copy of `server`."""
    _show(server.name, urls, f"{count} worker(s)", stopped_by_signals=True)
    _show_metrics(metrics_url)


def _show_metrics(url: str) -> None:
    if url:
        logger.info("Metrics: %s", _to_open(url), extra={"bold": [_to_open(url)]})


def _show(name: str, urls: list[str], runs: str, *, stopped_by_signals: bool) -> None:
    logger.info(
        "tercel %s on CPython %s, %s, pid %d",
        _core.__version__,
        ".".join(str(part) for part in sys.version_info[:3]),
        runs,
        os.getpid(),
    )
    stop = f" ({_how_to_stop()})" if stopped_by_signals else ""
    urls = [_to_open(url) for url in urls]
    logger.info("Serving %s on %s%s", name, " and ".join(urls), stop, extra={"bold": urls})


def _how_to_stop() -> str:
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    return "Ctrl+C stops it" if on_terminal else f"kill {os.getpid()} stops it"


def _loop_name(loop: asyncio.AbstractEventLoop) -> str:
    module = type(loop).__module__.partition(".")[0]
    return f"{module} event loop"


def _to_open(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, colon, port = rest.rpartition(":")
    if separator and host in _OPENED_AT:
        return f"{scheme}://{_OPENED_AT[host]}{colon}{port} (every address)"
    return url
