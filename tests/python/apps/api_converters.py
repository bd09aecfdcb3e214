"""An API with converters of its own."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

import tercel
from tercel import Depends, Path, WebSocket


class Slug:
    def __init__(self, longest: int = 10, *, upper: bool = False) -> None:
        self._longest, self._upper = longest, upper

    def convert(self, text: str) -> str | None:
        if len(text) > self._longest or not re.fullmatch(r"[a-zé-]+", text):
            return None
        return text.upper() if self._upper else text


class Ratio:
    def convert(self, text: str) -> Fraction:
        return Fraction(text.replace(":", "/"))  # ValueError


class Broken:
    def convert(self, text: str) -> str:
        raise RuntimeError("the converter is broken")


app = tercel.App()
app.add_converter("slug", Slug)
app.add_converter("ratio", Ratio)
app.add_converter("broken", Broken)


@app.get("/posts/{name:slug}")
async def post(name: str) -> str:
    return f"slug {name}"


@app.get("/posts/{name:slug}/raw")
async def raw(name: str) -> str:
    return f"raw {name}"


@app.get("/tags/{name:slug(3, upper=True)}")
async def tag(name: Annotated[str, Path()]) -> str:
    return f"tag {name}"


@app.get("/scale/{by:ratio}")
def scale(by: Fraction) -> list[int]:
    return [by.numerator, by.denominator]


@app.get("/broken/{name:broken}")
async def broken(name: str) -> str:
    return name


async def shared(by: Annotated[Any, Path()]) -> Fraction:
    return by * 2


@app.get("/double/{by:ratio}-{name:slug}")
async def double(twice: Annotated[Fraction, Depends(shared)], name: str) -> str:
    return f"{twice} {name}"


@app.websocket("/rooms/{name:slug}")
async def room(name: str, socket: WebSocket) -> None:
    await socket.send(f"room {name}")
