"""Files that a form brings: `tercel.UploadFile`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from _typeshed import StrPath, WriteableBuffer

__all__ = ["Spool", "UploadFile", "spool_directory", "upload_of"]

_BUFFER_BYTES = 1 << 16
_COPY_BYTES = 1 << 20


class UploadFile(io.BufferedReader):
    """A file that came with a form: bytes to read, with what the client says of them.

    A file object as `open(path, "rb")` returns one: for `with`, `shutil.copyfileobj`, for `csv`
    through `io.TextIOWrapper`, for image libraries, and so on. A small file is in memory, a larger
    one in an unnamed file of the folder that TMPDIR names; it goes with the last object that needs
    it, so that what nobody keeps is gone after the request. Reading waits for the disk alone, and
    mostly not even for that.

    Args:
        content: what to read: bytes, or a raw file, which becomes part of this one.
        filename: what the client calls the file, which may be anything: "../../etc/passwd",
            "/dev/null", "", a name with a line feed in it. Show it or store it, but never make a
            path of it.
        content_type: what the client says it is; None: it does not say. Nobody has checked it.
        size: in bytes; that of `content`, if that is bytes.
        headers: of its part of the form: names in lower case, and values.
    """

    def __init__(
        self,
        content: bytes | io.RawIOBase,
        filename: str = "",
        content_type: str | None = None,
        *,
        size: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        if isinstance(content, bytes):
            size = len(content)
            content = cast(io.RawIOBase, io.BytesIO(content))
        elif size is None:
            size = content.seek(0, os.SEEK_END)
            content.seek(0)
        super().__init__(content, max(1, min(size, _BUFFER_BYTES)))
        self.filename = filename
        self.content_type = content_type
        self.size = size
        self.headers = list(headers)

    def save(self, path: StrPath) -> None:
        """Writes the whole file to `path`, from its first byte on, over what is there.

        Waits for the disk: call it in a plain handler, or with `asyncio.to_thread`.

        Raises:
            OSError: `path` cannot be written; a part of the file may be there.
        """
        self.seek(0)
        with open(path, "wb") as target:
            while part := self.read(_COPY_BYTES):
                target.write(part)

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!r}, {self.content_type}, {self.size} bytes>"


class Spool:
    """Owns the descriptor of the file in which the large files of one form are."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # The module may be gone before the last of these.


class _SpoolPart(io.RawIOBase):
    """One file in a spool."""

    def __init__(self, spool: Spool, offset: int, size: int) -> None:
        self._spool: Spool | None = spool
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._position)]
        count = os.preadv(self._open().fd, [view], self._offset + self._position) if view else 0
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._open()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        self._open()
        return self._position

    def close(self) -> None:
        self._spool = None
        super().close()

    def _open(self) -> Spool:
        if self._spool is None:
            raise ValueError("I/O operation on closed file.")
        return self._spool


def upload_of(
    filename: str,
    content_type: str | None,
    headers: list[tuple[str, str]],
    size: int,
    content: bytes | None,
    spool: Spool | None,
    offset: int,
) -> UploadFile:
    """Returns the file that the engine has in memory, or in a spool (python/api/uploads.h)."""
    raw: Any = content if spool is None else _SpoolPart(spool, offset, size)
    return UploadFile(raw, filename, content_type, size=size, headers=headers)


def spool_directory() -> str:
    """Returns the folder that TMPDIR names, or another one for temporary files."""
    import tempfile

    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        # There is none that can be written; the first file that needs it is told so.
        return os.environ.get("TMPDIR") or "/tmp"
