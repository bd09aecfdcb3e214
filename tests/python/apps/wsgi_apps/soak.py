"""What the soak asks of `live:app`, as WSGI: /number, /hello, /echo, /count and /stream."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = {name: one for name, (one, *_) in parse_qs(environ["QUERY_STRING"]).items()}
    path = environ["PATH_INFO"]
    if path == "/stream":
        start_response("200 OK", [])
        return (b"x" * int(query["size"]) for _ in range(int(query["n"])))
    body = answer(path, query, environ["wsgi.input"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def answer(path: str, query: dict[str, str], body: Any) -> bytes:
    if path == "/number":
        return query["n"].encode()
    if path == "/echo":
        return bytes(body.read())
    if path == "/count":
        return str(sum(len(part) for part in iter(lambda: body.read(65536), b""))).encode()
    return b"hello -"
