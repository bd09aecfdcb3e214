"""CORS of a tercel.App: what browsers are told.

Each question is asked of the served app, of the served app whose requests all go through Python,
and of the app as an ASGI application.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import tercel
from apps import api_limits
from support.ways import client_fixture
from tercel.testing import TestClient

A = {"origin": "https://a.example"}
FIELDS = {
    "access-control-allow-origin": "https://a.example",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Total",
    "vary": "origin",
}


client = client_fixture("api_limits", native="app", hooked="hooked", asgi="make()")


def cors_of(answer: httpx.Response) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.multi_items()
        if name.startswith("access-control-") or name == "vary"
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hello", 200),
        ("/stream", 200),
        ("/mounted/x", 200),
        ("/none", 404),
        ("/often?name=x", 422),
        ("/refused", 401),
        ("/fails", 500),
        ("/openapi.json", 200),
    ],
)
def test_each_answer_says_who_may_read_it(client: Any, path: str, status: int) -> None:
    answer = client.get(path, headers=A)
    assert (answer.status_code, cors_of(answer)) == (status, FIELDS)


def test_a_wrong_method_too(client: Any) -> None:
    answer = client.delete("/hello", headers=A)
    assert (answer.status_code, cors_of(answer)) == (405, FIELDS)


def test_a_host_below_one_that_is_named(client: Any) -> None:
    answer = client.get("/hello", headers={"origin": "https://x.y.b.example"})
    assert answer.headers["access-control-allow-origin"] == "https://x.y.b.example"


def test_another_origin_is_answered_and_may_not_read_it(client: Any) -> None:
    for origin in ("https://evil.example", "null", "https://b.example"):
        answer = client.get("/hello", headers={"origin": origin})
        assert (answer.text, cors_of(answer)) == ("hello", {"vary": "origin"})


def test_a_request_without_origin_is_not_touched(client: Any) -> None:
    assert cors_of(client.get("/hello")) == {}


def test_an_answer_that_says_it_itself_is_not_touched(client: Any) -> None:
    answer = client.get("/own", headers=A)
    assert [pair for pair in answer.headers.multi_items() if pair[0] in FIELDS] == [
        ("access-control-allow-origin", "*"),
        ("vary", "Origin"),
    ]


def test_no_field_is_said_twice(client: Any) -> None:
    names = [name for name, _ in client.get("/hello", headers=A).headers.multi_items()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", ["/hello", "/none", "/mounted/x"])
def test_a_preflight_is_answered_whatever_its_path(client: Any, path: str) -> None:
    asks = {"access-control-request-method": "PUT", "access-control-request-headers": "x-key"}
    answer = client.options(path, headers=A | asks)
    assert (answer.status_code, answer.content) == (204, b"")
    vary = "origin, access-control-request-method, access-control-request-headers"
    assert cors_of(answer) == {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "X-Key",
        "access-control-max-age": "60",
        "vary": vary,
    }
    answer = client.options(path, headers={"origin": "https://evil.example"} | asks)
    assert (answer.status_code, cors_of(answer)) == (204, {"vary": vary})


def test_options_that_is_no_preflight_is_the_apps(client: Any) -> None:
    answer = client.options("/hello", headers=A)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert cors_of(answer) == FIELDS


def test_the_test_client_sees_it() -> None:
    with TestClient(api_limits.make()) as client:
        assert cors_of(client.get("/hello", headers=A)) == FIELDS


def test_http2(serve_shared: Any) -> None:
    server = serve_shared("api_limits:app", access_log=False)
    with httpx.Client(base_url=server.url, http1=False, http2=True, timeout=20) as client:
        answer = client.get("/hello", headers=A)
        assert (answer.http_version, cors_of(answer)) == ("HTTP/2", FIELDS)
        asks = A | {"access-control-request-method": "PUT"}
        assert client.options("/hello", headers=asks).status_code == 204


def test_with_io_threads(serve: Any) -> None:
    server = serve("api_limits:app", io_threads=2)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        assert cors_of(client.get("/stream", headers=A)) == FIELDS
        assert cors_of(client.get("/fails", headers=A)) == FIELDS


def test_a_star_needs_no_vary() -> None:
    app = tercel.App(cors=tercel.CORS(origins=["*"], methods=["*"], headers=["*"]))
    with TestClient(app) as client:
        answer = client.get("/none", headers=A)
        assert cors_of(answer) == {"access-control-allow-origin": "*"}
        asks = {"access-control-request-method": "PURGE", "access-control-request-headers": "x-a"}
        answer = client.options("/none", headers=A | asks)
        assert answer.headers["access-control-allow-methods"] == "PURGE"
        assert answer.headers["access-control-allow-headers"] == "x-a"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"origins": ["*"], "credentials": True}, "any page could act as whoever looks at it"),
        ({"origins": ["https://a.example/"]}, "has a path"),
        ({"origins": []}, "allows no origin"),
        ({"origins": ["https://a"], "methods": ["GET, PUT"]}, "no name of a method"),
        ({"origins": ["https://a"], "max_age": 90_000}, "from 0 to 86400"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tercel.CORS(**options)


def test_mistakes_in_types() -> None:
    with pytest.raises(TypeError, match="origins is a list of texts"):
        tercel.CORS(origins="https://a.example")
    with pytest.raises(TypeError, match=r"cors is a tercel\.CORS"):
        tercel.App(cors=["https://a.example"])  # type: ignore[arg-type]
