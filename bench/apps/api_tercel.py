"""The API of harness/api.py as tercel.App has it."""

from typing import Any

from orders_msgspec import Order, Receipt

import tercel

app = tercel.App()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/items/{item_id}")
async def item(item_id: int, limit: int = 10, verbose: bool = False) -> dict[str, Any]:
    return {"item_id": item_id, "limit": limit, "verbose": verbose}


@app.post("/orders", status=201)
async def make_order(order: Order) -> Receipt:
    return Receipt(order.customer, len(order.lines), order.total, order.express)
