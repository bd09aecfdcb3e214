"""Messages to standard error that never wait for its reader for long.

Where standard error is a pipe or a socket whose reader is stuck, a plain write would hold the event
loop up, and with it every request. What does not fit is lost and counted instead.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import stat

__all__ = ["PatientHandler"]

# For a reader that is only slow. Not again until it has read something.
_PATIENCE_S = 0.1
# A write of so many bytes is not mixed with those of other processes, nor taken in part.
_PIPE_BUF = select.PIPE_BUF


class PatientHandler(logging.Handler):
    """Writes to `descriptor`, a pipe or a socket."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        mode = os.fstat(descriptor).st_mode
        self._socket: socket.socket | None = None
        self._descriptor = descriptor
        self._patience = _PATIENCE_S
        self._lost = 0
        self._cut = False  # The last message.
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(descriptor))
        elif stat.S_ISFIFO(mode):
            # Another description of it: that of the descriptor is shared, and must not become
            # non-blocking. Without the right to open it, it is written when it has room.
            with contextlib.suppress(OSError):
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
                self._descriptor = os.open(f"/proc/self/fd/{descriptor}", flags)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            if self._lost:
                begin = "\n" if self._cut else ""
                text = f"{begin}({self._lost} message(s) lost: their reader was slow)\n{text}"
            if self._write((text + "\n").encode("utf-8", "backslashreplace")):
                self._lost, self._cut = 0, False
            else:
                self._lost += 1
        except OSError:
            self._lost += 1
        except Exception:
            self.handleError(record)

    def _write(self, data: bytes) -> bool:
        """Whether all of it went out."""
        for start in range(0, len(data), _PIPE_BUF):
            piece = data[start : start + _PIPE_BUF]
            taken = self._take(piece) if self._has_room() else 0
            self._cut |= taken > 0
            if taken < len(piece):
                return False
        return True

    def _has_room(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(self._patience * 1000):
            self._patience = 0.0
            return False
        self._patience = _PATIENCE_S
        return True

    def _take(self, piece: bytes) -> int:
        with contextlib.suppress(BlockingIOError):
            if self._socket is not None:
                return self._socket.send(piece, socket.MSG_DONTWAIT)
            return os.write(self._descriptor, piece)
        return 0
