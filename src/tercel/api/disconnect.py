"""The end of a WebSocket: what it may say, and who is told of it.

Source: RFC 6455, section 7.4, and the registry of the codes.
"""

from __future__ import annotations

__all__ = ["NORMAL", "WebSocketDisconnect", "check_end"]

# What a close frame may say.
_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
_REASON_BYTES_MAX = 123
# The other side said that it is done, or leaves.
NORMAL = (1000, 1001, 1005)


class WebSocketDisconnect(Exception):
    """The WebSocket is closed: nothing more will come, or can be sent.

    A handler need not catch it: one that ends with it has not failed.

    Attributes:
        code: of the side that closed; 1005: it gave none, 1006: it left without a word, 1012: the
            server shuts down.
        reason: its words, often empty.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}" if self.reason else str(self.code)


def check_end(code: int, reason: str) -> None:
    """Refuses what a close frame cannot say.

    Raises:
        ValueError: `code` or `reason` is not one that can be sent.
    """
    if not any(code in codes for codes in _CODES):
        raise ValueError(
            f"a WebSocket is closed with a code as 1000, or from 3000 to 4999, not {code!r}"
        )
    if len(reason.encode()) > _REASON_BYTES_MAX:
        raise ValueError(
            f"the reason of a close has up to {_REASON_BYTES_MAX} bytes, not {len(reason.encode())}"
        )
