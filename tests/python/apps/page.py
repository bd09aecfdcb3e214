"""A page that uses its server: a stylesheet, a script, JSON, a stream and an upload."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

app = FastAPI()

PAGE = """<!doctype html>
<meta charset="utf-8">
<link rel="stylesheet" href="/style.css">
<p>It runs.</p>
<script src="/script.js"></script>
"""

SCRIPT = """
async function main() {
  const json = await (await fetch("/json")).json();
  const reader = (await fetch("/stream")).body.getReader();
  let text = "";
  for (let part; !(part = await reader.read()).done;) text += new TextDecoder().decode(part.value);
  const body = new Uint8Array(100000);
  const size = await (await fetch("/upload", {method: "POST", body})).text();
  const padding = getComputedStyle(document.querySelector("p")).paddingTop;
  const lines = text.trim().split("\\n").length;
  const report = [json.message, lines + " lines", size + " bytes", padding].join(", ");
  await fetch("/report", {method: "POST", body: report});
}
main();
"""


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.get("/style.css")
async def style() -> Response:
    return Response("p { padding: 7px }", media_type="text/css")


@app.get("/script.js")
async def script() -> Response:
    return Response(SCRIPT, media_type="text/javascript")


@app.get("/json")
async def json() -> dict[str, str]:
    return {"message": "hello from FastAPI"}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(20):
            yield f"line {number}\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines(), media_type="text/plain")


@app.post("/upload", response_class=PlainTextResponse)
async def upload(request: Request) -> str:
    size = 0
    async for part in request.stream():
        size += len(part)
    return str(size)


@app.post("/report")
async def report(request: Request) -> None:
    """Takes what the script found, and prints it."""
    print("browser:", (await request.body()).decode(), flush=True)
