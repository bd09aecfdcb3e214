"""The API of harness/api.py in BlackSheep. Source: its documentation, "Binders", and "Settings" for
orjson, with answers of bytes "to achieve the best performance".

An invalid body is answered with 400, as documented ("Binders").
"""

from typing import Any

import orjson
from blacksheep import Application, Content, FromJSON, Response, get, post
from blacksheep.settings.json import json_settings
from orders_pydantic import Order, Receipt

json_settings.use(loads=orjson.loads, dumps=lambda value: orjson.dumps(value).decode())
app = Application()


def as_json(content: bytes, status: int = 200) -> Response:
    """Answers with JSON that is bytes already."""
    return Response(status, None, Content(b"application/json", content))


@get("/hello")
async def hello() -> Response:
    return as_json(orjson.dumps({"message": "Hello"}))


@get("/items/{item_id}")
async def item(item_id: int, limit: int = 10, verbose: bool = False) -> Response:
    values: dict[str, Any] = {"item_id": item_id, "limit": limit, "verbose": verbose}
    return as_json(orjson.dumps(values))


@post("/orders")
async def make_order(data: FromJSON[Order]) -> Response:
    order = data.value
    receipt = Receipt(
        customer=order.customer, lines=len(order.lines), total=order.total, express=order.express
    )
    return as_json(receipt.model_dump_json().encode(), 201)
