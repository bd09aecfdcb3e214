"""Pictures of things: docs/tutorial/06-pictures.md"""

# [pictures]
from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import tercel
from shop.auth import seller
from shop.store import InStore
from tercel import Depends, File, FileResponse, UploadFile
from tercel.errors import NotFound, UnsupportedMediaType

router = tercel.Router(prefix="/things/{thing_id}/picture", tags=["pictures"])
TYPES = ("image/png", "image/jpeg", "image/webp")


def place(thing_id: int) -> Path:
    return Path(os.environ.get("SHOP_PICTURES", ".")) / f"{thing_id}.picture"


@router.put("", status=204, dependencies=[Depends(seller)])
def put_picture(
    thing_id: int,
    picture: Annotated[UploadFile, File(bytes_max=5_000_000)],
    store: InStore,
) -> None:
    store.get(thing_id)  # 404, if there is none.
    if picture.content_type not in TYPES:
        raise UnsupportedMediaType(f"A picture is one of {', '.join(TYPES)}.")
    picture.save(place(thing_id))


@router.get("")
def get_picture(thing_id: int) -> FileResponse:
    if not place(thing_id).exists():
        raise NotFound(f"There is no picture of {thing_id}.")
    return FileResponse(place(thing_id), media_type="image/*")


# [/pictures]
