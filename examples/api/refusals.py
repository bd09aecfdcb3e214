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
# [given]
ORDER = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer", "minimum": 1}},
}
PAGES = {"properties": {"page": {"type": "integer", "minimum": 1, "default": 1}}}


@app.post("/stock/{name}", body_schema=ORDER, params_schema=PAGES)
async def add_stock(name: str, page: int, order: dict[str, Any]) -> str:
    return f"{order['amount']} of {name} on page {page}"


# [/given]
