"""FastAPI. Source of the routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request, Response, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    print("started", flush=True)
    yield {"condition": "ready"}
    print("stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def mark(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["x-middleware"] = "seen"
    return response


@app.get("/json")
async def json(response: Response) -> dict[str, str]:
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return {"message": "hello"}


@app.get("/items/{name}")
async def item(name: str, q: str) -> dict[str, str]:
    return {"name": name, "q": q}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        for number in range(20):
            yield f"part {number}\n"
            await asyncio.sleep(0.001)

    return StreamingResponse(parts(), media_type="text/plain")


@app.post("/raw")
async def raw(request: Request) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    async for part in request.stream():
        digest.update(part)
        size += len(part)
    return {"size": size, "sha": digest.hexdigest()}


@app.post("/upload")
async def upload(file: UploadFile) -> dict[str, Any]:
    data = await file.read()
    sha = hashlib.sha256(data).hexdigest()
    return {"filename": file.filename, "size": len(data), "sha": sha}


@app.get("/raise")
async def fail() -> None:
    raise RuntimeError("nobody handles this")


@app.get("/background", response_class=PlainTextResponse)
async def background(tasks: BackgroundTasks) -> str:
    async def work() -> None:
        await asyncio.sleep(0.1)
        print("background done", flush=True)

    tasks.add_task(work)
    return "accepted"


@app.get("/state", response_class=PlainTextResponse)
async def state(request: Request) -> str:
    return str(request.state.condition)
