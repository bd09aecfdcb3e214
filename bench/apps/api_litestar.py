"""The API of harness/api.py in Litestar. Source: its documentation, "Parameters", "Requests".

An invalid body is answered with 400, as documented ("Exceptions": ValidationException).
"""

from typing import Any

from litestar import Litestar, get, post
from orders_msgspec import Order, Receipt


@get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


@get("/items/{item_id:int}")
async def item(item_id: int, limit: int = 10, verbose: bool = False) -> dict[str, Any]:
    return {"item_id": item_id, "limit": limit, "verbose": verbose}


@post("/orders")
async def make_order(data: Order) -> Receipt:
    return Receipt(data.customer, len(data.lines), data.total, data.express)


app = Litestar([hello, item, make_order])
