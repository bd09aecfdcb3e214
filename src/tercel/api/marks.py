"""What an argument of a handler is marked with: `Annotated[T, Query(...)]`, `Depends(...)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tercel.api import values
from tercel.api.dependencies import Depends
from tercel.api.markers import Marker

__all__ = ["Marks", "marks_of"]


@dataclass(frozen=True, slots=True)
class Marks:
    """An annotation, taken apart.

    Attributes:
        plain: the type without its metadata.
        marker: where the argument comes from; None: its name and its type say that.
        depends: whose result it is; None: nobody's.
    """

    plain: Any
    marker: Marker | None = None
    depends: Depends | None = None


def marks_of(annotation: Any, default: Any, name: str, where: str) -> Marks:
    """Returns what an argument is marked with.

    Args:
        default: of the argument, which may be Depends(...), too.
        name: of the argument, for messages; `where`: of its function.

    Raises:
        TypeError: it is marked twice, or at another place than in the brackets of Annotated.
    """
    plain, metadata = values.metadata_of(annotation)
    if kind := _kind_of(plain):
        raise TypeError(
            f"{where} has {kind} as the type of {name!r}: write it behind the type, as"
            f" `{name}: Annotated[T, {kind}(...)]`."
        )
    if isinstance(default, (type, Marker)) and (kind := _kind_of(default)):
        raise TypeError(
            f"{where} has {kind}() as the default of {name!r}: write it as"
            f" `{name}: Annotated[T, {kind}(...)]`, and the default behind that."
        )
    marks = [item for item in metadata if _kind_of(item)]
    marks += [default] if isinstance(default, Depends) else []
    if len(marks) > 1:
        said = " and ".join(f"{_kind_of(one)}()" for one in marks)
        raise TypeError(f"{where} has {name!r} from two places, {said}: leave one of them.")
    if not marks:
        return Marks(plain)
    (mark,) = marks
    if mark is Depends:
        raise TypeError(f"{where} has Depends without a function for {name!r}: Depends(function).")
    if isinstance(mark, Depends):
        return Marks(plain, depends=mark)
    return Marks(plain, mark() if isinstance(mark, type) else mark)


def _kind_of(item: Any) -> str:
    """Returns the name of the class of a mark, or of a class of marks; empty: it is none."""
    kind = item if isinstance(item, type) else type(item)
    return kind.__name__ if issubclass(kind, (Marker, Depends)) else ""
