"""A WSGI application for the tests of a whole server process. Prints what it does.

| request | what it does |
|---|---|
| /hello | answers at once |
| /sleep?S | begins to sleep S seconds, then answers |
| /stream?S | streams a part each 10 ms for S seconds |
| /errors | writes to wsgi.errors |
| /raise | raises |
| /count | answers the length of the body |
| /late?S | answers at once, and works on for S seconds in close() |
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

TEXT = [("Content-Type", "text/plain")]


def say(text: str) -> None:
    print(text, flush=True)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/raise":
        raise ValueError("the application fails")
    if path == "/errors":
        print("to the log", file=environ["wsgi.errors"])
    if path == "/sleep":
        say(f"sleeping {query}")
        time.sleep(float(query))
        say(f"slept {query}")
    start_response("200 OK", TEXT)
    if path == "/stream":
        return stream(float(query))
    if path == "/late":
        return Late(float(query))
    if path == "/count":
        return [str(len(environ["wsgi.input"].read())).encode()]
    return [path[1:].encode()]


def stream(seconds: float) -> Iterator[bytes]:
    say("streaming")
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            yield b"part "
            time.sleep(0.01)
        yield b"end"
    finally:
        say("stream closed")


class Late(list[bytes]):
    def __init__(self, seconds: float) -> None:
        super().__init__([b"answered"])
        self._seconds = seconds

    def close(self) -> None:
        say("working on")
        time.sleep(self._seconds)
        say("done")


def of_any_arguments(*arguments: Any, **named: Any) -> Iterable[bytes]:
    """As wrappers often are: nobody can see that it is WSGI."""
    return app(*arguments, **named)
