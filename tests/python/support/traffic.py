"""Mixed traffic at a fixed rate, each answer of which is checked.

with Traffic(ExchangesInClear(server), rate=100) as traffic:
    ...  # While it runs.
assert not traffic.errors
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from support.closing import Closing
from support.http1 import Closed, RawClient
from support.http2 import H2Client
from support.server import ServerProcess
from support.vectors import vectors
from support.websocket import WebSocketClient

CHUNKED_BYTES = 1 << 20
H2_STREAMS = 20
MESSAGES = 5
KEPT_ALIVE = 10

# Where there are no vectors.
_MALFORMED = [("GET / HTTP/1.1\r\n\r\n", [400]), ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", [505])]


class Exchanges:
    """What the clients of HTTP/1.1 do. Each raises AssertionError or OSError when it goes wrong.

    Args:
        connect: makes a connection, in clear or over TLS, to `live:app` or to what does the same.

    Attributes:
        shares: how often each is done.
    """

    def __init__(self, connect: Callable[[], RawClient]) -> None:
        self._connect = connect
        # To a path that reads the body: some are malformed only there. To WSGI a request for a
        # WebSocket is one like any other.
        given = [
            (one["raw"].replace(" / ", " /echo ", 1), one["status"])
            for one in vectors()
            if one["expect"] == "reject" and "websocket" not in one["raw"].lower()
        ]
        self._malformed = given or _MALFORMED
        self.shares: dict[str, tuple[int, Callable[[int], None]]] = {
            "closed": (15, self.closed),
            "posted": (15, self.posted),
            "chunked": (5, self.chunked),
            "streamed": (5, self.streamed),
            "aborted": (3, self.aborted),
            "malformed": (2, self.malformed),
        }

    def kept_alive(self, number: int) -> None:
        with self._connect() as client:
            for turn in range(KEPT_ALIVE):
                body = client.request("GET", f"/number?n={number}{turn}").body
                assert body == f"{number}{turn}".encode()

    def closed(self, number: int) -> None:
        with self._connect() as client:
            close = [("Connection", "close")]
            response = client.request("GET", f"/number?n={number}", headers=close)
            assert response.body == b"%d" % number, response
            client.expect_closed()

    def posted(self, number: int) -> None:
        chance = random.Random(number)
        body = chance.randbytes(chance.randint(1 << 10, 64 << 10))
        with self._connect() as client:
            assert client.request("POST", "/echo", body=body).body == body

    def chunked(self, number: int) -> None:
        with self._connect() as client:
            client.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            part = b"10000\r\n%b\r\n" % bytes(0x10000)
            for _ in range(CHUNKED_BYTES // 0x10000):
                client.send(part)
            client.send(b"0\r\n\r\n")
            assert client.response().body == b"%d" % CHUNKED_BYTES

    def streamed(self, number: int) -> None:
        count, size = 1 + number % 30, 1 + number % 7000
        with self._connect() as client:
            response = client.request("GET", f"/stream?n={count}&size={size}")
            assert response.body == b"x" * size * count

    def aborted(self, number: int) -> None:
        whole = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 40\r\n\r\nhalf of the body, no"
        client = self._connect()
        client.send(whole[: 1 + number % len(whole)])
        client.reset() if number % 2 else client.close()

    def malformed(self, number: int) -> None:
        raw, statuses = self._malformed[number % len(self._malformed)]
        with self._connect() as client:
            try:
                client.send(raw.encode("latin-1"))
                status = client.response().status
            except (Closed, ConnectionError):  # An end without an answer refuses it too.
                return
            assert status in statuses, (raw, status)


class ExchangesInClear(Exchanges):
    """With HTTP/2 and WebSockets.

    Args:
        websockets: whether the application has them.
    """

    def __init__(self, server: ServerProcess, *, websockets: bool = True) -> None:
        super().__init__(server.connect)
        self._address = server.address
        self.shares["http/2"] = (10, self.http2)
        if websockets:
            self.shares["websocket"] = (5, self.websocket)

    def http2(self, number: int) -> None:
        with H2Client(self._address) as client:
            streams = range(1, 2 * H2_STREAMS, 2)
            for stream in streams:
                client.get(stream, f"/number?n={number}{stream}")
            for stream in streams:
                response = client.response(stream)
                assert response.status == 200, response
                assert response.body == f"{number}{stream}".encode(), response

    def websocket(self, number: int) -> None:
        with WebSocketClient(self._address, "/") as client:
            for turn in range(MESSAGES):
                client.text(f"{number} {turn}" * (1 + number % 300))
                assert client.read_message() == f"{number} {turn}" * (1 + number % 300)
            assert client.close().code == 1000


class Traffic(Closing):
    """Exchanges from a few threads, each due at its time whether the last one is over or not.

    Args:
        exchanges: what is done, in these shares.
        rate: how many a second.
        only: those of these kinds; all, if it is empty.

    Attributes:
        counts: how many of each went as they should.
        errors: those that did not: the kind, and why.
    """

    THREADS = 4

    def __init__(self, exchanges: Exchanges, *, rate: float, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        shares = {kind: share for kind, (share, _) in exchanges.shares.items()}
        kinds = [kind for kind in only or shares for _ in range(shares[kind])]
        acts = {kind: act for kind, (_, act) in exchanges.shares.items()}
        self._threads = [
            threading.Thread(target=self._run, args=(kinds, acts, self.THREADS / rate, first))
            for first in range(self.THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def _run(
        self,
        kinds: Sequence[str],
        acts: dict[str, Callable[[int], None]],
        pause: float,
        number: int,
    ) -> None:
        chance = random.Random(number)
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += pause
            number += self.THREADS
            kind = chance.choice(kinds)
            try:
                acts[kind](number)
            except (OSError, AssertionError) as error:
                with self._lock:
                    self.errors.append(f"{kind} {number}: {error!r}"[:500])
            else:
                with self._lock:
                    self.counts[kind] += 1

    def close(self) -> None:
        """Lets what is under way finish."""
        self._over.set()
        for thread in self._threads:
            thread.join()
