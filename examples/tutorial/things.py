"""docs/tutorial/02-types.md, 03-errors.md"""

# [types]
from __future__ import annotations

import itertools
from typing import Annotated

import msgspec

import tercel
from tercel import Query
from tercel.errors import Conflict, NotFound

app = tercel.App(title="Things")


class NewThing(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    price: Annotated[float, msgspec.Meta(gt=0)]
    tags: list[str] = []


class Thing(NewThing, kw_only=True):
    id: int


# [/types]
# [post]
things: dict[int, Thing] = {}
numbers = itertools.count(1)


@app.post("/things", status=201)
async def add_thing(new: NewThing) -> Thing:
    if any(thing.name == new.name for thing in things.values()):
        raise Conflict(f"There is a thing called {new.name}.")
    thing = Thing(new.name, new.price, new.tags, id=next(numbers))
    things[thing.id] = thing
    return thing


# [/post]
# [list]
@app.get("/things")
async def list_things(
    tag: Annotated[list[str], Query(description="Those that have all of these.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Thing]:
    found = (thing for thing in things.values() if set(tag) <= set(thing.tags))
    return list(itertools.islice(found, limit))


# [/list]
# [errors]
@app.get("/things/{thing_id}")
async def get_thing(thing_id: int) -> Thing:
    if thing_id not in things:
        raise NotFound(f"There is no thing {thing_id}.")
    return things[thing_id]


# [/errors]
# [handler]
@app.delete("/things/{thing_id}", status=204)
async def remove_thing(thing_id: int) -> None:
    del things[thing_id]


@app.error_handler(KeyError)
def no_such_thing(error: Exception) -> tercel.Response:
    return NotFound(f"There is no thing {error}.").response()


# [/handler]
