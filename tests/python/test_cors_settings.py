"""CORS by settings, for applications that know nothing of it: `--cors-origin` and the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tercel.problems import SettingError
from tercel.settings import load

A = {"origin": "https://a.example"}
ASKS = A | {"access-control-request-method": "PUT", "access-control-request-headers": "x-key"}
OPTIONS = {
    "cors_origin": ["https://a.example", "https://*.b.example"],
    "cors_method": ["PUT"],
    "cors_header": ["x-key"],
    "cors_expose_header": ["x-total"],
    "cors_credentials": True,
    "cors_max_age": 60,
}
APPS = [
    pytest.param("live:app", {}, id="asgi"),
    pytest.param("live:app", {"io_threads": 2}, id="asgi-io-threads"),
    pytest.param("wsgi_apps.live:app", {}, id="wsgi"),
]


def cors_of(answer: httpx.Response) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.multi_items()
        if name.startswith("access-control-") or name == "vary"
    }


@pytest.mark.parametrize(("app", "more"), APPS)
def test_answers_and_preflights(serve: Any, app: str, more: dict[str, Any]) -> None:
    server = serve(app, **OPTIONS, **more)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        for _ in range(3):
            answer = client.get("/hello", headers=A)
            assert answer.status_code == 200
            assert cors_of(answer) == {
                "access-control-allow-origin": "https://a.example",
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "x-total",
                "vary": "origin",
            }
        assert cors_of(client.get("/hello", headers={"origin": "null"})) == {"vary": "origin"}
        assert cors_of(client.get("/hello")) == {}
        preflight = client.options("/hello?preflight", headers=ASKS)
        assert (preflight.status_code, preflight.content) == (204, b"")
        assert cors_of(preflight) == {
            "access-control-allow-origin": "https://a.example",
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "PUT",
            "access-control-allow-headers": "x-key",
            "access-control-max-age": "60",
            "vary": "origin, access-control-request-method, access-control-request-headers",
        }
        server.wait_for(r'"OPTIONS /hello\?preflight HTTP/1\.1" 204 ')


@pytest.mark.parametrize(("app", "more"), APPS)
def test_a_page_may_read_that_it_is_too_fast(serve: Any, app: str, more: dict[str, Any]) -> None:
    server = serve(app, cors_origin=["*"], limit_rate=1, limit_rate_burst=2, **more)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        for _ in range(30):
            answer = client.get("/hello", headers=A)
            assert cors_of(answer) == {"access-control-allow-origin": "*"}
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        # A preflight costs nothing, and is not counted.
        assert client.options("/hello", headers=ASKS).status_code == 204


@pytest.mark.parametrize(("app", "more"), APPS)
def test_files_too(serve: Any, app: str, more: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a file")
    server = serve(app, cors_origin=["*"], static=[f"/files={tmp_path}"], **more)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        for path, status in (("/files/a.txt", 200), ("/files/none", 404)):
            answer = client.get(path, headers=A)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "*"
        assert client.get("/files/a.txt", headers=A).text == "a file"


def test_http2(serve: Any) -> None:
    server = serve("live:app", **OPTIONS)
    with httpx.Client(base_url=server.url, http1=False, http2=True, timeout=20) as client:
        answer = client.get("/hello", headers=A)
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert client.options("/hello", headers=ASKS).status_code == 204


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"cors_origin": ["*"], "cors_credentials": True},
            "CORS with credentials does not go with",
        ),
        (
            {"cors_origin": ["https://a.example/"]},
            "The origin 'https://a.example/' of CORS has a path",
        ),
        ({"cors_origin": ["https://a"], "cors_method": ["A B"]}, "'A B' is no name of a method"),
        ({"cors_credentials": True}, "cors-credentials has no effect without an origin"),
        ({"cors_header": ["x"]}, "cors-header has no effect without an origin"),
        ({"cors_expose_header": ["x"]}, "cors-expose-header has no effect without an origin"),
        ({"cors_private_network": True}, "cors-private-network has no effect without an origin"),
    ],
)
def test_mistakes(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        load(keywords=options)
