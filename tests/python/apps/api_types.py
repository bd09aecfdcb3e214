"""An API of many types: each function returns what it was given."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec

import tercel
from tercel import Cookie, Header, Query


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Cat(msgspec.Struct, tag="cat"):
    lives: Annotated[int, msgspec.Meta(ge=0, le=9)] = 9


class Dog(msgspec.Struct, tag="dog", forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern="^[A-Z]", max_length=8)]


class Node(msgspec.Struct, rename="camel"):
    a_value: float | int | None = None
    children: list[Node] = []
    by_name: dict[str, Node] = {}


class Array(msgspec.Struct, array_like=True):
    a: int
    b: str = ""


class Partial(TypedDict):
    a: int
    b: NotRequired[list[bool]]


@dataclass
class Everything:
    when: datetime.datetime
    day: datetime.date
    time: datetime.time
    span: datetime.timedelta
    key: uuid.UUID
    amount: decimal.Decimal
    level: Level
    kind: Literal["a", 1, None]
    raw: bytes
    members: set[int]
    pair: tuple[int, str]
    more: tuple[float, ...]
    pet: Cat | Dog
    partial: Partial
    rows: list[Array]
    unset: int | msgspec.UnsetType = msgspec.UNSET
    default: list[int] = field(default_factory=list)


app = tercel.App(title="Types")


@app.post("/everything")
async def everything(value: Everything) -> Everything:
    return value


@app.post("/node")
async def node(value: Node) -> Node:
    return value


@app.post("/pets")
async def pets(value: dict[str, Cat | Dog]) -> dict[str, Cat | Dog]:
    return value


@app.post("/numbers")
async def numbers(value: dict[int, float]) -> dict[int, float]:
    return value


@app.get("/query")
async def query(
    level: Level,
    when: datetime.datetime | None = None,
    time: datetime.time | None = None,
    span: datetime.timedelta | None = None,
    amount: decimal.Decimal = decimal.Decimal("1.5"),
    one: Literal[1, 2] = 1,
    several: Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(max_length=3)] = [],  # noqa: B006
    members: set[str] = set(),  # noqa: B006
    levels: Annotated[list[Level], Query(separator="|")] = [],  # noqa: B006
    words: Annotated[tuple[str, ...], Query(separator=" ")] = (),
    flag: bool | None = None,
    ratio: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5,
    code: Annotated[str, msgspec.Meta(pattern="^[a-z]{2}$")] = "ab",
    step: Annotated[int, msgspec.Meta(multiple_of=5)] = 0,
) -> dict[str, Any]:
    return {
        "level": level,
        "when": when,
        "time": time,
        "span": span,
        "amount": amount,
        "one": one,
        "several": several,
        "members": members,
        "levels": levels,
        "words": words,
        "flag": flag,
        "ratio": ratio,
        "code": code,
        "step": step,
    }


@app.get("/head")
async def head(
    x_level: Annotated[Level, Header()],
    x_many: Annotated[list[int], Header(separator=",")] = [],  # noqa: B006
    x_each: Annotated[list[str], Header()] = [],  # noqa: B006
    x_key: Annotated[uuid.UUID | None, Header()] = None,
    sid: Annotated[str, Cookie()] = "",
    number: Annotated[Annotated[int, msgspec.Meta(ge=1)], Cookie()] = 1,
) -> list[Any]:
    return [x_level, x_many, x_each, x_key, sid, number]


@app.get("/path/{n:int(min=1, max=99)}/{ratio}/{key:uuid}/{day:date}/{level}.{kind}")
async def path(
    n: int, ratio: float, key: str, day: datetime.date, level: Level, kind: Literal["a", "b"]
) -> str:
    return f"{n} {ratio} {key} {day} {level} {kind}"


@app.put("/text/{rest:path}", status=202)
async def text(rest: str, value: str) -> str:
    return rest + value


@app.post("/union")
async def union(value: int | list[str] | Cat) -> int | list[str] | Cat:
    return value


@app.get("/maybe")
async def maybe(n: int) -> str | int | None:
    return None if n == 0 else n if n > 0 else "negative"
