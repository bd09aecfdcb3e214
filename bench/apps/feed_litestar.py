"""examples/feed in Litestar. Source: its documentation, "Parameters", "Requests"."""

from typing import Annotated

import feed_store
import msgspec
from litestar import Litestar, get, post
from litestar.params import Parameter

store: feed_store.Feeds
Name = Annotated[str, Parameter(pattern="^[a-z0-9-]{1,40}$")]


class Page(msgspec.Struct):
    messages: list[feed_store.Message]
    marker: int


@post("/feeds/{feed:str}/messages")
async def post_message(feed: Name, data: feed_store.NewMessage) -> feed_store.Message:
    return await store.post(feed, data)


@get("/feeds/{feed:str}/messages")
async def list_messages(
    feed: Name,
    after: Annotated[int, Parameter(ge=0)] = 0,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 100,
) -> Page:
    messages = await store.list(feed, after=after, limit=limit)
    return Page(messages, messages[-1].number if messages else after)


def _connect() -> None:
    global store
    store = feed_store.connect()


app = Litestar([post_message, list_messages], on_startup=[_connect])
