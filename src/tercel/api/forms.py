"""Arguments that come from a form: files, and types whose parts are its fields."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from tercel.api import values
from tercel.api.errors import InvalidValue
from tercel.api.markers import LIMITS, File
from tercel.api.plan import Parameter
from tercel.api.uploads import UploadFile

__all__ = ["FormModel", "FormPart", "file_of", "has_parts", "is_upload"]

# Of a file, or of all files of a list: that of an UploadFile is the engine's (cpp/tercel/api).
_UPLOAD_BYTES_MAX = 64 << 20
_BYTES_MAX = 1 << 20
_LIMITS = (*LIMITS, "extra_json_schema")


def is_upload(plain: Any) -> bool:
    """Whether a type is UploadFile, a list of it, or one of them or None."""
    inner = values.without_none(plain)
    if typing.get_args(inner) and typing.get_origin(inner) is list:
        inner = values.metadata_of(typing.get_args(inner)[0])[0]
    return inner is UploadFile


def file_of(
    argument: str, name: str, annotation: Any, marker: File, fallback: tuple[Any, ...], where: str
) -> Parameter:
    """Returns the parameter that is a file, or a list of files.

    Raises:
        TypeError: it cannot be one.
    """
    plain, metadata = values.metadata_of(annotation)
    inner = values.without_none(plain)
    array = bool(typing.get_args(inner)) and typing.get_origin(inner) is list
    element = values.metadata_of(typing.get_args(inner)[0])[0] if array else inner
    if element not in (UploadFile, bytes):
        raise TypeError(
            f"{where} has the argument {argument!r}, a file, of the type {plain!r}: it is an"
            " UploadFile, bytes, or a list of one of them."
        )
    if not array and any(_limits(item) for item in metadata):
        raise TypeError(
            f"{where} limits the file {argument!r} otherwise than by File(bytes_max=...)."
        )
    default = _BYTES_MAX if element is bytes else _UPLOAD_BYTES_MAX
    kept = tuple(item for item in metadata if isinstance(item, msgspec.Meta))
    # To the engine a file is the string that it is called.
    checked = typing.Annotated[(list[str], *kept)] if array and kept else None
    return Parameter(
        argument=argument,
        name=name,
        place="form",
        type="bytes" if element is bytes else "file",
        required=not fallback,
        array=array,
        fallback=fallback,
        annotation=annotation,
        schema=values.schema_of(checked) if checked is not None else "",
        bytes_max=default if marker.bytes_max is None else marker.bytes_max,
    )


def _limits(item: Any) -> bool:
    """Whether an item of an `Annotated` says what values there may be."""
    return any(getattr(item, name, None) is not None for name in _LIMITS)


# --- types whose parts are fields of a form


class _Absent:
    """What stands for a part that a form does not have: its type has a default for it."""

    def __repr__(self) -> str:
        return "..."


_ABSENT = _Absent()


@dataclass(frozen=True)
class FormPart:
    """One part of a type."""

    attribute: str
    name: str  # In the form.
    annotation: Any
    fallback: tuple[Any, ...]


@dataclass(frozen=True)
class FormModel:
    """Makes a value of a type with parts, of those of a form. Called with them by attribute."""

    kind: Any

    def __post_init__(self) -> None:
        # As messages name it.
        object.__setattr__(self, "__qualname__", getattr(self.kind, "__qualname__", str(self.kind)))

    def parts(self) -> Iterator[FormPart]:
        """Yields the parts of the type.

        Raises:
            UnknownType: it has none that are known.
        """
        hints = typing.get_type_hints(self.kind, include_extras=True)
        if values.is_pydantic(self.kind):
            for name, field in self.kind.model_fields.items():
                alias = field.validation_alias or field.alias
                wire_name = alias if isinstance(alias, str) else name
                fallback = () if field.is_required() else (_ABSENT,)
                yield FormPart(name, wire_name, hints[name], fallback)
            return
        try:
            fields = msgspec.inspect.type_info(self.kind).fields  # type: ignore[attr-defined]
        except (TypeError, AttributeError):
            raise values.UnknownType(str(self.kind)) from None
        for field in fields:
            yield FormPart(field.name, field.encode_name, hints[field.name], _fallback_of(field))

    def __call__(self, **parts: Any) -> Any:
        """Returns the value.

        Raises:
            InvalidValue: the type refuses it.
        """
        given = {name: part for name, part in parts.items() if part is not _ABSENT}
        if values.is_pydantic(self.kind):
            return values.converter_of(self.kind, ["body"])(self._named(given))
        try:
            return self.kind(**given)
        except (ValueError, TypeError) as error:
            raise InvalidValue(
                [{"type": "value_error", "msg": f"{error}.", "loc": ["body"]}]
            ) from error

    def _named(self, given: dict[str, Any]) -> dict[str, Any]:
        return {
            part.name: given[part.attribute] for part in self.parts() if part.attribute in given
        }


def has_parts(plain: Any) -> bool:
    """Whether a type is a Struct, a dataclass, or another one that has parts by name."""
    if values.is_pydantic(plain):
        return True
    try:
        return hasattr(msgspec.inspect.type_info(plain), "fields")
    except (TypeError, NotImplementedError):
        return False


def _fallback_of(field: Any) -> tuple[Any, ...]:
    if field.required:
        return ()
    return (_ABSENT,) if field.default is msgspec.NODEFAULT else (field.default,)
