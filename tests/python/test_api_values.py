"""An invalid value never comes to Python: the engine's judgement against msgspec's.

Random texts from a fixed seed, and documents, for each type that an argument may have. What the
engine takes, msgspec must take too, and make the same value of; what it refuses it refuses itself.
That it takes less than msgspec in places is listed here, with the reason.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, NewType

import msgspec
import pytest

import tercel
from tercel import Body, Query, _api
from tercel.api import values

SEED = 20261127
ROUNDS = 12  # Changed texts of each seed.
Meta = msgspec.Meta


class Color(enum.Enum):
    RED = "red"
    BLUE = "blü"


class Number(enum.IntEnum):
    ONE = 1
    BIG = 2**40


class Part(msgspec.Struct):
    at: datetime.datetime
    size: float = 0.0
    data: bytes = b""


class Whole(msgspec.Struct):
    parts: list[Part]
    by_name: dict[str, Part | None] = {}
    next: Whole | None = None


class Left(msgspec.Struct, tag=True):
    at: datetime.time


class Middle(msgspec.Struct, tag=True):
    at: list[datetime.timedelta]


class Right(msgspec.Struct, tag=True, array_like=True):
    at: Annotated[datetime.datetime, Meta(tz=False)]


class Pair(NamedTuple):
    day: datetime.date
    took: datetime.timedelta


Name = NewType("Name", str)

SCALARS: dict[str, Any] = {
    "datetime": datetime.datetime,
    "zoned": Annotated[datetime.datetime, Meta(tz=True)],
    "local": Annotated[datetime.datetime, Meta(tz=False)],
    "date": datetime.date,
    "time": datetime.time,
    "zoned time": Annotated[datetime.time, Meta(tz=True)],
    "local time": Annotated[datetime.time, Meta(tz=False)],
    "duration": datetime.timedelta,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "enum": Color,
    "integer enum": Number,
    "literal": Literal["a", "b"],
    "integer literal": Literal[1, 2],
    "integer": int,
    "float": float,
    "boolean": bool,
    "text": str,
    "name": Name,
    "short": Annotated[str, Meta(min_length=2, max_length=3)],
    "pattern": Annotated[str, Meta(pattern="^[a-c]+$")],
    "range": Annotated[int, Meta(ge=3, le=2**62)],
    "open range": Annotated[float, Meta(gt=0.5, lt=1e10)],
    "threes": Annotated[int, Meta(multiple_of=3)],
    "tenths": Annotated[float, Meta(multiple_of=0.1)],
    "optional": datetime.datetime | None,
    "own format": Annotated[
        datetime.datetime, Meta(tz=True, extra_json_schema={"format": "tercel:zoned-date-time"})
    ],
}
PARAMETERS = SCALARS | {
    "days": list[datetime.date],
    "floats": list[float],
    "bounded": list[Annotated[int, Meta(ge=1)]],
    "tenfold": Annotated[list[Annotated[float, Meta(multiple_of=0.1)]], Meta(max_length=2)],
    "set": set[datetime.time],
}
BODIES = SCALARS | {
    "bytes in a list": list[bytes],
    "struct": Part,
    "nested": Whole,
    "tagged": Left | Middle | None,
    "two tags": Left | Middle,
    "with a number": Left | int | Middle | datetime.date,
    "arrays": Right,
    "pair": Pair,
    "fixed": tuple[int, datetime.date],
    "integer keys": dict[int, int],
    "day keys": dict[datetime.date, float],
    "uuid keys": dict[uuid.UUID, datetime.timedelta],
    "maybe": int | None,
    "either": int | str,
    "mixed": Literal["a", 1, None],
    "times": list[datetime.time | None],
}

TEXTS = """
2020-01-01T00:00:00Z 2020-01-01T00:00:00 2020-01-01t00:00:00z 2020-01-01_00:00:00Z
2020-01-01T00:00:00.123456789Z 2020-01-01T00:00:00.5+01:00 2020-01-01T00:00:00+0100
2020-12-31T23:59:60Z 0000-01-01T00:00:00Z 0001-01-01T00:00:00+01:00 9999-12-31T23:59:59-23:59
9999-12-31T23:59:59.9999994 9999-12-31T23:59:59.9999995 2020-02-29T00:00:00Z 2021-02-29T00:00:00Z
2020-01-01T24:00:00Z 2020-01-01T00:00Z 2020-01-01T00:00:00+24:00 2020-01-01T00:00:00. 20200101
2020-01-01 0000-01-01 9999-12-31 2020-13-01 00:00:00 00:00:00Z 23:59:60Z 12:30
12:30:00.1234567+05:30
12345 -5 1.5 1e5 1e400 -1e400 1e-400 nan inf NaN Infinity -inf sNaN -0 +1 007 1_000 0x10 1. .5 1E+5
99999999999999999999 18446744073709551616 9223372036854775808 1e99999999999999999 0.1 0.3 3 6 1 0
0.30000000000000004 1.7976931348623157e308 1.8e308 1099511627776 1099511627776.0 9007199254740993
P1D PT1S P1Y P1M P1W PT1.5S -P1D +P1D P1DT1H P PT P1.5D p1dt1m PT0.0000001S P999999999D
P1000000000D -P1000000000D P1DT PT36H PT1H1M1S PT1M1H PT1.5M2S P1H PT1,5S
123e4567-e89b-12d3-a456-426614174000 123E4567-E89B-12D3-A456-426614174000
123e4567e89b12d3a456426614174000 {123e4567-e89b-12d3-a456-426614174000}
red Red blü a b c ab abc abcd üü true TRUE yes on off null YQ== YQ YWJj YR== a=== ==== _-==
"""
MORE_TEXTS = ["2020-01-01 00:00:00Z", " 1", "1 ", "é" * 2, "\U0001f600" * 3, "\U0001f600" * 4]
LETTERS = "0123456789-+:.TZPDHMSeE tz="

DOCUMENTS = [
    *("null", "true", "1", "1.0", "1.5", "-1", "1e2", "-0.0", "9007199254740993.0", "1e400"),
    *("-1e400", "1e-400", "99999999999999999999", "9" * 400, "0.1", "3.0", "1099511627776.0"),
    *("[]", "[1,1]", '[1,"2020-01-01"]', "[1.0]", "{}", '{"1":1}', '{"a":1}', '{"1.0":1}'),
    *('{"01":1}', '{" 1":1}', '{"+1":1}', '{"-1":1}', '{"99999999999999999999":1}'),
    '{"2020-01-01":1}',
    '{"0000-01-01":1}',
    '{"2020-01-01":1e400}',
    '{"123e4567-e89b-12d3-a456-426614174000":"P1D"}',
    '{"123e4567-e89b-12d3-a456-426614174000":"P1Y"}',
    *('["12:00:00",null]', '["12:00"]', '["YQ==","YWJj"]', '["YQ"]', '["2020-01-01","P1D"]'),
    *('["0000-01-01","P1D"]', '["2020-01-01","P1W"]', '["Right","2020-01-01T00:00:00"]'),
    '["Right","2020-01-01T00:00:00Z"]',
    *('{"at":"2020-01-01T00:00:00"}', '{"at":"2020-01-01"}', '{"at":"12:00:00"}'),
    '{"at":"2020-01-01T00:00:00","size":1e400}',
    '{"at":"2020-01-01T00:00:00","size":1,"data":"YQ=="}',
    '{"at":"2020-01-01T00:00:00","data":"YQ"}',
    '{"type":"Left","at":"12:00:00"}',
    '{"type":"Left","at":"12"}',
    '{"type":"Middle","at":["P1D"]}',
    '{"type":"Middle","at":["P1W"]}',
    '{"type":"Other","at":["P1W"]}',
    '{"parts":[{"at":"2020-01-01 00:00:00"}],"by_name":{"a":null,"b":{"at":"x"}}}',
    '{"parts":[{"at":"2020-01-01 00:00:00"}],"by_name":{"a":{"at":"2020-01-01T00:00:00"}}}',
    '{"parts":[],"next":{"parts":[{"at":"2020-02-30T00:00:00"}]}}',
    '{"parts":[],"next":{"parts":[]}}',
]

# What msgspec takes, and the engine does not.
NUMBER = re.compile(r"[-+]?(nan|inf|infinity|[0-9.]+(e[-+]?[0-9]+)?)", re.I)
STRICTER: dict[type, Callable[[str], bool]] = {
    # Seconds since 1970 as text: a date is written as one.
    datetime.datetime: lambda text: bool(NUMBER.fullmatch(text)),
    datetime.timedelta: lambda text: bool(NUMBER.fullmatch(text)),
    # What Python's own notation has: blanks, underscores, NaN and infinity; exponents near the end.
    decimal.Decimal: lambda text: bool(re.search(r"[\s_]|nan|inf|e[-+]?\d{18}", text, re.I)),
    # Of the forms of a UUID the one with hyphens.
    uuid.UUID: lambda text: "-" not in text,
    # JSON has neither, and an integer of a parameter is written in digits alone.
    float: lambda text: bool(re.fullmatch(r"[-+]?(nan|inf(inity)?)", text, re.I)),
    int: lambda text: bool(re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", text, re.I)),
    bool: lambda text: text == "-0",
}


def texts() -> list[str]:
    rng = random.Random(SEED)
    seeds = [*TEXTS.split(), *MORE_TEXTS]
    made = list(seeds)
    for seed in seeds:
        for _ in range(ROUNDS):
            letters = list(seed)
            for _ in range(rng.randrange(1, 3)):
                at = rng.randrange(len(letters) + 1)
                letters[at : at + rng.randrange(2)] = rng.choice(["", *LETTERS])
            made.append("".join(letters))
    return sorted({text for text in made if text})


class Judges:
    """The engine, and what it asks Python about."""

    def __init__(self, annotation: Any, marker: Any) -> None:
        self.app = tercel.App(openapi_url=None)
        self.got: list[Any] = []

        def take(value: Any) -> None: ...

        take.__annotations__ = {"value": Annotated[annotation, marker]}
        self.app.post("/", blocking=False)(take)
        self.instance = _api.Instance(self.app)

    def ask(self, query: str, body: bytes) -> tuple[bool, Any]:
        """Returns whether the engine takes it, and the argument, or the failures."""
        headers = [(b"content-type", b"application/json")]
        begun = self.instance.begin(b"POST", b"/", query.encode(), headers, body)
        if len(begun) == 2:
            return True, begun[1][0]
        status, _, document = begun
        assert status == 422, document
        return False, json.loads(document)["errors"]


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What msgspec refused."""
    found: list[str] = []
    original = values._failure

    def note(error: msgspec.ValidationError, *rest: Any) -> Any:
        found.append(str(error))
        return original(error, *rest)

    monkeypatch.setattr(values, "_failure", note)
    return found


def plain_of(annotation: Any) -> Any:
    plain = values.without_none(values.metadata_of(annotation)[0])
    parts = getattr(plain, "__args__", ())
    if getattr(plain, "__origin__", None) in (list, set):
        return plain_of(parts[0])
    return plain


def judged(make: Callable[[Any], Any], given: Any) -> tuple[Any, str]:
    """Returns what msgspec makes of something, or what it has against it."""
    try:
        return make(given), ""
    except msgspec.ValidationError as error:
        return None, str(error)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str, entered: list[str]) -> None:
    annotation = PARAMETERS[name]
    judges = Judges(annotation, Query())
    is_many = getattr(values.metadata_of(annotation)[0], "__origin__", None) in (list, set)
    stricter = STRICTER.get(plain_of(annotation), lambda text: False)
    # The engine's words of a boolean and digits of an integer are more; multiples it has exactly.
    is_lax = plain_of(annotation) in (bool, int) or "ten" in name or "integer" in name
    taken = 0
    for text in texts():
        query = "value=" + "".join(f"%{byte:02x}" for byte in text.encode())
        valid, value = judges.ask(query, b"")
        assert not entered, f"{text!r} came to Python: {entered}"
        taken += valid
        given = [text] if is_many else text
        theirs, error = judged(lambda it: msgspec.convert(it, annotation, strict=False), given)
        if error:
            assert not valid or is_lax, f"{text!r}: {error}"
            continue
        # To msgspec the text `null` is None where that may be.
        allowed = stricter(text) or "ten" in name or text.lower() == "null"
        assert valid or allowed, f"{text!r}: {value}"
        assert not valid or is_lax or same(value, theirs), text
    assert taken


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str, entered: list[str]) -> None:
    annotation = BODIES[name]
    judges = Judges(annotation, Body())
    decoder = msgspec.json.Decoder(annotation)
    plain = plain_of(annotation)
    stricter = STRICTER.get(plain, lambda text: False) if plain not in (int, float) else None
    taken = 0
    for document in [*(json.dumps(text) for text in texts()), *DOCUMENTS]:
        valid, value = judges.ask("", document.encode())
        if name == "with a number" and entered and "got `float`" in entered.pop():
            continue  # What has no shape (shapes.py) is msgspec's, to which 1.0 is no integer.
        assert not entered, f"{document} came to Python: {entered}"
        taken += valid
        theirs, error = judged(decoder.decode, document)
        if error:
            # To JSON Schema 1.0 is an integer; and multiples it has exactly.
            is_integer = re.search(r"Expected `.*int.*got `float`|out of range", error)
            assert not valid or is_integer or name == "tenths", f"{document}: {error}"
            continue
        is_text = document.startswith('"')
        allowed = is_text and stricter and stricter(json.loads(document))
        assert valid or allowed or name == "tenths", f"{document}: {value}"
        assert not valid or same(value, theirs), document
    assert taken


def test_integers_written_with_a_fraction_are_exact(entered: list[str]) -> None:
    judges = Judges(int, Body())
    for text, number in (
        ("9007199254740993.0", 9007199254740993),
        ("-1e20", -(10**20)),
        ("123456789012345678901234567890.00", 123456789012345678901234567890),
        ("1.5e1", 15),
        ("1e4000", 10**4000),
    ):
        assert judges.ask("", text.encode()) == (True, number)
    assert not entered


def test_what_is_wrong_is_said() -> None:
    said = {}
    for name in ("datetime", "zoned", "local", "date", "time", "duration", "decimal"):
        _, (failure,) = Judges(SCALARS[name], Query()).ask("value=x", b"")
        assert (failure["loc"], failure["input"]) == (["query", "value"], "x")
        said[name] = (failure["type"], failure["msg"])
    _, (zoned,) = Judges(SCALARS["zoned"], Query()).ask("value=2020-01-01T00:00:00", b"")
    _, (local,) = Judges(SCALARS["local"], Query()).ask("value=2020-01-01T00:00:00Z", b"")
    _, (large,) = Judges(float, Query()).ask("value=1e400", b"")
    _, (encoded,) = Judges(list[bytes], Body()).ask("", b'["YQ"]')
    assert said | {"-": (zoned["type"], local["type"], large["type"], encoded["type"])} == {
        "datetime": (
            "datetime_parsing",
            "Must be a date and a time, as 2026-01-31T13:00:00Z.",
        ),
        "zoned": (
            "datetime_parsing",
            "Must be a date and a time with an offset, as 2026-01-31T13:00:00Z.",
        ),
        "local": (
            "datetime_parsing",
            "Must be a date and a time without an offset, as 2026-01-31T13:00:00.",
        ),
        "date": ("date_from_datetime_parsing", "Must be a date, as 2026-01-31."),
        "time": ("time_parsing", "Must be a time, as 13:00:00."),
        "duration": (
            "time_delta_parsing",
            "Must be a duration of days, hours, minutes and seconds, as P1DT2H.",
        ),
        "decimal": ("decimal_parsing", "Must be a decimal number."),
        "-": ("timezone_aware", "timezone_naive", "finite_number", "bytes_invalid_encoding"),
    }


def test_base64_is_what_python_reads() -> None:
    judges, rng = Judges(list[bytes], Body()), random.Random(SEED)
    for _ in range(500):
        text = "".join(rng.choices("ABab01+/=-_ ", k=rng.randrange(9)))
        try:
            expected = (True, [base64.b64decode(text, validate=True)])
        except ValueError:
            expected = (False, None)
        valid, value = judges.ask("", json.dumps([text]).encode())
        assert (valid, value if valid else None) == expected, text
