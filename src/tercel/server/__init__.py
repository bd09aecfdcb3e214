"""Serving an application in one process."""

from tercel.server.server import Server

__all__ = ["Server"]
