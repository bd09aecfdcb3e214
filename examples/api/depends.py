"""Dependencies of docs/guide/api.md: a connection for all, a transaction and a user for each."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from typing import Annotated

import tercel
from tercel import Depends, Header, HTTPError

app = tercel.App()


# [depends]
async def database() -> AsyncIterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table notes (author, text)")
    yield connection
    connection.close()


async def transaction(
    connection: Annotated[sqlite3.Connection, Depends(database, scope="app")],
) -> AsyncIterator[sqlite3.Cursor]:
    with connection:  # Commits, or rolls back what raised.
        yield connection.cursor()


async def author(token: Annotated[str, Header("Authorization")]) -> str:
    if not token.startswith("Bearer "):
        raise HTTPError(401, headers={"www-authenticate": "Bearer"})
    return token.removeprefix("Bearer ")


@app.post("/notes", status=201)
async def add_note(
    note: dict[str, str],
    cursor: Annotated[sqlite3.Cursor, Depends(transaction)],
    author: Annotated[str, Depends(author)],
) -> int:
    cursor.execute("insert into notes values (?, ?)", (author, note["text"]))
    return cursor.lastrowid or 0


# [/depends]
