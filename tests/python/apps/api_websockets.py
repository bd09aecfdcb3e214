"""WebSockets of a tercel.App. `app` has no hooks; `hooked` has all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pydantic

import tercel
from tercel import (
    BackgroundTasks,
    Depends,
    Header,
    HTTPError,
    InvalidMessage,
    Query,
    Request,
    Response,
    WebSocket,
    WebSocketDisconnect,
)

log: list[str] = []


class Say(msgspec.Struct):
    text: Annotated[str, msgspec.Meta(min_length=1)]


class Model(pydantic.BaseModel):
    number: int = pydantic.Field(gt=3)


class Known(Exception):
    """Has an error handler."""


app = tercel.App()


@app.get("/log")
async def take_log() -> list[str]:
    taken = log.copy()
    log.clear()
    return taken


@app.error_handler(Known)
def answer_known(error: Known) -> Any:
    if error.args != ("stream",):
        return Response("known", status=418)

    async def events() -> AsyncIterator[str]:
        try:
            yield "no"
            await asyncio.sleep(0.02)
            yield "never"
        finally:
            log.append("events end")

    return tercel.EventStream(events())


async def visit(room: int) -> AsyncIterator[str]:
    log.append(f"enter {room}")
    try:
        yield f"visit to {room}"
    finally:
        log.append(f"leave {room}")


async def signed_in(key: Annotated[str, Header("X-Key")] = "") -> None:
    if key != "secret":
        raise HTTPError(401, "Who are you?", headers={"www-authenticate": "Key"})


@app.websocket("/rooms/{room}")
async def rooms(
    socket: WebSocket,
    room: int,
    visit: Annotated[str, Depends(visit)],
    times: Annotated[int, Query(ge=1)] = 1,
) -> None:
    async for say in socket.iter(Say):
        await socket.send({"room": room, "visit": visit, "text": say.text * times})


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    async for message in socket:
        await socket.send(message)
    log.append(f"{socket.close_code} {socket.close_reason}")


@app.websocket("/types/{kind}")
async def types(socket: WebSocket, kind: str) -> None:
    kinds: dict[str, Any] = {"str": str, "bytes": bytes, "json": Any, "model": Model}
    while True:
        try:
            await socket.send([repr(await socket.receive(kinds[kind]))])
        except InvalidMessage as invalid:
            await socket.send_json(invalid.errors)


@app.websocket("/text")
async def text(socket: WebSocket) -> None:
    await socket.receive_text()


@app.websocket("/agree")
async def agree(socket: WebSocket) -> None:
    chosen = "v2" if "v2" in socket.subprotocols else None
    await socket.accept(chosen, {"X-Made": "by hand"})
    await socket.send_json(f"{socket.subprotocol} of {socket.subprotocols}")


@app.websocket("/refuse/{how}")
async def refuse(socket: WebSocket, how: str) -> None:
    if how == "close":
        await socket.close()
    elif how == "error":
        raise HTTPError(409, "Not now.", headers={"x-why": "busy"})
    elif how in ("known", "stream"):
        raise Known(how)
    elif how == "unknown":
        raise LookupError("before it was accepted")


@app.websocket("/end/{how}")
async def end(socket: WebSocket, how: str) -> None:
    await socket.accept()
    if how == "code":
        await socket.close(4321, "that is why")
        await socket.close(1000)  # It stays as it is.
    elif how == "error":
        raise HTTPError(404, "There is none.")
    elif how == "long":
        raise HTTPError(404, "x" + "\N{SNOWMAN}" * 100)
    elif how == "known":
        raise Known
    elif how == "unknown":
        raise LookupError("after it was accepted")
    elif how == "other":
        # Of another WebSocket: this one has failed.
        raise WebSocketDisconnect(1000)


@app.websocket("/asked/{rest:path}")
async def asked(socket: WebSocket, request: Request, rest: str) -> None:
    assert request is socket.request
    await socket.send([request.method, request.path, request.query, request.route, rest])


@app.websocket("/work")
async def work(socket: WebSocket, background: BackgroundTasks) -> None:
    background.add(log.append, "worked")
    await socket.send("soon")
    await asyncio.sleep(0.05)
    assert "worked" not in log


@app.websocket("/mine", origins=["https://example.org", "http://localhost:8000"])
async def mine(socket: WebSocket) -> None:
    await socket.send("yours")


@app.get("/both/{name}")
async def both(name: str) -> str:
    return name


@app.websocket("/both/{number:int}")
async def both_of_them(socket: WebSocket, number: int) -> None:
    await socket.send([number])


private = tercel.Router(prefix="/private", dependencies=[Depends(signed_in)])


@private.websocket("/{name}")
async def private_room(socket: WebSocket, name: str) -> None:
    await socket.send(name)


app.include(private)
app.include(private, prefix="/v2")


async def mounted(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["root_path"]})


app.mount("/old", mounted)


hooked = tercel.App()
hooked.get("/log")(take_log)


@hooked.on_request
async def first(request: Request) -> Response | None:
    request.state["made"] = "by on_request"
    log.append(f"request {request.method} {request.path}")
    return Response("early", status=200) if request.path == "/early" else None


@hooked.pre_validation
def second(request: Request) -> str | None:
    log.append(f"valid {request.route}")
    return "invalid" if request.query == "stop" else None


@hooked.pre_handler
def third(request: Request, arguments: dict[str, Any]) -> dict[str, int] | None:
    if "name" not in arguments:
        return None
    log.append(f"handler {sorted(arguments)}")
    arguments["name"] = arguments["name"].upper()
    return {"stop": 1} if arguments["name"] == "STOP" else None


@hooked.on_error
def fourth(request: Request, error: Exception) -> None:
    log.append(f"error {error}")


@hooked.on_response
def fifth(request: Request, response: Response, succeeded: bool) -> None:
    log.append(f"response {response.status} {succeeded}")
    response.headers.append(("X-Hook", request.state["made"]))
    if request.query == "spoil":
        raise LookupError("spoilt")


@hooked.websocket("/rooms/{name}")
async def hooked_room(socket: WebSocket, name: str) -> None:
    if name == "NO":
        raise HTTPError(409)
    await socket.send([name, socket.request.state["made"]])
    await socket.receive(Say)


@hooked.websocket("/deep/{name}", dependencies=[Depends(signed_in)])
async def hooked_deep(socket: WebSocket, name: str) -> None:
    await socket.send(name)
