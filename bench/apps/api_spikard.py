"""The API of harness/api.py in spikard. Source: the documentation of `spikard.App` (pydoc).

Plain functions: coroutine functions, which it takes as well, cost twice the CPU.
"""

from typing import Any

from orders_msgspec import Order, Receipt
from spikard import App, Body, ServerConfig

app = App(ServerConfig(host="127.0.0.1", port=8000, workers=1))


@app.get("/hello")
def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/items/{item_id:int}")
def item(item_id: int, limit: int = 10, verbose: bool = False) -> dict[str, Any]:
    return {"item_id": item_id, "limit": limit, "verbose": verbose}


@app.post("/orders")
def make_order(order: Body[Order]) -> Receipt:
    return Receipt(order.customer, len(order.lines), order.total, order.express)


if __name__ == "__main__":
    app.run()
