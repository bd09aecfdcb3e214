"""How functions say no: docs/guide/api.md."""

# [errors]
from __future__ import annotations

from typing import Annotated, Any

import tercel
from tercel import Body, Query
from tercel.errors import Conflict, SeeOther

app = tercel.App()
names = {"lamp": 1}


@app.put("/names/{name}")
async def take_name(name: str) -> int:
    if name in names:
        raise Conflict(
            f"{name} is taken.",
            type="https://example.com/problems/name-taken",
            extra={"taken_by": names[name]},
        )
    names[name] = len(names) + 1
    return names[name]


@app.get("/latest")
async def latest() -> None:
    raise SeeOther(f"/names/{max(names, key=names.__getitem__)}")


# [/errors]
# [handler]
class OutOfStock(Exception):
    pass


@app.error_handler(OutOfStock)
async def no_more(error: Exception) -> tercel.Response:
    return Conflict(f"There is no {error} left.").response()


# [/handler]
@app.post("/orders/{name}")
async def order(name: str) -> None:
    raise OutOfStock(name)


# [schema]
SIZES = {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}}


@app.post("/sizes")
async def add_sizes(
    sizes: Annotated[dict[str, Any], Body(schema=SIZES, unique_keys=True)],
    unit: Annotated[str, Query(pattern="^(mm|cm)$", description="Of the numbers.")] = "mm",
) -> int:
    return len(sizes)


# [/schema]
