"""MessagePack beside JSON: bodies that come as it, and results for clients that like it best."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Iterator
from random import Random
from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from openapi_spec_validator import validate

import tercel
from support.in_process import InProcess
from tercel import BackgroundTasks, Body, Depends, Request, Response, ResponseHeaders
from tercel.testing import TestClient

JSON, MSGPACK = "application/json", "application/msgpack"


class Thing(msgspec.Struct):
    name: str
    price: float
    tags: list[str] = []
    image: bytes = b""
    day: datetime.date | None = None


class Model(pydantic.BaseModel):
    a: int


class Rich(msgspec.Struct):
    at: datetime.datetime
    by: dict[int, bytes]


class Sized(msgspec.Struct):
    size: Annotated[int, msgspec.Meta(ge=1)]


def one() -> int:
    return 1


def add_routes(app: tercel.App) -> tercel.App:
    @app.post("/things")
    async def add(thing: Thing) -> Thing:
        return thing

    @app.post("/sync", blocking=False)
    def add_sync(thing: Thing) -> Thing:
        return thing

    @app.post("/any")
    async def any_value(value: Annotated[Any, Body()]) -> Any:
        return value

    @app.post("/nested")
    async def nested(value: Annotated[Any, Body()]) -> list[Any]:
        return [value]

    @app.get("/rich")
    async def get_rich() -> Rich:
        moment = datetime.datetime(2026, 11, 27, 1, 2, 3, tzinfo=datetime.UTC)
        return Rich(moment, {1: b"\x00\xff"})

    @app.get("/model")
    async def get_model() -> list[Model]:
        return [Model(a=1)]

    @app.post("/rich")
    async def echo_rich(rich: Rich) -> Rich:
        return rich

    @app.post("/sized")
    async def sized(body: Sized) -> int:
        return body.size

    @app.post("/unique")
    async def unique(body: Annotated[dict[str, int], Body(unique_keys=True)]) -> dict[str, int]:
        return body

    @app.post("/optional")
    async def optional(body: Annotated[dict[str, int] | None, Body()] = None) -> int:
        return 0 if body is None else len(body)

    @app.post("/request")
    async def with_request(request: Request, thing: Thing) -> list[Any]:
        return [request.body == msgspec.msgpack.encode(thing), thing.name]

    @app.get("/depends")
    async def depends(more: Annotated[int, Depends(one)]) -> dict[str, int]:
        return {"more": more}

    @app.get("/headers")
    async def with_headers(headers: ResponseHeaders) -> dict[str, int]:
        headers["x-more"] = "1"
        return {"a": 1}

    @app.get("/tasks", status=202)
    def with_tasks(tasks: BackgroundTasks) -> dict[str, int]:
        tasks.add(called.append, "task")
        return {"a": 1}

    @app.get("/text")
    async def text() -> str:
        return "text"

    @app.get("/response")
    async def response() -> Response:
        return Response("{}", media_type=JSON)

    @app.get("/open")
    async def untyped():  # type: ignore[no-untyped-def]
        return [1]

    @app.get("/fails")
    async def fails() -> int:
        raise tercel.HTTPError(409, "No.")

    @app.get("/counted")
    async def counted() -> int:
        called.append("counted")
        return 1

    @app.delete("/things", status=204)
    async def remove() -> None: ...

    return app


called: list[str] = []
app = add_routes(tercel.App(media_types=[JSON, MSGPACK]))
plain = add_routes(tercel.App())


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "asgi":
        yield InProcess(app)
        return
    with TestClient(app) as client:
        yield client


def post(client: Any, path: str, body: bytes, kind: str = MSGPACK, **headers: str) -> Any:
    return client.post(path, content=body, headers={"content-type": kind, **headers})


@pytest.mark.parametrize("path", ["/things", "/sync"])
@pytest.mark.parametrize("kind", [MSGPACK, "application/x-msgpack", "application/vnd.msgpack"])
def test_a_body_comes_as_msgpack(client: Any, path: str, kind: str) -> None:
    thing = Thing("lamp", 1.5, ["a"], b"\x00\xff", datetime.date(2026, 11, 27))
    # As another program writes it: with the date as a text.
    sent = msgspec.to_builtins(thing, builtin_types=[bytes])
    answer = post(client, path, msgspec.msgpack.encode(sent), kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert msgspec.json.decode(answer.content, type=Thing) == thing
    answer = post(client, path, msgspec.json.encode(thing), JSON)
    assert msgspec.json.decode(answer.content, type=Thing) == thing


@pytest.mark.parametrize(
    "value",
    [
        *[None, True, 0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 1.0, -0.0, 1e300, 0.1],
        *[["é", ""], [], {}, [1, [2, {"a": [None]}]], {"a": {"b": "c"}, "d": 1.5}],
        *[["x" * 70_000], list(range(70_000))],
    ],
)
def test_values_are_what_json_has(client: Any, value: Any) -> None:
    body = msgspec.msgpack.encode(value)
    answer = post(client, "/any", body, accept=MSGPACK)
    assert answer.headers["content-type"] == MSGPACK
    assert answer.content == body
    answer = post(client, "/any", body)
    assert msgspec.json.decode(answer.content) == value


def test_what_is_written_can_be_read(client: Any) -> None:
    moment = datetime.datetime(2026, 11, 27, 1, 2, 3, tzinfo=datetime.UTC)
    answer = client.get("/rich", headers={"accept": MSGPACK})
    assert msgspec.msgpack.decode(answer.content) == {
        "at": "2026-11-27T01:02:03Z",
        "by": {"1": b"\x00\xff"},
    }
    model = client.get("/model", headers={"accept": MSGPACK})
    assert msgspec.msgpack.decode(model.content) == [{"a": 1}]
    again = post(client, "/rich", answer.content, accept=MSGPACK)
    assert again.content == answer.content
    as_json = post(client, "/rich", answer.content).json()
    assert as_json["by"] == {"1": "AP8="}
    assert datetime.datetime.fromisoformat(as_json["at"].replace("Z", "+00:00")) == moment


def with_bins_as_text(value: Any) -> Any:
    """Returns what JSON has for a value of MessagePack; ValueError: it has nothing."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [with_bins_as_text(one) for one in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError
        return {key: with_bins_as_text(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError


def made_up(random: Random, depth: int) -> Any:
    kind = random.randrange(9 if depth else 6)
    if kind < 2:
        return random.choice(
            [None, True, False, 0.1, 1.0, 2.0**70, "", "é", "x" * 40, b"", b"\xff"]
        )
    if kind < 5:
        return random.choice([1, -1]) * random.getrandbits(random.choice([3, 7, 15, 31, 63]))
    if kind == 5:
        return random.random() * 10.0 ** random.randint(-300, 300)
    if kind < 8:
        return [made_up(random, depth - 1) for _ in range(random.randrange(20))]
    return {f"k{number}": made_up(random, depth - 1) for number in range(random.randrange(20))}


def test_bytes_mean_what_msgspec_says() -> None:
    random = Random(5)
    taken = refused = 0
    with TestClient(app) as client:
        for _ in range(1500):
            sent = bytearray(msgspec.msgpack.encode(made_up(random, 3)))
            for _ in range(random.choice([0, 1, 1, 2])):
                change = random.randrange(3)
                at = random.randrange(len(sent) + 1)
                if change == 0:
                    sent[at:at] = random.randbytes(1)
                elif change == 1 and at < len(sent):
                    sent[at] = random.randrange(256)
                else:
                    del sent[at:]
            answer = post(client, "/nested", bytes(sent) or b"\xc1")
            try:
                expected = with_bins_as_text(msgspec.msgpack.decode(sent))
            except (ValueError, TypeError, msgspec.DecodeError):
                assert answer.status_code == 400, bytes(sent)
                refused += 1
            else:
                assert answer.status_code == 200, bytes(sent)
                # Of a key that comes twice, the place is another.
                read = json.dumps(answer.json(), sort_keys=True)
                assert read == json.dumps([expected], sort_keys=True), bytes(sent)
                taken += 1
    assert taken > 300
    assert refused > 300


def test_what_is_wrong_is_told_as_of_json(client: Any) -> None:
    for value in ({"name": 1, "price": 2.0}, {"name": "x"}, {"name": "x", "price": [1]}, 5):
        as_json = post(client, "/things", msgspec.json.encode(value), JSON)
        refused = post(client, "/things", msgspec.msgpack.encode(value), accept=MSGPACK)
        assert (refused.status_code, refused.json()) == (422, as_json.json())
        assert refused.headers["content-type"] == "application/problem+json"
    assert post(client, "/sized", msgspec.msgpack.encode({"size": 0})).status_code == 422
    assert post(client, "/sized", msgspec.msgpack.encode({"size": 3})).json() == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xc1", "a value is expected here, at byte 1"),
        (b"\x91", "the value is not whole, at byte 1"),
        (b"\x01\x01", "nothing may follow the value, at byte 2"),
        (b"\x81\x01\x01", "the key of a map must be a string, at byte 2"),
        (b"\xd6\xff\x00\x00\x00\x00", "extension types are not taken, at byte 1"),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "JSON has neither NaN nor infinities, at byte 1"),
        (b"\x91" * 129 + b"\x01", "nested more deeply than the limit, at byte 129"),
        (b"\xdf\xff\xff\xff\xff", "the value is not whole, at byte 1"),
    ],
)
def test_what_is_malformed_is_400(client: Any, body: bytes, said: str) -> None:
    refused = post(client, "/any", body)
    assert refused.status_code == 400
    assert said in refused.json()["detail"]


def test_options_of_a_body_hold(client: Any) -> None:
    twice = b"\x82\xa1a\x01\xa1a\x02"
    assert post(client, "/unique", twice).status_code == 400
    assert post(client, "/any", twice).json() == {"a": 2}
    assert post(client, "/optional", b"").json() == 0
    assert post(client, "/optional", b"\x81\xa1a\x01").json() == 1
    thing = msgspec.msgpack.encode(Thing("lamp", 1.0))
    assert post(client, "/request", thing).json() == [True, "lamp"]
    assert post(client, "/any", b"\xc0", "application/cbor").status_code == 415


def test_an_app_that_does_not_say_so_takes_none() -> None:
    with TestClient(plain) as client:
        for asked in (client, InProcess(plain)):
            assert post(asked, "/any", b"\xc0").status_code == 415
            answer = asked.get("/depends", headers={"accept": MSGPACK})
            assert (answer.headers["content-type"], answer.json()) == (JSON, {"more": 1})
            assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"), [("/depends", 200), ("/headers", 200), ("/tasks", 202), ("/open", 200)]
)
def test_the_client_chooses(client: Any, path: str, status: int) -> None:
    for accept, kind in (
        ("*/*", JSON),
        ("application/*", JSON),
        (MSGPACK, MSGPACK),
        (f"{JSON};q=0.5, {MSGPACK}", MSGPACK),
        (f"{JSON}, {MSGPACK}", JSON),
        (f"{JSON};q=0, */*", MSGPACK),
    ):
        answer = client.get(path, headers={"accept": accept})
        told = (answer.status_code, answer.headers["content-type"], answer.headers["vary"])
        assert told == (status, kind, "Accept"), accept
        decode = msgspec.json.decode if kind == JSON else msgspec.msgpack.decode
        assert decode(answer.content) in ({"more": 1}, {"a": 1}, [1])
    if path == "/headers":
        assert answer.headers["x-more"] == "1"


def test_who_takes_neither_is_refused_before_anything_is_called(client: Any) -> None:
    called.clear()
    for accept in ("text/html", f"{JSON};q=0, {MSGPACK};q=0"):
        refused = client.get("/counted", headers={"accept": accept})
        assert refused.status_code == 406
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["vary"] == "Accept"
    assert called == []
    # The engine refuses it, so that neither body nor parameters are looked at.
    html = {"accept": "text/html", "content-type": "text/plain"}
    assert client.post("/things", content=b"{", headers=html).status_code == 406
    assert client.post("/things", content=b"{", headers={**html, "accept": JSON}).status_code == 415
    # What is not written in either has no choice.
    assert client.get("/text", headers={"accept": "text/html"}).text == "text"
    assert client.get("/response", headers={"accept": MSGPACK}).headers["content-type"] == JSON
    assert client.get("/open", headers={"accept": "text/html"}).json() == [1]
    assert client.delete("/things", headers={"accept": "text/html"}).status_code == 204
    refused = client.get("/fails", headers={"accept": MSGPACK})
    assert (refused.status_code, refused.headers["content-type"]) == (
        409,
        "application/problem+json",
    )


def test_the_first_is_for_clients_that_take_any() -> None:
    app = add_routes(tercel.App(media_types=[MSGPACK, JSON]))
    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            assert one.get("/depends").headers["content-type"] == MSGPACK


def test_hooks_do_not_see_how_it_is_done() -> None:
    app = add_routes(tercel.App(media_types=[JSON, MSGPACK]))
    seen: list[Any] = []

    @app.pre_handler
    def look(request: Request, arguments: dict[str, Any]) -> None:
        seen.append(sorted(arguments))
        if "value" in arguments:
            arguments["value"] = 5

    with TestClient(app) as client:
        answer = post(client, "/any", b"\xc0", accept=MSGPACK)
        assert msgspec.msgpack.decode(answer.content) == 5
        client.get("/depends")
    assert seen == [["value"], ["more"]]


def test_the_document_names_both() -> None:
    document = app.openapi()
    validate(document)
    operation = document["paths"]["/things"]["post"]
    assert list(operation["requestBody"]["content"]) == [JSON, MSGPACK]
    assert list(operation["responses"]["200"]["content"]) == [JSON, MSGPACK]
    assert "406" in operation["responses"]
    assert "406" not in document["paths"]["/text"]["get"]["responses"]
    operation = plain.openapi()["paths"]["/things"]["post"]
    assert list(operation["requestBody"]["content"]) == [JSON]
    assert list(operation["responses"]["200"]["content"]) == [JSON]
    assert "406" not in operation["responses"]


@pytest.mark.parametrize("names", [[], [MSGPACK], [JSON, "application/cbor"]])
def test_what_there_is_not_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="media_types are 'application/json'"):
        tercel.App(media_types=names)
