"""An API that fails in every way. `debugged` shows tracebacks."""

from __future__ import annotations

import asyncio
import datetime
from typing import Annotated, Any

import msgspec
import pydantic

import tercel
from tercel import Body, HTTPError, Query, errors

NAMES = {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "maxProperties": 2}

debugged = tercel.App(debug=True)
app = tercel.App()


class Unlucky(Exception):
    pass


class Answer(msgspec.Struct):
    number: Annotated[int, msgspec.Meta(ge=0)]


@app.get("/raise/{name}")
async def raise_named(name: str, blocking: bool = False) -> None:
    made = {
        "conflict": errors.Conflict(
            "Taken.",
            type="https://example.com/taken",
            title="Name taken",
            instance="/things/7",
            extra={"name": "lamp"},
        ),
        "unauthorized": errors.Unauthorized(challenge="Bearer"),
        "method": errors.MethodNotAllowed(allow=["GET", "PUT"]),
        "range": errors.RangeNotSatisfiable(length=70, headers={"x-a": "b"}),
        "later": errors.TooManyRequests(retry_after=30),
        "moved": errors.PermanentRedirect("/things/7"),
        "see": errors.SeeOther("/things/7", headers={"cache-control": "no-store"}),
    }
    raise made[name]


class Model(pydantic.BaseModel):
    number: Annotated[int, pydantic.AfterValidator(abs)]

    @pydantic.field_validator("number")
    @classmethod
    def check(cls, number: int) -> int:
        if number == 13:
            raise ValueError("unlucky")
        return number


@app.post("/where/model/{rest:path}")
async def take_model(rest: str, model: Model) -> str:
    return rest


@app.post("/where/moment/{rest:path}")
async def take_moment(rest: str, moment: Annotated[datetime.datetime, Body()]) -> str:
    # With a zone or without: the schema does not say.
    return rest


@app.get("/where/{way}/{rest:path}")
async def fail_somewhere(way: str, rest: str) -> Any:
    return fail_in(way)


@app.get("/where-inline/{way}/{rest:path}", blocking=False)
def fail_somewhere_inline(way: str, rest: str) -> Any:
    return fail_in(way)


@app.get("/where-thread/{way}/{rest:path}")
def fail_somewhere_on_a_thread(way: str, rest: str) -> Any:
    return fail_in(way)


def fail_in(way: str) -> Any:
    if way == "object":
        return object()  # No answer.
    if way == "error":
        raise errors.Gone("No.")
    raise LookupError(way)


@app.get("/unlucky")
async def unlucky(number: int) -> None:
    raise Unlucky(number)


@app.get("/unlucky/thread")
def unlucky_on_thread(number: int) -> None:
    raise Unlucky(number)


@app.get("/unlucky/inline", blocking=False)
def unlucky_inline(number: int) -> None:
    raise Unlucky(number)


@app.error_handler(Unlucky)
async def answer_unlucky(error: Exception) -> Any:
    await asyncio.sleep(0.001)
    if error.args[0] == 13:
        raise ZeroDivisionError
    if error.args[0] == 7:
        return tercel.StreamingResponse(["se", "ven"], status=409)
    return {"unlucky": error.args[0]}


@app.post("/names")
async def take_names(names: Annotated[dict[str, Any], Body(schema=NAMES, unique_keys=True)]) -> int:
    return len(names)


ITEM = {"required": ["sku"]}
ORDER = {
    "$defs": {"item": ITEM},
    "properties": {"items": {"items": {"$ref": "#/$defs/item"}}},
}
OLD_ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "definitions": {"item": ITEM},
    "properties": {"items": {"items": [{"$ref": "#/definitions/item"}]}},
}


@app.post("/orders")
async def take_order(order: Annotated[dict[str, Any], Body(schema=ORDER)]) -> int:
    return len(order)


@app.put("/orders")
async def put_order(order: Annotated[dict[str, Any], Body(schema=ORDER, gt=None)]) -> int:
    return len(order)


@app.patch("/orders")
async def patch_order(order: Annotated[dict[str, Any], Body(schema=OLD_ORDER)]) -> int:
    return len(order)


@app.get("/even")
async def even(number: Annotated[int, Query(schema={"multipleOf": 2})]) -> int:
    return number


@app.get("/answer/{number:int}", validate_response=True)
async def answer(number: int) -> Answer:
    return Answer(number)


@app.get("/either/{number:int}", validate_response=True)
async def either(number: int) -> list[Answer] | tercel.Response:
    return tercel.Response("none") if number == 0 else [Answer(1), Answer(number)]


@debugged.get("/fail")
async def fail() -> None:
    raise KeyError("<secret>")


@debugged.get("/http")
async def fail_rightly() -> None:
    raise HTTPError(404)
