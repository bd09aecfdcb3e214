"""Forms and files of docs/guide/api.md."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Annotated

import msgspec

import tercel
from tercel import File, Form, UploadFile

app = tercel.App(title="Photos")
folder = Path(os.environ.get("PHOTOS", "."))


# [fields]
class Author(msgspec.Struct):
    name: str
    mail: Annotated[str, msgspec.Meta(pattern="@")] = "unknown@example.org"


@app.post("/comments")
async def comment(
    text: Annotated[str, Form(max_length=1000)],
    author: Annotated[Author, Form()],
    tags: Annotated[list[str], Form()] = [],  # noqa: B006
) -> str:
    return f"{author.name} <{author.mail}>: {text} {tags}"


# [/fields]
# [files]
@app.post("/photos", status=201)
def add_photo(
    photo: Annotated[UploadFile, File(bytes_max=20_000_000)],
    title: Annotated[str, Form()] = "",
) -> dict[str, str | int]:
    # What the client calls it is for people to read. Where it goes is for us to say.
    name = uuid.uuid4().hex
    photo.save(folder / name)
    return {"name": name, "title": title or photo.filename, "size": photo.size}


@app.post("/checksums")
def checksums(files: Annotated[list[UploadFile], File(max_length=10)]) -> dict[str, str]:
    found = {}
    for file in files:
        with file:
            found[file.filename] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


# [/files]
