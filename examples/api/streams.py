"""Streams of docs/guide/api.md."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import tercel

app = tercel.App()


# [streaming]
@app.get("/export")
async def export(rows: int = 1000) -> tercel.StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(rows):
            yield f"{number},{number * number}\n"

    return tercel.StreamingResponse(lines(), media_type="text/csv")


# [/streaming]
# [events]
@app.get("/ticks")
async def ticks(every: float = 1.0) -> tercel.EventStream:
    async def made() -> AsyncIterator[dict[str, int]]:
        number = 0
        while True:
            yield {"tick": number}
            number += 1
            await asyncio.sleep(every)

    return tercel.EventStream(made())


# [/events]
