"""Large bodies in both directions: PUT counts the bytes it gets, GET /N streams N bytes."""

from hello import Message, Receive, Send

CHUNK = bytes(64 * 1024)


async def count_body(receive: Receive) -> int:
    """Returns the size of the request's body in bytes, or -1 when the client left."""
    total = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return -1
        total += len(message.get("body", b""))
        more = message.get("more_body", False)
    return total


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """PUT: answers the number of bytes received. GET /N: N zero bytes in parts of 64 KiB."""
    if scope["type"] != "http":
        raise RuntimeError("this application speaks HTTP only")
    wanted = int(scope["path"][1:] or 0) if scope["method"] == "GET" else 0
    text = str(await count_body(receive)).encode() if scope["method"] == "PUT" else b""
    length = str(wanted + len(text)).encode()
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(wanted // len(CHUNK)):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": CHUNK[: wanted % len(CHUNK)] + text})
