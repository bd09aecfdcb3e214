"""Starlette. Source of the routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
    print("started", flush=True)
    yield {"condition": "ready"}
    print("stopped", flush=True)


class Mark:
    """A pure ASGI middleware: wraps send()."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-middleware", b"seen")]
            await send(message)

        await self.app(scope, receive, marked)


async def json(request: Request) -> Response:
    response = JSONResponse({"message": "hello"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def item(request: Request) -> Response:
    return JSONResponse({"name": request.path_params["name"], "q": request.query_params["q"]})


async def stream(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(20):
            yield f"part {number}\n"
            await asyncio.sleep(0.001)

    return StreamingResponse(parts(), media_type="text/plain")


async def raw(request: Request) -> Response:
    digest, size = hashlib.sha256(), 0
    async for part in request.stream():
        digest.update(part)
        size += len(part)
    return JSONResponse({"size": size, "sha": digest.hexdigest()})


async def upload(request: Request) -> Response:
    async with request.form() as form:
        file = form["file"]
        assert not isinstance(file, str)
        data = await file.read()
        sha = hashlib.sha256(data).hexdigest()
        return JSONResponse({"filename": file.filename, "size": len(data), "sha": sha})


async def fail(request: Request) -> Response:
    raise RuntimeError("nobody handles this")


async def background(request: Request) -> Response:
    async def work() -> None:
        await asyncio.sleep(0.1)
        print("background done", flush=True)

    return PlainTextResponse("accepted", background=BackgroundTask(work))


async def state(request: Request) -> Response:
    return PlainTextResponse(request.state.condition)


app = Starlette(
    lifespan=lifespan,
    middleware=[Middleware(Mark)],
    routes=[
        Route("/json", json),
        Route("/items/{name}", item),
        Route("/stream", stream),
        Route("/raw", raw, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/raise", fail),
        Route("/background", background),
        Route("/state", state),
    ],
)
