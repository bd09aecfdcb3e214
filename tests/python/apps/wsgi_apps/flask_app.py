"""Flask. Routes: wsgi_apps/__init__.py."""

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, jsonify, request, send_file

app = Flask(__name__)


@app.after_request
def mark(response: Response) -> Response:
    response.headers["x-middleware"] = "seen"
    return response


@app.get("/json")
def json() -> Response:
    response = jsonify(message="hello")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@app.get("/items/<name>")
def item(name: str) -> dict[str, Any]:
    return {"name": name, "q": request.args["q"]}


@app.get("/stream")
def stream() -> Response:
    def parts() -> Iterator[str]:
        for number in range(20):
            yield f"part {number}\n"

    return Response(parts(), mimetype="text/plain")


@app.get("/file")
def file() -> Response:
    return send_file(os.environ["WSGI_FILE"], mimetype="application/octet-stream")


@app.post("/raw")
def raw() -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    # get_data() calls read() without a size, which wsgiref's checks do not allow.
    while part := request.stream.read(65536):
        digest.update(part)
        size += len(part)
    return {"size": size, "sha": digest.hexdigest()}


@app.post("/upload")
def upload() -> dict[str, Any]:
    sent = request.files["file"]
    data = sent.read()
    sha = hashlib.sha256(data).hexdigest()
    return {"filename": sent.filename, "size": len(data), "sha": sha}


@app.get("/raise")
def fail() -> str:
    raise RuntimeError("nobody handles this")


@app.get("/log")
def log() -> str:
    app.logger.error("a line of the log")
    return "logged"
