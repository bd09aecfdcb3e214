"""Applications that harm their worker: the path says how. `app` is ASGI, `wsgi` WSGI."""

import asyncio
import atexit
import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

_own_sleep = ctypes.PyDLL(None).sleep  # Keeps the interpreter's lock.
_held: list[Any] = []


def spin() -> None:
    while True:
        pass


def hold_the_lock() -> None:
    _own_sleep(1000)


def wait_for_itself() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def sleep() -> None:
    time.sleep(1000)


STALLS = {
    "spin": spin,
    "hold-the-lock": hold_the_lock,
    "wait-for-itself": wait_for_itself,
    "sleep": sleep,
}


def allocate(size: str) -> str:
    return str(len(bytearray(int(size))))


def burn(seconds: str) -> str:
    end = time.thread_time() + float(seconds)
    while time.thread_time() < end:
        pass
    return "burnt"


def start_threads(count: str) -> str:
    """As many as it gets."""
    over = threading.Event()
    _held.append(over)
    for started in range(int(count)):
        try:
            threading.Thread(target=over.wait, daemon=True).start()
        except RuntimeError:
            return str(started)
    return count


def end_threads(_: str) -> str:
    for over in _held:
        over.set()
    return "ended"


def block_signals(_: str) -> str:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return "blocked"


def close_standard_streams(_: str) -> str:
    for number in (0, 1, 2):
        os.close(number)
    return "closed"


def close_logs(_: str) -> str:
    """Closes what messages and the access log are written to, but the standard streams."""
    closed = 0
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if number > 2 and any(os.path.sameopenfile(number, std) for std in (1, 2)):
                os.close(number)
                closed += 1
    return str(closed)


def write_to_standard_streams(_: str) -> str:
    """As C code does, whatever has the number."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            os.write(number, b"printed")
    return "written"


def close_connection(port: str) -> str:
    """Closes the descriptor of another client's connection, as code does that closes twice."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if os.path.islink(link := f"/proc/self/fd/{number}") and "socket:" in os.readlink(link):
            with socket.socket(fileno=os.dup(number)) as copy, contextlib.suppress(OSError):
                if copy.family == socket.AF_INET and copy.getpeername()[1] == int(port):
                    os.close(number)
                    return str(number)
    return "none"


DEEDS: dict[str, Callable[[str], str]] = {
    "number": lambda query: query.removeprefix("n="),
    "allocate": allocate,
    "burn": burn,
    "start-threads": start_threads,
    "end-threads": end_threads,
    "block-signals": block_signals,
    "close-standard-streams": close_standard_streams,
    "close-logs": close_logs,
    "write-to-standard-streams": write_to_standard_streams,
    "close-connection": close_connection,
}


async def lifespan(receive: Any, send: Any) -> None:
    await receive()
    atexit.register(os.write, 1, b"atexit\n")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    name, query = scope["path"][1:], scope["query_string"].decode()
    if name in STALLS:
        STALLS[name]()
    if name == "raise":
        raise ValueError("x" * int(query))
    if name == "after":
        await asyncio.sleep(float(query.partition("&")[0]))
    body = DEEDS.get(name, lambda _: str(os.getpid()))(query).encode()
    if name == "after":
        body = query.partition("&")[2].encode()
    fields = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Streams a part each 5 ms, for as many seconds as the query says."""
    seconds = float(parse_qs(environ["QUERY_STRING"]).get("s", ["1"])[0])
    start_response("200 OK", [])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield b"part"
        time.sleep(0.005)
