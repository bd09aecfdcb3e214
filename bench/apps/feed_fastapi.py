"""examples/feed in FastAPI. Source: its tutorial, "Response Model", "Lifespan Events"."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import feed_store
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, Field


class NewMessage(BaseModel):
    author: Annotated[str, Field(min_length=1, max_length=40)]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Message(BaseModel):
    number: int
    author: str
    text: str
    posted: float


class Page(BaseModel):
    messages: list[Message]
    marker: int


store: feed_store.Feeds


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global store
    store = feed_store.connect()
    yield


app = FastAPI(lifespan=lifespan)
Name = Annotated[str, Path(pattern="^[a-z0-9-]{1,40}$")]


def _shown(one: feed_store.Message) -> Message:
    return Message(number=one.number, author=one.author, text=one.text, posted=one.posted)


@app.post("/feeds/{feed}/messages", status_code=201)
async def post(feed: Name, new: NewMessage) -> Message:
    return _shown(await store.post(feed, feed_store.NewMessage(new.author, new.text)))


@app.get("/feeds/{feed}/messages")
async def list_messages(
    feed: Name,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> Page:
    messages = [_shown(one) for one in await store.list(feed, after=after, limit=limit)]
    return Page(messages=messages, marker=messages[-1].number if messages else after)
