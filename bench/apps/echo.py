"""Reads the request's body and streams it back, part by part, as it comes."""

from hello import Message, Receive, Send


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answers 200 with the body of the request, in chunks of unknown total length."""
    if scope["type"] != "http":
        raise RuntimeError("this application speaks HTTP only")
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/octet-stream")],
        }
    )
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        more = message.get("more_body", False)
        await send(
            {"type": "http.response.body", "body": message.get("body", b""), "more_body": more}
        )
