"""The API of harness/api.py in FastAPI. Source: its tutorial, "Request Body", "Response Model"."""

from typing import Any

from fastapi import FastAPI
from orders_pydantic import Order, Receipt

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/items/{item_id}")
async def item(item_id: int, limit: int = 10, verbose: bool = False) -> dict[str, Any]:
    return {"item_id": item_id, "limit": limit, "verbose": verbose}


@app.post("/orders", status_code=201)
async def make_order(order: Order) -> Receipt:
    return Receipt(
        customer=order.customer, lines=len(order.lines), total=order.total, express=order.express
    )
