"""Measures the memory of the S3 gateway while it has a thousand uploads under way.

    python bench/uploads.py                                   # all kinds of bodies, in clear
    python bench/uploads.py --tls --kinds chunks --uploads 200

The question: does a gateway that streams stay below 256 MiB, whatever clients and backends do? Each
client sends an object of 1 MiB. The backend reads what is in front of it and then nothing, so that
everything between the two is full: buffers of the gateway, and of the kernel, which do not count
and are small. When nobody gets on any more, the proportional set size of all the gateway's
processes is taken. Then the backend reads on, and every upload has to end with 200; the most of
that is taken, too. Writes one JSON file into bench/results/. tests/python/test_s3_memory.py holds
it to the bound.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "python"))

from harness import machine  # noqa: E402
from harness.peak import Peak  # noqa: E402

from support.server import ServerProcess  # noqa: E402
from support.sigv4 import UNSIGNED, Key, chunked_pieces, sign  # noqa: E402
from support.tls import Authority  # noqa: E402

RESULTS = REPOSITORY / "bench" / "results"
BOUND_MIB = 256
SIZE = 1 << 20
PIECE = 64 << 10
# Of the client and of the backend: what the kernel keeps between is not the gateway's.
KERNEL_BUFFER = 32 << 10
STILL_S = 1.5
LIMIT_S = 120.0
ALICE = Key("alice", "her secret")
DATA = bytes(range(256)) * (SIZE // 256)

KINDS = {
    "hash": "the hash of the body is signed; the bytes go as they are",
    "trailer": "aws-chunked with a checksum behind it, which goes as it is",
    "chunks": "aws-chunked, each chunk signed: verified and decoded",
}


def pss_mib(pid: int) -> float:
    """Returns the proportional set size of a process and its children."""
    total = 0.0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(pss_mib(int(child)) for child in children.read_text().split())
    return total


class Backend:
    """A server that takes every PUT, and reads bodies when it is allowed to."""

    def __init__(self) -> None:
        self.heads = 0
        self.taken = 0
        self.allowed = asyncio.Event()
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Backend:
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(
            self._serve, sock=listener, limit=8 << 10, backlog=4096
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.allowed.set()
        self._server.close()
        for writer in self._connections:
            writer.transport.abort()
        await asyncio.gather(*self._connections.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[writer] = task
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads += 1
                await self.allowed.wait()
                await self._read_body(reader, head.lower())
                self.taken += 1
                writer.write(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n')
                await writer.drain()
        writer.close()

    @staticmethod
    async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
        length = int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0])
        while length > 0:
            piece = await reader.read(min(length, PIECE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", length)
            length -= len(piece)


def upload(kind: str, number: int, host: str) -> tuple[bytes, Iterable[bytes]]:
    """Returns the head of an upload, and the pieces of its body."""
    more: dict[str, str] = {}
    pieces: Iterable[bytes] = [DATA[at : at + PIECE] for at in range(0, SIZE, PIECE)]
    payload, length = UNSIGNED, SIZE
    if kind == "hash":
        payload = hashlib.sha256(DATA).hexdigest()
    else:
        more = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(SIZE)}
    if kind == "trailer":
        payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        more["x-amz-trailer"] = "x-amz-checksum-crc32"
        checksum = b64encode(zlib.crc32(DATA).to_bytes(4, "big"))
        end = b"\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % checksum
        pieces = [b"%x\r\n" % SIZE, *pieces, end]
        length = sum(map(len, pieces))
    elif kind == "chunks":
        payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        count = SIZE // PIECE
        line = len(b";chunk-signature=") + 64 + 4
        length = SIZE + count * (len(f"{PIECE:x}") + line) + 1 + line
    target = f"/bucket/upload{number}"
    fields = sign("PUT", target, host, ALICE, headers=more, payload=payload)
    if kind == "chunks":
        pieces = chunked_pieces(pieces, ALICE, fields)
    fields["content-length"] = str(length)
    lines = [f"PUT {target} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n", pieces


class Clients:
    """Uploads that are under way."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.sent = 0
        self.written = 0
        self._port = port
        self._context = context

    async def run(self, kind: str, number: int) -> int:
        """Returns the status of the answer."""
        raw = socket.socket()
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self._port))
        names = {"server_hostname": "127.0.0.1"} if self._context else {}
        reader, writer = await asyncio.open_connection(sock=raw, ssl=self._context, **names)
        writer.transport.set_write_buffer_limits(PIECE)
        head, pieces = upload(kind, number, f"127.0.0.1:{self._port}")
        writer.write(head)
        with contextlib.suppress(OSError):  # Who is refused is not read to the end.
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece)
            self.written += 1
        answer = await reader.readuntil(b"\r\n")
        writer.close()
        return int(answer.split()[1])


async def measure(kind: str, uploads: int, authority: Authority | None) -> dict[str, Any]:
    """Returns what the gateway took, in MiB, and how the uploads ended."""
    settings: dict[str, Any] = {"io_threads": 2, "limit_request_body": 0, "access_log": False}
    settings["backlog"] = 4096
    context = None
    if authority is not None:
        certificate, key = authority.issue("127.0.0.1", file="server")
        settings |= {"ssl_certfile": certificate, "ssl_keyfile": key}
        context = ssl.create_default_context(cafile=authority.ca)
    async with Backend() as backend:
        env = {"ORIGIN": f"http://127.0.0.1:{backend.port}"}
        with ServerProcess("s3_gateway:gateway", env=env, **settings) as server:
            assert isinstance(server.address, tuple)
            clients = Clients(server.address[1], context)
            idle = pss_mib(server.pid)
            with Peak(lambda: pss_mib(server.pid)) as peak:
                under_way = [
                    asyncio.create_task(clients.run(kind, number)) for number in range(uploads)
                ]
                await _until_nobody_gets_on(clients, backend, under_way)
                stalled, blocked = pss_mib(server.pid), uploads - clients.written
                backend.allowed.set()
                statuses = await asyncio.wait_for(asyncio.gather(*under_way), LIMIT_S)
            await asyncio.sleep(1)
            after = pss_mib(server.pid)
    return {
        "uploads": uploads,
        "in_flight_at_the_backend": backend.heads,
        "blocked_clients": blocked,
        "answered_200": statuses.count(200),
        "pss_idle_mib": round(idle, 1),
        "pss_stalled_mib": round(stalled, 1),
        "pss_peak_mib": round(peak.most, 1),
        "pss_after_mib": round(after, 1),
    }


async def _until_nobody_gets_on(
    clients: Clients, backend: Backend, under_way: list[asyncio.Task[int]]
) -> None:
    end = time.monotonic() + LIMIT_S
    last, since = -1, time.monotonic()
    while backend.heads < len(under_way) or time.monotonic() - since < STILL_S:
        if ended := [task for task in under_way if task.done()]:
            raise RuntimeError(f"{len(ended)} uploads ended early: {ended[0]}")
        if time.monotonic() > end:
            raise TimeoutError(f"{backend.heads} of {len(under_way)} uploads came to the backend")
        if clients.sent != last:
            last, since = clients.sent, time.monotonic()
        await asyncio.sleep(0.05)


def results(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder)) if arguments.tls else None
        for kind in arguments.kinds:
            yield kind, asyncio.run(measure(kind, arguments.uploads, authority))


# Below what an upload has, so that clients have to wait: min, default and max of buffers.
_SMALL = "4096 16384 65536"


def enter_network() -> None:
    """Has the rest of this process in a network of its own, whose kernel keeps little for a
    connection. Without the rights for it, it stays: then the kernel takes what it likes.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000) != 0:  # CLONE_NEWNET
        print("uploads: no rights for a network of its own: clients are not held up", flush=True)
        return
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name in ("tcp_rmem", "tcp_wmem"):
        Path(f"/proc/sys/net/ipv4/{name}").write_text(_SMALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--tls", action="store_true", help="clients come over TLS")
    parser.add_argument("--out", type=Path, help="default: bench/results/s3-memory-DATE.json")
    arguments = parser.parse_args()
    enter_network()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = 4 * arguments.uploads + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        parser.error(f"{needed} descriptors are needed, and the limit (ulimit -Hn) is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    found = dict(results(arguments))
    for kind, one in found.items():
        print(f"uploads: {kind}: " + ", ".join(f"{name} {value}" for name, value in one.items()))
    date = datetime.now(UTC)
    out = (
        arguments.out
        or RESULTS / f"s3-memory-{date:%Y-%m-%d}{'-tls' if arguments.tls else ''}.json"
    )
    text = {
        "what": "memory of the S3 gateway with uploads under way; PSS of all its processes",
        "date": date.isoformat(timespec="seconds"),
        "commit": machine.commit(REPOSITORY),
        "command": shlex.join([Path(sys.executable).name, *sys.argv]),
        "machine": machine.describe(),
        "tls": arguments.tls,
        "io_threads": 2,
        "object_bytes": SIZE,
        "bound_mib": BOUND_MIB,
        "kinds": {kind: {"what": KINDS[kind], **one} for kind, one in found.items()},
    }
    out.write_text(json.dumps(text, indent=2) + "\n")
    bad = [
        kind
        for kind, one in found.items()
        if one["answered_200"] != one["uploads"] or one["pss_peak_mib"] >= BOUND_MIB
    ]
    return 1 if bad else 0


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(main())
