"""What a load client asks: HTTP says the query back, WebSockets are those of the benchmarks."""

from typing import Any

import rooms

QUERY_ABSENT = b"n=none"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        await rooms.app(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["query_string"] or QUERY_ABSENT})
