"""What a body becomes, built from the parsed document: the same as msgspec makes of its text.

Asked of the engine without a server: random documents of types with everything in them.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import gc
import random
import sys
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest

import tercel
from tercel import _api
from tercel.api.shapes import shape_of

pytestmark = pytest.mark.sanitize

DOCUMENTS = 300


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Part(msgspec.Struct, rename="camel"):
    part_name: str
    size_mm: Annotated[int, msgspec.Meta(ge=0)] = 3
    weight: float | None = None


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    key: int
    note: str = "-"


class Tagged(msgspec.Struct, tag="tagged"):
    x: int


class Tree(msgspec.Struct):
    name: str
    children: list[Tree] = []


@dataclasses.dataclass
class Point:
    x: int
    y: float = 1.5
    labels: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, frozen=True, kw_only=True)
class Slots:
    a: int
    b: bool = False


class Known(TypedDict):
    name: str
    size: float


class Everything(msgspec.Struct):
    part: Part
    frozen: Frozen
    tree: Tree
    point: Point
    slots: Slots
    known: Known
    tagged: Tagged
    color: Color
    level: Level
    word: Literal["a", "b"]
    day: datetime.date
    moment: datetime.datetime
    time: datetime.time
    span: datetime.timedelta
    key: uuid.UUID
    blob: bytes
    parts: list[Part]
    names: set[str]
    frozen_names: frozenset[int]
    numbers: tuple[float, ...]
    pair: tuple[int, str]
    by_name: dict[str, Part | None]
    anything: Any
    scalar: int | str | None
    nothing: None = None
    flag: bool = True
    after: Part | None = None


def _text(r: random.Random) -> str:
    return "".join(r.choices('ab é€😀"\\\n', k=r.randrange(6)))


def _integer(r: random.Random) -> int:
    return r.choice([0, -1, 7, 2**31, -(2**63), 2**64 - 1, 10**30])


def _number(r: random.Random) -> float | int:
    return r.choice([0, -0.0, 1.5, 1e300, -2.25, 12345678901234567890, 3])


def _part(r: random.Random) -> Any:
    part: dict[str, Any] = {"partName": _text(r)}
    if r.random() < 0.5:
        part["sizeMm"] = r.randrange(100)
    if r.random() < 0.5:
        part["weight"] = r.choice([None, _number(r)])
    if r.random() < 0.3:
        part["unknown"] = [1, {"a": 2}]
    return _shuffled(r, part)


def _shuffled(r: random.Random, value: dict[str, Any]) -> dict[str, Any]:
    items = list(value.items())
    r.shuffle(items)
    return dict(items)


def _tree(r: random.Random, depth: int = 0) -> Any:
    if depth > 4 or r.random() < 0.3:
        return {"name": _text(r)}
    children = [_tree(r, depth + 1) for _ in range(r.randrange(3))]
    return {"name": _text(r), "children": children}


def _everything(r: random.Random) -> Any:
    moment = datetime.datetime(2026, 11, 26, 1, 2, 3, r.randrange(10**6))
    zone = r.choice([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=3))])
    made: dict[str, Any] = {
        "part": _part(r),
        "frozen": {"key": _integer(r)},
        "tree": _tree(r),
        "point": _shuffled(r, {"x": _integer(r), "y": _number(r)}),
        "slots": {"a": 1, "b": True},
        "known": {"name": _text(r), "size": _number(r), "other": 1},
        "tagged": {"type": "tagged", "x": 1},
        "color": r.choice(["red", "blue"]),
        "level": r.choice([1, 2]),
        "word": "a",
        "day": "2024-02-29",
        "moment": moment.replace(tzinfo=zone).isoformat(),
        "time": "10:20:30.5",
        "span": "P1DT2S",
        "key": str(uuid.UUID(int=r.getrandbits(128))),
        "blob": "aGVsbG8=",
        "parts": [_part(r) for _ in range(r.randrange(4))],
        "names": ["a", "b", "a"],
        "frozen_names": [1, 2, 2],
        "numbers": [_number(r) for _ in range(3)],
        "pair": [_integer(r), _text(r)],
        "by_name": {_text(r): r.choice([None, _part(r)]) for _ in range(3)},
        "anything": r.choice([1, "x", None, [1.5, {"a": True}], {"": {}}]),
        "scalar": r.choice([_integer(r), _text(r), None]),
    }
    for name, value in (("nothing", None), ("flag", False), ("after", r.choice([None, _part(r)]))):
        if r.random() < 0.5:
            made[name] = value
    return _shuffled(r, made)


def _taken(kind: Any) -> Callable[[bytes], Any]:
    """Returns what gives the argument that the engine makes of a body."""
    app = tercel.App(openapi_url=None)

    async def take(value: Any) -> None: ...

    take.__annotations__["value"] = Annotated[kind, tercel.Body()]
    app.post("/")(take)
    instance = _api.Instance(app)

    def ask(body: bytes) -> Any:
        begun = instance.begin(b"POST", b"/", b"", [], body)
        assert len(begun) == 2, begun
        return begun[1][0]

    ask.app = app  # type: ignore[attr-defined]
    return ask


def test_everything_has_a_shape() -> None:
    assert shape_of(Everything) is not None


def test_values_are_those_of_msgspec() -> None:
    ask = _taken(Everything)
    r = random.Random(20261126)
    for _ in range(DOCUMENTS):
        body = msgspec.json.encode(_everything(r))
        expected = msgspec.json.decode(body, type=Everything)
        made = ask(body)
        assert made == expected
        # Equal values of other types: True for 1, 1 for 1.0.
        assert repr(made) == repr(expected)
        assert type(made.numbers[0]) is float


def test_defaults_are_made_anew() -> None:
    ask = _taken(Point)
    first = ask(b'{"x": 1}')
    first.labels.append("mine")
    assert ask(b'{"x": 1}').labels == []
    ask = _taken(Tree)
    ask(b'{"name": "a"}').children.append(1)
    assert ask(b'{"name": "a"}').children == []


def test_keys_that_come_twice_count_once() -> None:
    assert _taken(Part)(b'{"partName": "a", "partName": "b"}').part_name == "b"
    assert _taken(dict[str, float])(b'{"a": 1, "a": 2}') == {"a": 2.0}


@pytest.mark.parametrize("text", [b"1", b"1.0", b"10e-1", b"100E0"])
def test_an_integer_is_one_however_it_is_written(text: bytes) -> None:
    value = _taken(dict[str, int])(b'{"a": %s}' % text)["a"]
    assert (type(value), value) == (int, int(float(text)))


class AfterInit(msgspec.Struct):
    x: int

    def __post_init__(self) -> None:
        if self.x > 3:
            raise ValueError("too much")


@dataclasses.dataclass
class OwnInit:
    x: int

    def __init__(self, x: int) -> None:
        self.x = x + 1


Zoned = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Pair(NamedTuple):
    a: int


@pytest.mark.parametrize("kind", [AfterInit, OwnInit, Pair, int | list[int], Tagged | AfterInit])
def test_others_are_left_to_their_decoder(kind: Any) -> None:
    assert shape_of(kind) is None


@pytest.mark.parametrize(
    ("kind", "body", "loc"),
    [
        (dict[str, float], b'{"a": 1e999}', ["body"]),
        # More digits than an integer of Python is made of.
        (list[int], b"[1e4300]", ["body"]),
        (
            list[Zoned],
            b'["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"]',
            ["body", 1],
        ),
        (list[AfterInit], b'[{"x": 1}, {"x": 4}]', ["body", 1]),
    ],
)
def test_what_the_schema_leaves_open_is_refused(kind: Any, body: bytes, loc: list[Any]) -> None:
    ask = _taken(kind)
    instance = _api.Instance(ask.app)  # type: ignore[attr-defined]
    status, _, answer = instance.begin(b"POST", b"/", b"", [], body)
    assert status == 422
    (error,) = msgspec.json.decode(answer)["errors"]
    assert error["loc"][: len(loc)] == loc


def test_nothing_is_kept() -> None:
    """References: those of a body go with what was made of it."""
    ask = _taken(Everything)
    body = msgspec.json.encode(_everything(random.Random(1)))
    ask(body)
    gc.collect()
    before = sys.getrefcount(Part), sys.getrefcount(Color.RED), sys.getrefcount(Point)
    for _ in range(50):
        ask(body)
        with pytest.raises(AssertionError):
            ask(body[:-1] + b', "span": 5}')
    gc.collect()
    assert (sys.getrefcount(Part), sys.getrefcount(Color.RED), sys.getrefcount(Point)) == before
