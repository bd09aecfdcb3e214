"""Bottle. Routes: wsgi_apps/__init__.py."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bottle import Bottle, request, response, static_file

app = Bottle()


@app.hook("after_request")
def mark() -> None:
    response.headers["x-middleware"] = "seen"


@app.get("/json")
def json() -> dict[str, Any]:
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return {"message": "hello"}


@app.get("/items/<name>")
def item(name: str) -> dict[str, Any]:
    return {"name": name, "q": request.query.getunicode("q")}


@app.get("/stream")
def stream() -> Iterator[str]:
    response.content_type = "text/plain"
    for number in range(20):
        yield f"part {number}\n"


@app.get("/file")
def file() -> Any:
    path = Path(os.environ["WSGI_FILE"])
    return static_file(path.name, root=str(path.parent), mimetype="application/octet-stream")


@app.post("/raw")
def raw() -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    body = request.body  # At its start, each time that it is asked for.
    while part := body.read(65536):
        digest.update(part)
        size += len(part)
    return {"size": size, "sha": digest.hexdigest()}


@app.post("/upload")
def upload() -> dict[str, Any]:
    sent = request.files.get("file")
    data = sent.file.read()
    sha = hashlib.sha256(data).hexdigest()
    return {"filename": sent.raw_filename, "size": len(data), "sha": sha}


@app.get("/raise")
def fail() -> str:
    raise RuntimeError("nobody handles this")


@app.get("/log")
def log() -> str:
    request.environ["wsgi.errors"].write("a line of the log\n")
    return "logged"
