"""Files as answers: of handlers, and of folders that an application serves."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from tercel import _api
from tercel.api.response import texts_of
from tercel.api.streams import Receive, Send, Stream
from tercel.options import pairs_of

__all__ = ["FileResponse", "Folder", "SentFile", "folder_of"]

# (prefix, folder, index, headers), as python/api/instance.cc reads it.
Folder = tuple[str, bytes, bool, list[tuple[str, str]]]

_READ_BYTES = 256 * 1024
_FOLDER_HEADERS_MAX = 32
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class FileResponse:
    """A file, sent by the system, without passing through Python.

    ::

        @app.get("/reports/{year:int}")
        def report(year: int) -> tercel.FileResponse:
            return tercel.FileResponse(REPORTS / f"{year}.pdf", filename=f"Report {year}.pdf")

    It has an ETag and a Last-Modified. To GET and HEAD, requests for parts of it (Range) are
    answered with 206 or 416, and conditional ones with 304 or 412, if the status is 200.

    The file is opened here: what is removed or replaced afterwards is sent as it was. In a plain
    function that happens on its thread, in a coroutine function on the event loop.

    Args:
        path: of a regular file.
        folder: in which the file has to be, for a path that is made of what a client sent: what
            leads out of it, by `..` or a symbolic link, is not found.
        media_type: the Content-Type; None for that of the end of the name.
        filename: the name under which a browser saves it; None: it shows what it can.
        status: from 200 to 599.
        headers: more header fields; several of one name as pairs.

    Attributes:
        headers: all of them, as pairs, but for what follows from the file and the request. May be
            appended to until the handler returns.

    Raises:
        OSError: it cannot be opened, FileNotFoundError for one; or it is no regular file. Unless
            the application has an error handler for it, that is answered with 500.
    """

    __slots__ = ("_file", "headers", "path", "status")

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        folder: str | os.PathLike[str] | None = None,
        media_type: str | None = None,
        filename: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self._file = _api.File(path, folder)
        self.path = os.path.abspath(path if folder is None else os.path.join(folder, path))
        self.status = status
        self.headers = pairs_of(headers)
        given = {name.lower() for name, _ in self.headers}
        if "content-type" not in given:
            kind = media_type or _api.media_type(os.fsencode(os.path.basename(self.path)))
            self.headers.insert(0, ("content-type", kind))
        if filename is not None and "content-disposition" not in given:
            self.headers.append(("content-disposition", _api.attachment(filename)))

    def __repr__(self) -> str:
        return f"<FileResponse {self.status} {self.path}>"


class SentFile(Stream):
    """An answer with parts of files, sent as messages of ASGI.

    By `http.response.zerocopysend` where the server offers it; by `http.response.pathsend` if that
    is offered, and the whole of one file is sent; else the file is read on a thread.

    Args:
        answer: of the engine: status, headers, and a body that is a list.
        path: of the file, if it is one of a FileResponse.
        extensions: of the request's scope.
    """

    def __init__(
        self, answer: tuple[int, Any, Any], path: str | None, extensions: Mapping[str, Any]
    ) -> None:
        self.status, headers, self._parts = answer
        self.headers = texts_of(headers)
        self._path = path
        self._copies = "http.response.zerocopysend" in extensions
        self._takes_paths = "http.response.pathsend" in extensions

    async def send_through(self, receive: Receive, send: Send, head: bool = False) -> None:
        """Sends the whole response as messages of ASGI."""
        await send(self.start())
        if head:
            return await send({"type": "http.response.body", "body": b""})
        left = len(self._parts)
        for part in self._parts:
            left -= 1
            more = left > 0
            if isinstance(part, bytes):
                await send({"type": "http.response.body", "body": part, "more_body": more})
            elif self._copies:
                message = {"file": part, "offset": part.offset, "count": part.count}
                await send({"type": "http.response.zerocopysend", **message, "more_body": more})
            elif self._takes_paths and self._is_whole(part):
                await send({"type": "http.response.pathsend", "path": self._path})
            else:
                async for chunk in _read(part):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if not more:
                    await send({"type": "http.response.body", "body": b""})

    def _is_whole(self, part: _api.FilePart) -> bool:
        """Whether the path still leads to the file of which this is all there is."""
        if self._path is None or len(self._parts) > 1:
            return False
        try:
            there, opened = os.stat(self._path), os.fstat(part.fileno())
        except OSError:
            return False
        whole = (part.offset, part.count) == (0, there.st_size)
        return whole and os.path.samestat(there, opened)


async def _read(part: _api.FilePart) -> AsyncIterator[bytes]:
    offset, end = part.offset, part.offset + part.count
    while offset < end:
        wanted = min(_READ_BYTES, end - offset)
        chunk = await asyncio.to_thread(os.pread, part.fileno(), wanted, offset)
        if not chunk:
            raise RuntimeError("a file became shorter while it was sent")
        yield chunk
        offset += len(chunk)


def folder_of(
    path: str,
    folder: str | os.PathLike[str],
    index: bool,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> Folder:
    """Returns what App.static() was given, as the engine has it.

    Raises:
        ValueError: the path or the headers are none, or there is no such folder.
    """
    if not isinstance(path, str) or (path != "/" and not _is_prefix(path)):
        raise ValueError(
            f"files are served below a path as /assets, or /, without / at its end, fields or"
            f" percent-encoding, not {path!r}"
        )
    where = os.path.abspath(folder) if isinstance(folder, (str, os.PathLike)) else None
    if where is None or not os.path.isdir(where):
        raise ValueError(f"there is no folder {folder!r} to serve below {path}")
    if isinstance(headers, str):
        raise TypeError(f"headers are a dict, or a list of pairs, not {headers!r}")
    pairs = pairs_of(headers)
    if len(pairs) > _FOLDER_HEADERS_MAX:
        raise ValueError(f"a folder has at most {_FOLDER_HEADERS_MAX} headers")
    for name, value in pairs:
        if not _is_field(name, value):
            raise ValueError(
                f"a header field is a name and a value in ASCII, not {name!r}: {value!r}"
            )
    return path.rstrip("/"), os.fsencode(where), index, pairs


def _is_field(name: Any, value: Any) -> bool:
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    return bool(_NAME.fullmatch(name)) and value.isprintable() and value.isascii()


def _is_prefix(path: str) -> bool:
    if not path.startswith("/") or path.endswith("/") or "//" in path:
        return False
    return not any(c in "?#%{}" or c.isspace() for c in path)
