"""What a thing is."""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["NewThing", "Thing"]


class NewThing(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    price: Annotated[float, msgspec.Meta(gt=0)]


class Thing(NewThing, kw_only=True):
    id: int
