"""Pages of other origins, and limits of routes: docs/guide/cors.md."""

# [cors]
from __future__ import annotations

import asyncio

import tercel

app = tercel.App(
    title="Shop",
    cors=tercel.CORS(
        origins=["https://shop.example.com", "https://*.preview.example.com"],
        headers=["Authorization", "Content-Type"],
        expose=["X-Total"],
        credentials=True,
    ),
)


@app.get("/orders")
async def get_orders() -> tercel.Response:
    return tercel.Response("[]", media_type="application/json", headers={"X-Total": "0"})


# [/cors]
# [rate]
@app.post("/login", rate="5/min")
async def log_in(name: str) -> str:
    return f"Welcome, {name}"


@app.get("/search", rate=tercel.Rate(10, per=1, burst=30, by="X-Api-Key"))
async def search(q: str) -> list[str]:
    return [q]


# [/rate]
# [timeout]
@app.get("/report", timeout=0.5)
async def make_report(seconds: float = 0) -> str:
    await asyncio.sleep(seconds)
    return "done"


# [/timeout]
