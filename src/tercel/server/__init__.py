"""Serving an application: `serve` makes the process a server, `Server` adds one to a loop."""

from tercel.server.run import serve
from tercel.server.server import Server

__all__ = ["Server", "serve"]
