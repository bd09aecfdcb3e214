"""The engine as a selector of the standard library, for asyncio.SelectorEventLoop."""

from __future__ import annotations

import selectors
from collections.abc import Iterator, Mapping
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import TYPE_CHECKING, Any

from tercel import _core

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike


class EngineSelector(selectors.BaseSelector):
    """A selector whose select() is one turn of the engine.

    Descriptors registered here are watched, level triggered, by the same epoll as the engine's own
    sockets. The engine's handlers run inside select().

    Source: the documentation of `selectors`; where that is silent, `selectors.EpollSelector`.
    """

    def __init__(self, engine: _core.Engine) -> None:
        self.engine = engine
        self._keys = engine.keys
        self._map: Mapping[FileDescriptorLike, SelectorKey] | None = _KeysByFile(self._keys)

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        if not events or events & ~(EVENT_READ | EVENT_WRITE):
            raise ValueError(f"Invalid events: {events!r}")
        fd = _descriptor_of(fileobj, self._keys)
        if fd in self._keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        self.engine.watch(fd, events)
        key = self._keys[fd] = SelectorKey(fileobj, fd, events, data)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> SelectorKey:
        key = self._keys.pop(_descriptor_of(fileobj, self._keys), None)
        if key is None:
            raise KeyError(f"{fileobj!r} is not registered")
        self.engine.unwatch(key.fd)
        return key

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        key = self._keys.get(_descriptor_of(fileobj, self._keys))
        if key is None:
            raise KeyError(f"{fileobj!r} is not registered")
        if events != key.events:
            try:
                self.engine.rewatch(key.fd, events)
            except OSError:  # Closed by somebody else: as EpollSelector, forget it.
                self.unregister(fileobj)
                raise
        key = self._keys[key.fd] = key._replace(events=events, data=data)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        return self.engine.select(timeout)

    def close(self) -> None:
        self._map = None
        self.engine.close()

    def get_map(self) -> Mapping[FileDescriptorLike, SelectorKey]:
        return self._map  # type: ignore[return-value]  # None once closed, as in selectors.


class _KeysByFile(Mapping["FileDescriptorLike", SelectorKey]):
    """The registered keys, found by descriptor or by file object."""

    def __init__(self, keys: dict[int, SelectorKey]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, fileobj: FileDescriptorLike) -> SelectorKey:
        try:
            return self._keys[_descriptor_of(fileobj, self._keys)]
        except KeyError:
            raise KeyError(f"{fileobj!r} is not registered") from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)


def _descriptor_of(fileobj: FileDescriptorLike, keys: dict[int, SelectorKey]) -> int:
    """The descriptor of `fileobj`, also when it is registered and was closed since.

    Raises:
        ValueError: `fileobj` has no descriptor and is not registered.
    """
    try:
        fd = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
    except (AttributeError, TypeError, ValueError):
        fd = -1
    if fd >= 0:
        return fd
    for key in keys.values():
        if key.fileobj is fileobj:
            return key.fd
    raise ValueError(f"Invalid file object: {fileobj!r}")
