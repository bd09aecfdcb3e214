"""The socket of `runserver`, which outlives the process that serves.

Django's reloader is two processes. The one that was started opens the socket, and never accepts;
the one that serves, and that is started anew after each edit, inherits it. So the port stays the
same, and who connects in between waits for the new code instead of being refused.
"""

from __future__ import annotations

import os
import socket

__all__ = ["inherited_socket", "leave_to_children", "open_socket"]

_VARIABLE = "TERCEL_RUNSERVER_FD"


def open_socket(host: str, port: int, *, ipv6: bool, backlog: int) -> socket.socket:
    """Returns a socket that listens as that of Django's own server does.

    Raises:
        OSError: it cannot, with the errno for which Django has a sentence.
    """
    listener = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    return listener


def leave_to_children(listener: socket.socket) -> None:
    """Lets the processes that the reloader starts inherit `listener`, which must stay open."""
    listener.set_inheritable(True)
    os.environ[_VARIABLE] = str(listener.fileno())


def inherited_socket() -> socket.socket | None:
    """Returns what `leave_to_children` left to this process. Once: it is not for its children.

    None if the parent has none, because its address cannot be listened on, or because it found
    mistakes in the project and is Django's own command.
    """
    number = os.environ.pop(_VARIABLE, None)
    if number is None:
        return None
    listener = socket.socket(fileno=int(number))
    listener.set_inheritable(False)
    return listener
