"""What stands around the handlers of a tercel.App: routers, hooks, middleware, mounts, sinks, work.

Each question is asked of the served app, and of the same app as an ASGI application.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import httpx
import pytest

import tercel
from apps import api_around
from support.ways import client_fixture
from tercel import BackgroundTasks, Depends, Query
from tercel.testing import TestClient

KEY = {"x-key": "secret"}


# Of the app without hooks, and of that with hooks.
client = client_fixture("api_around", native="app_without", asgi="app_without", forget="/log")
hooked = client_fixture("api_around", native="app", asgi="app", forget="/log")


def log_of(client: Any) -> list[str]:
    return [line for line in client.get("/log").json() if "/log" not in line]


# --- routers


def test_routers_have_prefixes_and_dependencies(client: Any) -> None:
    assert client.get("/things/7", headers=KEY).json() == 7
    assert client.get("/v2/things/7", headers=KEY).json() == 7
    assert client.get("/things/7/parts/left", headers=KEY).json() == [7, "left"]
    refused = client.get("/things/7/parts/left")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Key")
    assert client.get("/things/x/parts/left", headers=KEY).status_code == 422


def test_routers_have_tags() -> None:
    paths = api_around.app_without.openapi()["paths"]
    assert paths["/things/{thing_id}"]["get"]["tags"] == ["things"]
    assert paths["/v2/things/{thing_id}/parts/{part}"]["get"]["tags"] == ["v2", "things", "parts"]
    assert "tags" not in paths["/page"]["get"]


def test_what_a_router_is_not_is_said() -> None:
    app, router = tercel.App(), tercel.Router()
    app.include(router)
    with pytest.raises(RuntimeError, match="include the router behind its last route"):
        router.get("/late")(lambda: None)
    with pytest.raises(TypeError, match=r"takes a tercel\.Router"):
        app.include(tercel.App())
    with pytest.raises(ValueError, match="does not end with one, not '/things/'"):
        tercel.Router(prefix="/things/")
    with pytest.raises(TypeError, match=r"given as \[Depends\(function\)\]"):
        tercel.Router(dependencies=[print])  # type: ignore[list-item]
    again = tercel.Router(prefix="/a")
    again.get("/{x}")(lambda x: x)
    app.include(again)
    with pytest.raises(ValueError, match="/a/"):
        app.include(again)
    with pytest.raises(TypeError, match=r'write @app.get\("/handler"\)'):

        @app.get
        def handler() -> None: ...


# --- arguments


def test_classes_and_objects_are_depended_on(client: Any) -> None:
    assert client.get("/page").json() == [10, "scope all"]
    assert client.get("/page?limit=3&scope=mine").json() == [3, "scope mine"]
    refused = client.get("/page?limit=101").json()["errors"]
    assert [(one["loc"], one["type"]) for one in refused] == [
        (["query", "limit"], "less_than_equal")
    ]


def test_constraints_are_in_the_document() -> None:
    (limit, _) = api_around.app_without.openapi()["paths"]["/page"]["get"]["parameters"]
    assert limit["schema"]["maximum"] == 100
    assert limit["description"] == "How many."


def test_models_of_pydantic_may_be_parts(client: Any) -> None:
    assert client.post("/models", json=[{"name": "ab"}, {"name": "cd"}]).json() == ["ab", "cd"]
    (error,) = client.post("/models", json=[{"name": "ab"}, {"name": "c"}]).json()["errors"]
    assert (error["loc"], error["type"]) == (["body", 1, "name"], "string_too_short")
    assert client.post("/things", json={"name": "lamp"}, headers=KEY).text == "lamp"
    assert client.post("/things", content="null", headers=KEY).text == "nothing"
    assert client.post("/things", headers=KEY).text == "nothing"


def test_a_dependency_that_keeps_what_was_raised_is_a_fault(client: Any) -> None:
    assert client.get("/kept").status_code == 500


def test_mistakes_with_markers_are_said() -> None:
    app = tercel.App()
    with pytest.raises(TypeError, match=r"`x: Annotated\[T, Query\(\.\.\.\)\]`"):

        @app.get("/a")
        def as_default(x: int = Query()) -> None: ...  # type: ignore[assignment]

    with pytest.raises(TypeError, match="takes the name of the parameter, not 5"):
        Query(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one ASCII character, not ', '"):
        Query(separator=", ")
    with pytest.raises(ValueError, match="bytes_max of Body is 0 or more, not -1"):
        tercel.Body(bytes_max=-1)
    with pytest.raises(TypeError, match="takes a class of exceptions, not 404"):
        app.error_handler(404)  # type: ignore[arg-type]


# --- background work


def _ask_for_work(client: Any) -> None:
    started = time.monotonic()
    answer = client.post("/work?fail=1&slow=0.3")
    took = time.monotonic() - started
    assert (answer.status_code, answer.text) == (202, "accepted")
    if isinstance(client, httpx.Client):
        assert took < 0.25
    deadline = time.monotonic() + 10
    seen: list[str] = []
    while "thread True" not in seen and time.monotonic() < deadline:
        seen += [line for line in log_of(client) if " re" not in line]
    assert [one for one in seen if one != "dependency"] == ["handler", "finished", "thread True"]


def test_work_follows_the_answer(client: Any) -> None:
    _ask_for_work(client)


def test_work_follows_the_answer_with_hooks(hooked: Any) -> None:
    _ask_for_work(hooked)


def test_work_follows_a_stream(client: Any) -> None:
    assert client.get("/stream").text == "ab"
    deadline = time.monotonic() + 10
    while (seen := log_of(client)) == [] and time.monotonic() < deadline:
        pass
    assert seen == ["streamed"]


def test_tasks_are_functions() -> None:
    with pytest.raises(TypeError, match="takes a function and its arguments, not None"):
        BackgroundTasks().add(None)  # type: ignore[arg-type]


# --- hooks


def test_middleware_is_called_in_its_order(hooked: Any) -> None:
    answer = hooked.get("/things/7", headers=KEY)
    assert answer.json() == 14  # pre_handler doubles it.
    assert (answer.headers["x-first"], answer.headers["x-second"]) == ("second", "second")
    log = log_of(hooked)
    assert log[log.index("first request /things/7") :] == [
        "first request /things/7",
        "second request /things/7",
        "dependency",
        "first resource /things/{thing_id}",
        "second resource /things/{thing_id}",
        "second response 200 True",
        "first response 200 True",
        "dependency",
    ]


def test_a_request_is_answered_before_it_is_routed(hooked: Any) -> None:
    answer = hooked.get("/nowhere", headers={"x-stop": "first"})
    assert (answer.status_code, answer.text) == (418, "stopped by first")
    assert (answer.headers["x-first"], answer.headers["x-second"]) == ("-", "-")


def test_what_the_engine_answers_is_shown_to_the_hooks(hooked: Any) -> None:
    for path, status in (("/nowhere", 404), ("/things/x", 422), ("/openapi.json", 200)):
        answer = hooked.get(path, headers=KEY)
        assert (answer.status_code, answer.headers["x-first"]) == (status, "second")
    refused = hooked.delete("/log")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert refused.headers["content-type"] == "application/problem+json"
    assert "second response 404 True" in log_of(hooked)


def test_before_validation_the_route_is_known(hooked: Any) -> None:
    answer = hooked.get("/things/x", headers={"x-tell": "1"})
    assert answer.json() == {"told": "/things/{thing_id}"}


def test_errors_are_shown_first(hooked: Any) -> None:
    assert hooked.get("/fail").json() == {"divided": "other"}
    assert hooked.get("/fail?kind=key").status_code == 404
    log = log_of(hooked)
    assert "second response 500 False" in log
    assert "second response 404 False" in log


def test_a_response_is_replaced(hooked: Any) -> None:
    answer = hooked.get("/things/7", headers={**KEY, "x-replace": "1"})
    assert answer.text == "replaced"
    stream = hooked.get("/stream")
    assert (stream.text, stream.headers["x-first"]) == ("ab", "second")


def test_state_is_the_requests(hooked: Any) -> None:
    assert hooked.get("/state").json() == ["/state", {"by": "second"}]


def test_startup_and_shutdown(serve: Any) -> None:
    server = serve("api_around:app", access_log=False)
    lines = httpx.get(f"{server.url}/log").json()
    assert lines[:3] == ["inner started", "first startup", "second startup"]
    server.stop()
    assert server.output.index("second shutdown") < server.output.index("first shutdown")


def test_mistakes_with_hooks_are_said() -> None:
    app = tercel.App()
    with pytest.raises(TypeError, match="it has none of the methods process_startup"):
        app.add_middleware(object())
    with pytest.raises(TypeError, match=r"takes an object: Middleware\(\.\.\.\)"):
        app.add_middleware(api_around.Middleware)
    with pytest.raises(TypeError, match="a hook of request is a function"):
        app.on_request("/")  # type: ignore[type-var]
    with TestClient(app) as client:
        client.get("/")
    for late in (
        app.on_request,
        app.on_response,
        app.add_middleware,
        lambda _: app.mount("/a", app),
    ):
        with pytest.raises(RuntimeError, match="comes too late"):
            late(print)


# --- mounts and sinks


def test_applications_are_mounted(client: Any) -> None:
    state = "{'inner': 'yes'}" if isinstance(client, httpx.Client) else "None"
    answer = client.post("/asgi/x%20y?q", content=b"body")
    assert answer.text == f"/asgi /asgi/x y {state} body"
    assert client.get("/asgi").text == f"/asgi /asgi {state} "
    assert client.get("/asgi/deep/x").text == "deep"
    assert client.get("/asgi/deeper").text == f"/asgi /asgi/deeper {state} "
    assert client.get("/asgix").status_code == 404
    assert client.post("/wsgi/a/b", content=b"body").text == "/wsgi /a/b body"


def test_what_a_mounted_application_raises_is_its_own(client: Any, hooked: Any) -> None:
    # The outer one has a handler for KeyError, which makes it a 404.
    assert client.get("/asgi/raise").status_code == 500
    assert hooked.get("/asgi/raise").status_code == 500


def test_mounted_applications_get_websockets(serve_shared: Any) -> None:
    from websockets.sync.client import connect

    server = serve_shared("api_around:app_without", access_log=False)
    url = server.url.replace("http", "ws")
    with connect(f"{url}/asgi/chat") as websocket:
        assert websocket.recv() == "/asgi /asgi/chat"


def test_what_cannot_be_mounted_is_said() -> None:
    app = tercel.App()
    app.mount("/a", api_around.inner_app)
    with pytest.raises(ValueError, match="two applications are mounted at /a"):
        app.mount("/a", api_around.inner_app)
    for prefix in ("a", "/a/", "/{a}", "", "//"):
        with pytest.raises(ValueError, match="is mounted at a path as /old"):
            app.mount(prefix, api_around.inner_app)
    with pytest.raises(Exception, match="What is mounted"):
        app.mount("/b", 5)


def test_sinks_take_the_rest(client: Any) -> None:
    answer = client.put("/old/some/thing", content=b"body")
    assert (answer.status_code, answer.text) == (203, "PUT some/thing body")
    assert client.get("/old/new/x").json() == {"newer": "/old/new/x"}
    missing = client.get("/older")
    assert missing.status_code == 404
    assert missing.json()["instance"] == "/older"
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_body_is_not_read_for_what_is_refused() -> None:
    """As an ASGI application: the body comes when it is wanted."""

    async def ask(path: str, **headers: str) -> tuple[int, int]:
        reads, statuses = 0, []

        async def receive() -> dict[str, Any]:
            nonlocal reads
            reads += 1
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        fields = [
            (b"content-length", b"2"),
            *((k.encode(), v.encode()) for k, v in headers.items()),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": fields,
            "http_version": "1.1",
        }
        await api_around.app_without(scope, receive, send)
        return statuses[0], reads

    assert asyncio.run(ask("/nowhere")) == (404, 0)
    assert asyncio.run(ask("/page")) == (405, 0)
    assert asyncio.run(ask("/models", **{"content-type": "text/plain"})) == (415, 0)
    assert asyncio.run(ask("/models")) == (422, 1)


def test_dependencies_of_an_app_are_not_those_of_its_documents() -> None:
    def refuse(key: Annotated[str, Query()]) -> None:
        """Needs a key."""

    app = tercel.App(dependencies=[Depends(refuse)])

    @app.get("/")
    def root() -> str:
        return "root"

    with TestClient(app) as client:
        assert client.get("/").status_code == 422
        assert client.get("/?key=1").text == "root"
        assert client.get("/openapi.json").status_code == 200
