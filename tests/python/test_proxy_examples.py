"""The examples of docs/guide/proxy.md, before a server that says what reached it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.front_of_proxy import backend_fixture
from support.plain_backend import PlainBackend

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "proxy"

backend = backend_fixture()


def test_alone(serve: Any, backend: PlainBackend) -> None:
    server = serve("alone:proxy", app_dir=EXAMPLES, env={"BACKEND": backend.url})
    assert json.loads(server.request("GET", "/a?b").body)[:2] == ["GET", "/a?b"]


def test_options(serve: Any, backend: PlainBackend) -> None:
    server = serve(
        "alone:strict", app_dir=EXAMPLES, env={"BACKEND": backend.url, "API_KEY": "secret"}
    )
    response = server.request("GET", "/", headers=[("Cookie", "a=b"), ("X-Api-Key", "mine")])
    assert response.get("x-frame-options") == "DENY"
    asked = backend.seen[-1]
    assert asked.get("x-api-key") == "secret"
    assert asked.get("host") == backend.url.removeprefix("http://")
    assert not asked.all("cookie")


def test_moving(serve: Any, backend: PlainBackend) -> None:
    server = serve("moving:app", app_dir=EXAMPLES, env={"BACKEND": backend.url})
    assert json.loads(server.request("GET", "/orders/5").body) == {"number": 5}
    assert server.request("GET", "/orders/x").status == 422
    assert json.loads(server.request("GET", "/customers/5").body)[1] == "/customers/5"
    # Nobody listens at the socket.
    assert server.request("GET", "/reports/1").status == 502
    assert [one.target for one in backend.seen] == ["/customers/5"]
