"""`body_schema=` and `params_schema=` of a route: JSON Schemas that are there before the types."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest

import tercel
from support.in_process import InProcess
from tercel import Depends, Header, Request
from tercel.testing import TestClient

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"amount": {"$ref": "#/$defs/amount"}, "note": {"maxLength": 3}},
    "required": ["amount"],
    "$defs": {"amount": {"type": "integer", "minimum": 1}},
}
PARAMS = {
    "type": "object",
    "properties": {
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "ratio": {"type": "number"},
        "tag": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "exact": {"type": "boolean", "default": False},
        "sort": {"$ref": "#/$defs/sort"},
        "thing_id": {"type": "integer", "maximum": 99},
        "x_client": {"type": "string", "minLength": 2},
    },
    "required": ["sort"],
    "$defs": {"sort": {"type": "string", "enum": ["up", "down"]}},
}

app = tercel.App()


@app.post("/untyped", body_schema=ORDER)
async def untyped(order) -> Any:  # type: ignore[no-untyped-def]
    return order


@app.post("/typed/{kind}", body_schema=ORDER)
async def typed(kind, order: dict[str, Any], request: Request) -> Any:  # type: ignore[no-untyped-def]
    return [kind, order, len(request.body)]


@app.get("/params/{thing_id}", params_schema=PARAMS)
async def params(  # type: ignore[no-untyped-def]
    thing_id, page, ratio, tag, exact, sort, x_client: Annotated[str, Header()] = "none"
) -> Any:
    return [thing_id, page, ratio, tag, exact, sort, x_client]


async def limited(limit: int = 5) -> int:
    return limit


@app.get("/depends", params_schema={"properties": {"page": {"maximum": 3}}})
async def depends(page: int = 1, limit: Annotated[int, Depends(limited)] = 0) -> Any:
    return [page, limit]


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest) -> Any:
    if request.param == "asgi":
        yield InProcess(app)
        return
    with TestClient(app) as client:
        yield client


def failures(response: Any) -> list[tuple[list[Any], str]]:
    assert response.status_code == 422
    return [(one["loc"], one["type"]) for one in response.json()["errors"]]


def test_bodies(client: Any) -> None:
    assert client.post("/untyped", json={"amount": 1, "more": None}).json() == {
        "amount": 1,
        "more": None,
    }
    refused = client.post("/untyped", json={"amount": 0, "note": "long"})
    assert failures(refused) == [
        (["body", "amount"], "greater_than_equal"),
        (["body", "note"], "string_too_long"),
    ]
    assert failures(client.post("/untyped", json=[])) == [(["body"], "dict_type")]
    assert failures(client.post("/untyped")) == [(["body"], "missing")]
    assert client.post("/typed/a", content=b'{"amount":1}').json() == ["a", {"amount": 1}, 12]
    assert failures(client.post("/typed/a", json={})) == [(["body", "amount"], "missing")]


def test_parameters(client: Any) -> None:
    assert client.get("/params/7?sort=up").json() == [7, 1, None, None, False, "up", "none"]
    given = client.get(
        "/params/7?sort=down&page=2&ratio=1&tag=a&tag=b&exact=yes", headers={"x-client": "me"}
    )
    assert given.json() == [7, 2, 1.0, ["a", "b"], True, "down", "me"]
    refused = client.get("/params/100?page=0&ratio=x&tag=a&tag=b&tag=c", headers={"x-client": "m"})
    assert sorted(failures(refused)) == [
        (["header", "x-client"], "string_too_short"),
        (["path", "thing_id"], "less_than_equal"),
        (["query", "page"], "greater_than_equal"),
        (["query", "ratio"], "float_parsing"),
        (["query", "sort"], "missing"),
        (["query", "tag"], "too_long"),
    ]
    assert failures(client.get("/params/7?sort=left")) == [(["query", "sort"], "enum")]


def test_beside_dependencies(client: Any) -> None:
    assert client.get("/depends?page=3").json() == [3, 5]
    assert failures(client.get("/depends?page=4")) == [(["query", "page"], "less_than_equal")]


def test_they_are_in_the_document() -> None:
    paths = app.openapi()["paths"]
    body = paths["/untyped"]["post"]["requestBody"]
    assert body["required"]
    (schema,) = body["content"]["application/json"]["schema"]["allOf"]
    assert schema["required"] == ["amount"]
    shown = {one["name"]: one for one in paths["/params/{thing_id}"]["get"]["parameters"]}
    assert shown["page"]["schema"]["type"] == "integer"
    assert [name for name, one in shown.items() if one["required"]] == ["thing_id", "sort"]


def nothing() -> None: ...


def raw(body: bytes) -> None: ...


@pytest.mark.parametrize(
    ("function", "options", "sentence"),
    [
        (nothing, {"body_schema": {}}, "takes no body as JSON"),
        (raw, {"body_schema": {}}, "takes no body as JSON"),
        (nothing, {"params_schema": {"properties": {"a": {}}}}, "no argument 'a'"),
        (nothing, {"body_schema": []}, "a JSON Schema as a dict"),
        (nothing, {"body_schema": {"type": "thing"}}, "its schema is none"),
        (nothing, {"params_schema": []}, '{"properties": {"page": {"type": "integer"}}}, not []'),
        (nothing, {"params_schema": {"properties": []}}, "the JSON Schema of an object"),
        (nothing, {"params_schema": {"type": "array"}}, "of an object, not of 'array'"),
        (nothing, {"params_schema": {"minProperties": 1}}, "each is checked by itself"),
        (nothing, {"params_schema": {"required": ["a"]}}, "has no schema for it"),
        (nothing, {"params_schema": {"properties": {"a": {"type": 1}}}}, "its schema is none"),
    ],
)
def test_what_cannot_be(function: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(sentence)):
        tercel.App().post("/", **options)(function)
