"""An API whose answers are what a handler should not return, or is seldom seen to."""

from __future__ import annotations

from typing import Annotated, Any

import tercel
from tercel import Body

app = tercel.App()

RESPONSES = {
    "bad-name": tercel.Response("x", headers={"bad name": "x"}),
    "bad-value": tercel.Response("x", headers={"x-a": "a\r\nb: c"}),
    "not-ascii": tercel.Response("x", headers={"x-a": "Zürich"}),
    "same-length": tercel.Response("abc", headers={"content-length": "3"}),
    "other-length": tercel.Response("abc", headers={"content-length": "5"}),
    "chunked": tercel.Response("abc", headers={"transfer-encoding": "chunked"}),
    "close": tercel.Response("abc", headers={"Connection": "close"}),
    "upgrade": tercel.Response("abc", headers={"upgrade": "h2c"}),
    "204": tercel.Response("abc", status=204),
    "205": tercel.Response("abc", status=205),
    "304": tercel.Response("abc", status=304, headers={"etag": '"1"'}),
    "299": tercel.Response("abc", status=299),
    "999": tercel.Response("abc", status=999),
    "100": tercel.Response("abc", status=100),
    "1000": tercel.Response("abc", status=1000),
    "empty": tercel.Response(),
    "many": tercel.Response("x", headers=[("x-a", str(n)) for n in range(64)]),
    "too-many": tercel.Response("x", headers=[("x-a", str(n)) for n in range(65)]),
    "surrogate": tercel.Response("\ud800"),
    "no-body": tercel.Response(7),  # type: ignore[arg-type]
}


@app.get("/response/{which}")
async def response(which: str) -> tercel.Response:
    return RESPONSES[which]


@app.get("/inline/{which}", blocking=False)
def inline(which: str) -> tercel.Response:
    return RESPONSES[which]


VALUES = {"none": None, "false": False, "zero": 0, "empty": "", "bytes": b"", "surrogate": "\ud800"}


@app.get("/value/{which}")
async def value(which: str) -> Any:
    return VALUES[which]


@app.get("/teapot", status=418)
async def teapot() -> Any:
    return {}


class Refused(Exception):
    pass


@app.error_handler(Refused)
def refused(error: Exception) -> Any:
    match error.args[0]:
        case "raises":
            raise OSError("the second")
        case "object":
            return object()
        case "bad-name":
            return RESPONSES["bad-name"]
        case which:
            return VALUES[which]


@app.get("/refuse/{which}")
async def refuse(which: str) -> None:
    raise Refused(which)


@app.get("/refuse-inline/{which}", blocking=False)
def refuse_inline(which: str) -> None:
    raise Refused(which)


@app.post("/count")
async def count(content: Annotated[bytes, Body(bytes_max=1_000_000)]) -> int:
    return len(content)


@app.post("/count-json")
async def count_json(content: Annotated[list[int], Body(bytes_max=1_000_000)]) -> int:
    return len(content)


@app.put("/ignore")
async def ignore() -> str:
    return "ignored"


CORNERS = [
    *[("GET", f"/{way}/{which}") for way in ("response", "inline") for which in RESPONSES],
    # A 205 has to have a length, and may leave it out for HEAD, as it does natively.
    *[("HEAD", f"/response/{which}") for which in RESPONSES if which != "205"],
    *[("GET", f"/value/{which}") for which in VALUES],
    *[
        ("GET", f"/{way}/{which}")
        for way in ("refuse", "refuse-inline")
        for which in ("raises", "object", "bad-name", *VALUES)
    ],
    ("GET", "/response/unknown"),
    ("GET", "/teapot"),
]
