"""Random requests to tests/python/apps/api_things.py, and what its answers have in common."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

KEY = "12345678-1234-5678-1234-567812345678"
METHODS = ["GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]
# What a segment of a path or a value of a query is made of. Percent-encoded where it has to be.
WORDS = [
    *[
        "",
        "0",
        "7",
        "-1",
        "1.5",
        "1e3",
        "nan",
        "true",
        "off",
        "YES",
        "null",
        "a,b",
        "a%2Cb",
        "+",
        "%2B",
    ],
    *["a%20b", "a+b", "%C3%BC", "%F0%9F%A6%85", "%FF", "%00", "%2F", "%25", "..", ".", "~x", "red"],
    *[
        "12345678901234567890123",
        "2026-11-26",
        "2026-02-30",
        KEY,
        KEY.upper(),
        "stock",
        "zero",
        "http",
    ],
]
STARTS = [
    *[
        "hello",
        "things",
        "points",
        "pairs",
        "options",
        "anything",
        "maybe",
        "raw",
        "typed",
        "request",
    ],
    *[
        "files",
        "inline",
        "context",
        "inline-context",
        "response",
        "nothing",
        "text",
        "raise",
        "nowhere",
    ],
    *["raise-inline", "unencodable", "task", "thread"],
]
# Those that take values, which stand for the asterisk.
ROUTES = [
    *[("GET", "/things/*"), ("GET", "/things/7"), ("POST", "/things"), ("PUT", "/points/*")],
    *[("POST", "/pairs"), ("POST", "/options"), ("POST", "/anything"), ("POST", "/maybe")],
    *[("POST", "/raw"), ("GET", f"/typed/{KEY}/*"), ("GET", "/typed/*/red"), ("GET", "/request")],
    *[("GET", f"/typed/{KEY}/red"), ("GET", "/files/*/*"), ("GET", "/context/*")],
    *[
        ("GET", "/raise/*"),
        ("GET", "/raise/stock"),
        ("DELETE", "/nothing"),
        ("GET", "/inline-context/*"),
    ],
]
PARAMETERS = ["verbose", "limit", "tags", "day", "count", "dry", "unknown"]
HEADERS = [
    *[("x-token", "s3cret"), ("X-Token", ""), ("x-token", "a, b"), ("x-token", "\xe9\xff")],
    *[("x-repeated", "1"), ("X-Repeated", "2"), ("cookie", "session=xyz"), ("cookie", "session=")],
    *[
        ("cookie", 'a=1; session="q"'),
        ("cookie", "session"),
        ("cookie", ";;"),
        ("accept", "text/html"),
    ],
]
TYPES = [
    *[
        None,
        None,
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
    ],
    *["text/plain", "application/json; charset=latin-1", "nonsense", "multipart/form-data", ""],
]
DOCUMENTS = [
    *[None, True, 0, -1, 1.5, 2**63, -(2**64), 10**40, 1e300, "", "ü", "\ud83e\udd85", [], {}],
    *[{"name": "a", "price": 1}, {"name": "Ü", "price": 0.5, "tags": ["x"], "made": "2026-11-26"}],
    *[{"name": "a"}, {"name": 1, "price": "x"}, {"price": 0, "name": "a"}, {"x": 3}, {"x": "3"}],
    *[{"x": 1, "y": 2, "z": 3}, {"deep": True}, {"deep": None}, [[1, "a"], [2, "b"]], [[1, 2]]],
    *[{"a": {"b": [1, {"c": "d"}]}}, [None] * 50, {"a\n": '"\\'}],
]
MALFORMED = [
    b"{",
    b'{"a":1,}',
    b"[1] 2",
    b"nul",
    b"'a'",
    b"\xef\xbb\xbf{}",
    b"\xff",
    b'"\xc3"',
    b"[" * 129,
]


@dataclass
class Question:
    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    chunked: bool = False  # The body is sent without its length.

    def sent_by(self, client: httpx.Client) -> httpx.Request:
        """This question as a request of `client`, whose target is not made canonical."""
        base = client.base_url
        url = base.copy_with(raw_path=self.target.encode())
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers]
        content = iter([self.body]) if self.chunked else self.body
        request = httpx.Request(self.method, base, headers=headers, content=content)
        if self.chunked:
            request.stream = Parts(self.body or b"")
        request.url = url
        return request


class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in parts, for clients of both kinds."""

    def __init__(self, body: bytes) -> None:
        self._parts = [body[at : at + 65_000] for at in range(0, len(body), 65_000)]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


def random_question(random: random.Random) -> Question:
    """Returns any request, or, as often, one that a route takes but for its values."""
    if random.random() < 0.5:
        method, path = random.choice(ROUTES)
        target = path.replace("*", random.choice(WORDS)) + _random_query(random)
    else:
        method = random.choice(METHODS)
        segments = [random.choice(STARTS), *random.choices(WORDS, k=random.choice([0, 1, 1, 2, 3]))]
        target = "/" + "/".join(segments) + _random_query(random)
    question = Question(method, target, random.choices(HEADERS, k=random.randrange(4)))
    if method in ("POST", "PUT", "PATCH") or random.random() < 0.1:
        question.body = _random_body(random)
        kind = random.choice(TYPES)
        if kind is not None:
            question.headers.append(("content-type", kind))
    return question


def _random_query(random: random.Random) -> str:
    if random.random() < 0.4:
        return ""
    pairs = [
        random.choice(PARAMETERS) + random.choice(["=", "=", "=", ""]) + random.choice(WORDS)
        for _ in range(random.randrange(4))
    ]
    return "?" + random.choice(["&", "&", "&", "&&"]).join(pairs)


def _random_body(random: random.Random) -> bytes | None:
    way = random.randrange(6)
    if way == 0:
        return random.choice(MALFORMED)
    if way == 1:
        return random.randbytes(random.choice([1, 99, 100, 101, 5000]))
    if way == 2:
        return random.choice([None, b""])
    document: Any = random.choice(DOCUMENTS)
    text = json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    if way == 3 and text:
        # A byte that was changed on the way.
        at = random.randrange(len(text))
        return text[:at] + random.randbytes(1) + text[at + 1 :]
    return text


def answer_of(response: httpx.Response) -> tuple[Any, ...]:
    """What has to be the same, whoever asked."""
    response.read()
    headers = sorted(
        (name.lower(), value)
        for name, value in response.headers.multi_items()
        # Those of a server, about itself and the connection.
        if name.lower() not in ("date", "server", "connection")
    )
    return response.status_code, headers, response.content
