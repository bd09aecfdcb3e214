"""tercel's parser of HTTP/1 response heads against llhttp, as `httptools` wraps it.

Both read a set of heads, and thousands of mutations of them made from a fixed seed, as answers to
GET. They must agree on the verdict, the parts of the head, and whether the connection stays; or the
disagreement is one of DIFFERENCES, each with the sentence of the RFC that we follow. Where the body
ends is compared by feeding llhttp a body of each kind: test_on_framing.

REQUIRES: the tool `h1_response_dump`, which the CMake presets build (`$TERCEL_H1_RESPONSE_DUMP`, or
the newest below build/).
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.mutations import mutated

httptools = pytest.importorskip("httptools")

ROOT = Path(__file__).resolve().parents[2]
SEED, MUTATIONS = 20240607, 20000

Head = dict[str, Any]

HEADS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, x\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.0 200 \r\nServer: a\r\n\r\n",
    b'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n',
    b'HTTP/1.1 304 Not Modified\r\nETag: W/"a"\r\nContent-Length: 5\r\n\r\n',
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 503 Slow Down\r\nAge: 1\r\nX-A:\tb \r\nx-a: \xe4\r\nContent-Length: 9\r\n\r\n",
]


class LlhttpReader:
    """Receives the events of httptools up to the end of the first head."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.head: Head = {"verdict": "need more", "fields": [], "reason": ""}
        self.body = b""
        self.complete = False

    def done(self) -> bool:
        return self.head["verdict"] == "done"

    def on_status(self, reason: bytes) -> None:
        if not self.done():
            self.head["reason"] += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.done():
            field = [name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")]
            self.head["fields"].append(field)

    def on_headers_complete(self) -> None:
        if not self.done():
            self.head |= {
                "verdict": "done",
                "status": self.parser.get_status_code(),
                "version": self.parser.get_http_version(),
                "keep_alive": self.parser.should_keep_alive(),
            }

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def read(raw: bytes) -> LlhttpReader:
    reader = LlhttpReader()
    try:
        reader.parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        if not reader.done():
            reader.head = {"verdict": "bad", "error": type(error).__name__}
    return reader


def ours(inputs: Iterable[bytes]) -> list[Head]:
    tool = os.environ.get("TERCEL_H1_RESPONSE_DUMP")
    if tool is None:
        built = ROOT.glob("build/*/tests/cpp/http/h1_response_dump")
        newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            pytest.skip("h1_response_dump is not built: cmake --preset dev && cmake --build ...")
        tool = str(newest)
    framed = b"".join(struct.pack(">I", len(raw)) + raw for raw in inputs)
    run = subprocess.run([tool], input=framed, capture_output=True, check=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


Applies = Callable[[bytes, Head, Head], bool]


def refused(*errors: str) -> Applies:
    """We refuse, with one of `errors`, what llhttp takes or goes on reading."""
    return lambda raw, we, they: we.get("error") in errors and they["verdict"] != "bad"


# Why, and how it is recognised.
DIFFERENCES: list[tuple[str, Applies]] = [
    (
        "RFC 9110 15: a status code is from 100 to 599; 15.2.2: 101 answers an Upgrade field, and"
        " none was sent.",
        refused("BadResponseStatus"),
    ),
    (
        "RFC 9110 2.5: another major version is another syntax. llhttp reads 0.9 and 2.0 in the"
        " syntax of 1.1.",
        refused("BadVersion"),
    ),
    (
        "RFC 9112 6.1: a coding that is not understood leaves no way to know where the response"
        " ends; 6.3: Transfer-Encoding in HTTP/1.0 is faulty framing.",
        refused("BadTransferEncoding"),
    ),
    (
        "RFC 9112 4 and 2.2: the status line is the first line, and ends in CRLF. llhttp skips"
        " empty lines before it, and takes CR or LF alone behind it.",
        refused("BadRequestLine"),
    ),
    (
        "RFC 9110 8.6: a length is digits, and one that nobody can send is none.",
        refused("BadContentLength", "BodyTooLarge"),
    ),
    (
        "RFC 9110 2.5: a higher minor version is read as the highest that is known. llhttp has a"
        " list.",
        lambda raw, we, they: (
            they["verdict"] == "bad" and re.match(rb"HTTP/1\.[2-9]", raw) is not None
        ),
    ),
    (
        "RFC 9112 6.1 and 8.6: where no body may be, its size says that one may come.",
        lambda raw, we, they: (
            we["verdict"] == they["verdict"] == "done"
            and (we["status"] < 200 or we["status"] == 204)
            and not we["keep_alive"]
        ),
    ),
]


def agree(we: Head, they: Head) -> bool:
    parts = ("status", "version", "reason", "fields", "keep_alive")
    return we["verdict"] == they["verdict"] and (
        we["verdict"] != "done" or all(we[part] == they[part] for part in parts)
    )


def assert_agree(inputs: list[bytes]) -> None:
    completed = ours(raw + b"\r\n\r\n" for raw in inputs)
    found = []
    for raw, we, later in zip(inputs, ours(inputs), completed, strict=True):
        they = read(raw).head
        if agree(we, they) or any(applies(raw, we, they) for _, applies in DIFFERENCES):
            continue
        # Each judges some lines before they end: then both must refuse the line once it has.
        verdicts = (later["verdict"], read(raw + b"\r\n\r\n").head["verdict"])
        if "done" not in (we["verdict"], they["verdict"]) and verdicts == ("bad", "bad"):
            continue
        found.append(f"{raw!r}\n    tercel: {we}\n    llhttp: {they}")
    assert not found, f"{len(found)} of {len(inputs)}:\n" + "\n".join(found[:20])


PIECES = [
    *[b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x7f", b"\xe9", b":", b",", b'"', b"-", b"+"],
    *[
        b"0",
        b"5",
        b"00",
        b"chunked",
        b"identity",
        b"close",
        b"keep-alive",
        b"HTTP/1.1",
        b"HTTP/1.0",
    ],
    *[b"204", b"304", b"101", b"Content-Length: 5\r\n", b"X: y\r\n", b" x\r\n"],
    *[b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"],
]


def mutations() -> list[bytes]:
    rng = random.Random(SEED)
    return [mutated(rng.choice(HEADS), rng, PIECES) for _ in range(MUTATIONS)]


def test_on_heads() -> None:
    assert_agree(HEADS)


def test_on_mutations() -> None:
    assert_agree(mutations())


def test_each_difference_is_still_one() -> None:
    """A line of DIFFERENCES that explains nothing any more would hide the next one."""
    inputs = [*mutations(), b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"]
    verdicts = [(raw, we, read(raw).head) for raw, we in zip(inputs, ours(inputs), strict=True)]
    verdicts = [verdict for verdict in verdicts if not agree(*verdict[1:])]
    unseen = [why for why, applies in DIFFERENCES if not any(applies(*v) for v in verdicts)]
    assert not unseen


def test_on_framing() -> None:
    """Where the body ends: llhttp, fed with a body of the kind that we see, reads all of it."""
    bodies = {
        "none": (b"", b"", True),
        "chunked": (b"5\r\nhello\r\n0\r\n\r\n", b"hello", True),
        "close": (b"hello", b"hello", False),
    }
    for raw, we in zip(HEADS, ours(HEADS), strict=True):
        if we["framing"] == "length":
            size = int(dict(we["fields"])["content-length"])
            sent, body, complete = b"x" * size, b"x" * size, True
        else:
            sent, body, complete = bodies[we["framing"]]
        reader = read(raw + sent)
        assert (reader.body, reader.complete) == (body, complete), raw
