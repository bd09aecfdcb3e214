"""Two pages that use their server: one has a stylesheet, a script, JSON, a stream and an upload;
the other an event stream and a WebSocket, and tells which version of HTTP it fetched with. A third
one asks other servers, the `open` one and the `closed` one of its query.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket
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

LIVE = """<!doctype html>
<meta charset="utf-8">
<p>It lives.</p>
<script>
async function main() {
  const json = await (await fetch("/json")).json();
  const entry = performance.getEntriesByType("resource").find((one) => one.name.endsWith("/json"));
  const events = await new Promise((resolve) => {
    const seen = [];
    const source = new EventSource("/events");
    source.onmessage = (event) => {
      seen.push(event.data);
      if (seen.length === 5) { source.close(); resolve(seen.join("")); }
    };
  });
  const echoed = await new Promise((resolve) => {
    const seen = [];
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { socket.send("text"); socket.send(new Uint8Array(70000)); };
    socket.onmessage = ({data}) => {
      seen.push(typeof data === "string" ? data : data.byteLength);
      if (seen.length === 2) socket.close(4001, "done");
    };
    socket.onclose = ({code, wasClean}) => resolve([...seen, code, wasClean].join(" "));
  });
  const report = [json.message, entry.nextHopProtocol, events, echoed].join(", ");
  await fetch("/report", {method: "POST", body: report});
}
main();
</script>
"""


CROSS = """<!doctype html>
<meta charset="utf-8">
<p>It asks others.</p>
<script>
async function ask(url, options) {
  try {
    const answer = await fetch(url, options);
    return answer.status + " " + await answer.text() + " " + answer.headers.get("x-total");
  } catch (error) {
    return "refused";
  }
}
async function main() {
  const query = new URLSearchParams(location.search);
  const open = query.get("open") + "/other", closed = query.get("closed") + "/other";
  const report = [
    await ask(open),
    await ask(open, {credentials: "include"}),
    await ask(open, {method: "PUT", headers: {"X-Key": "1"}}),
    await ask(open, {headers: {"X-Other": "1"}}),
    await ask(open, {method: "DELETE"}),
    await ask(query.get("open") + "/none"),
    await ask(closed),
  ].join(", ");
  await fetch("/report", {method: "POST", body: report});
}
main();
</script>
"""


@app.get("/cross", response_class=HTMLResponse)
async def cross() -> str:
    return CROSS


@app.api_route("/other", methods=["GET", "PUT", "DELETE"], response_class=PlainTextResponse)
async def other(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.method, headers={"X-Total": "7"})


@app.get("/live", response_class=HTMLResponse)
async def live() -> str:
    return LIVE


@app.get("/events")
async def events() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(5):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.websocket("/socket")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    while (message := await socket.receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await socket.send_text(message["text"])
        else:
            await socket.send_bytes(message["bytes"])


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
