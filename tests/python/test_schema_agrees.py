"""tercel's JSON Schema against the `jsonschema` package on random schemas and documents.

The seed is fixed. Both must agree on each verdict, and on where the errors are and of which
keywords, where both mean the same by it (see `comparable`).

REQUIRES: the tool `schema_check`, which the CMake presets build (`$TERCEL_SCHEMA_CHECK`, or the
newest below build/). $TERCEL_SCHEMA_SAMPLES is the number of schemas of each dialect.
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

import jsonschema
import pytest

from schema_samples import DIALECTS, Samples

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261126
SCHEMAS = int(os.environ.get("TERCEL_SCHEMA_SAMPLES", "400"))
DOCUMENTS = 8

VALIDATORS = {
    "2020-12": jsonschema.Draft202012Validator,
    "2019-09": jsonschema.Draft201909Validator,
    "7": jsonschema.Draft7Validator,
}


@cache
def check_tool() -> Path:
    if named := os.environ.get("TERCEL_SCHEMA_CHECK"):
        return Path(named)
    built = ROOT.glob("build/*/tests/cpp/schema/schema_check")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        pytest.skip("schema_check is not built: cmake --preset dev && cmake --build --preset dev")
    return newest


def framed(value: Any) -> bytes:
    raw = json.dumps(value).encode()
    return struct.pack(">I", len(raw)) + raw


SAME_SCHEMA = struct.pack(">I", 0)


def ours(samples: Iterable[tuple[Any, list[Any]]]) -> list[list[dict[str, Any]]]:
    """Returns what we say, for each schema and each of its documents."""
    samples = list(samples)
    sent = b"".join(
        (framed(schema) if i == 0 else SAME_SCHEMA) + framed(document)
        for schema, documents in samples
        for i, document in enumerate(documents)
    )
    run = subprocess.run([check_tool()], input=sent, capture_output=True, check=True, timeout=300)
    lines = iter(run.stdout.splitlines())
    return [[json.loads(next(lines)) for _ in documents] for _, documents in samples]


# Errors that both put in the same place. Of the others we tell those of a branch where it alone is
# meant. Of a value of the wrong type, and of what is in it, we say nothing more.
COMPARABLE = {
    *["type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
    *[
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "required",
        "minProperties",
        "uniqueItems",
    ],
    *["maxProperties", "minItems", "maxItems", "not", "dependentRequired", "additionalProperties"],
}


def pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{part}" for part in path)


def comparable(errors: set[tuple[str, str]]) -> set[tuple[str, str]]:
    mistyped = {path for path, keyword in errors if keyword == "type"}

    def is_beside_or_below(path: str, keyword: str) -> bool:
        if keyword != "type" and path in mistyped:
            return True
        return any(path.startswith(f"{outer}/") for outer in mistyped)

    return {
        (path, keyword)
        for path, keyword in errors
        if keyword in COMPARABLE and not is_beside_or_below(path, keyword)
    }


def our_errors(said: dict[str, Any]) -> set[tuple[str, str]]:
    # We name the member that may not be there, jsonschema the object that it is in.
    return comparable(
        {
            (path.rpartition("/")[0] if keyword == "additionalProperties" else path, keyword)
            for path, keyword in said["errors"]
        }
    )


def their_errors(errors: list[jsonschema.ValidationError]) -> set[tuple[str, str]]:
    return comparable({(pointer(error.absolute_path), str(error.validator)) for error in errors})


def is_plain(schema: Any) -> bool:
    """True when no keyword is in it whose errors the two report in different ways."""
    text = json.dumps(schema)
    words = ("anyOf", "oneOf", "unevaluated", "contains", '"if"', "propertyNames", "allOf", "$ref")
    return not any(word in text for word in words)


def read_differently(schema: Any) -> bool:
    """Where jsonschema does not follow 2019-09, core 9.3.1.3 and 9.3.2.4.

    It lets `contains` evaluate elements, and takes the schema of additionalProperties, or of an
    unevaluatedProperties within another, for a map of the properties that are evaluated.
    """
    text = json.dumps(schema)
    elements = "unevaluatedItems" in text and "contains" in text
    members = "unevaluatedProperties" in text and (
        "additionalProperties" in text or text.count("unevaluatedProperties") > 1
    )
    return DIALECTS["2019-09"] in text and (elements or members)


def disagreement(schema: Any, document: Any, said: dict[str, Any], validator: Any) -> str | None:
    try:
        errors = list(validator.iter_errors(document))
    except (RecursionError, TypeError):
        # Of 2019-09 jsonschema does not know that `items` may be a boolean beside unevaluatedItems.
        return None
    same = said["verdict"] == ("invalid" if errors else "valid")
    if same and errors and is_plain(schema):
        same = our_errors(said) == their_errors(errors)
    if same:
        return None
    text = "\n    ".join(sorted({f"{pointer(e.absolute_path)}: {e.validator}" for e in errors}))
    return f"{json.dumps(schema)}\n  {json.dumps(document)}\n  tercel: {said}\n  they: {text}"


def refused(said: dict[str, Any]) -> bool:
    """A schema that recurses without end: jsonschema finds out when it has no stack left."""
    return said["verdict"] == "refused" and "refers to itself" in said["reason"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_on_random_schemas(dialect: str) -> None:
    samples = Samples(random.Random(f"{SEED} {dialect}"), dialect)
    pairs = [(samples.root(), [samples.value() for _ in range(DOCUMENTS)]) for _ in range(SCHEMAS)]
    found, valid, endless = [], 0, 0
    for (schema, documents), verdicts in zip(pairs, ours(pairs), strict=True):
        if refused(verdicts[0]):
            endless += 1
            continue
        validator = VALIDATORS[dialect](schema)
        for document, said in zip(documents, verdicts, strict=True):
            valid += said["verdict"] == "valid"
            difference = disagreement(schema, document, said, validator)
            if difference and not read_differently(schema):
                found.append(difference)
    assert not found, f"{len(found)} differ:\n" + "\n".join(found[:5])
    # Samples that are all valid, or all not, would say little.
    assert SCHEMAS * DOCUMENTS * 0.2 < valid < SCHEMAS * DOCUMENTS * 0.8
    assert endless < SCHEMAS * 0.1
