"""The part of examples/feed that knows no HTTP, which all feed_* applications have in common."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "feed"))

from redis.asyncio import Redis
from store import Feeds, Message, NewMessage

__all__ = ["Feeds", "Message", "NewMessage", "connect"]


def connect() -> Feeds:
    """Returns the feeds of the Redis that the harness started."""
    return Feeds(Redis.from_url(os.environ["REDIS_URL"]))
