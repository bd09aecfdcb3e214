"""Falcon. Source of the routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import falcon.asgi
from falcon.asgi import Request, Response


class Mark:
    condition = "none"

    async def process_startup(self, scope: Any, event: Any) -> None:
        Mark.condition = "ready"
        print("started", flush=True)

    async def process_shutdown(self, scope: Any, event: Any) -> None:
        print("stopped", flush=True)

    async def process_response(
        self, req: Request, resp: Response, resource: Any, req_succeeded: bool
    ) -> None:
        resp.set_header("x-middleware", "seen")


class Json:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.media = {"message": "hello"}
        resp.set_cookie("a", "1", secure=False)
        resp.set_cookie("b", "2", secure=False)


class Item:
    async def on_get(self, req: Request, resp: Response, name: str) -> None:
        resp.media = {"name": name, "q": req.get_param("q")}


class Stream:
    async def on_get(self, req: Request, resp: Response) -> None:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(20):
                yield f"part {number}\n".encode()
                await asyncio.sleep(0.001)

        resp.content_type = "text/plain"
        resp.stream = parts()


class Raw:
    async def on_post(self, req: Request, resp: Response) -> None:
        digest, size = hashlib.sha256(), 0
        async for part in req.stream:
            digest.update(part)
            size += len(part)
        resp.media = {"size": size, "sha": digest.hexdigest()}


class Upload:
    async def on_post(self, req: Request, resp: Response) -> None:
        async for part in await req.get_media():
            if part.name == "file":
                data = await part.stream.read()
                sha = hashlib.sha256(data).hexdigest()
                resp.media = {"filename": part.filename, "size": len(data), "sha": sha}


class Raise:
    async def on_get(self, req: Request, resp: Response) -> None:
        raise RuntimeError("nobody handles this")


class Background:
    async def on_get(self, req: Request, resp: Response) -> None:
        async def work() -> None:
            await asyncio.sleep(0.1)
            print("background done", flush=True)

        resp.schedule(work)
        resp.content_type = "text/plain"
        resp.text = "accepted"


class State:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = "text/plain"
        resp.text = Mark.condition


app = falcon.asgi.App(middleware=[Mark()])
app.req_options.media_handlers[falcon.MEDIA_MULTIPART].parse_options.max_body_part_buffer_size = (
    16 * 1024 * 1024
)
for route, resource in {
    "/json": Json(),
    "/items/{name}": Item(),
    "/stream": Stream(),
    "/raw": Raw(),
    "/upload": Upload(),
    "/raise": Raise(),
    "/background": Background(),
    "/state": State(),
}.items():
    app.add_route(route, resource)
