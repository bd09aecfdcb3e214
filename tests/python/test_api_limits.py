"""Limits of routes of a tercel.App: how often they are asked, how long they take.

Each question is asked of the served app, of the served app whose requests all go through Python,
and of the app as an ASGI application.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import tercel
from apps import api_limits
from support.in_process import InProcess
from support.ways import client_fixture
from tercel.api.limits import rate_of
from tercel.testing import TestClient

DETAIL = "More requests came from this client than this path takes."


# Of an app that nobody has asked yet.
client = client_fixture("api_limits", native="app", hooked="hooked", asgi="make()", shared=False)


def check_refused(answer: httpx.Response, path: str) -> None:
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert answer.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": DETAIL,
        "instance": path,
    }


def test_rates(client: Any) -> None:
    # All methods of a route have one bucket.
    assert client.get("/often").status_code == 200
    assert client.put("/often").status_code == 200
    check_refused(client.get("/often"), "/often")
    check_refused(client.put("/often"), "/often")
    # Others go on.
    assert client.get("/hello").status_code == 200
    # A request counts once, though its body comes later; when it is refused nobody reads that.
    assert client.post("/body", json=[1]).json() == [1]
    assert client.post("/body", json=["x"]).status_code == 422
    check_refused(client.post("/body", json=[1]), "/body")
    # A page may read that it is too fast.
    refused = client.get("/often", headers={"origin": "https://a.example"})
    assert refused.headers["access-control-allow-origin"] == "https://a.example"
    # By a header: each value has a bucket, and who sends none is a client.
    assert client.get("/keyed", headers={"x-key": "one"}).status_code == 200
    check_refused(client.get("/keyed", headers={"x-key": "one"}), "/keyed")
    assert client.get("/keyed", headers={"x-key": "two"}).status_code == 200
    assert client.get("/keyed").status_code == 200
    check_refused(client.get("/keyed"), "/keyed")


def test_a_bucket_fills_again(client: Any) -> None:
    statuses = [client.get("/burst").status_code for _ in range(30)]
    assert statuses[:3] == [200, 200, 200]
    time.sleep(0.3)
    assert client.get("/burst").status_code == 200


def test_what_takes_too_long_is_cancelled(client: Any) -> None:
    began = time.monotonic()
    answer = client.get("/slow", headers={"origin": "https://a.example"})
    assert time.monotonic() - began < 10
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.json()["detail"] == "The answer took longer than 0.05 seconds."
    assert client.get("/ended").json() == ["cancelled"]
    assert client.get("/slow?seconds=0").text == "in time"
    assert client.get("/slow-dependency").status_code == 503


def test_only_the_limit_of_the_route_is_answered_with_503(client: Any) -> None:
    assert client.get("/own-timeout").text == "mine"
    assert client.get("/raises-timeout").status_code == 500


def test_a_stream_has_begun_in_time(client: Any) -> None:
    assert client.get("/slow-stream").text == "late, and whole"


def test_what_runs_on_a_thread_goes_on(client: Any) -> None:
    assert client.get("/thread").status_code == 503
    if isinstance(client, InProcess):
        return  # asyncio.run() has waited for it.
    deadline = time.monotonic() + 10
    while client.get("/ended").json() != ["thread"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- whose requests they are


def of_asgi(app: tercel.App, client: Any) -> Callable[[], int]:
    """Returns what asks an ASGI application in the name of a client, and returns the status."""
    statuses: list[int] = []

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "client": client,
        }
        await app(scope, receive, send)

    def asks() -> int:
        asyncio.run(ask())
        return statuses[-1]

    return asks


def test_a_client_is_an_address_or_a_network() -> None:
    app = tercel.App()

    @app.get("/", rate="1/h")
    async def get() -> int:
        return 1

    assert of_asgi(app, ("192.0.2.1", 1))() == 200
    assert of_asgi(app, ("192.0.2.1", 2))() == 429
    assert of_asgi(app, ("192.0.2.2", 1))() == 200
    assert of_asgi(app, ("2001:db8::1", 1))() == 200
    assert of_asgi(app, ("2001:db8::ffff:1", 1))() == 429
    assert of_asgi(app, ("2001:db8:0:1::1", 1))() == 200
    # Nobody knows who these are: a Unix socket, a name.
    for unknown in (None, ("unix", 0), ("", 0), ["testclient", 50000]):
        assert [of_asgi(app, unknown)(), of_asgi(app, unknown)()] == [200, 200]


def test_routes_of_a_router_that_is_included_twice_count_apart() -> None:
    router = tercel.Router()

    @router.get("/x", rate="1/h")
    async def get() -> int:
        return 1

    app = tercel.App()
    app.include(router, prefix="/a")
    app.include(router, prefix="/b")
    with TestClient(app) as client:
        answers = [client.get(path).status_code for path in ("/a/x", "/b/x", "/a/x", "/b/x")]
    assert answers == [200, 200, 429, 429]


# --- registration


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/s", tercel.Rate(10)),
        ("100/min", tercel.Rate(100, per=60)),
        ("5/10s", tercel.Rate(5, per=10)),
        ("1000/h", tercel.Rate(1000, per=3600)),
        ("1/d", tercel.Rate(1, per=86_400)),
    ],
)
def test_texts(text: str, rate: tercel.Rate) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize(
    "options",
    [
        *({"rate": text} for text in ("10", "10/m", "/s", "0/s", "1.5/s", "2000000/s", "1/2d", "")),
        *({"timeout": seconds} for seconds in (0, -1, 86_401, float("nan"), float("inf"))),
    ],
)
def test_what_is_no_limit_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rate|Rate|timeout"):
        tercel.App().get("/", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"requests": 0},
        {"requests": 1, "per": 0},
        {"requests": 1, "per": 100_000},
        {"requests": 1, "per": float("nan")},
        {"requests": 1, "burst": 0},
        {"requests": 1, "burst": 10_000, "per": 3600},
        {"requests": 1, "by": "x key"},
        {"requests": 1, "by": ""},
        {"requests": 1, "clients": 1},
    ],
)
def test_what_is_no_rate_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Rate"):
        tercel.Rate(**options)


def test_mistakes_in_types() -> None:
    with pytest.raises(TypeError, match=r"a rate is a text"):
        tercel.App().get("/", rate=10)
    with pytest.raises(TypeError, match=r"runs on the event loop, where no timeout can end it"):

        @tercel.App().get("/", timeout=1, blocking=False)
        def get() -> int:
            return 1


def test_the_document_says_it() -> None:
    paths = api_limits.app.openapi()["paths"]
    said = paths["/often"]["put"]["responses"]["429"]
    assert "application/problem+json" in said["content"]
    assert paths["/slow"]["get"]["responses"]["503"]["description"] == (
        "The answer took longer than 0.05 seconds."
    )
    assert {"429", "503"}.isdisjoint(paths["/hello"]["get"]["responses"])
