"""tercel's JSON parser and writer against Python's `json`.

Both read random documents, random changes of them, and a list of texts at the edges of the grammar,
made from a fixed seed. They must agree on the verdict, and on the value with the type of every
number; or the disagreement is one of DIFFERENCES.

REQUIRES: the tool `json_dump`, which the CMake presets build (`$TERCEL_JSON_DUMP`, or the newest
below build/).
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import struct
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.mutations import mutated

ROOT = Path(__file__).resolve().parents[2]
SEED, DOCUMENTS, MUTATIONS = 20261126, 3000, 20000


class Refused:
    def __repr__(self) -> str:
        return "refused"


REFUSED = Refused()


@cache
def dump_tool() -> Path:
    if named := os.environ.get("TERCEL_JSON_DUMP"):
        return Path(named)
    built = ROOT.glob("build/*/tests/cpp/json/json_dump")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        pytest.skip("json_dump is not built: cmake --preset dev && cmake --build --preset dev")
    return newest


def ours(texts: Iterable[bytes]) -> list[Any]:
    framed = b"".join(struct.pack(">I", len(text)) + text for text in texts)
    run = subprocess.run([dump_tool()], input=framed, capture_output=True, check=True, timeout=60)
    lines = run.stdout.split(b"\n")[:-1]
    return [REFUSED if line.startswith(b"!") else json.loads(line) for line in lines]


def no_constant(name: str) -> Any:
    raise ValueError(name)


def theirs(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        return REFUSED


def identical(a: Any, b: Any) -> bool:
    """Equality that tells 1 from 1.0 and from True, and 0.0 from -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return bool(a == b)


# Texts that Python's json takes and we refuse, each with the reason.
DIFFERENCES = {
    "a lone surrogate is no character, and cannot be UTF-8": re.compile(rb"\\u[dD][89a-fA-F]"),
    "arrays and objects are nested 128 deep at most": re.compile(rb"(?:[\[{][^\[{]*){129}"),
    "exponents are limited": re.compile(rb"[eE][+-]?0*[0-9]{10}"),
}


def explained(text: bytes, we: Any) -> bool:
    return we is REFUSED and any(found.search(text) for found in DIFFERENCES.values())


def assert_agree(texts: list[bytes]) -> int:
    """Returns how many were refused by both."""
    refused, found = 0, []
    for text, we in zip(texts, ours(texts), strict=True):
        they = theirs(text)
        refused += we is REFUSED and they is REFUSED
        same = we is they if REFUSED in (we, they) else identical(we, they)
        if not same and not explained(text, we):
            found.append(f"{text[:200]!r}\n    tercel: {we!r:.200}\n    json:   {they!r:.200}")
    assert not found, f"{len(found)} of {len(texts)}:\n" + "\n".join(found[:20])
    return refused


CHARACTERS = 'ab"\\/\b\f\n\r\t\0\x1f\x7fé߿ࠀ€￿𐀀𝄞\U0010ffff '


def random_number(rng: random.Random) -> str:
    digits = str(rng.getrandbits(rng.choice((1, 8, 31, 53, 62, 63, 64, 65, 100, 300))))
    if rng.random() < 0.4:
        digits += "." + str(rng.getrandbits(rng.choice((4, 30, 60, 100)))).zfill(
            rng.randrange(1, 9)
        )
    if rng.random() < 0.2:
        digits += rng.choice("eE") + rng.choice(("", "+", "-")) + str(rng.randrange(340))
    return rng.choice(("", "-")) + digits


def random_string(rng: random.Random) -> str:
    text = "".join(rng.choice(CHARACTERS) for _ in range(rng.choice((0, 1, 3, 8, 20, 70))))
    return json.dumps(text, ensure_ascii=rng.random() < 0.5)


def random_text(rng: random.Random, depth: int = 0) -> str:
    def space() -> str:
        return rng.choice(("", "", "", " ", "\n", "\t \r"))

    kind = rng.randrange(8 if depth < 5 else 6)
    if kind < 2:
        return random_number(rng)
    if kind < 4:
        return random_string(rng)
    if kind < 6:
        return rng.choice(("null", "true", "false"))
    count = rng.choice((0, 1, 2, 5, 14))
    items = [space() + random_text(rng, depth + 1) + space() for _ in range(count)]
    if kind == 6:
        return "[" + ",".join(items) + "]"
    keys = [random_string(rng) if rng.random() < 0.7 else '"a"' for _ in items]
    members = [f"{space()}{key}{space()}:{item}" for key, item in zip(keys, items, strict=True)]
    return "{" + ",".join(members) + "}"


PIECES = [b'"', b"\\", b"\\u00e9", b"[", b"]", b"{", b"}", b",", b":", b"-", b"+", b".", b"0", b"1"]
PIECES += [b"e", b"E5", b"null", b"tru", b"NaN", b" ", b"\n", b"\0", b"\xff", b"\xc3\xa9", b"\xc3"]
PIECES += [b"//", b"/**/", b"'", b"\xef\xbb\xbf", b"Infinity", b"0x1", b"\x0b", b"\xc2\xa0"]


EDGES = [
    *[b"", b" ", b"[]", b"{}", b"0", b"-0", b"-0.0", b"1.0", b"1e2", b"1E+2", b"1e-2", b"0e1"],
    *[b"-", b"+1", b"01", b"1.", b".1", b"1e", b"1e+", b"0x1", b"1_0", b"Infinity", b"-Infinity"],
    *[b"1e400", b"-1e400", b"1e-400", b"4.9e-324", b"2.4e-324", b"1.7976931348623159e308"],
    *[b"9007199254740993", b"9007199254740993.0", b"123456789012345678901234567890"],
    *[b"9223372036854775807", b"9223372036854775808", b"18446744073709551615"],
    *[b"18446744073709551616", b"-9223372036854775808", b"-9223372036854775809"],
    *[b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud834\\udd1e"', b'"\\u0000"', b'"\\x"', b'"\\u12"'],
    *[b'"\x00"', b'"\x1f"', b'"\x7f"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xf5"'],
    *[b'{"a":1,"a":2}', b'{"a":1,}', b"[1,]", b"[,1]", b"{,}", b'{"a"}', b'{"a":}', b"{1:2}"],
    *[b"[1 2]", b'["a" "b"]', b"1 2", b"[]]", b"nul", b"nulll", b"True", b"\xef\xbb\xbf1"],
    *[b"[" * depth + b"]" * depth for depth in (1, 127, 128)],
    *[b'{"a":' * depth + b"1" + b"}" * depth for depth in (1, 127, 128, 129)],
    b"9" * 4000,
    b"0." + b"3" * 100_000,
    b"[" * 100_000,
]


def test_at_the_edges_of_the_grammar() -> None:
    assert assert_agree(EDGES) > 30


def test_on_random_documents() -> None:
    rng = random.Random(SEED)
    texts = [random_text(rng).encode() for _ in range(DOCUMENTS)]
    assert assert_agree(texts) == 0


def test_on_changed_documents() -> None:
    rng = random.Random(SEED)
    sources = [text for text in (random_text(rng).encode() for _ in range(2000)) if len(text) < 500]
    refused = assert_agree([mutated(rng.choice(sources), rng, PIECES) for _ in range(MUTATIONS)])
    assert MUTATIONS // 4 < refused < MUTATIONS
