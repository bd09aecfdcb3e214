"""An API with CORS, and routes with rates and time limits.

`app` has no hooks; `hooked` has one, so all of its requests go through Python.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import tercel
from tercel import Depends, HTTPError, Response, StreamingResponse

ORIGINS = ["https://a.example", "https://*.b.example"]


async def mounted(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-mounted", b"1")]})
    await send({"type": "http.response.body", "body": b"mounted"})


async def slow() -> int:
    await asyncio.sleep(30)
    return 1


async def refuse() -> None:
    raise HTTPError(401, "Who are you?")


def make() -> tercel.App:
    app = tercel.App(
        cors=tercel.CORS(
            origins=ORIGINS,
            methods=["GET", "PUT"],
            headers=["X-Key"],
            credentials=True,
            expose=["X-Total"],
            max_age=60,
        )
    )
    ended: list[str] = []
    # Other processes and other tests have their own.
    app.mount("/mounted", mounted)

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/own")
    def own() -> Response:
        return Response("own", headers={"Access-Control-Allow-Origin": "*", "Vary": "Origin"})

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one "
            await asyncio.sleep(0)
            yield b"two"

        return StreamingResponse(parts())

    @app.get("/fails", blocking=False)
    def fails() -> None:
        raise RuntimeError("on purpose")

    @app.get("/refused", dependencies=[Depends(refuse)])
    async def refused() -> None: ...

    @app.route("/often", ["GET", "PUT"], rate="2/h")
    async def often(name: int = 0) -> int:
        return name

    @app.post("/body", rate=tercel.Rate(2, per=3600))
    async def body(value: Annotated[list[int], tercel.Body()]) -> list[int]:
        return value

    @app.get("/burst", rate=tercel.Rate(1, per=0.05, burst=3))
    async def burst() -> str:
        return "burst"

    @app.get("/keyed", rate=tercel.Rate(1, per=3600, by="X-Key"))
    async def keyed() -> str:
        return "keyed"

    @app.get("/slow", timeout=0.05)
    async def too_slow(seconds: float = 30) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "in time"

    @app.get("/slow-dependency", timeout=0.05)
    async def waits(one: int = Depends(slow)) -> int:
        return one

    @app.get("/own-timeout", timeout=20)
    async def own_timeout() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(30)
        except TimeoutError:
            return "mine"
        return "none"

    @app.get("/raises-timeout", timeout=20)
    async def raises_timeout() -> None:
        raise TimeoutError("of a database")

    @app.get("/thread", timeout=0.05)
    def thread() -> str:
        time.sleep(0.3)
        ended.append("thread")
        return "too late"

    @app.get("/slow-stream", timeout=0.1)
    async def slow_stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            await asyncio.sleep(0.3)
            yield b"late, and whole"

        return StreamingResponse(parts())

    @app.get("/ended")
    async def what_ended() -> list[str]:
        return ended

    return app


app = make()
hooked = make()


@hooked.on_request
def look(request: tercel.Request) -> None:
    request.state["seen"] = True
