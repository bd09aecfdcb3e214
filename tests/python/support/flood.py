"""A client in a process of its own that asks at a rate, whether answers come or not.

    python -m support.flood HOST PORT RATE SECONDS CONNECTIONS TARGET

prints as JSON how many requests it `sent`, how many were answered 200 (`good`) or 503 with
Retry-After (`refused`, and how long that took), how many neither (`bad`), and by how much it was
late itself. Each is due at its
time, on the connection that has waited longest; where none is free, it is not sent.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque


class Flood(asyncio.Protocol):
    """One connection. One that the server closes after an answer makes place for another."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._sent = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._counts.free.append(self)

    def ask(self, request: bytes) -> None:
        self._sent = time.monotonic()
        self._counts.sent += 1
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        fields = head.lower()
        length = int(fields.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        if not end or len(body) < length:
            return
        self._got = b""
        if head.startswith(b"HTTP/1.1 200 "):
            self._counts.good += 1
        elif head.startswith(b"HTTP/1.1 503 ") and b"retry-after: " in fields:
            self._counts.refused.append(time.monotonic() - self._sent)
        else:
            self._counts.bad += 1
        self._sent = 0.0
        if b"connection: close" in fields:
            self._transport.close()
        else:
            self._counts.free.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self._sent:
            self._counts.bad += 1
        self._counts.lost.append(self)


class Counts:
    def __init__(self) -> None:
        self.free: deque[Flood] = deque()
        self.lost: list[Flood] = []
        self.sent = self.good = self.bad = 0
        self.refused: list[float] = []
        self.late: list[float] = []

    def show(self) -> str:
        times = sorted(self.refused) or [0.0]
        return json.dumps(
            {
                "sent": self.sent,
                "good": self.good,
                "bad": self.bad,
                "refused": len(self.refused),
                "late_median_s": sorted(self.late)[len(self.late) // 2],
                "refused_median_s": times[len(times) // 2],
                "refused_p99_s": times[len(times) * 99 // 100],
            }
        )


async def run(
    host: str, port: str, rate: str, seconds: str, connections: str, target: str
) -> Counts:
    counts = Counts()
    loop = asyncio.get_running_loop()

    def connect() -> asyncio.Task[object]:
        return loop.create_task(loop.create_connection(lambda: Flood(counts), host, int(port)))

    tasks = {connect() for _ in range(int(connections))}
    await asyncio.gather(*tasks)
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    due = begin = time.monotonic()
    while due < begin + float(seconds):
        due += 1 / float(rate)
        await asyncio.sleep(due - time.monotonic())
        counts.late.append(time.monotonic() - due)
        while counts.lost:
            gone = counts.lost.pop()
            if gone in counts.free:
                counts.free.remove(gone)
            tasks.add(connect())
        if counts.free:
            counts.free.popleft().ask(request)
    await asyncio.sleep(0.5)  # For the last answers.
    return counts


if __name__ == "__main__":
    print(asyncio.run(run(*sys.argv[1:])).show())
