"""What the HTTP/1.1 tests talk to: the path of a request says how it is answered.

It prints a line for what a client cannot see ("disconnect 7", "send failed 7"), where 7 is `id` of
the query, so a test can wait for it.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

Message = dict[str, Any]

SOURCE_BYTES = Path(__file__).stat().st_size


def say(text: str) -> None:
    print(text, flush=True)


async def read_body(receive: Any) -> bytes | None:
    """Returns the whole body, or None when the client went away before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


class Live:
    """One request: the methods are the paths."""

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        query = parse_qs(scope["query_string"].decode())
        self.query = {name: values[-1] for name, values in query.items()}
        self.id = self.query.get("id", "-")

    async def send(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:
            say(f"send failed {self.id}")
            raise

    async def start(self, *headers: tuple[bytes, bytes], status: int = 200, **more: Any) -> None:
        await self.send(
            {"type": "http.response.start", "status": status, "headers": list(headers), **more}
        )

    async def body(self, data: bytes = b"", *, more: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def answer(self, data: bytes, status: int = 200) -> None:
        length = (b"content-length", b"%d" % len(data))
        await self.start(length, (b"content-type", b"text/plain"), status=status)
        await self.body(data)

    # --- the paths

    async def alive(self) -> None:
        await self.answer(b"alive")

    async def hello(self) -> None:
        await self.answer(f"hello {self.id}".encode())

    async def number(self) -> None:
        """Answers the number that the load client asks for."""
        await self.answer(self.query["n"].encode())

    async def wakes_on_signals(self) -> None:
        """Whether a signal that comes while the loop is about to wait would end the wait."""
        descriptor = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(descriptor)
        await self.answer(b"no" if descriptor == -1 else b"yes")

    async def echo(self) -> None:
        """Answers with the body of the request."""
        body = await read_body(self.receive)
        if body is None:
            say(f"disconnect {self.id}")
            return
        await self.answer(body)

    async def count(self) -> None:
        """Answers with the size of the body, which it does not keep."""
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                say(f"disconnect {self.id}")
                return
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        await self.answer(str(size).encode())

    async def early(self) -> None:
        """Answers without reading the body."""
        await self.answer(b"early")

    async def stream(self) -> None:
        """Sends `n` parts of `size` bytes, `pause` seconds apart, of unknown total length."""
        pause = float(self.query.get("pause", 0))
        part = b"x" * int(self.query.get("size", 10))
        await self.start()
        for _ in range(int(self.query.get("n", 3))):
            await self.body(part, more=True)
            await asyncio.sleep(pause)
        await self.body()
        say(f"streamed {self.id}")

    async def pour(self) -> None:
        """Sends 64 KiB parts until it has sent `n`, and says after each how many."""
        await self.start()
        for number in range(int(self.query.get("n", 1000))):
            await self.body(b"p" * 65536, more=True)
            say(f"poured {self.id} {number + 1}")
        await self.body()

    async def sip(self) -> None:
        """Reads one part of the body, waits `pause` seconds, and reads the rest."""
        message = await self.receive()
        size = len(message.get("body", b""))
        say(f"sipped {self.id} {size}")
        await asyncio.sleep(float(self.query.get("pause", 1)))
        while message.get("more_body", False):
            message = await self.receive()
            size += len(message.get("body", b""))
        await self.answer(str(size).encode())

    async def sleep(self) -> None:
        """Answers after `s` seconds."""
        say(f"sleeping {self.id}")
        await asyncio.sleep(float(self.query.get("s", 1)))
        await self.answer(b"slept")
        say(f"slept {self.id}")

    async def wait(self) -> None:
        """Waits for the client to leave, and never answers."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        say(f"disconnect {self.id}")

    async def start_and_wait(self) -> None:
        """Starts a response, sends a part of it, and waits for the client to leave."""
        await self.start()
        await self.body(b"part", more=True)
        await self.wait()

    async def send_until_gone(self) -> None:
        """Sends small parts until send() fails."""
        await self.start()
        while True:
            await self.body(b"tick", more=True)
            await asyncio.sleep(0.02)

    async def status(self) -> None:
        """Answers with status `code`, a body, and its length."""
        await self.answer(b"some body", status=int(self.query["code"]))

    async def hints(self) -> None:
        """Sends early hints, then answers."""
        await self.start((b"content-length", b"2"))
        if "http.response.early_hint" in self.scope["extensions"]:
            links = [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]
            await self.send({"type": "http.response.early_hint", "links": links})
        await self.body(b"ok")

    async def trailers(self) -> None:
        """Sends a body and, where the client can take them, trailers."""
        usable = "http.response.trailers" in self.scope["extensions"]
        await self.start((b"trailer", b"x-sum"), trailers=usable)
        await self.body(b"body")
        if usable:
            await self.send(
                {"type": "http.response.trailers", "headers": [(b"x-sum", b"42")]},
            )

    async def own_source(self) -> None:
        """Answers with this file, which the server reads."""
        await self.start((b"content-length", b"%d" % SOURCE_BYTES))
        await self.send({"type": "http.response.pathsend", "path": __file__})

    async def refuse_body(self) -> None:
        """Answers 413 without reading the body, and asks for the connection to be closed."""
        await self.start((b"connection", b"close"), (b"content-length", b"3"), status=413)
        await self.body(b"no\n")


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        say(message["type"])
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def echo_messages(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def app(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["type"] == "websocket":
        await echo_messages(receive, send)
        return
    live = Live(scope, receive, send)
    path = scope["path"].strip("/").replace("-", "_")
    method = getattr(live, path, None)
    if method is None:
        await live.answer(b"no such path", status=404)
    else:
        await method()
