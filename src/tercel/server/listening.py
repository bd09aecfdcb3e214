"""Where a server listens: sockets that a caller brings, and what the engine says of settings."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tercel import _core
from tercel.problems import SettingError, StartError

__all__ = ["adopt", "as_setting_error", "listen_on"]


def listen_on(listen: Callable[[str], str], binds: Iterable[str]) -> list[str]:
    """Calls `listen` with each of `binds`, and returns what to open.

    Raises:
        StartError: one of them cannot be listened on.
    """
    urls = []
    for bind in binds:
        try:
            urls.append(listen(bind))
        except OSError as error:
            from tercel.server.obstacles import cannot_listen

            raise StartError(cannot_listen(bind, error)) from None
    return urls


def adopt(native: _core.Server, one: socket.socket, backlog: int) -> str:
    """Makes `native` accept from a duplicate of `one`, and returns what to open.

    `one` is bound. Unless it listens already, it does from now on, with `backlog`.

    Raises:
        StartError: it cannot listen, for the reason that is its cause.
    """
    descriptor = -1
    try:
        if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            _require_bound(one)
            one.listen(backlog)
        descriptor = os.dup(one.fileno())
        return native.adopt(descriptor)
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise StartError(f"Cannot listen on {one}: {error.strerror or error}.") from error


def _require_bound(one: socket.socket) -> None:
    # The kernel would bind it now, to a free port of every address.
    name = one.getsockname()
    if isinstance(name, tuple) and not name[1]:
        raise OSError(errno.EINVAL, "it is not bound to a port")


@contextmanager
def as_setting_error() -> Iterator[None]:
    """Turns what the engine says of a setting, or of a file that one names, into a SettingError."""
    try:
        yield
    except ValueError as error:
        raise SettingError(str(error)) from None
