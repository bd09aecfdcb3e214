"""Media types of an application's own, beside JSON and MessagePack."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
import yaml
from openapi_spec_validator import validate

import tercel
from support.files import import_file
from support.in_process import InProcess
from tercel import Body, MediaHandler
from tercel.testing import TestClient

EXAMPLE = Path(__file__).parents[2] / "examples" / "api" / "media_handler.py"

media_handler = import_file(EXAMPLE)

JSON, MSGPACK, YAML = "application/json", "application/msgpack", "application/yaml"


class Rich(msgspec.Struct):
    at: datetime.date
    by: dict[int, bytes]
    size: Annotated[int, msgspec.Meta(ge=1)] = 1


class Broken(MediaHandler):
    """Fails in every way that a body names."""

    media_type = "text/broken"

    def read(self, body: bytes) -> Any:
        if body == b"raise":
            raise ZeroDivisionError
        if body == b"nothing":
            raise ValueError
        return {"object": object(), "cyclic": 1} if body == b"object" else 5

    def write(self, value: Any) -> bytes:
        return "no bytes"  # type: ignore[return-value]


app = tercel.App(media_types=[JSON, media_handler.Yaml(), Broken(), MSGPACK])


@app.post("/any")
async def any_value(value: Annotated[Any, Body()]) -> list[Any]:
    return [value]


@app.post("/rich")
async def rich(rich: Rich) -> Rich:
    return rich


@app.post("/inline", blocking=False)
def inline(rich: Rich) -> Rich:
    return rich


@app.post("/unique")
async def unique(value: Annotated[dict[str, int], Body(unique_keys=True)]) -> dict[str, int]:
    return value


@app.post("/small")
async def small(value: Annotated[list[int], Body(bytes_max=8)]) -> int:
    return len(value)


@app.post("/request")
async def with_request(request: tercel.Request, value: Annotated[Any, Body()]) -> list[Any]:
    return [request.body.decode(), value]


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "asgi":
        yield InProcess(app)
        return
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def post(client: Any, path: str, body: str, kind: str = YAML, **headers: str) -> Any:
    return client.post(path, content=body.encode(), headers={"content-type": kind, **headers})


@pytest.mark.parametrize("path", ["/rich", "/inline"])
@pytest.mark.parametrize("kind", [YAML, "Application/YAML; charset=utf-8"])
def test_a_body_comes_and_goes_in_it(client: Any, path: str, kind: str) -> None:
    sent = "at: 2026-11-27\nby: {1: AP8=}\nsize: 3\n"
    as_json = post(client, path, sent, kind)
    assert (as_json.status_code, as_json.headers["content-type"]) == (200, JSON)
    assert as_json.json() == {"at": "2026-11-27", "by": {"1": "AP8="}, "size": 3}
    answer = post(client, path, sent, kind, accept=YAML)
    assert (answer.headers["content-type"], answer.headers["vary"]) == (YAML, "Accept")
    # What is written is read again.
    assert post(client, path, answer.text).json() == as_json.json()
    packed = post(client, path, sent, kind, accept=MSGPACK)
    assert msgspec.msgpack.decode(packed.content)["by"] == {"1": b"\x00\xff"}


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**70, 0.1, "", "é\n:", [], {}, [1, [2, {"a": [None]}]], list(range(2000))],
)
def test_values_are_what_json_has(client: Any, value: Any) -> None:
    body = yaml.safe_dump(value, allow_unicode=True)
    answer = post(client, "/any", body, accept=YAML)
    assert yaml.safe_load(answer.content) == [value]
    assert post(client, "/any", body).json() == [value]


def test_what_is_wrong_is_told_as_of_json(client: Any) -> None:
    sent = "by: {}\nsize: 0\n"
    refused = post(client, "/rich", sent, accept=YAML)
    as_json = client.post("/rich", json=yaml.safe_load(sent))
    assert (refused.status_code, refused.json()) == (422, as_json.json())
    assert refused.headers["content-type"] == "application/problem+json"
    assert {one["type"] for one in refused.json()["errors"]} == {"missing", "greater_than_equal"}


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (YAML, "a: [1\nb: c\n", "The body is not application/yaml: while parsing a flow sequence"),
        (YAML, "a: &x [1]\nb: *x\n", "The body is not application/yaml: aliases are not taken."),
        ("text/broken", "nothing", "The body is not text/broken: it is malformed."),
        ("text/broken", "object", "The body is text/broken that says what JSON could not."),
        (YAML, "[" * 200 + "]" * 200, "nested more deeply than the limit"),
    ],
)
def test_what_is_malformed_is_400(client: Any, kind: str, body: str, said: str) -> None:
    refused = post(client, "/any", body, kind)
    assert refused.status_code == 400
    assert said in refused.json()["detail"]
    assert "\n" not in refused.json()["detail"]


def test_other_types_are_415(client: Any) -> None:
    for kind in ("application/cbor", "application/yaml; charset=utf-16", "yaml"):
        refused = post(client, "/any", "1", kind)
        assert refused.status_code == 415, kind
    assert refused.json()["detail"] == (
        "The body must be JSON in UTF-8 or MessagePack or application/yaml or text/broken,"
        " and its Content-Type must say which."
    )
    refused = post(client, "/any", "1", accept="text/html")
    assert refused.status_code == 406


def test_options_of_a_body_hold(client: Any) -> None:
    assert post(client, "/small", "[1,2,3,4,5]").status_code == 413
    assert post(client, "/small", "[1]").json() == 1
    assert post(client, "/unique", "a: 1").json() == {"a": 1}
    assert post(client, "/request", "- a").json() == ["- a", ["a"]]


def test_what_fails_is_500_and_logged(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "tercel"):
        failed = post(client, "/any", "raise", "text/broken")
    assert (failed.status_code, failed.json()["detail"]) == (500, "The application failed.")
    assert "Broken.read() failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()
    if isinstance(client, InProcess):
        return  # What it raises is the server's to log.
    with caplog.at_level(logging.ERROR, "tercel"):
        failed = client.post("/any", json=1, headers={"accept": "text/broken"})
    assert failed.status_code == 500
    assert "Broken.write() returned no bytes" in caplog.text


def test_the_document_names_all() -> None:
    document = app.openapi()
    validate(document)
    operation = document["paths"]["/rich"]["post"]
    assert list(operation["requestBody"]["content"]) == [JSON, YAML, "text/broken", MSGPACK]
    assert list(operation["responses"]["200"]["content"]) == [JSON, YAML, "text/broken", MSGPACK]
    assert "text/broken" in operation["responses"]["415"]["description"]


def named(name: Any, kinds: Any = (ValueError,)) -> MediaHandler:
    class Named(media_handler.Yaml):
        media_type = name
        malformed = kinds

    return Named()


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (named("Application/Yaml"), "in lower case"),
        (named("yaml"), "in lower case"),
        (named("application/yaml; a=b"), "in lower case"),
        (named(None), "in lower case"),
        (named(JSON), "needs no handler"),
        (named("application/a+json"), "needs no handler"),
        (named("application/x-msgpack"), "needs no handler"),
        (named("multipart/form-data"), "needs no handler"),
        (named(YAML, ValueError), "a tuple of classes of exceptions"),
        (named(YAML, ("ValueError",)), "a tuple of classes of exceptions"),
    ],
)
def test_mistakes_are_said(handler: MediaHandler, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        tercel.App(media_types=[JSON, handler])


def test_lists_that_are_none_are_refused() -> None:
    for wrong in ([YAML], [media_handler.Yaml()], [JSON, named(YAML), named(YAML)]):
        with pytest.raises(ValueError, match="media_types are"):
            tercel.App(media_types=wrong)  # type: ignore[arg-type]
    many = [named(f"text/a{number}") for number in range(16)]
    with pytest.raises(ValueError, match="up to 16"):
        tercel.App(media_types=[JSON, *many])
    with pytest.raises(TypeError, match="has the class Yaml: put an object of it there"):
        tercel.App(media_types=[JSON, media_handler.Yaml])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="media_types is a list of texts, and 5 is none"):
        tercel.App(media_types=[JSON, 5])  # type: ignore[list-item]
    for none in (None, JSON):
        with pytest.raises(TypeError, match="media_types is a list, as "):
            tercel.App(media_types=none)  # type: ignore[arg-type]


def test_handlers_do_not_wait() -> None:
    class Waiting(media_handler.Yaml):
        async def read(self, body: bytes) -> Any:
            return None

    with pytest.raises(TypeError, match=r"Waiting.read\(\) must be a plain function"):
        tercel.App(media_types=[JSON, Waiting()])


def test_a_complaint_that_quotes_what_is_no_text_is_one_for_the_client() -> None:
    class Strict(media_handler.Yaml):
        def read(self, body: bytes) -> Any:
            raise ValueError(f"not {body.decode(errors='surrogateescape')}")

    app = tercel.App(media_types=[JSON, Strict()])

    @app.post("/")
    def take(body: Annotated[dict[str, int], Body()]) -> None: ...

    with TestClient(app) as client:
        answer = client.post("/", content=b"\xff", headers={"content-type": YAML})
    assert answer.status_code == 400
    assert answer.json()["detail"] == f"The body is not {YAML}: not ?."


def test_a_complaint_without_words_is_a_failure_that_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Mute(ValueError):
        def __str__(self) -> str:
            raise ZeroDivisionError

    class Strict(media_handler.Yaml):
        def read(self, body: bytes) -> Any:
            raise Mute

    app = tercel.App(media_types=[JSON, Strict()])

    @app.post("/")
    def take(body: Annotated[dict[str, int], Body()]) -> None: ...

    with TestClient(app) as client:
        answer = client.post("/", content=b"a", headers={"content-type": YAML})
        assert answer.status_code == 500
        assert client.post("/", json={"a": 1}).status_code == 200
    assert "Strict.read() raised what has no text" in caplog.text


def test_the_example() -> None:
    with TestClient(media_handler.app) as client:
        answer = post(client, "/rules", "name: a", accept=YAML)
        assert (answer.status_code, answer.text) == (201, "name: a\nweight: 1\n")
