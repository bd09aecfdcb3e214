"""Feeds of messages in Redis: the part that knows no HTTP.

A feed has numbered messages, from 1 on without gaps, in the order in which they were posted. The
number is given out, and the message stored, by a script in the server: two posts at once never get
the same one, and a reader never sees a later message before an earlier one.
"""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from redis.asyncio import Redis

__all__ = ["Feeds", "Message", "NewMessage"]

Author = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class NewMessage(msgspec.Struct):
    author: Author
    text: Text


class Message(msgspec.Struct):
    number: int
    author: str
    text: str
    posted: float


# KEYS: the counter, the messages. ARGV: the message without its number, how many are kept.
_POST = """
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, number .. ' ' .. ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[2])
return number
"""


class _Kept(msgspec.Struct, array_like=True):
    author: str
    text: str
    posted: float


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class Feeds:
    """All feeds of one Redis.

    Args:
        redis: a client that does not decode what it reads.
        kept: messages of a feed; older ones go.
    """

    def __init__(self, redis: Redis, *, kept: int = 10_000) -> None:
        self._redis = redis
        self._kept = kept
        self._post = redis.register_script(_POST)

    async def post(self, feed: str, new: NewMessage) -> Message:
        """Adds a message."""
        posted = time.time()
        kept = _encode(_Kept(new.author, new.text, posted))
        number = await self._post(keys=_keys(feed), args=[kept, self._kept])
        return Message(number, new.author, new.text, posted)

    async def list(self, feed: str, *, after: int, limit: int) -> list[Message]:
        """Returns at most `limit` messages with numbers above `after`, in their order."""
        _, messages = _keys(feed)
        found = await self._redis.zrangebyscore(messages, f"({after}", "+inf", start=0, num=limit)
        return [_message(one) for one in found]


def _keys(feed: str) -> tuple[str, str]:
    # The braces keep both in one slot of a cluster.
    return f"feed:{{{feed}}}:last", f"feed:{{{feed}}}:messages"


def _message(stored: bytes) -> Message:
    number, _, rest = stored.partition(b" ")
    kept = _decode(rest)
    return Message(int(number), kept.author, kept.text, kept.posted)
