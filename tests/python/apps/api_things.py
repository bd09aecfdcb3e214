"""An API with one of everything that tercel.App takes and answers."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import decimal
import enum
import threading
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, NewType, TypedDict

import msgspec
import pydantic

import tercel
from tercel import Body, Cookie, Header, Query

current_user: contextvars.ContextVar[str] = contextvars.ContextVar("current_user", default="nobody")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Thing(msgspec.Struct):
    name: str
    price: Annotated[float, msgspec.Meta(gt=0)]
    tags: list[str] = []
    made: datetime.date | None = None


@dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    left: int
    right: str


class Options(TypedDict):
    deep: bool


app = tercel.App(title="Things", version="1.0")


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/things/{thing_id}")
async def get_thing(
    thing_id: int,
    verbose: bool = False,
    limit: float = 1.5,
    tags: Annotated[list[str], Query(separator=",")] = [],  # noqa: B006
    token: Annotated[str | None, Header("X-Token")] = None,
    session: Annotated[str, Cookie()] = "none",
) -> dict[str, Any]:
    return {
        "thing_id": thing_id,
        "verbose": verbose,
        "limit": limit,
        "tags": tags,
        "token": token,
        "session": session,
    }


@app.post("/things", status=201)
async def make_thing(thing: Thing) -> Thing:
    return thing


@app.put("/points/{name}")
async def put_point(name: str, point: Point, dry: bool = False) -> dict[str, Any]:
    return {"name": name, "x": point.x, "y": point.y, "dry": dry, "type": type(point).__name__}


@app.post("/pairs")
async def pairs(pairs: list[Pair]) -> int:
    return sum(pair.left for pair in pairs)


@app.post("/options")
async def options(options: Options) -> Options:
    return options


@app.post("/anything")
async def anything(anything: Annotated[Any, Body()]) -> Any:
    return anything


@app.post("/maybe")
async def maybe(thing: Thing | None = None) -> str:
    return "none" if thing is None else thing.name


class Model(pydantic.BaseModel):
    name: str
    tags: list[str] = []
    seen: bool = False

    @pydantic.field_validator("name")
    @classmethod
    def is_nobody_in_particular(cls, name: str) -> str:
        if name == "root":
            raise ValueError("somebody else, please")
        return name


@app.post("/model")
async def model(model: Model) -> Model:
    model.seen = True
    return model


@app.post("/raw")
async def raw(content: Annotated[bytes, Body(bytes_max=100)]) -> bytes:
    return content[::-1]


@app.get("/typed/{key}/{color}")
async def typed(
    key: uuid.UUID,
    color: Color,
    day: datetime.date,
    count: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1,
) -> list[str]:
    values = (key, color, day, count)
    return [f"{type(value).__name__} {value}" for value in values]


@app.get("/request")
async def request(request: tercel.Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "agent": request.header("User-Agent"),
        "repeated": [value for name, value in request.headers if name == "x-repeated"],
    }


@app.get("/files/{rest:path}")
async def files(rest: str) -> str:
    return rest


@app.get("/thread")
def on_thread() -> bool:
    return threading.current_thread() is not threading.main_thread()


@app.get("/inline", blocking=False)
def inline() -> bool:
    return threading.current_thread() is threading.main_thread()


@app.get("/context/{user}")
async def context(user: str) -> str:
    before = current_user.get()
    current_user.set(user)
    await asyncio.sleep(0.001)
    return f"{before} {current_user.get()}"


@app.get("/inline-context/{user}", blocking=False)
def inline_context(user: str) -> str:
    before = current_user.get()
    current_user.set(user)
    return f"{before} {current_user.get()}"


@app.get("/task")
async def task() -> bool:
    name = asyncio.current_task().get_name()  # type: ignore[union-attr]
    async with asyncio.timeout(5):
        await asyncio.sleep(0.001)
    return asyncio.current_task().get_name() == name  # type: ignore[union-attr]


@app.get("/response")
async def response() -> tercel.Response:
    headers = [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    return tercel.Response("made", status=202, media_type="text/html", headers=headers)


@app.delete("/nothing", status=204)
async def nothing() -> None:
    return None


@app.get("/text")
async def text() -> str:
    return "Zürich"


@app.get("/large")
async def large() -> bytes:
    return b"x" * 1_000_000


class OutOfStock(Exception):
    pass


class OnOrder(OutOfStock):
    pass


@app.error_handler(OutOfStock)
def out_of_stock(error: Exception) -> tercel.Response:
    return tercel.Response(type(error).__name__, status=409)


@app.error_handler(ZeroDivisionError)
def divided(error: Exception) -> dict[str, str]:
    return {"error": str(error)}


@app.get("/raise/{what}")
async def raises(what: str) -> None:
    await asyncio.sleep(0)
    match what:
        case "stock":
            raise OutOfStock
        case "order":
            raise OnOrder
        case "zero":
            print(1 // 0)
        case "http":
            raise tercel.HTTPError(418, "Short and stout.", headers={"x-pot": "tea"})
        case "unknown":
            raise RuntimeError("the secret")
        case "cancelled":
            raise asyncio.CancelledError
    raise AssertionError(what)


@app.get("/raise-inline", blocking=False)
def raises_inline() -> None:
    raise tercel.HTTPError(403)


@app.get("/unencodable")
async def unencodable() -> Any:
    return object()


@app.get("/bad-header")
async def bad_header() -> tercel.Response:
    return tercel.Response("x", headers={"bad name": "x"})


@app.get("/numbers")
async def numbers(count: int = 3) -> tercel.StreamingResponse:
    async def made() -> AsyncIterator[str]:
        for number in range(count):
            await asyncio.sleep(0)
            yield f"{number}\n"

    return tercel.StreamingResponse(
        made(), media_type="text/plain", headers={"x-count": str(count)}
    )


@app.get("/numbers-inline", blocking=False)
def numbers_inline() -> tercel.StreamingResponse:
    return tercel.StreamingResponse(
        str(threading.current_thread() is threading.main_thread()) for _ in range(2)
    )


closed = asyncio.Event()


@app.get("/endless")
async def endless() -> tercel.StreamingResponse:
    async def made() -> AsyncIterator[bytes]:
        closed.clear()
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    return tercel.StreamingResponse(made())


@app.get("/closed")
async def is_closed() -> bool:
    async with asyncio.timeout(5):
        await closed.wait()
    return True


@app.get("/breaks/{after}")
async def breaks(after: int) -> tercel.StreamingResponse:
    async def made() -> AsyncIterator[str]:
        for _ in range(after):
            yield "part"
        raise RuntimeError("broken")

    return tercel.StreamingResponse(made())


@app.get("/events")
async def events(count: int = 3, pause: float = 0) -> tercel.EventStream:
    async def made() -> AsyncIterator[Any]:
        closed.clear()
        try:
            yield tercel.Event("two\nlines", event="hello", id="1", retry_ms=100)
            for number in range(count):
                await asyncio.sleep(pause)
                yield {"number": number}
        finally:
            closed.set()

    return tercel.EventStream(made(), keep_alive=0.05)


UserId = NewType("UserId", int)


@app.get("/newtype")
async def newtype(user: UserId, others: Annotated[set[int], Query()] = frozenset()) -> list[int]:  # type: ignore[assignment]
    return [user, *sorted(others)]


@app.get("/events-that/{what}")
async def events_that(what: str) -> tercel.EventStream:
    async def made() -> AsyncIterator[Any]:
        token = current_user.set("inside")
        yield current_user.get()
        async with asyncio.timeout(0.05 if what == "time-out" else 5):
            if what == "raise":
                raise RuntimeError("broken")
            await asyncio.sleep(0.2)
        yield current_user.get()
        current_user.reset(token)
        yield None

    return tercel.EventStream(made(), keep_alive=5)


@app.post("/nested")
async def nested(body: dict[str, dict[str, int]]) -> int:
    return len(body)


@app.post("/list")
async def listed(body: Annotated[list, Body()]) -> int:  # type: ignore[type-arg]
    return len(body)


@app.get("/float-list")
async def float_list(x: list[float]) -> list[float]:
    return x


class Markup(str):
    pass


@app.get("/markup")
async def markup() -> str:
    return Markup("<b>")


@app.get("/defaults")
async def defaults(tags: list[str] = []) -> list[str]:  # noqa: B006
    tags.append("x")
    return tags


@app.get("/header-list")
async def header_list(
    numbers: Annotated[list[int], Header("X-Numbers", separator=",")],
) -> list[int]:
    return numbers


class Odd(msgspec.Struct):
    took: datetime.timedelta
    amount: decimal.Decimal
    parts: set[int]


@app.post("/odd")
async def odd(odd: Odd) -> Odd:
    return odd


@app.post("/request-body")
async def request_body(request: tercel.Request) -> bytes:
    return request.body
