"""The things themselves: docs/tutorial/04-dependencies.md, 05-auth.md"""

# [routes]
from __future__ import annotations

from typing import Annotated

import tercel
from shop.auth import seller
from shop.changes import changes
from shop.model import NewThing, Thing
from shop.store import InStore
from tercel import BackgroundTasks, Depends, Query

router = tercel.Router(prefix="/things", tags=["things"])


@router.get("/{thing_id}")
def get_thing(thing_id: int, store: InStore) -> Thing:
    return store.get(thing_id)


@router.get("")
def list_things(store: InStore, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Thing]:
    return store.list(limit)


# [/routes]
# [add]
@router.post("", status=201, dependencies=[Depends(seller)])
def add_thing(new: NewThing, store: InStore, background: BackgroundTasks) -> Thing:
    thing = store.add(new)
    background.add(changes.tell, thing)
    return thing


# [/add]
