"""tercel's HTTP/1 parser against llhttp, as `httptools` wraps it: the parser of Node.js.

Both read the transcripts of tests/conformance/http1, the HTTP/1.1 vectors if they lie beside the
repository, and thousands of mutations of both, made from a fixed seed. They must agree, on the
verdict and on every part of the message, where its last byte is included; or the disagreement is
one of DIFFERENCES, each with the sentence of the RFC that we follow.

REQUIRES: the tool `h1_dump`, which the CMake presets build (`$TERCEL_H1_DUMP`, or the newest below
build/).
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import struct
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.mutations import mutated

httptools = pytest.importorskip("httptools")

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPTS = ROOT / "tests" / "conformance" / "http1"
SUITE = Path(os.environ.get("TERCEL_HTTP1_SUITE", ROOT.parent / "shared" / "suites" / "http1"))
SEED, MUTATIONS = 20240607, 20000


@dataclasses.dataclass
class Verdict:
    """What one parser makes of one input. `error` and the message are meant as `kind` says."""

    kind: str  # "done", "bad", or "need more"
    error: str = ""
    method: str = ""
    target: str = ""
    version: str = ""
    fields: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    body: str = ""
    trailers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    keep_alive: bool = False
    upgrade: bool = False  # llhttp's only: Connection and Upgrade ask for another protocol.
    bytes: int = 0  # Ours only: the size of the message.


class LlhttpReader:
    """Receives the events of httptools, and keeps the first message."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.message = Verdict("need more")
        self.headers_complete = False

    def on_url(self, url: bytes) -> None:
        if self.message.kind != "done":
            self.message.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        field = (name.decode("latin-1").lower(), value.decode("latin-1"))
        if self.message.kind != "done":
            (self.message.trailers if self.headers_complete else self.message.fields).append(field)

    def on_headers_complete(self) -> None:
        if self.message.kind != "done":
            self.headers_complete = True
            self.message.method = self.parser.get_method().decode("latin-1")
            self.message.version = self.parser.get_http_version()
            self.message.keep_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        if self.message.kind != "done":
            self.message.body += body.decode("latin-1")

    def on_message_complete(self) -> None:
        self.message.kind = "done"
        self.message.upgrade = self.parser.should_upgrade()


def theirs(raw: bytes) -> Verdict:
    reader = LlhttpReader()
    try:
        reader.parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # Raised behind the first message, which is complete.
    except httptools.HttpParserError as error:
        if reader.message.kind != "done":
            return Verdict("bad", error=type(error).__name__)
    return reader.message


@cache
def dump_tool() -> Path:
    if named := os.environ.get("TERCEL_H1_DUMP"):
        return Path(named)
    built = ROOT.glob("build/*/tests/cpp/http/h1_dump")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        pytest.skip("h1_dump is not built: cmake --preset dev && cmake --build --preset dev")
    return newest


def ours(inputs: Iterable[bytes]) -> list[Verdict]:
    framed = b"".join(struct.pack(">I", len(raw)) + raw for raw in inputs)
    run = subprocess.run([dump_tool()], input=framed, capture_output=True, check=True, timeout=60)
    return [our_verdict(json.loads(line)) for line in run.stdout.splitlines()]


def our_verdict(dumped: dict[str, Any]) -> Verdict:
    kind = dumped.pop("verdict")
    for part in ("fields", "trailers"):
        dumped[part] = [(name, value) for name, value in dumped.get(part, [])]
    return Verdict(kind, **dumped)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A kind of disagreement that is meant to be: why, and how it is recognised."""

    why: str
    applies: Callable[[bytes, Verdict, Verdict], bool]


def refused(*errors: str) -> Callable[[bytes, Verdict, Verdict], bool]:
    """We refuse, with one of `errors`, what llhttp takes or goes on reading."""
    return lambda raw, we, they: they.kind != "bad" and we.error in errors


def refused_at(error: str, pattern: bytes) -> Callable[[bytes, Verdict, Verdict], bool]:
    """As refused(), and `pattern` is in the input."""
    found = re.compile(pattern)
    return lambda raw, we, they: refused(error)(raw, we, they) and bool(found.search(raw))


def taken(pattern: bytes) -> Callable[[bytes, Verdict, Verdict], bool]:
    """llhttp refuses what we take, or go on reading, and `pattern` is in the input."""
    found = re.compile(pattern, re.DOTALL | re.IGNORECASE)
    return lambda raw, we, they: they.kind == "bad" and bool(found.search(raw))


DIFFERENCES = [
    Difference(
        "RFC 9112 3.2 and RFC 3986 2 to 3: a target has one of four forms, whole escapes and no"
        " fragment; a server should answer 400 to others. llhttp leaves that to its caller.",
        refused("BadTarget"),
    ),
    Difference(
        "RFC 9112 3.2: 400 for a request without Host, with several, or with a bad one. llhttp"
        " leaves that to its caller.",
        refused("BadHost"),
    ),
    Difference(
        "RFC 9110 9.1: 501 for a method that is not implemented; we have no CONNECT and no TRACE,"
        " and RFC 9112 3.1 tells upper from lower case.",
        refused("BadMethod"),
    ),
    Difference(
        "RFC 9110 15.6.6: 505 for a major version that is not supported. llhttp reads 0.9 and 2.0"
        " in the syntax of 1.1.",
        refused("BadVersion"),
    ),
    Difference(
        "RFC 9112 2.2: a server should ignore at least one empty line, CRLF, before the request"
        " line. We ignore one, llhttp any number of CR and LF.",
        refused_at("BadRequestLine", rb"\A[\r\n]"),
    ),
    Difference(
        "RFC 9112 3: the parts of the request line are separated by a single space. llhttp takes"
        " several.",
        refused_at("BadRequestLine", rb"\A[^\r\n ]+ +[^\r\n ]+  "),
    ),
    Difference(
        "RFC 9112 2.3: the version is part of the request line. llhttp takes the lines of HTTP/0.9,"
        " which have none.",
        refused_at("BadRequestLine", rb"\A(\r\n)?[A-Z-]+ +[^ \r\n]*[\r\n]"),
    ),
    Difference(
        "RFC 9112 6.1: a server that does not understand a transfer coding should answer 501; 6.3:"
        " Transfer-Encoding in HTTP/1.0 is faulty framing. llhttp reads what ends in chunked.",
        refused("BadTransferEncoding"),
    ),
    Difference(
        "RFC 9110 10.1.1: a server may answer 417 to an expectation it does not know.",
        refused("BadExpectation"),
    ),
    Difference(
        "RFC 9110 5.4 and 15.5.14: a server limits what it reads, and says so. llhttp leaves that"
        " to its caller.",
        refused(
            "TargetTooLong", "HeadTooLarge", "TooManyFields", "BodyTooLarge", "TrailersTooLarge"
        ),
    ),
    Difference(
        "RFC 9112 7.1: recipients must anticipate large chunk sizes and prevent overflow: we read"
        " at most 16 digits, zeros included.",
        refused_at("BadChunk", rb"\r\n[0-9a-fA-F]{17}"),
    ),
    Difference(
        "RFC 9112 7.1.1: the name of a chunk extension is a token, and its value a token or a"
        " quoted string, none of them empty. llhttp takes empty ones, and quotes behind a token.",
        refused_at("BadChunk", rb"\r\n[0-9a-fA-F]+[^\r\n]*([;=][;=]|[^=]\")"),
    ),
    Difference(
        "RFC 9110 8.6: recipients must anticipate large numbers: we read at most 20 digits, zeros"
        " included.",
        refused_at("BadContentLength", rb"\d{21}"),
    ),
    Difference(
        "RFC 9110 9.1: the set of methods is open; the application decides. llhttp has a list.",
        lambda raw, we, they: we.kind != "bad" and they.error == "HttpParserInvalidMethodError",
    ),
    Difference(
        "RFC 9110 2.5: a message with a higher minor version should be processed as if it had the"
        " highest that is known. llhttp has a list.",
        taken(rb"\A[^\r\n]* HTTP/1\.[2-9]"),
    ),
    Difference(
        "RFC 9112 7.1.1: bad white space around ';' and '=' of a chunk extension must be parsed.",
        taken(rb"\r\n[0-9a-f]+[^\r\n]*(;[ \t]|[ \t];|=[ \t]|[ \t]=|[ \t]\Z)"),
    ),
    Difference(
        "RFC 9110 6.5.1: a trailer that decides over framing may be ignored; we drop it. llhttp"
        " takes it for a field of the head.",
        taken(rb"\r\n\r\n.*0\r\n.*(content-length|transfer-encoding)"),
    ),
    Difference(
        "RFC 9110 7.8: the protocol may change behind the request, its content included. llhttp"
        " stops behind the head and leaves the content to its caller.",
        lambda raw, we, they: they.kind == "done" and they.upgrade and not they.body,
    ),
]

# Each judges some lines before they end, and llhttp some only with the line behind. What one
# refuses and the other goes on reading must be refused by both when all lines have ended.
COMPLETION = b"\r\n\r\n"


def without_blanks(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """RFC 9112 5.1: white space around a value is not part of it. llhttp keeps that behind."""
    return [(name, value.rstrip(" \t")) for name, value in fields]


def with_authority(message: Verdict) -> list[tuple[str, str]]:
    """RFC 9112 3.2.2: the authority of an absolute target replaces the Host field, or is one."""
    absolute = re.match(r"https?://([^/?]*)", message.target, re.IGNORECASE)
    fields = [
        (name, absolute[1] if absolute and name == "host" else value)
        for name, value in without_blanks(message.fields)
    ]
    if absolute and all(name != "host" for name, _ in fields):
        fields.append(("host", absolute[1]))
    return fields


def same_message(we: Verdict, they: Verdict, raw: bytes) -> bool:
    kept = [trailer for trailer in without_blanks(they.trailers) if trailer in we.trailers]
    return (
        (we.method, we.target, we.version) == (they.method, they.target, they.version)
        and we.fields == with_authority(they)
        and we.body == they.body
        and we.trailers == kept
        and we.keep_alive == they.keep_alive
        and theirs(raw[: we.bytes]).kind == "done"
        and theirs(raw[: we.bytes - 1]).kind == "need more"
    )


def disagreements(inputs: list[bytes]) -> list[str]:
    """Returns a line for each input on which the parsers differ and nothing explains it."""
    completed = ours(raw + COMPLETION for raw in inputs)
    found = []
    for raw, we, completed_we in zip(inputs, ours(inputs), completed, strict=True):
        they = theirs(raw)
        if we.kind == they.kind and (we.kind != "done" or same_message(we, they, raw)):
            continue
        if any(difference.applies(raw, we, they) for difference in DIFFERENCES):
            continue
        later = (completed_we.kind, theirs(raw + COMPLETION).kind)
        if "done" not in (we.kind, they.kind) and later == ("bad", "bad"):
            continue
        found.append(f"{raw!r}\n    tercel: {we}\n    llhttp: {they}")
    return found


def assert_agree(inputs: list[bytes]) -> None:
    found = disagreements(inputs)
    assert not found, f"{len(found)} of {len(inputs)}:\n" + "\n".join(found[:20])


def unescape(block: str) -> bytes:
    """Returns the bytes that an `http` block of a transcript stands for."""
    text = block.replace("\n", "").encode()
    names = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|(.))",
        lambda match: bytes([int(match[1], 16)]) if match[1] else names[match[2]],
        text,
    )


def transcripts() -> list[bytes]:
    blocks = [
        block
        for path in sorted(TRANSCRIPTS.glob("*.md"))
        for block in re.findall(r"```http\n(.*?)```", path.read_text(), re.DOTALL)
    ]
    return [raw for raw in map(unescape, blocks) if raw]


def vectors() -> list[bytes]:
    path = SUITE / "vectors.json"
    if not path.exists():
        return []
    return [vector["raw"].encode("latin-1") for vector in json.loads(path.read_text())]


# What mutations are made of: bytes and words on which parsers have differed.
PIECES = [
    *[b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b"\x7f", b"\x85", b"\xa0", b"\xe9"],
    *[b":", b";", b",", b'"', b"=", b"\\", b"/", b"*", b"?", b"#", b"%41", b"-", b"+", b"_"],
    *[b"0", b"5", b"0x", b"00", b"chunked", b"identity", b"close", b"Upgrade", b"HTTP/1.1"],
    *[b"GET", b"http://a", b"Host: a\r\n", b"Content-Length: 5\r\n", b"X: y\r\n", b" x\r\n"],
    *[b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n"],
]


def test_on_the_transcripts() -> None:
    assert_agree(transcripts())


def test_on_the_vectors() -> None:
    if not vectors():
        pytest.skip(f"the vectors are not at {SUITE}")
    assert_agree(vectors())


def test_on_mutations() -> None:
    rng = random.Random(SEED)
    sources = [raw for raw in transcripts() + vectors() if 0 < len(raw) < 1000]
    inputs = [mutated(rng.choice(sources), rng, PIECES) for _ in range(MUTATIONS)]
    assert_agree(inputs)


def test_each_difference_is_still_one() -> None:
    """A line of DIFFERENCES that explains nothing any more would hide the next one."""
    rng = random.Random(SEED)
    sources = [*transcripts(), *EXAMPLES]
    inputs = sources + [mutated(rng.choice(sources), rng, PIECES) for _ in range(MUTATIONS)]
    verdicts = [(raw, we, theirs(raw)) for raw, we in zip(inputs, ours(inputs), strict=True)]
    unseen = [d.why for d in DIFFERENCES if not any(d.applies(*verdict) for verdict in verdicts)]
    assert not unseen


# Inputs of the differences that no transcript shows.
EXAMPLES = [
    b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n!",
    b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;;a\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000000005\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"00000000000000005\r\nhello\r\n0\r\n\r\n",
]
