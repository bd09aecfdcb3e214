"""What the tests of workers talk to. The path of a request says what becomes of its worker.

$CREW_FAILS makes the start-up fail: "import" when it is imported, "startup" in the lifespan, "exit"
by ending the process; where it is the path of a file, the file's text says which.
"""

import asyncio
import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

Message = dict[str, Any]

MODULE_PID = os.getpid()


def wished_failure() -> str:
    wish = os.environ.get("CREW_FAILS", "")
    return Path(wish).read_text().strip() if os.path.exists(wish) else wish


if wished_failure() == "import":
    raise RuntimeError("the import was to fail")
if os.environ.get("CREW_SLOW_IMPORT"):
    os.write(1, b"importing\n")
    time.sleep(float(os.environ["CREW_SLOW_IMPORT"]))
if os.environ.get("CREW_THREAD"):
    threading.Thread(target=time.sleep, args=(1000,), name="imported", daemon=True).start()


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # One call: others write to the same pipe.


async def lifespan(receive: Any, send: Any) -> None:
    await receive()
    failure = wished_failure()
    if failure == "startup":
        await send({"type": "lifespan.startup.failed", "message": "it was to fail"})
        return
    if failure == "exit":
        os._exit(41)
    say(f"started {os.getpid()}")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.sleep(float(os.environ.get("CREW_ENDS_IN", "0")))
    say(f"ended {os.getpid()}")
    await send({"type": "lifespan.shutdown.complete"})


async def answer(send: Any, text: str) -> None:
    body = text.encode()
    fields = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def stream(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"data: begin\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    await send({"type": "http.response.body", "body": b"data: end\n\n"})


async def ticks(send: Any) -> None:
    """An event every 50 ms, until the client has left."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"data: tick\n\n", "more_body": True})
            await asyncio.sleep(0.05)
    except OSError:
        say("disconnect")


async def upload(receive: Any, send: Any) -> None:
    """Says when the first byte is there, and answers with how many there were."""
    size, more = 0, True
    while more:
        message = await receive()
        if size == 0 and message.get("body"):
            say("upload began")
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, str(size))


def leave_orphan() -> str:
    """Starts a process that ends at once with 7, and leaves another one that lives for 0.1 s."""
    script = "sleep 0.1 >/dev/null & echo $!; exit 7"
    done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    return f"{done.stdout.strip()} {done.returncode}"


def is_process(pid: str) -> bool:
    return os.path.exists(f"/proc/{pid}")


def why_not_writable(path: str) -> str:
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError as error:
        return os.strerror(error.errno)
    return "writable"


def request_as_json(scope: Message) -> str:
    """What a proxy may have changed."""
    fields = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    known = {name: scope[name] for name in ("client", "scheme", "method")}
    return json.dumps({**known, "fields": fields})


async def websocket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
    say(f"websocket {message['code']}")


async def app(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await websocket(receive, send)
    path, query = scope["path"], scope["query_string"].decode()
    if path == "/sleep":
        say(f"sleeping {query}")
        await asyncio.sleep(float(query))
    elif path == "/stream":
        return await stream(receive, send)
    elif path == "/ticks":
        return await ticks(send)
    elif path == "/orphan":
        return await answer(send, leave_orphan())
    elif path == "/exists":
        return await answer(send, str(is_process(query)))
    elif path == "/write":
        return await answer(send, why_not_writable(__file__))
    elif path == "/upload":
        return await upload(receive, send)
    elif path == "/request":
        return await answer(send, request_as_json(scope))
    elif path == "/block":
        time.sleep(1000)  # noqa: ASYNC251
    elif path == "/exit":
        sys.stdout.flush()
        os._exit(int(query))
    elif path == "/crash":
        ctypes.string_at(0)
    elif path == "/grow":
        scope["app_memory"] = app.kept.append(bytearray(os.urandom(1) * int(query)))
    elif path == "/imported":
        return await answer(send, str(MODULE_PID))
    elif path == "/number":
        return await answer(send, query.removeprefix("n="))
    await answer(send, str(os.getpid()))
    return None


app.kept = []  # type: ignore[attr-defined]


def wsgi(environ: Message, start_response: Any) -> list[bytes]:
    body = f"{os.getpid()} {environ['wsgi.multiprocess']}".encode()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]
