"""The API of docs/guide/api.md: things in the memory of the process."""

# [types]
from __future__ import annotations

import itertools
from typing import Annotated

import msgspec

import tercel
from tercel import Header, HTTPError, Query

app = tercel.App(title="Things", version="1.0")


class NewThing(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    price: Annotated[float, msgspec.Meta(gt=0)]
    tags: list[str] = []


class Thing(NewThing, kw_only=True):
    id: int


things: dict[int, Thing] = {}
numbers = itertools.count(1)


# [/types]
# [post]
@app.post("/things", status=201)
async def add_thing(new: NewThing) -> Thing:
    thing = Thing(new.name, new.price, new.tags, id=next(numbers))
    things[thing.id] = thing
    return thing


# [/post]
# [get]
@app.get("/things/{thing_id}")
async def get_thing(thing_id: int) -> Thing:
    if thing_id not in things:
        raise HTTPError(404, f"There is no thing {thing_id}.")
    return things[thing_id]


# [/get]
# [query]
@app.get("/things")
async def list_things(
    tags: Annotated[list[str], Query(separator=",")] = [],  # noqa: B006
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20,
    client: Annotated[str, Header("X-Client")] = "unknown",
) -> list[Thing]:
    wanted = set(tags)
    found = (thing for thing in things.values() if wanted <= set(thing.tags))
    return list(itertools.islice(found, limit))


# [/query]
# [delete]
@app.delete("/things/{thing_id}", status=204)
async def remove_thing(thing_id: int) -> None:
    del things[thing_id]


@app.error_handler(KeyError)
def no_such_thing(error: Exception) -> tercel.Response:
    return HTTPError(404, f"There is no thing {error}.").response()


# [/delete]
# [response]
@app.get("/things/{thing_id}/label")
async def label(thing_id: int) -> tercel.Response:
    return tercel.Response(
        f"<h1>{things[thing_id].name}</h1>",
        media_type="text/html; charset=utf-8",
        headers={"cache-control": "max-age=60"},
    )


# [/response]
# [blocking]
@app.get("/report")
def report() -> str:
    return "\n".join(f"{thing.name}: {thing.price}" for thing in things.values())


# [/blocking]
