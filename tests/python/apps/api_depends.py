"""An API whose handlers depend on other functions."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import tercel
from tercel import Depends, Header, HTTPError

log: list[str] = []


async def connection() -> AsyncIterator[str]:
    """Of the whole application."""
    log.append("connected")
    yield "connection"
    print("disconnected", flush=True)


async def page(limit: int = 10, offset: int = 0) -> tuple[int, int]:
    log.append("page")
    return limit, offset


async def user(token: Annotated[str, Header("Authorization")]) -> str:
    if token != "ann":
        raise HTTPError(401, headers={"www-authenticate": "Bearer"})
    return token


async def transaction(
    shared: Annotated[str, Depends(connection, scope="app")], who: Annotated[str, Depends(user)]
) -> AsyncIterator[str]:
    log.append("begin")
    try:
        yield f"{shared} of {who}"
    except ValueError:
        log.append("rollback")
        raise
    else:
        log.append("commit")


def on_thread() -> Iterator[bool]:
    yield threading.current_thread() is not threading.main_thread()
    log.append(f"left {threading.current_thread() is not threading.main_thread()}")


def inline(page: Annotated[tuple[int, int], Depends(page)]) -> bool:
    return threading.current_thread() is threading.main_thread()


app = tercel.App()


@app.get("/items/{item_id}")
async def item(
    item_id: int,
    limit: int = 10,
    paged: tuple[int, int] = Depends(page),
    again: tuple[int, int] = Depends(page),
) -> list[object]:
    return [item_id, limit, paged, paged is again]


@app.post("/orders")
async def order(
    order: dict[str, int],
    db: Annotated[str, Depends(transaction)],
    fail: bool = False,
) -> str:
    log.append("handler")
    if fail:
        raise ValueError
    return f"{db}: {order['n']}"


@app.error_handler(ValueError)
def failed(error: Exception) -> tercel.Response:
    return tercel.Response("failed", status=409)


@app.get("/threads")
def threads(
    first: Annotated[bool, Depends(on_thread)],
    second: Annotated[bool, Depends(inline, blocking=False)],
) -> list[bool]:
    return [first, second, threading.current_thread() is not threading.main_thread()]


@app.get("/log")
async def take_log() -> list[str]:
    taken, log[:] = log[:], []
    return taken
