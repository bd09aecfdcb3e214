"""What happens, as it happens: docs/tutorial/07-streams.md"""

# [changes]
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import tercel
from shop.model import Thing
from tercel import Event, EventStream

router = tercel.Router(tags=["changes"])


class Changes:
    """Hands each thing that is added to all who listen."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Thing]] = set()

    async def tell(self, thing: Thing) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()  # Who reads too slowly misses the oldest.
            queue.put_nowait(thing)

    async def listen(self) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Thing] = asyncio.Queue(100)
        self._listeners.add(queue)
        try:
            while True:
                thing = await queue.get()
                yield Event(thing, event="added", id=str(thing.id))
        finally:
            self._listeners.discard(queue)


changes = Changes()


@router.get("/changes")
async def follow() -> EventStream:
    return EventStream(changes.listen())


# [/changes]
# [export]
@router.get("/numbers.csv")
async def numbers(rows: int = 1000) -> tercel.StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(rows):
            yield f"{number},{number * number}\n"

    return tercel.StreamingResponse(lines(), media_type="text/csv")


# [/export]
