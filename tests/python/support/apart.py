"""A thread in a network of its own, with a name server that is scripted, and a way that loses
packets.

def body(network: Network) -> None:
    network.lossy(Way(loss=0.05))
    ...                                  # network.near is reached at network.far, through the way.

apart(body)

What the body starts, threads and processes, is in there, too. It takes root's rights and the
program `ip`; the test is skipped where they are missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.processes import environment_of_others

__all__ = ["AAAA", "CNAME", "A", "NameServer", "Network", "Way", "addresses", "answer", "apart"]

_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000
_TUNSETIFF, _TUN_WITHOUT_HEADER = 0x400454CA, 0x1001


@dataclass
class Way:
    """What becomes of packets. May be changed while they flow.

    Attributes:
        loss: of all packets, this share is lost.
        delay_s: each is as late; with `jitter_s`, up to that much more, so that they overtake
            each other.
        bits_per_s: what is more waits; 0: no limit.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    bits_per_s: float = 0.0


class Network:
    """The network of the thread. `near` is an address of it, `far` is the same through the way."""

    near, far = "10.9.0.1", "10.9.0.2"

    def __init__(self) -> None:
        self.way = Way()
        self.packets = self.lost = 0
        self.ipv6_connects = 0  # Nobody answers these.
        self._over = threading.Event()
        self._relay: threading.Thread | None = None
        self._tun = -1

    def lossy(self, way: Way, *, mtu: int = 1500) -> None:
        """Opens the way."""
        self.way = way
        self._tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        request = struct.pack("16sH22x", b"way", _TUN_WITHOUT_HEADER)
        fcntl.ioctl(self._tun, _TUNSETIFF, request)
        _ip("addr", "add", f"{self.near}/24", "dev", "way")
        _ip("link", "set", "way", "mtu", str(mtu), "up")
        self._relay = threading.Thread(target=self._reflect, daemon=True)
        self._relay.start()

    def add_address(self, address: str) -> None:
        """At the near end of the way; to the others of its prefix of IPv6 nothing comes."""
        _ip("addr", "add", address, "dev", "way", "nodad")

    def close(self) -> None:
        self._over.set()
        if self._relay is not None:
            self._relay.join(5)
            os.close(self._tun)

    def _reflect(self) -> None:
        """Sends each packet back as if it came from where it goes to: so one address is both ends.

        Both checksums are sums, so that they stay right when the addresses change places.
        """
        chance = random.Random(20261127)
        waiting: list[tuple[float, int, bytes]] = []
        free = time.monotonic()
        while not self._over.is_set():
            pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.1
            readable, _, _ = select.select([self._tun], [], [], min(pause, 0.1))
            now = time.monotonic()
            if readable:
                packet = os.read(self._tun, 65536)
                way = self.way
                if packet[0] >> 4 != 4:
                    self.ipv6_connects += packet[6] == socket.IPPROTO_TCP
                    continue
                self.packets += 1
                if chance.random() < way.loss:
                    self.lost += 1
                else:
                    free = max(free, now)
                    if way.bits_per_s:
                        free += len(packet) * 8 / way.bits_per_s
                    due = free + way.delay_s + chance.random() * way.jitter_s
                    turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                    heapq.heappush(waiting, (due, self.packets, turned))
            while waiting and waiting[0][0] <= now:
                with contextlib.suppress(OSError):
                    os.write(self._tun, heapq.heappop(waiting)[2])


def _ip(*words: str) -> None:
    command = ["ip", *words]
    subprocess.run(command, check=True, capture_output=True, env=environment_of_others())


def apart(body: Callable[[Network], None], *, resolv_conf: str | None = None) -> None:
    """Runs `body` in a thread of a network of its own; `resolv_conf`: what its resolver reads."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("it takes root's rights and the program ip (package iproute2)")
    failed: list[BaseException] = []

    def run() -> None:
        try:
            if ctypes.CDLL(None).unshare(_NEW_NETWORK | _NEW_MOUNTS) != 0:
                pytest.skip("no network of its own can be had here")
            _ip("link", "set", "lo", "up")
            if resolv_conf is not None:
                _replace_resolv_conf(resolv_conf)
            with contextlib.closing(Network()) as network:
                body(network)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _replace_resolv_conf(text: str) -> None:
    """In the mounts of this thread only."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o644)
    subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
    Path(file.name).unlink()


# --- names

A, CNAME, AAAA = 1, 5, 28
Records = list[tuple[str, int, int, bytes]]  # Name, type, seconds to live, data.


def _name(text: str) -> bytes:
    parts = text.rstrip(".").split(".")
    return b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"


def answer(query: bytes, records: Records, *, code: int = 0, truncated: bool = False) -> bytes:
    """Returns the answer to `query`. Source: RFC 1035 section 4."""
    flags = 0x8180 | code | (0x0200 if truncated else 0)
    question = query[12:]
    end = question.index(b"\0") + 5
    text = query[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0) + question[:end]
    for name, kind, seconds, data in records:
        text += _name(name) + struct.pack(">HHIH", kind, 1, seconds, len(data)) + data
    return text


class NameServer:
    """Answers on port 53 of 127.0.0.1, over UDP and TCP, what `script` returns; None: nothing.

    `script` is called with the query, the name in lower case, the type, and whether it is TCP.
    """

    def __init__(self, script: Callable[[bytes, str, int, bool], bytes | None]) -> None:
        self.script = script
        self.asked: list[tuple[str, int, bool]] = []
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 53))
        self._tcp = socket.create_server(("127.0.0.1", 53))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> NameServer:
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join(5)
        self._udp.close()
        self._tcp.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            for ready in select.select([self._udp, self._tcp], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    if ready is self._udp:
                        query, address = self._udp.recvfrom(4096)
                        if (said := self._answer(query, tcp=False)) is not None:
                            self._udp.sendto(said, address)
                    else:
                        self._serve_tcp(self._tcp.accept()[0])

    def _serve_tcp(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(1)
            while size := connection.recv(2):
                query = connection.recv(struct.unpack(">H", size)[0])
                if (said := self._answer(query, tcp=True)) is not None:
                    connection.sendall(struct.pack(">H", len(said)) + said)

    def _answer(self, query: bytes, *, tcp: bool) -> bytes | None:
        labels: list[str] = []
        at = 12
        while size := query[at]:
            labels.append(query[at + 1 : at + 1 + size].decode().lower())
            at += 1 + size
        kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
        self.asked.append((".".join(labels), kind, tcp))
        return self.script(query, ".".join(labels), kind, tcp)


def addresses(*hosts: str, seconds: int = 60) -> Callable[[bytes, str, int, bool], bytes | None]:
    """Returns a script: every name has these addresses, of both families."""

    def script(query: bytes, name: str, kind: int, tcp: bool) -> bytes | None:
        records: Records = []
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            if kind == (AAAA if family == socket.AF_INET6 else A):
                records.append((name, kind, seconds, socket.inet_pton(family, host)))
        return answer(query, records)

    return script
