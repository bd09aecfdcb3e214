"""Messages to standard error that never wait for its reader for long.

Where standard error is a pipe or a socket whose reader is stuck, a plain write would hold the event
loop up, and with it every request. What does not fit is lost and counted instead.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import stat
import time

__all__ = ["PatientHandler"]

# For a reader that is only slow: all waiting of so many seconds together.
_PATIENCE_S = 0.1
_PATIENCE_PERIOD_S = 10.0
# A write of so many bytes is not mixed with those of other processes, nor taken in part.
_PIPE_BUF = select.PIPE_BUF


class PatientHandler(logging.Handler):
    """Writes to what `descriptor` is connected to: a pipe or a socket.

    It follows the application that connects the descriptor to something else. If it closes that, or
    ours, the number may be a client's connection at the next message: each one looks first.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._standard = descriptor
        self._own = -1  # Another description of it, if it is a pipe.
        self._file: os.stat_result | None = None
        self._patience = _PATIENCE_S
        self._patient_until = 0.0
        self._lost = 0
        self._cut = False  # The last message.
        with contextlib.suppress(OSError):
            self._descriptor()

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

    def close(self) -> None:
        """A message that comes afterwards opens it again."""
        self.acquire()
        try:
            self._leave()
        finally:
            self.release()
        super().close()

    def _write(self, data: bytes) -> bool:
        """Whether all of it went out."""
        descriptor = self._descriptor()
        for start in range(0, len(data), _PIPE_BUF):
            piece = data[start : start + _PIPE_BUF]
            taken = self._take(descriptor, piece) if self._has_room(descriptor) else 0
            self._cut |= taken > 0
            if taken < len(piece):
                return False
        return True

    def _descriptor(self) -> int:
        """Where to write now.

        Raises:
            OSError: it is closed.
        """
        now = _file_of(self._standard)
        descriptor = self._own if self._own >= 0 else self._standard
        # Ours goes on when the application closes the standard stream.
        replaced = now is not None and not _same(now, self._file)
        if not replaced and _same(_file_of(descriptor), self._file):
            return descriptor
        self._leave()
        self._file = os.fstat(self._standard)
        if stat.S_ISFIFO(self._file.st_mode):
            # Another description: that of the descriptor is shared, and must not become
            # non-blocking. Without the right to open it, it is written when it has room.
            with contextlib.suppress(OSError):
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
                self._own = os.open(f"/proc/self/fd/{self._standard}", flags)
        return self._own if self._own >= 0 else self._standard

    def _leave(self) -> None:
        if self._own >= 0 and _same(_file_of(self._own), self._file):
            os.close(self._own)
        self._own, self._file, self._cut = -1, None, False

    def _has_room(self, descriptor: int) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if poll.poll(0):
            return True
        begin = time.monotonic()
        if begin >= self._patient_until:
            self._patience = _PATIENCE_S
            self._patient_until = begin + _PATIENCE_PERIOD_S
        if self._patience <= 0:
            return False
        ready = poll.poll(self._patience * 1000)
        self._patience -= time.monotonic() - begin
        return bool(ready)

    @staticmethod
    def _take(descriptor: int, piece: bytes) -> int:
        # A socket that has room takes a piece without waiting, although it is blocking.
        with contextlib.suppress(BlockingIOError):
            return os.write(descriptor, piece)
        return 0


def _file_of(descriptor: int) -> os.stat_result | None:
    try:
        return os.fstat(descriptor)
    except OSError:
        return None


def _same(one: os.stat_result | None, other: os.stat_result | None) -> bool:
    return one is not None and other is not None and os.path.samestat(one, other)
