"""The application of the HTTP/1.1 vectors: answers 200 with the body of the request.

A request for /smuggled, which stands hidden in the bytes of other requests, is answered so that the
judge of the vectors sees it.
"""

from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    if scope["path"].startswith("/smuggled"):
        body = b"SMUGGLED-HIT"
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
