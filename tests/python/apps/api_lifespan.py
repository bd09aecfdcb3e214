"""An API with a lifespan."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import tercel

state: list[str] = []


@contextlib.asynccontextmanager
async def lifespan(app: tercel.App) -> AsyncIterator[None]:
    state.append("started")
    yield
    print("left the lifespan", flush=True)


app = tercel.App(lifespan=lifespan)


@app.get("/")
async def started() -> str:
    return state[0]
