"""docs/guide/api.md: MessagePack beside JSON."""

# [app]
from __future__ import annotations

import msgspec

import tercel

app = tercel.App(title="Readings", media_types=["application/json", "application/msgpack"])


class Reading(msgspec.Struct):
    sensor: str
    value: float
    raw: bytes = b""


@app.post("/readings", status=201)
async def add_reading(reading: Reading) -> Reading:
    return reading


# [/app]
