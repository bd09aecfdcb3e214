"""Quart. Source of the routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, jsonify, request

app = Quart(__name__)
app.config["MAX_CONTENT_LENGTH"] = None
condition = "none"


@app.before_serving
async def started() -> None:
    global condition
    condition = "ready"
    print("started", flush=True)


@app.after_serving
async def stopped() -> None:
    print("stopped", flush=True)


@app.after_request
async def mark(response: Any) -> Any:
    response.headers["x-middleware"] = "seen"
    return response


@app.get("/json")
async def json() -> Response:
    response = jsonify({"message": "hello"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@app.get("/items/<name>")
async def item(name: str) -> dict[str, str]:
    return {"name": name, "q": request.args["q"]}


@app.get("/stream")
async def stream() -> Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(20):
            yield f"part {number}\n"
            await asyncio.sleep(0.001)

    return Response(parts(), mimetype="text/plain")


@app.post("/raw")
async def raw() -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    async for part in request.body:
        digest.update(part)
        size += len(part)
    return {"size": size, "sha": digest.hexdigest()}


@app.post("/upload")
async def upload() -> dict[str, Any]:
    file = (await request.files)["file"]
    data = file.read()
    sha = hashlib.sha256(data).hexdigest()
    return {"filename": file.filename, "size": len(data), "sha": sha}


@app.get("/raise")
async def fail() -> str:
    raise RuntimeError("nobody handles this")


@app.get("/background")
async def background() -> str:
    async def work() -> None:
        await asyncio.sleep(0.1)
        print("background done", flush=True)

    app.add_background_task(work)
    return "accepted"


@app.get("/state")
async def state() -> str:
    return condition
