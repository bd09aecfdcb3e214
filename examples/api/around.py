"""What stands around handlers: docs/guide/around.md."""

# [router]
from __future__ import annotations

import time
import uuid
from typing import Annotated

import tercel
from tercel import BackgroundTasks, Depends, Header, HTTPError, Request, Response

app = tercel.App(title="Shop")


async def signed_in(key: Annotated[str, Header("X-Key")] = "") -> None:
    if key != "secret":
        raise HTTPError(401, headers={"www-authenticate": "Key"})


orders = tercel.Router(prefix="/orders", tags=["orders"], dependencies=[Depends(signed_in)])


@orders.get("/{order_id}")
async def get_order(order_id: int) -> dict[str, int]:
    return {"id": order_id}


# [/router]
# [background]
mails: list[str] = []


def send_mail(to: str, text: str) -> None:
    mails.append(f"{to}: {text}")


@orders.post("", status=202)
async def add_order(customer: str, background: BackgroundTasks) -> str:
    background.add(send_mail, customer, text="Thank you.")
    return "accepted"


# [/background]
# [after]
def private(request: Request, response: Response, succeeded: bool) -> None:
    response.headers.append(("cache-control", "no-store" if succeeded else "no-cache"))


@orders.get("/{order_id}/price", after=[private])
async def get_price(order_id: int) -> int:
    return {7: 100}[order_id]


# [/after]


# [before]
def not_locked(request: Request, arguments: dict[str, object]) -> Response | None:
    if arguments["order_id"] == 13:
        return Response("This order is locked.", status=423)
    return None


@orders.delete("/{order_id}", before=[not_locked])
async def delete_order(order_id: int) -> None: ...


app.include(orders)


# [/before]


# [hooks]
@app.on_request
def name_request(request: Request) -> None:
    request.state["id"] = request.header("x-request-id") or str(uuid.uuid4())


@app.on_response
def tell_name(request: Request, response: Response, succeeded: bool) -> None:
    response.headers.append(("x-request-id", request.state["id"]))


# [/hooks]
# [middleware]
class Timing:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def process_request(self, request: Request) -> None:
        request.state["began"] = time.perf_counter()

    def process_response(self, request: Request, response: Response, req_succeeded: bool) -> None:
        route = request.route or "none"
        took = time.perf_counter() - request.state["began"]
        self.seconds[route] = self.seconds.get(route, 0.0) + took


timing = Timing()
app.add_middleware(timing)
# [/middleware]


# [mount]
async def old_application(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the old one"})


app.mount("/old", old_application)


@app.sink(r"/legacy/(?P<page>.*)")
def moved(request: Request, page: str) -> Response:
    return Response(status=308, headers={"location": f"/old/{page}"})


# [/mount]
