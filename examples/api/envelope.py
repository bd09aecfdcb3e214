"""Problems in another form than RFC 9457's: docs/guide/around.md."""

from __future__ import annotations

# [app]
import msgspec

import tercel
from tercel import Request, Response

app = tercel.App(title="Orders")
PROBLEM = ("content-type", "application/problem+json")


@app.on_response
def in_our_words(request: Request, response: Response, succeeded: bool) -> Response | None:
    if PROBLEM not in response.headers:
        return None
    problem = msgspec.json.decode(response.body)
    error = {
        "code": problem["status"],
        "message": problem.get("detail", problem["title"]),
        "fields": [".".join(map(str, one["loc"])) for one in problem.get("errors", ())],
    }
    others = [pair for pair in response.headers if pair != PROBLEM]
    return Response(
        msgspec.json.encode({"error": error}),
        status=response.status,
        media_type="application/json",
        headers=others,
    )


@app.get("/orders/{order_id}")
async def get_order(order_id: int) -> int:
    if order_id != 7:
        raise tercel.HTTPError(404, f"There is no order {order_id}.")
    return order_id


# [/app]
