"""Validation of JSON: tercel, jsonschema-rs, fastjsonschema and msgspec on the same documents.

    python bench/schema.py [--out FILE]

Question: is tercel's validation the fastest that a Python program can have for its request bodies?
Two things are timed, on each file of bench/schemas:

- validate: a document that is parsed already, in the form that each has: tercel's tape, or Python
  objects.
- bytes: from the bytes of the body to the verdict. For tercel reading is its own parser, for the
  others orjson. msgspec reads, validates and builds its own types at once, and cannot express
  every constraint: additional properties, unique elements. Of the others none builds types.

Prints nanoseconds of processor time, the best of five runs each, interleaved; writes raw results
with the machine.
REQUIRES: `cmake --preset release && cmake --build --preset release --target schema_bench`, and the
packages jsonschema-rs, fastjsonschema, orjson and msgspec (requirements/bench.txt).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import fastjsonschema
import jsonschema_rs
import msgspec
import orjson

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.harness.machine import describe  # noqa: E402

TOOL = ROOT / "build" / "release" / "bench" / "cpp" / "schema_bench"
RUNS, SECONDS = 5, 0.15

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Address(msgspec.Struct, forbid_unknown_fields=True):
    street: str
    city: str
    zip: Annotated[str, msgspec.Meta(min_length=4, max_length=10)]


class Customer(msgspec.Struct, forbid_unknown_fields=True):
    name: Text
    email: Annotated[str, msgspec.Meta(pattern="^[^@ ]+@[^@ ]+$")]
    address: Address | msgspec.UnsetType = msgspec.UNSET


class Item(msgspec.Struct, forbid_unknown_fields=True):
    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    price: Annotated[float, msgspec.Meta(gt=0)]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[int, msgspec.Meta(ge=1)]
    customer: Customer
    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=50)]
    paid: bool | msgspec.UnsetType = msgspec.UNSET
    note: Annotated[str, msgspec.Meta(max_length=500)] | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[Annotated[str, msgspec.Meta(max_length=20)]] | msgspec.UnsetType = msgspec.UNSET


class Click(msgspec.Struct, tag_field="kind", tag="click"):
    x: int
    y: int


class Key(msgspec.Struct, tag_field="kind", tag="key"):
    code: Literal["a", "b", "c", "enter"]


class Scroll(msgspec.Struct, tag_field="kind", tag="scroll"):
    by: float


TYPES: dict[str, Any] = {
    "order": Order,
    "orders_100": list[Order],
    "readings_10000": list[Annotated[float, msgspec.Meta(ge=-100, le=100)]],
    "events_1000": list[Click | Key | Scroll],
}


def load(path: Path) -> tuple[Any, bytes]:
    sample = json.loads(path.read_text())
    repeat = sample["repeat"]
    document = [sample["document"]] * repeat if repeat else sample["document"]
    return sample["schema"], orjson.dumps(document)


def nanoseconds(call: Callable[[], object]) -> float:
    """Returns the mean of as many calls as take SECONDS."""
    count, used = 1, 0.0
    while used < SECONDS:
        count = max(count * 2, int(count * SECONDS / used) if used > 0.01 else 0)
        start = time.process_time()
        for _ in range(count):
            call()
        used = time.process_time() - start
    return used / count * 1e9


def calls(name: str, schema: Any, raw: bytes) -> dict[str, Callable[[], object]]:
    document = orjson.loads(raw)
    rust = jsonschema_rs.validator_for(schema)
    fast = fastjsonschema.compile(schema)
    decoder = msgspec.json.Decoder(TYPES[name])
    assert rust.is_valid(document)
    return {
        "validate jsonschema-rs": lambda: rust.is_valid(document),
        "validate fastjsonschema": lambda: fast(document),
        "bytes jsonschema-rs": lambda: rust.is_valid(orjson.loads(raw)),
        "bytes fastjsonschema": lambda: fast(orjson.loads(raw)),
        "bytes msgspec": lambda: decoder.decode(raw),
    }


def run_tercel() -> dict[str, float]:
    options = [f"--benchmark_min_time={SECONDS}", "--benchmark_format=json"]
    command = [str(TOOL), *options, "--benchmark_filter=validate"]
    output = subprocess.run(command, capture_output=True, check=True, timeout=300).stdout
    names = {"validate": "validate", "parse_and_validate": "bytes"}
    times = {}
    for row in json.loads(output)["benchmarks"]:
        what, _, sample = row["name"].partition("/")
        times[f"{sample} {names[what]} tercel"] = row["cpu_time"]
    return times


def measure() -> dict[str, float]:
    best: dict[str, float] = {}
    samples = {
        path.stem: load(path) for path in sorted((ROOT / "bench" / "schemas").glob("*.json"))
    }
    for _ in range(RUNS):
        times = run_tercel()
        for name, (schema, raw) in samples.items():
            for what, call in calls(name, schema, raw).items():
                times[f"{name} {what}"] = nanoseconds(call)
        for key, value in times.items():
            best[key] = min(value, best.get(key, value))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="file for the raw results")
    options = parser.parse_args()
    best = measure()
    for key in sorted(best):
        print(f"{key:45} {best[key]:12,.0f} ns")
    if options.out:
        packages = {module.__name__: module.__version__ for module in (msgspec, orjson)}
        raw = {"machine": describe(), "packages": packages, "nanoseconds": best}
        options.out.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
