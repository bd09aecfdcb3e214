"""An API that hostile requests are for."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

import tercel
from tercel import Body, Cookie, Query, Request

app = tercel.App()
MIB = 1 << 20


class Item(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    size: int


@app.post("/any")
async def take_any(value: Annotated[Any, Body(bytes_max=16 * MIB)]) -> str:
    return type(value).__name__


@app.post("/typed")
async def take_typed(value: Annotated[list[Item], Body(bytes_max=16 * MIB)]) -> int:
    return len(value)


@app.post("/strict")
async def take_strict(value: Annotated[Any, Body(unique_keys=True, bytes_max=16 * MIB)]) -> int:
    return len(value)


@app.post("/unique")
async def take_unique(
    value: Annotated[list[Any], Body(schema={"uniqueItems": True}, bytes_max=16 * MIB)],
) -> int:
    return len(value)


@app.post("/pattern")
async def take_pattern(value: Annotated[str, Body(pattern="^(a+)+$", bytes_max=16 * MIB)]) -> int:
    return len(value)


@app.get("/query")
async def take_query(names: Annotated[list[int], Query()] = []) -> int:  # noqa: B006
    return len(names)


@app.get("/cookie")
async def take_cookie(name: Annotated[str, Cookie()] = "") -> int:
    return len(name)


@app.post("/raw")
async def take_raw(request: Request) -> int:
    return len(request.body)


@app.get("/{a}-{b}-{c}/{rest:path}")
async def take_path(a: str, b: str, c: str, rest: str) -> int:
    return len(a)
