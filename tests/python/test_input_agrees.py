"""tercel's parsers of request input against those of Python.

Random inputs from a fixed seed are read by both, and the results must be equal. REQUIRES: the tool
`input_dump`, which the CMake presets build (`$TERCEL_INPUT_DUMP`, or the newest below build/).
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
from collections.abc import Iterable
from functools import cache
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
