"""A message feed: post, and list what came after a marker.

    redis-server --port 6379 &
    tercel serve feed:app --app-dir examples/feed

REDIS_URL names another Redis.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from store import Feeds, Message, NewMessage

import tercel
from tercel import Depends, Path, Query, Response
from tercel.errors import ServiceUnavailable

app = tercel.App(title="Feeds", version="1.0")

Name = Annotated[str, Path(pattern="^[a-z0-9-]{1,40}$")]


class Page(msgspec.Struct):
    messages: list[Message]
    marker: int  # For `after` of the next page.


async def feeds() -> AsyncIterator[Feeds]:
    redis = Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
    yield Feeds(redis)
    await redis.aclose()


Store = Annotated[Feeds, Depends(feeds, scope="app")]


@app.post("/feeds/{feed}/messages", status=201)
async def post(feed: Name, new: NewMessage, store: Store) -> Message:
    """Adds a message to a feed, which is there when its first message is."""
    return await store.post(feed, new)


@app.get("/feeds/{feed}/messages")
async def list_messages(
    feed: Name,
    store: Store,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> Page:
    """Returns the messages after a marker, oldest first."""
    messages = await store.list(feed, after=after, limit=limit)
    return Page(messages, messages[-1].number if messages else after)


@app.error_handler(RedisError)
def no_store(error: Exception) -> Response:
    return ServiceUnavailable("The store does not answer.", retry_after=1).response()
