"""An API whose handlers take forms, and files in them."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import datetime
import gc
import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

import tercel
from tercel import Depends, File, Form, Header, HTTPError, Request, UploadFile

app = tercel.App(title="Forms")


def described(file: UploadFile) -> dict[str, Any]:
    with file:
        content = file.read()
    assert len(content) == file.size
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@app.post("/fields")
async def fields(
    name: Annotated[str, Form()],
    age: Annotated[int, Form(), msgspec.Meta(ge=0, le=150)],
    born: Annotated[datetime.date | None, Form("birth-day")] = None,
    tags: Annotated[list[str], Form()] = [],  # noqa: B006
    numbers: Annotated[set[int], Form()] = frozenset(),  # type: ignore[assignment]
    size: Annotated[Literal["s", "m"], Form()] = "m",
    agree: Annotated[bool, Form()] = False,
    ratio: Annotated[float, Form()] = 0.5,
    page: int = 1,
) -> dict[str, Any]:
    return {
        "name": name,
        "age": age,
        "born": born,
        "tags": tags,
        "numbers": sorted(numbers),
        "size": size,
        "agree": agree,
        "ratio": ratio,
        "page": page,
    }


@app.post("/one")
async def one(file: UploadFile, title: Annotated[str, Form()] = "") -> dict[str, Any]:
    return {"title": title, "file": described(file)}


@app.post("/optional")
async def optional(
    file: UploadFile | None = None,
    data: Annotated[bytes | None, File()] = None,
) -> dict[str, Any]:
    return {
        "file": described(file) if file else None,
        "data": None if data is None else data.decode("latin-1"),
    }


@app.post("/many")
async def many(
    files: Annotated[list[UploadFile], msgspec.Meta(max_length=3)],
    raw: Annotated[list[bytes], File("raw-files", bytes_max=200_000)] = [],  # noqa: B006
) -> dict[str, Any]:
    return {"files": [described(file) for file in files], "raw": [len(one) for one in raw]}


@app.post("/limited")
async def limited(file: Annotated[UploadFile, File(bytes_max=100_000)]) -> int:
    return file.size


@app.post("/large")
async def large(file: Annotated[UploadFile, File(bytes_max=1 << 40)]) -> dict[str, Any]:
    return await asyncio.to_thread(_digest, file)


def _digest(file: UploadFile) -> dict[str, Any]:
    return {
        "size": file.size,
        "sha256": hashlib.file_digest(file, "sha256").hexdigest(),  # type: ignore[arg-type]
    }


@app.post("/as-file")
async def as_file(file: UploadFile) -> dict[str, Any]:
    """What a file object can do."""
    first = file.read(3)
    at = file.tell()
    file.seek(-2, os.SEEK_END)
    last = file.read()
    file.seek(0)
    copied = io.BytesIO()
    shutil.copyfileobj(file, copied)
    file.seek(1)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    rows = list(csv.reader(text))
    text.detach()
    file.seek(0)
    buffer = bytearray(4)
    filled = file.readinto(buffer)
    try:
        file.write(b"x")  # type: ignore[attr-defined]
        writable = "yes"
    except (OSError, io.UnsupportedOperation):
        writable = "no"
    return {
        "first": first.decode(),
        "at": at,
        "last": last.decode(),
        "copied": copied.tell(),
        "rows": len(rows),
        "filled": filled,
        "writable": writable,
        "headers": file.headers,
        "text": repr(file),
    }


@app.post("/save")
def save(file: UploadFile, folder: Annotated[str, Header("X-Folder")]) -> str:
    target = Path(folder) / "saved"
    file.read(5)
    file.save(target)
    return hashlib.sha256(target.read_bytes()).hexdigest()


class Address(msgspec.Struct):
    street: str
    number: Annotated[int, msgspec.Meta(gt=0)] = msgspec.field(name="house-number")
    notes: list[str] = []


@app.post("/struct")
async def struct(address: Annotated[Address, Form()]) -> Address:
    return address


@dataclasses.dataclass
class Profile:
    name: str
    photo: UploadFile | None = None
    languages: list[str] = dataclasses.field(default_factory=lambda: ["en"])


@app.post("/dataclass")
def profile(
    profile: Annotated[Profile, Form()], again: Annotated[bool, Form()] = False
) -> dict[str, Any]:
    return {
        "name": profile.name,
        "photo": profile.photo.read().decode() if profile.photo else None,
        "languages": profile.languages,
        "again": again,
    }


async def user(name: Annotated[str, Form()], password: Annotated[str, Form()]) -> str:
    if password != "secret":
        raise HTTPError(401)
    return name


@app.post("/login")
async def login(
    user: Annotated[str, Depends(user)],
    request: Request,
    name: Annotated[str, Form()],
) -> dict[str, Any]:
    return {"user": user, "name": name, "body": request.body.decode()}


kept: list[UploadFile] = []


@app.post("/keep")
async def keep(file: UploadFile) -> int:
    kept.append(file)
    return len(kept)


@app.get("/kept")
async def take_kept() -> list[int]:
    """Reads what earlier requests brought, and forgets it."""
    sizes = [len(file.read()) for file in kept]
    kept.clear()
    return sizes


@app.post("/fail")
async def fail(file: UploadFile) -> None:
    raise ValueError(file.filename)


@app.get("/descriptors")
async def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))
