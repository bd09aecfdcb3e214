"""Why an address cannot be listened on, in one sentence. Imported when one cannot."""

from __future__ import annotations

import errno
import os
import socket
import stat

__all__ = ["cannot_listen", "obstacle"]

_UNIX, _DESCRIPTOR = "unix:", "fd://"


def cannot_listen(bind: str, error: OSError) -> str:
    """Returns the sentence about `bind`, an address as the setting has it, that was refused."""
    return f"Cannot listen on {bind}: {obstacle(bind) or _advice(bind, error)}"


def obstacle(bind: str) -> str | None:
    """Returns what is in the way of `bind`, as far as it shows without listening; None: nothing.

    Of a host and a port nothing shows.
    """
    if bind.startswith(_UNIX):
        return _obstacle_of_path(bind.removeprefix(_UNIX))
    if bind.startswith(_DESCRIPTOR):
        return _obstacle_of_descriptor(int(bind.removeprefix(_DESCRIPTOR)))
    return None


def _obstacle_of_path(path: str) -> str | None:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return f"there is no folder {folder}: make it, or choose another path."
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        mode = stat.S_IFSOCK
    except OSError as error:
        return f"{error.strerror}."
    if not stat.S_ISSOCK(mode):
        return "what stands there is not a socket: remove it, or choose another path."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"this user may not write in the folder {folder}: choose another path."
    return None


def _obstacle_of_descriptor(number: int) -> str | None:
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return f"the process has no descriptor {number}: whoever starts it has to pass it on."
    if not stat.S_ISSOCK(mode):
        return f"descriptor {number} is not a socket: give the number of one that listens."
    with socket.socket(fileno=os.dup(number)) as one:
        if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return f"the socket of descriptor {number} does not listen: call listen() on it first."
    return None


def _advice(bind: str, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_NONAME:
            return "there is no host of this name: give a name or an address of this machine."
        return f"{error.strerror}: give an address of this machine in place of the name."
    if bind.startswith(_UNIX):
        permitted = "choose a path that this user may write."
        available = "its path cannot be used: choose another one."
    else:
        permitted = "choose a port from 1024 up, or another address."
        available = "this machine has no such address: choose one that it has."
    advice = {
        errno.EADDRINUSE: "another process listens there: stop it, or choose another address.",
        errno.EADDRNOTAVAIL: available,
        errno.EACCES: f"the system does not permit it: {permitted}",
        errno.EMFILE: "the process has no descriptor left: raise its limit (ulimit -n).",
    }
    return advice.get(error.errno or 0, f"{error.strerror or error}.")
