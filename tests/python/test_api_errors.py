"""How handlers say no: errors of each status, redirects, error handlers, debugging, schemas.

Each question is asked of the served app, and of the same app as an ASGI application.
"""

from __future__ import annotations

import datetime
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

import tercel
from apps import api_errors
from support.in_process import InProcess
from support.ways import client_fixture
from tercel import errors

client = client_fixture("api_errors", native="app", asgi="app")


def test_a_problem_has_all_members(client: Any) -> None:
    answer = client.get("/raise/conflict")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "https://example.com/taken",
        "title": "Name taken",
        "status": 409,
        "detail": "Taken.",
        "instance": "/things/7",
        "name": "lamp",
    }


@pytest.mark.parametrize("rest", ["a", "%C3%A9/" + "b" * 90])
@pytest.mark.parametrize("place", ["/where", "/where-inline", "/where-thread"])
@pytest.mark.parametrize(("way", "status"), [("object", 500), ("error", 410), ("fails", 500)])
def test_a_problem_says_where_it_occurred(
    client: Any, place: str, way: str, status: int, rest: str
) -> None:
    answer = client.get(f"{place}/{way}/{rest}?more=1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["instance"] == f"{place}/{way}/{rest}"


@pytest.mark.parametrize(
    ("kind", "body"), [("model", {"number": 13}), ("model", {"number": []}), ("moment", "2026")]
)
def test_a_body_that_is_refused_is_told_where(client: Any, kind: str, body: Any) -> None:
    answer = client.post(f"/where/{kind}/a%20b", json=body)
    assert answer.status_code == 422
    assert answer.json()["instance"] == f"/where/{kind}/a%20b"


@pytest.mark.parametrize(
    ("name", "status", "field", "value"),
    [
        ("unauthorized", 401, "www-authenticate", "Bearer"),
        ("method", 405, "allow", "GET, PUT"),
        ("range", 416, "content-range", "bytes */70"),
        ("later", 429, "retry-after", "30"),
        ("moved", 308, "location", "/things/7"),
        ("see", 303, "location", "/things/7"),
    ],
)
def test_errors_have_the_fields_of_their_status(
    client: Any, name: str, status: int, field: str, value: str
) -> None:
    answer = client.get(f"/raise/{name}")
    assert (answer.status_code, answer.headers[field]) == (status, value)
    assert name != "range" or answer.headers["x-a"] == "b"
    assert name != "see" or answer.headers["cache-control"] == "no-store"


def test_there_is_a_class_for_each_status() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    statuses = {one.of_status: one for one in classes if hasattr(one, "of_status")}
    known = {int(one) for one in HTTPStatus if one >= 400}
    # 402 and 407 are of proxies; 418 is a joke; 425 and 505, 506, 510 are the server's.
    assert known - set(statuses) <= {407, 408, 418, 425, 505, 506, 510}
    assert {301, 302, 303, 307, 308} <= set(statuses)
    for status, one in statuses.items():
        words = HTTPStatus(status).phrase.replace("-", " ").title().replace(" ", "")
        if status not in (413, 414, 416, 422, 501):  # Python 3.11 has their old names.
            assert one.__name__ == words


def test_a_redirect_is_a_uri() -> None:
    response = errors.SeeOther("/düne 7?q=%20&a=b\r\nx: y#top").response()
    assert ("location", "/d%C3%BCne%207?q=%20&a=b%0D%0Ax:%20y#top") in response.headers


def test_retry_after_may_be_a_time() -> None:
    moment = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
    error = errors.ServiceUnavailable(retry_after=moment)
    assert dict(error.response().headers)["retry-after"] == "Thu, 26 Nov 2026 12:00:00 GMT"


def test_mistakes_are_said() -> None:
    with pytest.raises(ValueError, match="'detail' of a problem document has an argument"):
        errors.NotFound(extra={"detail": "no"})
    with pytest.raises(TypeError, match="challenge"):
        errors.Unauthorized("who?")  # type: ignore[call-arg]
    app = tercel.App()
    with pytest.raises(TypeError, match=r"answer\(\) has no annotation of what it returns"):

        @app.get("/", validate_response=True)
        def answer():  # type: ignore[no-untyped-def]
            return 1


@pytest.mark.parametrize("way", ["", "/thread", "/inline"])
def test_error_handlers_may_wait(client: Any, way: str) -> None:
    answer = client.get(f"/unlucky{way}?number=3")
    assert (answer.status_code, answer.json()) == (500, {"unlucky": 3})
    assert client.get(f"/unlucky{way}?number=13").status_code == 500
    stream = client.get(f"/unlucky{way}?number=7")
    assert (stream.status_code, stream.text) == (409, "seven")


def test_tracebacks_are_shown_when_asked_for(serve: Any) -> None:
    server = serve("api_errors:debugged", access_log=False)
    for ask in (httpx.Client(base_url=server.url).get, InProcess(api_errors.debugged).get):
        answer = ask("/fail")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.startswith("Traceback (most recent call last):")
        assert "KeyError: '<secret>'" in answer.text
        assert ask("/http").json()["title"] == "Not Found"
    server.wait_for("KeyError: '<secret>'")


def test_tracebacks_are_not_shown_otherwise(client: Any) -> None:
    answer = client.get("/raise/nothing")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


def test_a_schema_may_be_given(client: Any) -> None:
    assert client.post("/names", json={"a": 1, "b": None}).json() == 2
    refused = client.post("/names", json={"A": 1, "b": 2, "c": 3})
    assert refused.status_code == 422
    kinds = {(tuple(one["loc"]), one["type"]) for one in refused.json()["errors"]}
    assert ("body",) in {loc for loc, _ in kinds}
    assert len(kinds) == 2
    assert client.get("/even?number=4").json() == 4
    (error,) = client.get("/even?number=5").json()["errors"]
    assert (error["loc"], error["type"]) == (["query", "number"], "multiple_of")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_references_of_a_given_schema_begin_at_its_root(client: Any, method: str) -> None:
    assert client.request(method, "/orders", json={"items": [{"sku": 1}]}).json() == 1
    refused = client.request(method, "/orders", json={"items": [{"price": 1}]})
    (error,) = refused.json()["errors"]
    assert (error["loc"], error["type"]) == (["body", "items", 0, "sku"], "missing")


def test_a_given_schema_is_in_the_document() -> None:
    validate(api_errors.app.openapi())
    body = api_errors.app.openapi()["paths"]["/names"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["allOf"] == [api_errors.NAMES]


def test_keys_may_have_to_be_unique(client: Any) -> None:
    refused = client.post(
        "/names", content=b'{"a":1,"a":2}', headers={"content-type": "application/json"}
    )
    assert refused.status_code == 400
    assert "key twice" in refused.json()["detail"]


def test_answers_are_held_against_their_annotation(client: Any) -> None:
    assert client.get("/answer/5").json() == {"number": 5}
    assert client.get("/answer/-5").status_code == 500
    assert client.get("/either/0").text == "none"
    assert client.get("/either/2").json() == [{"number": 1}, {"number": 2}]
    assert client.get("/either/-2").status_code == 500


def test_what_is_wrong_with_an_answer_is_logged(serve: Any) -> None:
    server = serve("api_errors:app", access_log=False)
    httpx.get(f"{server.url}/either/-2")
    server.wait_for(r"either\(\) returned something else than it says: 1\.number: Expected")
