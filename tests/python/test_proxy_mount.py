"""tercel.proxy.Forward mounted in a tercel.App: what is below its path goes to an HTTP server."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

import tercel
from support.front_of_proxy import PREFIX, backend_fixture
from support.in_process import InProcess
from support.plain_backend import PlainBackend
from support.server import ServerThread
from tercel.loop import EventLoop
from tercel.proxy import Forward
from tercel.testing import TestClient

backend = backend_fixture()


def app_with(url: str, prefix: str = PREFIX, **options: Any) -> tercel.App:
    app = tercel.App()
    app.mount(prefix, Forward(url, **options))

    @app.get("/old/route")
    def route() -> str:
        return "route"

    async def python(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["path"].encode()})

    app.mount("/old/python", python)
    return app


def test_routes_and_longer_prefixes_come_first(backend: PlainBackend) -> None:
    with ServerThread(app_with(backend.url)) as server:
        assert server.request("GET", "/old/route").body == b"route"
        assert server.request("POST", "/old/route").status == 405
        assert server.request("GET", "/old/python/x").body == b"/old/python/x"
        assert not backend.seen
        assert json.loads(server.request("GET", "/old/routes?x").body)[1] == "/routes?x"
        assert json.loads(server.request("GET", "/old").body)[1] == "/"
        assert json.loads(server.request("GET", "/old?x").body)[1] == "/?x"
        assert json.loads(server.request("GET", "/%6fld/%61").body)[1] == "/%61"
        for elsewhere in ("/", "/older", "/old%2Fx", "/OLD/x"):
            response = server.request("GET", elsewhere)
            assert (response.status, response.get("x-backend")) == (404, None)


def test_everything_else_may_go_to_the_backend(backend: PlainBackend) -> None:
    with ServerThread(app_with(backend.url, "/")) as server:
        assert server.request("GET", "/old/route").body == b"route"
        assert server.request("GET", "/old/python").body == b"/old/python"
        assert json.loads(server.request("GET", "/any/path").body)[1] == "/any/path"
        assert not backend.seen[-1].all("x-forwarded-prefix")


def test_the_prefix_may_stay(backend: PlainBackend) -> None:
    with ServerThread(app_with(backend.url, strip_prefix=False)) as server:
        assert json.loads(server.request("GET", "/old/x?y").body)[1] == "/old/x?y"
        assert not backend.seen[-1].all("x-forwarded-prefix")
        # What the backend would take for a path beside the prefix is not below it.
        for path in ("/old/../admin", "/old/%2e%2e/admin", "/old/..%2fadmin", "/old/..;/admin"):
            assert server.request("GET", path).status == 404
        assert len(backend.seen) == 1


def test_an_app_in_an_app_in_python_and_a_proxy(backend: PlainBackend) -> None:
    """Hooks are for the application that has them, beside the proxy."""
    inner = tercel.App()
    seen = []

    @inner.on_request
    def note(request: tercel.Request) -> None:
        seen.append(request.path)

    inner.get("/x")(lambda: "inner")
    outer = tercel.App()
    outer.mount("/", inner)
    outer.mount("/old", Forward(backend.url))
    with ServerThread(outer) as server:
        assert server.request("GET", "/x").body == b"inner"
        assert server.request("GET", "/old/x").get("x-backend") == "plain"
    assert seen == ["/x"]


def test_cors_of_the_app_is_for_the_backend_too(backend: PlainBackend) -> None:
    app = tercel.App(cors=tercel.CORS(origins=["https://page.example"]))
    app.mount("/old", Forward(backend.url))
    with ServerThread(app) as server:
        response = server.request("GET", "/old/x", headers=[("Origin", "https://page.example")])
        assert response.get("access-control-allow-origin") == "https://page.example"


def test_no_python_runs_for_a_request(backend: PlainBackend) -> None:
    """A profiler on the application's thread sees nothing but the event loop turn."""
    calls: list[str] = []
    app = app_with(backend.url)

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and not frame.f_globals["__name__"].startswith(("asyncio", "sele")):
            calls.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}")

    app.on_startup(lambda: sys.setprofile(note))
    server = ServerThread(app, loop_factory=EventLoop, access_log=False)
    with server, server.connect() as client:
        calls.clear()
        for _ in range(50):
            assert client.request("PUT", "/old/x", body=b"x" * 1000).status == 200
        assert not [
            call for call in calls if not call.startswith(("tercel.selector", "tercel.loop"))
        ]
        assert client.request("GET", "/old/python/x").status == 200
        assert "tercel.api.portable.Portable.answer" in calls


def test_a_test_client_asks_the_backend(backend: PlainBackend) -> None:
    with TestClient(app_with(backend.url)) as client:
        assert client.get("/old/route").text == "route"
        assert client.put("/old/x", content=b"x" * 100_000).json()[3] == 100_000
    with (
        TestClient(Forward(backend.url)) as client,
        pytest.raises(RuntimeError, match="run that by `tercel serve`"),
    ):
        client.get("/x")


def test_another_server_is_told_so(backend: PlainBackend) -> None:
    with pytest.raises(RuntimeError, match="a Forward answers where tercel serves it, or the"):
        InProcess(app_with(backend.url), raises=True).get("/old/x")
    with pytest.raises(RuntimeError, match="run that by `tercel serve`"):
        InProcess(Forward(backend.url), raises=True).get("/x")
    assert not backend.seen
