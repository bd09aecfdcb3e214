"""The clients: wrk and h2load for throughput, `openssl s_time` for handshakes, curl for large
bodies, plain sockets for waiting connections. The one for WebSockets is in websocket_load.py.
"""

from __future__ import annotations

import http.client
import math
import os
import re
import resource
import selectors
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.process import MeasureError

_GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HELLO_REQUEST = _GET % b"/"


@dataclass(frozen=True)
class Load:
    """What a load generator did: requests answered, wall seconds, its own CPU seconds."""

    requests: int
    seconds: float
    client_cpu_s: float


def run_pinned(command: Sequence[str], *, core: int, timeout_s: float) -> tuple[str, float]:
    """Runs a client on `core`. Returns its standard output and its CPU seconds.

    Raises:
        MeasureError: it failed, or took longer than `timeout_s`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            ["taskset", "-c", str(core), *command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MeasureError(f"{Path(command[0]).name} took longer than {timeout_s:.0f} s") from error
    if done.returncode != 0:
        raise MeasureError(f"{Path(command[0]).name} failed: {done.stderr[-200:].strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, cpu_s


def wrk(
    url: str,
    *,
    connections: int,
    seconds: float,
    core: int,
    script: Path | None = None,
    arguments: Sequence[str] = (),
    refused: bool = False,
) -> Load:
    """Keeps `connections` busy for `seconds` (rounded up), one request at a time on each.

    Args:
        arguments: of the script.
        refused: every answer has to be an error of the client or the server, instead of none.

    Raises:
        MeasureError: an answer was not 2xx or 3xx (`refused`: it was), or a connection failed.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--timeout", "10s"]
    if script is not None:
        command += ["-s", str(script)]
    command += [url, "--", *arguments] if arguments else [url]
    text, cpu_s = run_pinned(command, core=core, timeout_s=seconds + 30)
    requests, took_s = wrk_counts(text, refused=refused)
    return Load(requests, took_s, cpu_s)


def wrk_counts(text: str, *, refused: bool = False) -> tuple[int, float]:
    """Returns the requests and the seconds of what wrk printed. Raises as `wrk()`."""
    if broken := re.search(r"Socket errors: .*", text):
        raise MeasureError(f"wrk: {broken.group()}")
    done = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    if done is None or int(done[1]) == 0:
        raise MeasureError(f"wrk counted no requests: {text[-200:]}")
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if refused and (errors is None or errors[1] != done[1]):
        raise MeasureError(f"wrk: {errors[1] if errors else 0} of {done[1]} requests were refused")
    if errors and not refused:
        raise MeasureError(f"wrk: {errors.group()}")
    return int(done[1]), float(done[2]) * {"ms": 0.001, "s": 1, "m": 60}[done[3]]


def h2load(
    port: int, *, connections: int, in_flight: int, seconds: float, core: int, http1: bool = False
) -> Load:
    """Keeps `in_flight` requests under way on each of `connections`, without TLS.

    HTTP/2 with prior knowledge, or HTTP/1.1, where more than one in flight is pipelining.

    Raises:
        MeasureError: an answer was not 2xx, or a connection failed.
    """
    command = [
        *("h2load", "-t1", f"-c{connections}", f"-m{in_flight}", f"-D{math.ceil(seconds)}"),
        *(["--h1"] if http1 else []),
        f"http://127.0.0.1:{port}/",
    ]
    text, cpu_s = run_pinned(command, core=core, timeout_s=seconds + 60)
    done = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, .*", text)
    took = re.search(r"finished in ([\d.]+)(ms|us|s)", text)
    if done is None or took is None:
        raise MeasureError(f"h2load counted no requests: {text[-200:]}")
    if int(done[1]) == 0 or int(done[2]) or int(done[3]):
        raise MeasureError(f"h2load, {done.group()}")
    unit_s = {"us": 1e-6, "ms": 0.001, "s": 1}[took[2]]
    return Load(int(done[1]), float(took[1]) * unit_s, cpu_s)


HANDSHAKE_CLIENTS = 4


def handshakes(port: int, *, seconds: float, core: int) -> Load:
    """Makes full handshakes of TLS 1.3 by `HANDSHAKE_CLIENTS` clients, each one after the other.

    A connection ends after its handshake; no session is resumed.
    """
    one = (
        f"openssl s_time -connect 127.0.0.1:{port} -new -tls1_3 -time {math.ceil(seconds)}"
        " | grep 'real seconds'"
    )
    command = ["sh", "-c", " & ".join([one] * HANDSHAKE_CLIENTS) + " & wait"]
    began = time.monotonic()
    text, cpu_s = run_pinned(command, core=core, timeout_s=seconds + 30)
    made = [int(count) for count in re.findall(r"(\d+) connections in \d+ real seconds", text)]
    if len(made) != HANDSHAKE_CLIENTS or not all(made):
        raise MeasureError(f"openssl s_time: {text[-200:]!r}")
    return Load(sum(made), time.monotonic() - began, cpu_s)


def make_certificate(certificate: str, key: str) -> None:
    """Writes a self-signed ECDSA P-256 certificate and its key, PKCS#8."""
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        *("-keyout", key, "-out", certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)


def client_context() -> ssl.SSLContext:
    """A client that trusts everybody: what is measured is on loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def http2_answer(port: int) -> bytes | None:
    """Returns the body of `GET /` over HTTP/2 with prior knowledge; None: no answer with 200."""
    command = ["curl", "-sS", "-f", "-m", "5", "--http2-prior-knowledge", "-w", "%{http_version}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/"], capture_output=True, check=False)
    if done.returncode != 0 or not done.stdout.endswith(b"2"):
        return None
    return done.stdout[:-1]


def check_http2_answer(port: int, expected: bytes) -> None:
    """Asks once over HTTP/2 and compares.

    Raises:
        MeasureError: the answer is not 200 with `expected`.
    """
    if (got := http2_answer(port)) != expected:
        raise MeasureError(f"wrong answer over HTTP/2: {got!r}")


def check_answer(
    port: int, method: str, body: bytes | None, expected: bytes, headers: Mapping[str, str]
) -> None:
    """Asks twice on one connection and compares, so that no wrong answer is ever timed.

    Args:
        headers: fields that the answer has to have, as the application says them.

    Raises:
        MeasureError: the answer is not 200 with `expected` and `headers`, or it is the last one of
            its connection.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for _ in range(2):
            connection.request(method, "/", body)
            answer = connection.getresponse()
            got = answer.read()
            told = {name: answer.headers.get(name) for name in headers}
            if answer.status != 200 or got != expected or told != dict(headers):
                raise MeasureError(f"wrong answer: {answer.status} {told} {got[:80]!r}")
            if connection.sock is None:
                raise MeasureError("the connection ends after an answer")
    except (OSError, http.client.HTTPException) as error:
        raise MeasureError(f"no answer: {error}") from error
    finally:
        connection.close()


def raise_descriptor_limit() -> None:
    """Lifts the soft limit of open files to the hard one, for us and for what we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def ends_object(answer: bytes) -> bool:
    """True if the last byte of an answer with a JSON object has come."""
    return answer.endswith(b"}")


def is_whole(answer: bytes) -> bool:
    """True if head and body of an answer have come. Without Content-Length it has no body."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def _ask(
    connection: socket.socket,
    request: bytes = HELLO_REQUEST,
    whole: Callable[[bytes], bool] = ends_object,
) -> None:
    """Sends one request and reads until the end of its answer has come."""
    connection.sendall(request)
    answer = b""
    while not whole(answer):
        part = connection.recv(4096)
        if not part:
            raise MeasureError("the server closed a connection that should stay")
        answer += part


@contextmanager
def idle_connections(
    port: int, count: int, context: ssl.SSLContext | None = None
) -> Iterator[None]:
    """Holds `count` kept-alive connections that made one request each, until the block ends.

    Over TLS with `context`.

    Raises:
        MeasureError: the server closed any of them before the end of the block.
    """
    held: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            if context is not None:
                connection = context.wrap_socket(connection)
            held.append(connection)
            _ask(connection)
        yield
        _require_open(held)
    except OSError as error:
        raise MeasureError(f"connection {len(held)} of {count}: {error}") from error
    finally:
        for connection in held:
            # A reset leaves no TIME_WAIT behind: ten thousand would exhaust the ports.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def _require_open(held: Sequence[socket.socket]) -> None:
    """Raises MeasureError when a connection has something to read: the peer closed it."""
    with selectors.EpollSelector() as selector:
        for connection in held:
            selector.register(connection, selectors.EVENT_READ)
        if gone := len(selector.select(0)):
            raise MeasureError(f"the server closed {gone} of {len(held)} idle connections")


def ask_in_turn(
    port: int,
    count: int,
    request: bytes = HELLO_REQUEST,
    whole: Callable[[bytes], bool] = ends_object,
) -> None:
    """Makes `count` requests on one connection, each after the answer to the one before.

    Args:
        request: its head and its body.
        whole: says of the bytes that came whether they are all of the answer.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for _ in range(count):
            _ask(connection, request, whole)


def ask_together(port: int, count: int, path: bytes) -> float:
    """Sends `count` requests at once, waits for all answers, returns the seconds it took."""
    connections = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(count)]
    began = time.monotonic()
    try:
        for connection in connections:
            connection.sendall(_GET % path)
        for connection in connections:
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise MeasureError("a waiting request was not answered with 200")
        return time.monotonic() - began
    except OSError as error:
        raise MeasureError(f"waiting requests: {error}") from error
    finally:
        for connection in connections:
            connection.close()


def upload(port: int, size: int, *, core: int, scratch: Path) -> Load:
    """PUTs `size` zero bytes; the application must answer their number."""
    path = scratch / "upload.bin"
    with path.open("wb") as sparse:
        os.truncate(sparse.fileno(), size)
    command = ["curl", "-sS", "-f", "--http1.1", "-T", str(path), f"http://127.0.0.1:{port}/upload"]
    began = time.monotonic()
    text, cpu_s = run_pinned(command, core=core, timeout_s=120)
    if text != str(size):
        raise MeasureError(f"the application received {text[:20]!r} of {size} bytes")
    return Load(1, time.monotonic() - began, cpu_s)


def download(port: int, size: int, *, core: int) -> Load:
    """GETs `size` bytes and throws them away."""
    command = ["curl", "-sS", "-f", "--http1.1", "-o", "/dev/null", "-w", "%{size_download}"]
    began = time.monotonic()
    url = f"http://127.0.0.1:{port}/{size}"
    text, cpu_s = run_pinned([*command, url], core=core, timeout_s=120)
    if text != str(size):
        raise MeasureError(f"the client received {text[:20]!r} of {size} bytes")
    return Load(1, time.monotonic() - began, cpu_s)
