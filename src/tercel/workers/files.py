"""Files that change while they are worked on: what `--reload` waits for.

inotify(7) tells at once; a look at all files every second finds what it does not tell, as on
network and shared file systems.
"""

from __future__ import annotations

import contextlib
import ctypes
import fnmatch
import os
import struct
from collections.abc import Iterator, Sequence

__all__ = ["Files"]

# Source: inotify(7).
_IN_MODIFY, _IN_CLOSE_WRITE, _IN_MOVED = 0x2, 0x8, 0xC0
_IN_CREATE, _IN_DELETE, _IN_ONLYDIR = 0x100, 0x200, 0x01000000
_EVENTS = _IN_MODIFY | _IN_CLOSE_WRITE | _IN_MOVED | _IN_CREATE | _IN_DELETE | _IN_ONLYDIR
_EVENT = struct.Struct("iIII")

# Folders that are never of interest, whatever `include` says.
_SKIPPED = ("__pycache__", "node_modules", ".*")
# More than these are not watched: somebody reloads the root of a machine.
_FOLDERS_MAX = 10_000

_Stamps = dict[str, tuple[int, int]]


class Files:
    """The files below `folders` whose names match one of `include` and none of `exclude`.

    Patterns are those of fnmatch, for the name of a file or its path below the folder.

    Resource: closes its descriptor with `close`.
    """

    def __init__(
        self, folders: Sequence[str], include: Sequence[str], exclude: Sequence[str]
    ) -> None:
        self._folders = [os.path.realpath(folder) for folder in folders]
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._inotify = _Inotify.open()
        self._stamps = self._look()

    def fileno(self) -> int:
        """Readable when something may have changed; -1 where the system does not tell."""
        return self._inotify.descriptor if self._inotify is not None else -1

    def heard(self) -> None:
        """What made it readable is known."""
        if self._inotify is not None:
            self._inotify.drain()

    def changed(self) -> list[str]:
        """Returns the paths that were made, written or removed since it was asked last."""
        before, self._stamps = self._stamps, self._look()
        paths = before.keys() | self._stamps.keys()
        return sorted(path for path in paths if before.get(path) != self._stamps.get(path))

    def close(self) -> None:
        if self._inotify is not None:
            os.close(self._inotify.descriptor)
            self._inotify = None

    def _look(self) -> _Stamps:
        stamps: _Stamps = {}
        for path in self._paths():
            with contextlib.suppress(OSError):
                found = os.stat(path)
                stamps[path] = (found.st_mtime_ns, found.st_size)
        return stamps

    def _paths(self) -> Iterator[str]:
        count = 0
        for top in self._folders:
            for folder, inner, names in os.walk(top):
                count += 1
                if count > _FOLDERS_MAX:
                    return
                if self._inotify is not None:
                    self._inotify.watch(folder)
                inner[:] = [
                    name
                    for name in inner
                    if not _matches(name, "", _SKIPPED)
                    and not _matches(
                        name, os.path.relpath(os.path.join(folder, name), top), self._exclude
                    )
                ]
                for name in names:
                    path = os.path.join(folder, name)
                    below = os.path.relpath(path, top)
                    if _matches(name, below, self._include) and not _matches(
                        name, below, self._exclude
                    ):
                        yield path


def _matches(name: str, below: str, patterns: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(below, pattern)
        for pattern in patterns
    )


class _Inotify:
    def __init__(self, libc: ctypes.CDLL, descriptor: int) -> None:
        self._libc = libc
        self._watched: dict[str, int] = {}
        self.descriptor = descriptor

    @classmethod
    def open(cls) -> _Inotify | None:
        """Returns None where there is none, or no more of them for this user."""
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        except AttributeError:
            return None
        return cls(libc, descriptor) if descriptor >= 0 else None

    def watch(self, folder: str) -> None:
        """Told of changes in `folder` from now on; where that fails, looking has to do."""
        if folder in self._watched:
            return
        found = self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), _EVENTS)
        if found >= 0:
            self._watched[folder] = found

    def drain(self) -> None:
        """Reads what there is to know. A folder that has gone is watched anew when it is back."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.descriptor, 65536):
                self._forget(data)

    def _forget(self, data: bytes) -> None:
        gone = set()
        at = 0
        while at < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if mask & 0x8000:  # IN_IGNORED: the folder has gone.
                gone.add(watch)
        if gone:
            self._watched = {path: one for path, one in self._watched.items() if one not in gone}
