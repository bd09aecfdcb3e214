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
from collections.abc import Iterable
from email.message import Message
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

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
