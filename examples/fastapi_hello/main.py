"""What `make run` serves: an unmodified FastAPI application, with nothing of tercel in it."""

from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI(title="Hello")


class Item(BaseModel):
    """What POST /items takes."""

    name: str
    price: float


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    """A page for a browser."""
    return (
        "<!doctype html><title>tercel</title><h1>It runs.</h1>"
        '<p>Try <a href="/hello">/hello</a>, <a href="/count">/count</a> or the'
        ' <a href="/docs">documentation of this API</a>.</p>'
    )


@app.get("/hello")
async def hello(name: str = "world") -> dict[str, str]:
    """Greets `name`."""
    return {"message": f"Hello, {name}"}


@app.post("/items")
async def create_item(item: Item) -> Item:
    """Gives back what was sent, once it is valid."""
    return item


@app.get("/count")
async def count(to: int = 10) -> StreamingResponse:
    """Streams the numbers from 1 to `to`, one a line."""

    async def lines() -> AsyncIterator[str]:
        for number in range(1, to + 1):
            yield f"{number}\n"

    return StreamingResponse(lines(), media_type="text/plain")
