"""The command `tercel`."""

from tercel.cli.main import main

__all__ = ["main"]
