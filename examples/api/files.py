"""A folder of files, files that functions answer with, and an answer that a client may have.

tercel serve files:app --app-dir examples/api
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

import tercel
from tercel import HTTPError

HERE = Path(__file__).parent
# [static]
app = tercel.App(title="Reports")
app.static("/site", HERE / "site", headers={"cache-control": "max-age=3600"})
# [/static]
prices = {"lamp": 12.0, "chair": 50.0}


# [file]
@app.get("/reports/{year:int}")
def report(year: int) -> tercel.FileResponse:
    return tercel.FileResponse(HERE / "reports" / f"{year}.csv", filename=f"Report {year}.csv")


@app.get("/raw/{name}")
def raw(name: str) -> tercel.FileResponse:
    return tercel.FileResponse(name, folder=HERE / "reports")


@app.error_handler(FileNotFoundError)
def no_such_file(error: FileNotFoundError) -> tercel.Response:
    return HTTPError(404).response()


# [/file]


# [etag]
@app.get("/prices")
async def all_prices() -> tercel.Response:
    body = msgspec.json.encode(prices)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return tercel.Response(body, media_type="application/json", headers={"etag": etag})


# [/etag]
