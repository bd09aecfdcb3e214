"""What to ask the applications of tests/python/apps, so that each shows all that it can do.

A script is a list of steps. A step is one thing that a client does, and returns what it got, in a
form to compare: no dates, no addresses.
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from apps import faulty
from support.http1 import Closed, RawClient, Response

Step = Callable[[RawClient], Any]
Script = list[Step]

APPS = Path(__file__).resolve().parent.parent / "apps"

BODY = bytes(i * 7 % 251 for i in range(100_000))
# Comes while the application already waits for it, in parts that are chunks of their own.
PARTS = [b"hello", b" ", b"world" * 100]
FORM = (
    b'--limit\r\nContent-Disposition: form-data; name="file"; filename="name.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + BODY + b"\r\n--limit--\r\n"
)


# --- steps


def shown(response: Response) -> Any:
    headers = [(name.lower(), value) for name, value in response.headers if name.lower() != "date"]
    interim = [shown(one) for one in response.interim]
    return response.status, headers, response.body, response.trailers, interim


def answer(client: RawClient, *, head: bool = False) -> Any:
    """The response, or that the connection ended instead, and after what."""
    try:
        return shown(client.response(head=head))
    except Closed as end:
        return "cut", re.sub(rb"(?i)date: [^\r]*\r\n", b"", end.got)


def ask(
    target: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Step:
    """Sends a whole request at once."""
    lines = [f"{method} {target} HTTP/1.1", "Host: test"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")

    def step(client: RawClient) -> Any:
        client.send(data)
        return answer(client, head=method == "HEAD")

    return step


def upload_in_parts(target: str) -> Step:
    """Sends a chunked body, with pauses in which the application waits for more."""

    def step(client: RawClient) -> Any:
        client.send(f"POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in PARTS:
            time.sleep(0.005)
            client.send(b"%x\r\n%b\r\n" % (len(part), part))
        time.sleep(0.005)
        client.send(b"0\r\n\r\n")
        return answer(client)

    return step


def pipelined(*targets: str) -> Step:
    """Sends all requests at once, the later ones while the first may be suspended."""

    def step(client: RawClient) -> Any:
        client.send("".join(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n" for target in targets))
        return [answer(client) for _ in targets]

    return step


def leave(target: str, *, begun: bool) -> Step:
    """Asks and resets the connection: when the response has begun, or a moment after asking.

    Only for an application that does the same whenever that happens.
    """

    def step(client: RawClient) -> Any:
        client.send(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
        if begun:
            assert client.read_some()
        else:
            time.sleep(0.01)
        client.reset()
        return "left"

    return step


def leave_within_body(target: str) -> Step:
    def step(client: RawClient) -> Any:
        client.send(f"POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf")
        time.sleep(0.01)
        client.reset()
        return "left"

    return step


# --- scripts

WHOLE = [ask("/", method="POST", body=BODY), ask("/", method="HEAD")]
FORM_TYPE = ("Content-Type", "multipart/form-data; boundary=limit")

LIVE = [
    ask("/alive"),
    ask("/no-such-path"),
    ask("/hello?id=1"),
    ask("/wakes-on-signals"),  # Raises: this is not the main thread.
    ask("/echo", method="POST", body=BODY),
    ask("/echo", method="POST", body=b"body", headers=(("Expect", "100-continue"),)),
    upload_in_parts("/echo"),
    leave_within_body("/echo?id=half"),
    ask("/count", method="POST", body=BODY),
    upload_in_parts("/count"),
    leave_within_body("/count?id=half"),
    ask("/early", method="POST", body=b"unread"),
    ask("/stream?n=3"),
    ask("/stream?n=3&pause=0.002"),
    ask("/stream?n=3", method="HEAD"),
    leave("/stream?n=100&size=1000000", begun=True),
    pipelined("/sleep?s=0.005&id=a", "/hello?id=b", "/stream?n=2", "/sleep?s=0&id=c"),
    ask("/pour?n=4"),
    ask("/sip?pause=0.01", method="POST", body=BODY),
    leave("/wait?id=2", begun=False),
    leave("/start-and-wait?id=3", begun=True),
    leave("/send-until-gone?id=4", begun=True),
    ask("/status?code=204"),
    ask("/status?code=304"),
    ask("/hints"),
    ask("/trailers", headers=(("TE", "trailers"),)),
    ask("/trailers"),
    ask("/refuse-body", method="POST", body=b"refused"),
]

FAULTY = [
    *[
        ask(f"/{where}/{what}")
        for where in ("before", "after", "between")
        for what in faulty.RAISED
        if what not in ("system-exit", "keyboard-interrupt")  # They end the loop.
    ],
    *[ask(f"/{name}") for name in faulty.FAULTS],
    ask("/ok"),
]

FRAMEWORK = [
    ask("/json"),
    ask("/json", method="HEAD"),
    ask("/items/gr%C3%BC%C3%9Fe%20100%25?q=%C3%A4%26"),
    ask("/nothing/here"),
    ask("/stream"),
    ask("/raw", method="POST", body=BODY),
    upload_in_parts("/raw"),
    ask("/upload", method="POST", body=FORM, headers=(FORM_TYPE,)),
    ask("/raise"),
    ask("/state"),
    pipelined("/json", "/stream", "/json"),
    ask("/background"),
]

SCRIPTS: dict[str, Script] = {
    "echo:app": [*WHOLE, upload_in_parts("/"), leave_within_body("/"), ask("/smuggled")],
    "faulty:app": FAULTY,
    "faulty:not_awaitable": [ask("/")],
    "faulty:raises_when_called": [ask("/")],
    "faulty:fails_to_start": [],
    "faulty:raises_at_start": [ask("/ok"), ask("/before/value-error")],
    "faulty:fails_to_stop": [ask("/ok")],
    "faulty:raises_at_stop": [ask("/ok")],
    "faulty:leaves_lifespan": [ask("/ok")],
    "live:app": LIVE,
    "page:app": [
        *[ask(path) for path in ("/", "/style.css", "/script.js", "/json", "/stream", "/none")],
        ask("/upload", method="POST", body=BODY),
        upload_in_parts("/upload"),
        ask("/report", method="POST", body=b"a report"),
    ],
    "process:app": [ask("/")],
    "process:failing_start": [],
    "process:failing_shutdown": [],
    "quiet:app": [*WHOLE, pipelined("/", "/", "/")],
    **{
        f"frameworks.{name}_app:app": FRAMEWORK
        for name in ("django", "falcon", "fastapi", "litestar", "quart", "starlette")
    },
}


def modules() -> Iterator[str]:
    """The names of all modules of tests/python/apps, below it, but for those of WSGI."""
    for path in sorted(APPS.rglob("*.py")):
        if path.name != "__init__.py" and path.parent.name != "wsgi_apps":
            yield ".".join(path.relative_to(APPS).with_suffix("").parts)


def applications(module: str) -> Iterator[str]:
    """The targets in `module`: what is called `app`, or has the signature of an application."""
    for name, value in vars(import_module(f"apps.{module}")).items():
        signed = inspect.isfunction(value) and [*inspect.signature(value).parameters] == [
            "scope",
            "receive",
            "send",
        ]
        if name == "app" or (signed and not name.startswith("_")):
            yield f"{module}:{name}"


def application(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(f"apps.{module}"), name)
