"""The raw WSGI answer: what a server costs when the application costs next to nothing."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b'{"message":"Hello"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", "19")]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers every request with the 19 bytes of `BODY`."""
    start_response("200 OK", list(HEADERS))
    return [BODY]
