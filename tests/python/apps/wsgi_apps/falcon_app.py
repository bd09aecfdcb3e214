"""Falcon. Routes: wsgi_apps/__init__.py."""

import hashlib
import os
from collections.abc import Iterator
from typing import Any

import falcon
from falcon import Request, Response


class Mark:
    def process_response(
        self, req: Request, resp: Response, resource: Any, req_succeeded: bool
    ) -> None:
        resp.set_header("x-middleware", "seen")


class Json:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.media = {"message": "hello"}
        resp.set_cookie("a", "1", secure=False)
        resp.set_cookie("b", "2", secure=False)


class Item:
    def on_get(self, req: Request, resp: Response, name: str) -> None:
        resp.media = {"name": name, "q": req.get_param("q")}


class Stream:
    def on_get(self, req: Request, resp: Response) -> None:
        def parts() -> Iterator[bytes]:
            for number in range(20):
                yield f"part {number}\n".encode()

        resp.content_type = "text/plain"
        resp.stream = parts()


class File:
    def on_get(self, req: Request, resp: Response) -> None:
        path = os.environ["WSGI_FILE"]
        resp.content_type = "application/octet-stream"
        # Falcon wraps it with wsgi.file_wrapper, and the server closes it.
        resp.set_stream(open(path, "rb"), os.path.getsize(path))  # noqa: SIM115


class Raw:
    def on_post(self, req: Request, resp: Response) -> None:
        digest, size = hashlib.sha256(), 0
        while part := req.stream.read(65536):
            digest.update(part)
            size += len(part)
        resp.media = {"size": size, "sha": digest.hexdigest()}


class Upload:
    def on_post(self, req: Request, resp: Response) -> None:
        for part in req.get_media():
            if part.name == "file":
                data = part.stream.read()
                sha = hashlib.sha256(data).hexdigest()
                resp.media = {"filename": part.filename, "size": len(data), "sha": sha}


class Raise:
    def on_get(self, req: Request, resp: Response) -> None:
        raise RuntimeError("nobody handles this")


class Log:
    def on_get(self, req: Request, resp: Response) -> None:
        req.log_error("a line of the log")
        resp.content_type = "text/plain"
        resp.text = "logged"


app = falcon.App(middleware=[Mark()])
app.req_options.media_handlers[falcon.MEDIA_MULTIPART].parse_options.max_body_part_buffer_size = (
    16 * 1024 * 1024
)
for route, resource in {
    "/json": Json(),
    "/items/{name}": Item(),
    "/stream": Stream(),
    "/file": File(),
    "/raw": Raw(),
    "/upload": Upload(),
    "/raise": Raise(),
    "/log": Log(),
}.items():
    app.add_route(route, resource)
