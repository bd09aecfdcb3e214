"""Litestar. Source of the routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from litestar import Litestar, Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    app.state.condition = "ready"
    print("started", flush=True)
    yield
    print("stopped", flush=True)


async def mark(response: Response[Any]) -> Response[Any]:
    response.headers["x-middleware"] = "seen"
    return response


@get("/json")
async def json() -> Response[dict[str, str]]:
    cookies = [Cookie(key="a", value="1"), Cookie(key="b", value="2")]
    return Response({"message": "hello"}, cookies=cookies)


@get("/items/{name:str}")
async def item(name: str, q: str) -> dict[str, str]:
    return {"name": name, "q": q}


@get("/stream")
async def stream() -> Stream:
    async def parts() -> AsyncIterator[str]:
        for number in range(20):
            yield f"part {number}\n"
            await asyncio.sleep(0.001)

    return Stream(parts(), media_type="text/plain")


@post("/raw", status_code=200, request_max_body_size=None)
async def raw(request: Request[Any, Any, Any]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    async for part in request.stream():
        digest.update(part)
        size += len(part)
    return {"size": size, "sha": digest.hexdigest()}


@post("/upload", status_code=200)
async def upload(
    data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, Any]:
    file = data["file"]
    content = await file.read()
    sha = hashlib.sha256(content).hexdigest()
    return {"filename": file.filename, "size": len(content), "sha": sha}


@get("/raise")
async def fail() -> None:
    raise RuntimeError("nobody handles this")


@get("/background")
async def background() -> Response[str]:
    async def work() -> None:
        await asyncio.sleep(0.1)
        print("background done", flush=True)

    return Response("accepted", background=BackgroundTask(work), media_type="text/plain")


@get("/state", media_type="text/plain")
async def state(state: State) -> str:
    return str(state.condition)


app = Litestar(
    route_handlers=[json, item, stream, raw, upload, fail, background, state],
    lifespan=[lifespan],
    after_request=mark,
    logging_config=None,  # Else importing this takes over the root logger, for all tests behind it.
)
