"""The API of harness/api.py in Robyn. Source: its documentation, "Pydantic Integration".

Plain functions: coroutine functions, which it takes as well, cost twice the CPU. No `const=True` on
the hello: that keeps the first answer, and no handler runs for the others.
"""

import os
from typing import Any

from orders_pydantic import Order, Receipt
from robyn import Robyn

app = Robyn(__file__)


@app.get("/hello")
def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/items/:item_id")
def item(item_id: int, limit: int = 10, verbose: bool = False) -> dict[str, Any]:
    return {"item_id": item_id, "limit": limit, "verbose": verbose}


@app.post("/orders")
def make_order(order: Order) -> Receipt:
    return Receipt(
        customer=order.customer, lines=len(order.lines), total=order.total, express=order.express
    )


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(os.environ["PORT"]))
