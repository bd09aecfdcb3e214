"""An API whose handlers answer with files of the folder $API_FILES, and which serves it.

`app` has no hooks; `hooked` has one, so all of its requests go through Python.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import tercel
from tercel import BackgroundTasks, FileResponse, HTTPError, Response

FOLDER = Path(os.environ.get("API_FILES", "."))
done: list[str] = []


def add_routes(app: tercel.App) -> None:
    @app.get("/thread/{name}")
    def on_thread(name: str) -> FileResponse:
        return FileResponse(FOLDER / name)

    @app.get("/inline/{name}", blocking=False)
    def inline(name: str) -> FileResponse:
        return FileResponse(FOLDER / name)

    @app.get("/task/{name}")
    async def in_task(name: str) -> FileResponse:
        return FileResponse(str(FOLDER / name))

    @app.get("/beneath/{name}")
    async def beneath(name: str) -> FileResponse:
        return FileResponse(name, folder=FOLDER)

    @app.error_handler(FileNotFoundError)
    def not_found(error: FileNotFoundError) -> Response:
        return HTTPError(500, "not found").response()

    @app.get("/download/{name}")
    async def download(name: str) -> FileResponse:
        return FileResponse(
            FOLDER / name,
            media_type="application/x-data",
            filename="Zahlen für Ü.bin",
            headers=[("cache-control", "private"), ("x-more", "1"), ("x-more", "2")],
        )

    @app.get("/error/{name}")
    async def as_error(name: str) -> FileResponse:
        return FileResponse(FOLDER / name, status=503)

    @app.post("/task/{name}")
    async def posted(name: str) -> FileResponse:
        return FileResponse(FOLDER / name)

    @app.get("/gone")
    async def gone() -> FileResponse:
        path = FOLDER / "gone.txt"
        path.write_text("still here")
        response = FileResponse(path)
        path.unlink()
        return response

    @app.get("/checked/{name}", validate_response=True)
    async def checked(name: str) -> FileResponse | dict[str, int]:
        return FileResponse(FOLDER / name) if name == "data.bin" else {name: 1}

    class Refused(Exception):
        pass

    @app.error_handler(Refused)
    async def refused(error: Refused) -> FileResponse:
        return FileResponse(FOLDER / "index.html", status=403)

    @app.get("/refused")
    async def refuse() -> None:
        raise Refused

    @app.get("/followed/{name}")
    async def followed(name: str, background: BackgroundTasks) -> FileResponse:
        background.add(done.append, name)
        return FileResponse(FOLDER / name)

    @app.get("/done")
    async def what_is_done() -> list[str]:
        return done

    @app.get("/tagged", blocking=False)
    def tagged() -> Response:
        return Response("body", headers={"ETag": 'W/"1"', "x-more": "1"})

    @app.get("/dated")
    async def dated() -> Response:
        date = "Tue, 14 Nov 2023 22:13:20 GMT"
        return Response("body", media_type="text/plain", headers={"last-modified": date})

    @app.get("/created")
    async def created() -> Response:
        return Response("body", status=201, headers={"etag": '"1"'})

    @app.get("/plain")
    async def plain() -> dict[str, int]:
        return {"a": 1}

    @app.get("/bad")
    async def bad() -> FileResponse:
        return FileResponse(FOLDER / "data.bin", headers={"bad name": "x"})

    @app.error_handler(IsADirectoryError)
    def is_folder(error: IsADirectoryError) -> Response:
        return HTTPError(404, "That is a folder.").response()

    @app.get("/static/route.txt")
    async def route() -> str:
        return "of a route"

    app.static("/static", FOLDER, headers={"cache-control": "max-age=60"})
    app.static("/bare", FOLDER, index=False)

    @app.sink("/static/sunk")
    async def sink(request: Any) -> FileResponse:
        return FileResponse(FOLDER / "index.html")


app = tercel.App()
add_routes(app)

without_sinks = tercel.App()
without_sinks.static("/", FOLDER)

hooked = tercel.App()
add_routes(hooked)


@hooked.on_response
async def note(request: Any, response: Any, succeeded: bool) -> None:
    response.headers.append(("x-status", str(response.status)))
