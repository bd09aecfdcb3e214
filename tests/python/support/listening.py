"""What servers of a test's own share: a listener, and a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from support.closing import Closing

__all__ = ["Listening"]


class Listening(Closing):
    """Calls `serve_connection()` of a derived class in a thread of each connection, until closed.

    Args:
        listener: accepts them; it is closed at the end.

    Attributes:
        connections: how many were opened so far.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.connections = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = listener
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        """Begins to accept: when the derived class has all that it needs for it."""
        self._thread.start()

    def serve_connection(self, connection: socket.socket, number: int) -> None:
        """Serves one connection, the `number`th, and closes it."""
        raise NotImplementedError

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(5)

    def hang_up(self) -> None:
        """Closes all connections now."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._open)

    def secure(self, connection: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
        """Returns `connection` behind a handshake of TLS, if there is a context."""
        if context is None:
            return connection
        secured = context.wrap_socket(connection, server_side=True)
        with self._lock:
            self._open.discard(connection)
            self._open.add(secured)
        return secured

    def forget(self, connection: socket.socket) -> None:
        """`connection` is over."""
        with self._lock:
            self._open.discard(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open.add(connection)
            arguments = (connection, self.connections)
            threading.Thread(target=self.serve_connection, args=arguments, daemon=True).start()
