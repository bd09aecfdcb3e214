"""tercel.App: what handlers are given, what becomes of what they do, and what is refused.

Each question is asked twice: of an app that tercel serves natively, and of the same app as an ASGI
application, through httpx.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import decimal
import functools
import gc
import json
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import pytest

import tercel
from apps.api_things import app as things
from support.in_process import InProcess
from support.server import ServerProcess
from support.ways import client_fixture
from tercel.testing import TestClient

KEY = "12345678-1234-5678-1234-567812345678"


client = client_fixture("api_things", native="app", asgi="app")


def errors(response: httpx.Response) -> list[tuple[Any, str]]:
    """Where and what, of each failure of a 422."""
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return [(tuple(one["loc"]), one["type"]) for one in response.json()["errors"]]


class TestArguments:
    def test_defaults(self, client: httpx.Client) -> None:
        assert client.get("/things/7").json() == {
            "thing_id": 7,
            "verbose": False,
            "limit": 1.5,
            "tags": [],
            "token": None,
            "session": "none",
        }

    def test_from_every_place(self, client: httpx.Client) -> None:
        response = client.get(
            "/things/-12345678901234567890123?verbose=YES&limit=2&tags=a,b&tags=%C3%BC",
            headers={"x-token": "s3cret", "cookie": "other=1; session=xyz"},
        )
        assert response.json() == {
            "thing_id": -12345678901234567890123,
            "verbose": True,
            "limit": 2.0,
            "tags": ["a", "b", "ü"],
            "token": "s3cret",
            "session": "xyz",
        }
        assert '"limit":2.0' in response.text

    def test_of_other_types(self, client: httpx.Client) -> None:
        response = client.get(f"/typed/{KEY}/blue?day=2026-11-26&count=3")
        assert response.json() == [
            f"UUID {KEY}",
            "Color Color.BLUE",
            "date 2026-11-26",
            "int 3",
        ]

    def test_what_they_refuse(self, client: httpx.Client) -> None:
        response = client.get("/things/seven?verbose=perhaps&limit=x")
        assert errors(response) == [
            (("path", "thing_id"), "int_parsing"),
            (("query", "verbose"), "bool_parsing"),
            (("query", "limit"), "float_parsing"),
        ]
        assert response.json()["instance"] == "/things/seven"
        assert errors(client.get(f"/typed/{KEY}/blue")) == [(("query", "day"), "missing")]
        response = client.get("/typed/nope/green?day=2026-13-01&count=11")
        assert errors(response) == [
            (("path", "key"), "uuid_parsing"),
            (("path", "color"), "enum"),
            (("query", "day"), "date_from_datetime_parsing"),
            (("query", "count"), "less_than_equal"),
        ]
        assert response.json()["errors"][3] == {
            "type": "less_than_equal",
            "msg": "Must be at most 10.",
            "loc": ["query", "count"],
            "input": 11,
            "ctx": {"le": 10},
        }

    def test_of_types_with_another_name(self, client: httpx.Client) -> None:
        assert client.get("/newtype?user=7&others=2&others=1").json() == [7, 1, 2]
        assert errors(client.get("/newtype?user=x")) == [(("query", "user"), "int_parsing")]

    def test_defaults_are_made_anew(self, client: httpx.Client) -> None:
        assert [client.get("/defaults").json() for _ in range(2)] == [["x"], ["x"]]

    def test_a_list_in_a_header(self, client: httpx.Client) -> None:
        headers = [("x-numbers", "1, 2 ,3"), ("x-numbers", "4")]
        assert client.get("/header-list", headers=headers).json() == [1, 2, 3, 4]

    def test_one_element_of_many_is_refused(self, client: httpx.Client) -> None:
        refused = client.get("/newtype?user=7&others=1&others=a&others=2")
        assert [one["type"] for one in refused.json()["errors"]] == ["int_parsing"]

    def test_the_rest_of_a_path(self, client: httpx.Client) -> None:
        assert client.get("/files/a/b%2Fc/d%20e").text == "a/b/c/d e"

    def test_the_request_itself(self, client: httpx.Client) -> None:
        response = client.get(
            "/request?a=%20b",
            headers=[("x-repeated", "1"), ("X-Repeated", "2"), ("user-agent", "u")],
        )
        assert response.json() == {
            "method": "GET",
            "path": "/request",
            "query": "a=%20b",
            "agent": "u",
            "repeated": ["1", "2"],
        }


@pytest.mark.sanitize
class TestBodies:
    def test_a_struct(self, client: httpx.Client) -> None:
        thing = {"name": "Ü", "price": 2, "tags": ["x"], "made": "2026-11-26"}
        response = client.post("/things", json=thing)
        assert (response.status_code, response.json()) == (201, {**thing, "price": 2.0})

    def test_a_dataclass_beside_parameters(self, client: httpx.Client) -> None:
        response = client.put("/points/p?dry=on", json={"x": 3})
        assert response.json() == {"name": "p", "x": 3, "y": 0, "dry": True, "type": "Point"}

    def test_other_types(self, client: httpx.Client) -> None:
        assert client.post("/pairs", json=[[1, "a"], [2, "b"]]).json() == 3
        assert client.post("/options", json={"deep": True}).json() == {"deep": True}

    @pytest.mark.parametrize(
        "value",
        [None, True, 1.5, [], {}, {"a": ["ü", {"b": None}]}, 2**63, 2**64, -(10**40), 1e300],
    )
    def test_anything(self, client: httpx.Client, value: Any) -> None:
        response = client.post("/anything", content=json.dumps(value))
        assert response.json() == value
        assert type(response.json()) is type(value)

    def test_bytes(self, client: httpx.Client) -> None:
        response = client.post("/raw", content=b"\0\xff1", headers={"content-type": "image/png"})
        assert response.content == b"1\xff\0"
        assert response.headers["content-type"] == "application/octet-stream"

    def test_an_optional_one(self, client: httpx.Client) -> None:
        assert client.post("/maybe").text == "none"
        assert client.post("/maybe", content=b"null").text == "none"
        assert client.post("/maybe", json={"name": "n", "price": 1}).text == "n"

    def test_what_is_sent_may_be_sent_back(self, client: httpx.Client) -> None:
        answer = client.post("/odd", json={"took": "PT0.5S", "amount": 1.5, "parts": [1, 1]}).json()
        assert answer == {"took": "PT0.5S", "amount": "1.5", "parts": [1]}
        assert client.post("/odd", json={**answer, "took": "-P1DT1S"}).status_code == 200
        assert client.post("/odd", json={**answer, "took": "a while"}).status_code == 422

    def test_of_a_request_that_is_taken_whole(self, client: httpx.Client) -> None:
        assert client.post("/request-body", content=b"abc").content == b"abc"
        assert client.post("/request-body").content == b""
        assert client.post("/request-body", content=b"x" * (1 << 20) + b"x").status_code == 413

    def test_a_model_of_pydantic(self, client: httpx.Client) -> None:
        model = {"name": "n", "tags": ["a"]}
        assert client.post("/model", json=model).json() == {**model, "seen": True}
        assert sorted(errors(client.post("/model", json={"tags": [1]}))) == [
            (("body", "name"), "missing"),
            (("body", "tags", 0), "string_type"),
        ]
        # What only a validator in Python knows.
        assert errors(client.post("/model", json={"name": "root"})) == [
            (("body", "name"), "value_error")
        ]

    def test_in_parts(self, client: httpx.Client) -> None:
        text = json.dumps({"name": "x" * 50_000, "price": 1}).encode()
        parts = [text[start : start + 7001] for start in range(0, len(text), 7001)]
        if isinstance(client, InProcess):
            response = client.post("/things", content=text)
        else:
            response = client.post("/things", content=iter(parts))
        assert response.json()["name"] == "x" * 50_000

    def test_what_they_refuse(self, client: httpx.Client) -> None:
        assert errors(client.post("/things")) == [(("body",), "missing")]
        refused = client.post("/things", json={"price": "x", "tags": ["a", 1], "made": "today"})
        assert sorted(errors(refused)) == [
            (("body", "made"), "date_from_datetime_parsing"),
            (("body", "name"), "missing"),
            (("body", "price"), "float_type"),
            (("body", "tags", 1), "string_type"),
        ]
        refused = client.post("/things", json={"name": "a", "price": 0})
        assert refused.json()["errors"][0] == {
            "type": "greater_than",
            "msg": "Must be greater than 0.",
            "loc": ["body", "price"],
            "input": 0,
            "ctx": {"gt": 0},
        }
        assert errors(client.post("/pairs", json=[[1, "a"], [2, 3]])) == [
            (("body", 1, 1), "string_type")
        ]
        both = client.put("/points/p?dry=perhaps", json={"x": "1"})
        assert errors(both) == [(("query", "dry"), "bool_parsing"), (("body", "x"), "int_type")]

    @pytest.mark.parametrize("text", ["", "{", '{"a":1,}', "[1] 2", "nul", "'a'", "\ufeff{}"])
    def test_what_is_no_json(self, client: httpx.Client, text: str) -> None:
        response = client.post("/anything", content=text.encode())
        assert response.status_code == (400 if text else 422)
        assert response.headers["content-type"] == "application/problem+json"

    def test_integers_are_no_longer_than_python_reads_them(self, client: httpx.Client) -> None:
        longest = b"9" * 4300
        assert client.post("/anything", content=longest).content == longest
        for path in ("/anything", "/list"):
            assert client.post(path, content=b"[1" + longest + b"]").status_code == 400
        assert client.get("/float-list?x=1" + "9" * 4300).status_code == 422

    def test_the_answer_of_what_is_wrong_stays_small(self, client: httpx.Client) -> None:
        text = json.dumps({"K" * 500_000: {str(n): "x" for n in range(1000)}})
        refused = client.post("/nested", content=text)
        assert refused.status_code == 422
        assert len(refused.content) < 100_000

    def test_what_is_too_deep(self, client: httpx.Client) -> None:
        assert client.post("/anything", content=b"[" * 128 + b"]" * 128).status_code == 200
        assert client.post("/anything", content=b"[" * 129 + b"]" * 129).status_code == 400

    def test_of_another_type(self, client: httpx.Client) -> None:
        for kind in ("text/plain", "application/json; charset=latin-1", "nonsense"):
            response = client.post("/anything", content=b"{}", headers={"content-type": kind})
            assert response.status_code == 415, kind
        for kind in ("application/json", "application/merge-patch+json", "text/json+json"):
            response = client.post("/anything", content=b"{}", headers={"content-type": kind})
            assert response.status_code == 200, kind

    def test_that_are_too_large(self, client: httpx.Client) -> None:
        assert client.post("/raw", content=b"x" * 100).status_code == 200
        assert client.post("/raw", content=b"x" * 101).status_code == 413


@pytest.mark.sanitize
class TestAnswers:
    def test_json(self, client: httpx.Client) -> None:
        response = client.get("/hello")
        assert response.content == b'{"message":"Hello"}'
        assert response.headers["content-type"] == "application/json"
        assert response.headers["content-length"] == "19"

    def test_text(self, client: httpx.Client) -> None:
        response = client.get("/text")
        assert response.content == "Zürich".encode()
        assert response.headers["content-type"] == "text/plain; charset=utf-8"

    def test_text_of_a_type_of_its_own(self, client: httpx.Client) -> None:
        response = client.get("/markup")
        assert response.text == "<b>"
        assert response.headers["content-type"] == "text/plain; charset=utf-8"

    def test_a_response(self, client: httpx.Client) -> None:
        response = client.get("/response")
        assert (response.status_code, response.text) == (202, "made")
        assert response.headers["content-type"] == "text/html"
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]

    def test_nothing(self, client: httpx.Client) -> None:
        response = client.request("DELETE", "/nothing")
        assert (response.status_code, response.content) == (204, b"")
        assert "content-length" not in response.headers

    def test_much(self, client: httpx.Client) -> None:
        assert client.get("/large").content == b"x" * 1_000_000

    def test_head_and_options(self, client: httpx.Client) -> None:
        response = client.request("HEAD", "/hello")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-length"] == "19"
        response = client.request("OPTIONS", "/hello")
        assert (response.status_code, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS")

    def test_what_no_route_has(self, client: httpx.Client) -> None:
        assert client.get("/nowhere").status_code == 404
        assert client.get("/hello/").status_code == 404
        response = client.post("/hello")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert client.request("BREW", "/hello").status_code == 501

    def test_errors(self, client: httpx.Client) -> None:
        response = client.get("/raise/http")
        assert (response.status_code, response.headers["x-pot"]) == (418, "tea")
        assert response.json()["detail"] == "Short and stout."
        assert client.get("/raise-inline").json()["title"] == "Forbidden"
        assert client.get("/raise/stock").text == "OutOfStock"
        response = client.get("/raise/order")
        assert (response.status_code, response.text) == (409, "OnOrder")
        response = client.get("/raise/zero")
        assert response.status_code == 500
        assert response.json() == {"error": "integer division or modulo by zero"}

    @pytest.mark.parametrize("path", ["/raise/unknown", "/unencodable"])
    def test_failures_tell_nothing(self, client: httpx.Client, path: str) -> None:
        response = client.get(path)
        assert response.status_code == 500
        assert response.json() == {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "detail": "The application failed.",
            "instance": path,
        }


@pytest.mark.sanitize
class TestStreams:
    def test_parts(self, client: httpx.Client) -> None:
        response = client.get("/numbers?count=1000")
        assert response.text == "".join(f"{number}\n" for number in range(1000))
        assert response.headers["content-type"] == "text/plain"
        assert response.headers["x-count"] == "1000"
        assert client.get("/numbers?count=0").content == b""

    def test_a_plain_iterator_is_asked_on_a_thread(self, client: httpx.Client) -> None:
        assert client.get("/numbers-inline").text == "FalseFalse"

    def test_events(self, client: httpx.Client) -> None:
        response = client.get("/events?count=2")
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        assert response.text == (
            "event: hello\nid: 1\nretry: 100\ndata: two\ndata: lines\n\n"
            'data: {"number":0}\n\ndata: {"number":1}\n\n'
        )

    def test_the_iterator_of_events_is_one_task(self, client: httpx.Client) -> None:
        text = client.get("/events-that/wait").text
        assert text == "data: inside\n\ndata: inside\n\ndata: null\n\n"

    def test_a_silent_stream_is_kept_alive(self, client: httpx.Client) -> None:
        lines = client.get("/events?count=1&pause=0.3").text.split("\n\n")
        assert lines.count(":") >= 3
        assert lines[-2] == 'data: {"number":0}'


@pytest.mark.parametrize("name", ["event", "id"])
def test_an_events_fields_are_one_line(name: str) -> None:
    for value in ("a\nb", "a\rb", "a\0b"):
        with pytest.raises(ValueError, match="one line"):
            tercel.Event("x", **{name: value}).encode()


class TestExecution:
    def test_where_functions_run(self, client: httpx.Client) -> None:
        assert client.get("/thread").json() is True
        assert client.get("/inline").json() is True

    def test_context_variables_are_of_one_request(self, client: httpx.Client) -> None:
        for user in ("ann", "bob"):
            assert client.get(f"/context/{user}").text == f"nobody {user}"
            assert client.get(f"/inline-context/{user}").text == f"nobody {user}"

    def test_the_current_task_is_one(self, client: httpx.Client) -> None:
        assert client.get("/task").json() is True


@pytest.mark.sanitize
class TestServed:
    """What only a server does."""

    @pytest.fixture
    def server(self, serve_shared: Any) -> ServerProcess:
        return serve_shared("api_things:app", access_log=False)

    def test_a_malformed_header_is_the_applications_fault(self, server: ServerProcess) -> None:
        assert httpx.get(f"{server.url}/bad-header").status_code == 500

    def test_a_cancelled_handler_is_answered(self, server: ServerProcess) -> None:
        assert httpx.get(f"{server.url}/raise/cancelled").status_code == 500

    def test_nothing_is_made_of_a_stream_for_head(self, server: ServerProcess) -> None:
        with server.connect() as client:
            for path in ("/endless", "/events?count=1000000", "/hello"):
                client.send(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n")
                assert client.response(head=True).status == 200

    def test_pipelined_requests_keep_their_order(self, server: ServerProcess) -> None:
        paths = ["/task", "/hello", "/context/a", "/inline", "/things/1", "/nowhere"] * 5
        with server.connect() as client:
            for path in paths:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            statuses = [client.response().status for _ in paths]
        assert statuses == [404 if path == "/nowhere" else 200 for path in paths]

    def test_a_client_that_leaves_closes_the_iterator(self, server: ServerProcess) -> None:
        for path in ("/endless", "/events?count=100000&pause=0.01"):
            with server.connect() as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
                assert client.read_some().startswith(b"HTTP/1.1 200")
            assert httpx.get(f"{server.url}/closed").json() is True

    def test_a_stream_that_breaks_is_visibly_incomplete(self, server: ServerProcess) -> None:
        assert httpx.get(f"{server.url}/hello").status_code == 200
        for path in ("/breaks/3", "/events-that/raise", "/events-that/time-out"):
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{server.url}{path}")

    def test_clients_that_leave_in_the_middle(self, server: ServerProcess) -> None:
        for request in (
            b"POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
            b"GET /context/a HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            for _ in range(20):
                with server.connect() as client, contextlib.suppress(OSError):
                    client.send(request)
        assert httpx.get(f"{server.url}/hello").status_code == 200


def test_with_io_threads(serve: Any) -> None:
    server = serve("api_things:app", io_threads=1, access_log=False)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        assert client.get("/hello").json() == {"message": "Hello"}
        assert client.get("/large").content == b"x" * 1_000_000
        body = {"name": "x" * 100_000, "price": 1}
        assert client.post("/things", json=body).json()["name"] == body["name"]
        assert client.get("/things/x").status_code == 422


def test_a_shutdown_ends_event_streams(serve: Any) -> None:
    server = serve("api_things:app", timeout_stream_grace=0.2, timeout_graceful_shutdown=10)
    with server.connect() as client:
        client.send("GET /events?count=1000000&pause=0.05 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_some()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5
        assert client.read_to_close().endswith(b"0\r\n\r\n")


def test_where_it_is_mounted_is_not_part_of_its_paths() -> None:
    async def ask(root: str) -> int:
        transport = httpx.ASGITransport(things, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return (await client.get("/api/hello")).status_code

    assert [asyncio.run(ask(root)) for root in ("/api", "/api/", "", "/ap")] == [200, 200, 404, 404]


def test_a_task_may_outlive_its_server() -> None:
    ended = asyncio.Event()

    async def main() -> None:
        app = tercel.App()

        @app.get("/")
        async def stubborn() -> str:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
            ended.set()
            return "late"

        server = tercel.Server(app, port=0, timeout_graceful_shutdown=0.1, timeout_stream_grace=0.1)
        serving = asyncio.ensure_future(server.serve())
        await server.wait_started()
        _, writer = await asyncio.open_connection(*server.addresses[0])
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.1)
        server.shutdown()
        await serving
        del server, serving, app
        gc.collect()
        await asyncio.wait_for(ended.wait(), 5)
        await asyncio.sleep(0.1)
        writer.close()

    asyncio.run(main())


def test_threads_do_not_share_what_they_work_on() -> None:
    wrong = []

    def ask(name: int) -> None:
        client = InProcess(things)
        for number in range(30):
            text = f"{name}-{number}"
            answer = client.get(f"/request?q={text}").json()["query"]
            if answer != f"q={text}":
                wrong.append((text, answer))

    threads = [threading.Thread(target=ask, args=[name]) for name in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


class TestRegistration:
    def test_contradictions_name_both_templates(self) -> None:
        app = tercel.App()
        app.get("/a/{x}")(lambda x: None)
        with pytest.raises(ValueError, match=r"/a/\{x\}.*/a/\{y\}|/a/\{y\}.*/a/\{x\}"):
            app.get("/a/{y}")(lambda y: None)
        with pytest.raises(ValueError, match="GET"):
            app.get("/a/{x}")(lambda x: None)

    @pytest.mark.parametrize(
        ("path", "source", "sentence"),
        [
            ("/{a}", "def f(): ...", r"has no argument for \{a\}"),
            ("/", "def f(a: Annotated[int, Path()]): ...", "path that has no such field"),
            ("/{a}", "def f(a: int = 1): ...", "a default for 'a'"),
            ("/", "def f(*a): ...", r"takes \*a"),
            ("/", "def f(a, /): ...", "positional-only"),
            ("/", "def f(a: dict, b: dict): ...", "two bodies: 'a' and 'b'"),
            ("/", "def f(a: Request, b: Request): ...", "the request twice"),
            ("/", "def f(a: 'Missing'): ...", "not defined"),
            (
                "/",
                "def f(a: Exception): ...",
                "'a' of a type that neither msgspec nor pydantic knows",
            ),
        ],
    )
    def test_signatures_that_are_none(self, path: str, source: str, sentence: str) -> None:
        names: dict[str, Any] = {}
        imports = "from typing import Annotated\nfrom tercel import Path, Request\n"
        exec(imports + source, names)
        with pytest.raises(TypeError, match=sentence):
            tercel.App().get(path)(names["f"])

    def test_a_route_that_comes_too_late(self) -> None:
        app = tercel.App()
        app._specification()
        with pytest.raises(RuntimeError, match="too late"):
            app.get("/")(lambda: None)

    def test_what_is_no_handler(self) -> None:
        app = tercel.App()
        with pytest.raises(TypeError, match="must be a function or a method"):
            app.get("/")(dict)
        with pytest.raises(TypeError, match="name each argument"):
            app.get("/")(functools.partial(print))

        async def generator() -> Any:
            yield 1

        with pytest.raises(TypeError, match="is a generator"):
            app.get("/")(generator)
        with pytest.raises(TypeError, match="list of texts"):
            app.route("/", methods="GET")
        with pytest.raises(ValueError, match="from 200 to 599"):
            app.get("/", status=-1)
        # None of them left anything behind.
        app.get("/")(lambda: None)

    def test_the_most_specific_error_handler_wins(self) -> None:
        app = tercel.App()

        @app.get("/{what}")
        async def handler(what: str) -> None:
            raise tercel.HTTPError(404) if what == "http" else LookupError

        @app.error_handler(Exception)
        def anything(error: Exception) -> tercel.Response:
            return tercel.Response(type(error).__name__, status=599)

        with TestClient(app) as client:
            assert client.get("/http").status_code == 404
            assert client.get("/lookup").text == "LookupError"


def test_lifespan_surrounds_the_requests(serve: Any) -> None:
    server = serve("api_lifespan:app")
    assert httpx.get(f"{server.url}/").text == "started"
    server.stop()
    assert "left the lifespan" in server.output


def test_serving_an_asgi_application_loads_nothing_of_it(serve: Any) -> None:
    server = serve("page:app")
    maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert "_core" in maps
    assert "_api" not in maps
    assert "msgspec" not in maps


Naive = Annotated[datetime.datetime, msgspec.Meta(tz=False)]


def test_what_only_msgspec_judges_has_the_codes_of_pydantic() -> None:
    app = tercel.App()

    @app.get("/")
    async def take(
        when: datetime.datetime | None = None,
        naive: Naive | None = None,
        hour: datetime.time | None = None,
        long: datetime.timedelta | None = None,
        much: decimal.Decimal | None = None,
    ) -> None: ...

    wrong = {
        "when": ("no", "datetime_parsing"),
        "naive": ("2020-01-01T00:00:00Z", "timezone_naive"),
        "hour": ("no", "time_parsing"),
        "long": ("no", "time_delta_parsing"),
        "much": ("no", "decimal_parsing"),
    }
    with TestClient(app) as client:
        for name, (text, code) in wrong.items():
            assert errors(client.get("/", params={name: text})) == [(("query", name), code)]
