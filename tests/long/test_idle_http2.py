"""As many idle connections as this machine allows, of clients that speak HTTP/2 or were about to.

Each kind is opened, measured while all are there, and left alone until its time limit is over: then
every one is closed, and the server has the descriptors of before.
Source: RFC 9113 sections 3.4, 5.1 and 6.5.3; docs/internals/attacks.md, "Idle connections".
"""

from __future__ import annotations

import contextlib
import resource
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hpack import Encoder
from hyperframe.frame import GoAwayFrame, HeadersFrame, SettingsFrame

from support.fixtures import Ledger
from support.http2 import PREFACE
from support.processes import open_files, private_bytes
from support.server import ServerProcess

# Of the server and of this process, beside the connections.
SPARE_FILES = 200
WANTED = 100_000
# Memory that a connection may be counted with: ours, the kernel's at both ends, the client's.
BYTES_EACH_WITH_KERNEL = 64 << 10
# One address has some 28,000 ports; all of 127.0.0.0/8 are ours.
PER_SOURCE = 20_000
IP_BIND_ADDRESS_NO_PORT = 24  # Of <linux/in.h>.
LINGER_S = 15.0

KIBIBYTE = 1024
# Of a connection that speaks HTTP/2 nearly all is nghttp2's.
H2_BYTES = 16 * KIBIBYTE
# What stays when all are gone: less than the smallest pieces of each.
KEPT_BYTES = 4 * KIBIBYTE


@dataclass(frozen=True)
class Kind:
    """What a client says before it falls silent.

    Args:
        says: in one piece.
        limit: the setting that ends it.
        bytes_max: of memory, for each.
        end: the last that it hears.
    """

    says: bytes
    limit: str
    bytes_max: int
    end: bytes


def settings_frame(flag: str = "") -> bytes:
    frame = SettingsFrame(0)
    if flag:
        frame.flags.add(flag)
    return frame.serialize()


def request() -> bytes:
    fields = [(":method", "GET"), (":scheme", "http"), (":path", "/hello"), (":authority", "t")]
    frame = HeadersFrame(1, Encoder().encode(fields))
    frame.flags.add("END_HEADERS")
    frame.flags.add("END_STREAM")
    return frame.serialize()


HELLO = PREFACE + settings_frame()
REQUEST = HELLO + settings_frame("ACK") + request()
KEEP_ALIVE = "timeout_keep_alive"
KINDS = {
    "half a preface": Kind(
        PREFACE[:10], "timeout_request_head", KIBIBYTE, b"the request head did not arrive in time\n"
    ),
    "a preface and no SETTINGS": Kind(PREFACE, KEEP_ALIVE, H2_BYTES, GoAwayFrame(0).serialize()),
    "SETTINGS and no ACK": Kind(HELLO, KEEP_ALIVE, H2_BYTES, GoAwayFrame(0).serialize()),
    "a request": Kind(REQUEST, KEEP_ALIVE, H2_BYTES, GoAwayFrame(0, 1).serialize()),
}

pytestmark = pytest.mark.timeout(900)


def connections_allowed() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with open("/proc/meminfo") as lines:
        available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    return min(WANTED, hard - SPARE_FILES, available * KIBIBYTE // BYTES_EACH_WITH_KERNEL)


@pytest.fixture
def all_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd:
    """Idle clients, and what they are told."""

    def __init__(self, server: ServerProcess, count: int, says: bytes) -> None:
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self.heard: dict[int, bytes] = {}
        for number in range(count):
            one = socket.socket()
            # The port is chosen when it is known for which server it has to be free.
            one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            one.bind((f"127.0.0.{2 + number // PER_SOURCE}", 0))
            one.connect(server.address)
            one.sendall(says)
            one.setblocking(False)
            self._open[one.fileno()] = one
            self._poll.register(one, select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._open)

    def listen(self, seconds: float) -> None:
        """Reads what comes for so long, or until all are closed."""
        end = time.monotonic() + seconds
        while self._open and time.monotonic() < end:
            for descriptor, _ in self._poll.poll(0.1):
                part = b""
                with contextlib.suppress(ConnectionResetError):
                    part = self._open[descriptor].recv(65536)
                # Of what comes only the end is looked at.
                self.heard[descriptor] = (self.heard.get(descriptor, b"") + part)[-200:]
                if not part:
                    self._poll.unregister(descriptor)
                    self._open.pop(descriptor).close()

    def close(self) -> None:
        for one in self._open.values():
            one.close()
        self._poll.close()


class Stage:
    """A server with one time limit, and as many clients as there may be.

    Args:
        limit: the setting of that time limit.
    """

    def __init__(self, serve: Any, limit: str) -> None:
        self.count = connections_allowed()
        assert self.count >= 10_000, "raise the hard limit of descriptors (ulimit -Hn) to 10,200"
        # On a slow machine the last are opened before it is over for the first.
        self.limit_s = 10 + self.count // 2000
        self.server: ServerProcess = serve("live:app", access_log=False, **{limit: self.limit_s})
        # The first to speak HTTP/2 has its library loaded.
        warm = Crowd(self.server, 10, REQUEST)
        warm.listen(1)
        warm.close()
        self.await_files(open_files(self.server.pid) - 10)
        self.files = open_files(self.server.pid)
        self.memory = private_bytes(self.server.pid)

    def await_files(self, count: int) -> None:
        end = time.monotonic() + 5
        while open_files(self.server.pid) > count and time.monotonic() < end:
            time.sleep(0.05)

    def each(self) -> float:
        """What the server has more of memory than in the beginning, by client."""
        return (private_bytes(self.server.pid) - self.memory) / self.count

    def crowd(self, kind: Kind) -> float:
        """Opens the clients, and waits until the server has closed them all.

        Returns:
            What each cost while all were there.
        """
        begin = time.monotonic()
        crowd = Crowd(self.server, self.count, kind.says)
        try:
            crowd.listen(1)
            assert len(crowd) == self.count, "the first are gone before the last are here"
            assert open_files(self.server.pid) - self.files == self.count
            each = self.each()
            self.server.assert_serves()
            assert time.monotonic() - begin < self.limit_s
            crowd.listen(self.limit_s + LINGER_S)
            assert not len(crowd), f"{len(crowd)} of {self.count} are open still"
        finally:
            crowd.close()
        assert {heard[-len(kind.end) :] for heard in crowd.heard.values()} == {kind.end}
        self.await_files(self.files)
        assert open_files(self.server.pid) == self.files
        return each


@pytest.mark.usefixtures("all_descriptors")
@pytest.mark.parametrize("name", KINDS)
def test_idle_connections_are_small_and_end(serve: Any, ledger: Ledger, name: str) -> None:
    kind = KINDS[name]
    stage = Stage(serve, kind.limit)
    each = stage.crowd(kind)
    ledger(f"idle: {each:.0f} bytes for each of {stage.count} that sent {name}")
    assert each < kind.bytes_max


@pytest.mark.usefixtures("all_descriptors")
def test_idle_connections_leave_no_more_than_the_next_ones_need(serve: Any, ledger: Ledger) -> None:
    stage = Stage(serve, KEEP_ALIVE)
    costs = [stage.crowd(KINDS["a request"]) for _ in range(3)]
    kept = stage.each()
    text = ", ".join(f"{cost:.0f}" for cost in [*costs, kept])
    ledger(f"idle: {text} bytes for each of {stage.count}: three crowds, and when all are gone")
    assert max(costs) < H2_BYTES
    assert kept < KEPT_BYTES
