"""tercel's parsers of request input against those of Python.

Random inputs from a fixed seed are read by both, and the results must be equal. REQUIRES: the tool
`input_dump`, which the CMake presets build (`$TERCEL_INPUT_DUMP`, or the newest below build/).
"""

from __future__ import annotations

import json
import os
import random
import string
import struct
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from python_multipart.multipart import MultipartParser, parse_options_header
from werkzeug.http import parse_date, parse_range_header

ROOT = Path(__file__).resolve().parents[2]
SEED, ROUNDS = 20261126, 5000


@cache
def dump_tool() -> Path:
    if named := os.environ.get("TERCEL_INPUT_DUMP"):
        return Path(named)
    built = ROOT.glob("build/*/tests/cpp/http/input_dump")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        pytest.skip("input_dump is not built: cmake --preset dev && cmake --build --preset dev")
    return newest


def ours(kind: str, inputs: Iterable[bytes]) -> list[Any]:
    framed = b"".join(struct.pack(">I", len(raw) + 1) + kind.encode() + raw for raw in inputs)
    run = subprocess.run([dump_tool()], input=framed, capture_output=True, check=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


def pieces(rng: random.Random, choices: list[str], most: int) -> str:
    return "".join(rng.choices(choices, k=rng.randrange(most)))


def test_queries() -> None:
    rng = random.Random(SEED)
    choices = [
        *"&&==++;ab%4F\xc3\xbc\xff \x00",
        "%41",
        "%2b",
        "%26",
        "%C3%BC",
        "%ff",
        "%zz",
        "long",
    ]
    inputs = [pieces(rng, choices, 40) for _ in range(ROUNDS)]
    found = ours("q", [text.encode("latin-1") for text in inputs])
    for text, pairs in zip(inputs, found, strict=True):
        # In Latin-1 each character of Python's is a byte of ours.
        expected = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
        assert [tuple(pair) for pair in pairs] == expected, text


TOKEN = "!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters
COOKIE_BYTES = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '",;\\')


def some(rng: random.Random, choices: str, least: int, most: int) -> str:
    return "".join(rng.choices(choices, k=rng.randrange(least, most)))


def test_cookies() -> None:
    """Those of the grammar: what browsers send beside it, http.cookies stops at."""
    rng = random.Random(SEED)
    inputs, expected = [], []
    for _ in range(ROUNDS):
        # A name that begins with "$" is none to http.cookies, nor is an attribute's.
        pairs = {"n" + some(rng, TOKEN, 0, 8): some(rng, COOKIE_BYTES, 0, 12) for _ in range(5)}
        quote = rng.choice(("", '"'))
        inputs.append(
            rng.choice(("; ", ";", " ; ")).join(f"{n}={quote}{v}{quote}" for n, v in pairs.items())
        )
        expected.append({name: morsel.value for name, morsel in SimpleCookie(inputs[-1]).items()})
        assert expected[-1] == pairs, "what was to be compared with"
    for text, pairs, want in zip(inputs, ours("c", map(str.encode, inputs)), expected, strict=True):
        assert dict(pairs) == want, text


def test_cookies_that_are_set() -> None:
    rng = random.Random(SEED)
    parts = [
        (
            "n" + some(rng, TOKEN, 0, 8),
            some(rng, COOKIE_BYTES, 0, 12),
            "/" + some(rng, TOKEN, 0, 8),
            some(rng, string.ascii_letters, 1, 8),
            str(rng.randrange(1 << 31)),
        )
        for _ in range(ROUNDS)
    ]
    written = ours("s", ["\0".join(part).encode() for part in parts])
    for (name, value, path, domain, age), text in zip(parts, written, strict=True):
        morsel = SimpleCookie(text)[name]
        assert morsel.value == value
        assert (morsel["path"], morsel["domain"], morsel["max-age"]) == (path, domain, age), text
        assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "Lax")


def test_media_types() -> None:
    """Those of the grammar: email.message makes something of everything."""
    rng = random.Random(SEED)
    token = TOKEN.replace("*", "").replace("'", "").replace("%", "")  # Of RFC 2231 to Python.
    # To email.message a quote behind two backslashes ends nothing.
    inside = "".join(chr(c) for c in range(0x20, 0x7F) if chr(c) != "\\")
    inputs, expected = [], []
    for _ in range(ROUNDS):
        want = [some(rng, token, 1, 6) + "/" + some(rng, token, 1, 6)]
        text = want[0]
        for number in range(rng.randrange(4)):
            name = f"p{number}" + some(rng, token, 0, 4).lower()
            value = some(rng, token, 1, 8) if rng.random() < 0.5 else some(rng, inside, 0, 8)
            escaped = value.replace('"', '\\"')
            plain = value and all(c in token for c in value)
            text += rng.choice((";", "; ", " ; ")) + name + "="
            text += value if plain else f'"{escaped}"'
            want.append([name, value])
        message = Message()
        message["Content-Type"] = text
        params = message.get_params(failobj=[], unquote=True)
        assert [message.get_content_type(), *map(list, params[1:])] == [want[0].lower(), *want[1:]]
        inputs.append(text)
        expected.append(want)
    for text, found, want in zip(inputs, ours("m", map(str.encode, inputs)), expected, strict=True):
        assert found == want, text


class TheirForm:
    """Receives the events of python-multipart, and keeps what they tell."""

    def __init__(self, boundary: bytes) -> None:
        self.parts: list[list[str | None]] = []
        self.head: dict[str, bytes] = {}
        self.name = self.value = self.data = b""
        self.ended = False
        names = ("header_field", "header_value", "part_data")
        called = {f"on_{name}": getattr(self, name) for name in names}
        called |= {"on_part_begin": self.part_begin, "on_header_end": self.header_end}
        called |= {"on_part_end": self.part_end, "on_end": self.end}
        self.parser = MultipartParser(boundary, called)

    def part_begin(self) -> None:
        self.head, self.name, self.value, self.data = {}, b"", b"", b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        self.head[self.name.decode().lower()] = self.value
        self.name = self.value = b""

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def part_end(self) -> None:
        _, options = parse_options_header(self.head["content-disposition"])
        name, filename = options[b"name"].decode("latin-1"), options.get(b"filename")
        self.parts.append(
            [
                name,
                None if filename is None else filename.decode("latin-1"),
                self.head.get("content-type", b"").decode("latin-1"),
                self.data.decode("latin-1"),
            ]
        )

    def end(self) -> None:
        self.ended = True


def random_form(rng: random.Random, boundary: str) -> str:
    """Parts whose data is made of what a boundary is made of."""
    end = f"\r\n--{boundary}"
    choices = [
        "\r",
        "\n",
        "-",
        end[: rng.randrange(len(end))],
        boundary,
        "x" * 40,
        "\0\xff",
        end[:-1],
    ]
    body = ""
    for _ in range(rng.randrange(5)):
        data = pieces(rng, choices, 12)
        if end in "\r\n" + data + end[:-1]:
            continue
        name, filename = some(rng, string.ascii_letters + "; =,\xfc", 0, 9), some(rng, TOKEN, 0, 9)
        filename = filename.replace("%", "")  # Which we decode, as browsers write it.
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        body += rng.choice(("", f'; filename="{filename}"'))
        body += rng.choice(("\r\n", "\r\nContent-Type: text/plain\r\n")) + f"\r\n{data}\r\n"
    return body + f"--{boundary}--\r\n"


def test_forms() -> None:
    rng = random.Random(SEED)
    inputs = []
    for _ in range(ROUNDS):
        boundary = some(rng, string.ascii_letters + "-'()+_,./:=?", 1, 71)
        inputs.append((boundary, rng.randrange(1, 256), random_form(rng, boundary)))
    framed = [
        bytes([step, len(boundary)]) + (boundary + body).encode("latin-1")
        for boundary, step, body in inputs
    ]
    parts = 0
    for (boundary, step, body), found in zip(inputs, ours("f", framed), strict=True):
        they, raw = TheirForm(boundary.encode()), body.encode("latin-1")
        for at in range(0, len(raw), step):
            they.parser.write(raw[at : at + step])
        assert they.ended
        assert found == [*they.parts, "complete"], body
        parts += len(they.parts)
    assert parts > ROUNDS


def test_forms_of_httpx() -> None:
    """Names are what the program gave to its client, whatever they are made of."""
    rng = random.Random(SEED)
    inputs, expected = [], []
    for _ in range(200):
        letters = 'ab \\"\r\n;=%\u00fc\u20ac'
        name, filename = (some(rng, letters, 1, 9) for _ in range(2))
        # An escape of the browsers' cannot be told from its letters, which are sent as they are.
        if "%22" in name + filename or "%0" in name + filename:
            continue
        files = {name: (filename, b"\r\n--", "a/b")}
        request = httpx.Request("POST", "http://t/", data={"x" + name: "1"}, files=files)
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        inputs.append(bytes([rng.randrange(1, 256), len(boundary)]) + boundary + request.read())
        texts = [text.encode().decode("latin-1") for text in ("x" + name, name, filename)]
        fields = [[texts[0], None, "", "1"], [texts[1], texts[2], "a/b", "\r\n--"]]
        expected.append([*fields, "complete"])
    assert ours("f", inputs) == expected


def imf_fixdate(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def test_dates() -> None:
    """Werkzeug reads more than the three forms, so only those of the first are compared."""
    rng = random.Random(SEED)
    texts = [imf_fixdate(rng.randrange(253_402_300_800)) for _ in range(ROUNDS)]
    theirs = [parse_date(text) for text in texts]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = [date and (date - epoch) // timedelta(seconds=1) for date in theirs]
    assert ours("d", map(str.encode, texts)) == expected


# Django asks for settings, which belong to a process of their own.
DJANGO = """
import json, sys
from django.conf import settings
settings.configure()
from django.test import RequestFactory
from django.utils.cache import get_conditional_response
for case in json.load(sys.stdin):
    headers = {name: value for name, value in case["fields"]}
    request = RequestFactory().generic(case["method"], "/", headers=headers)
    answer = get_conditional_response(request, case["etag"], case["modified"])
    print(answer.status_code if answer is not None else 200)
"""


def test_preconditions() -> None:
    rng = random.Random(SEED)
    tags, times = ['"a"', 'W/"a"', '"b"', 'W/"b"'], [784111776, 784111777, 784111778]
    cases = []
    for _ in range(ROUNDS):
        fields = []
        for name in ("if-match", "if-none-match"):
            if rng.random() < 0.5:
                listed = ", ".join(rng.choices(tags, k=rng.randrange(1, 4)))
                fields.append((name, rng.choice(("*", listed, listed))))
        for name in ("if-modified-since", "if-unmodified-since"):
            if rng.random() < 0.5:
                fields.append((name, imf_fixdate(rng.choice(times))))
        cases.append(
            {
                "method": rng.choice(("GET", "HEAD", "PUT", "DELETE", "POST")),
                "etag": rng.choice(tags),
                "modified": rng.choice(times),
                "fields": fields,
            }
        )
    run = subprocess.run(
        [sys.executable, "-c", DJANGO],
        input=json.dumps(cases),
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    flat = [
        "\0".join((c["method"], c["etag"], str(c["modified"]), *sum(c["fields"], ())))
        for c in cases
    ]
    found = ours("p", map(str.encode, flat))
    for case, verdict, theirs in zip(cases, found, run.stdout.split(), strict=True):
        assert verdict == int(theirs), case


def test_ranges() -> None:
    """One range: what Werkzeug makes of several is for its callers."""
    rng = random.Random(SEED)
    compared = 0
    for_size: list[tuple[str, int]] = []
    for _ in range(ROUNDS):
        specs = [
            rng.choice(("{0}-{1}", "{0}-", "-{0}")).format(first, first + rng.randrange(-1, 9))
            for first in rng.choices(range(30), k=rng.choice((1, 1, 2)))
        ]
        for_size.append(("bytes=" + ",".join(specs), rng.randrange(1, 30)))
    found = ours("r", [f"{size}\0{value}".encode() for value, size in for_size])
    for (value, size), ranges in zip(for_size, found, strict=True):
        they = parse_range_header(value)
        if they is None or len(they.ranges) != 1:
            continue
        compared += 1
        start_stop = they.range_for_length(size)
        first, _ = they.ranges[0]
        if first < -size:
            # RFC 9110 14.1.2: a suffix that is too long is the whole. To Werkzeug it is nothing.
            assert (start_stop, ranges) == (None, [[0, size - 1]])
        elif start_stop is None:
            assert ranges == "unsatisfiable", value
        else:
            assert ranges == [[start_stop[0], start_stop[1] - 1]], (value, size)
    assert compared > ROUNDS / 4
