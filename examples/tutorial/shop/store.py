"""Where things are kept: docs/tutorial/04-dependencies.md"""

# [store]
from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from shop.model import NewThing, Thing
from tercel import Depends
from tercel.errors import Conflict, NotFound

_TABLE = """create table if not exists things (
    id integer primary key, name text unique not null, price real not null)"""


class Store:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, new: NewThing) -> Thing:
        insert = "insert into things (name, price) values (?, ?)"
        try:
            number = self._connection.execute(insert, (new.name, new.price)).lastrowid
        except sqlite3.IntegrityError:
            raise Conflict(f"There is a thing called {new.name}.") from None
        return Thing(new.name, new.price, id=number or 0)

    def get(self, number: int) -> Thing:
        row = self._connection.execute(
            "select name, price from things where id = ?", (number,)
        ).fetchone()
        if row is None:
            raise NotFound(f"There is no thing {number}.")
        return Thing(*row, id=number)

    def list(self, limit: int) -> list[Thing]:
        rows = self._connection.execute(
            "select name, price, id from things order by id limit ?", (limit,)
        )
        return [Thing(name, price, id=number) for name, price, number in rows]


# [/store]
# [dependency]
def transaction() -> Iterator[Store]:
    connection = sqlite3.connect(os.environ.get("SHOP", "shop.db"), check_same_thread=False)
    try:
        with connection:  # Commits, or rolls back what raised.
            connection.execute(_TABLE)
            yield Store(connection)
    finally:
        connection.close()


InStore = Annotated[Store, Depends(transaction)]
# [/dependency]
