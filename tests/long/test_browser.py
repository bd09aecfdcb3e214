"""Pages of a FastAPI application in headless Chromium: markup, a stylesheet, a script that fetches
JSON and one that reads a stream, all over the connections that a browser opens by itself; and an
event stream and a WebSocket, in clear and over TLS, where the browser chooses HTTP/2. A page that
asks servers of other origins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.browser import BROWSER, opened
from support.server import ServerProcess
from support.tls import Authority

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is missing"),
    pytest.mark.timeout(120),
]


def seen_by_browser(server: ServerProcess, url: str, profile: Path) -> str:
    """Opens `url`, and returns what the script of the page sends to its server."""
    with opened(url, profile):
        return server.wait_for("^browser: (.*)$", timeout=60)[1]


def test_page_with_everything(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("page:app")
    found = seen_by_browser(server, f"{server.url}/", tmp_path)
    assert found == "hello from FastAPI, 20 lines, 100000 bytes, 7px"


def test_page_with_events_and_a_websocket(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("page:app")
    found = seen_by_browser(server, f"{server.url}/live", tmp_path)
    assert found == "hello from FastAPI, http/1.1, 01234, text 70000 4001 true"


def test_the_same_over_tls(serve: Any, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("localhost", "127.0.0.1", file="server")
    server: ServerProcess = serve("page:app", ssl_certfile=certificate, ssl_keyfile=key)
    url = f"https://127.0.0.1:{server.port}/live"
    found = seen_by_browser(server, url, tmp_path / "profile")
    assert found == "hello from FastAPI, h2, 01234, text 70000 4001 true"


def test_a_page_reads_what_another_origin_lets_it(serve: Any, tmp_path: Path) -> None:
    page: ServerProcess = serve("page:app")
    allowing: ServerProcess = serve(
        "page:app",
        cors_origin=[page.url],
        cors_method=["PUT"],
        cors_header=["X-Key"],
        cors_expose_header=["X-Total"],
        cors_credentials=True,
    )
    closed: ServerProcess = serve("page:app", cors_origin=["https://elsewhere.example"])
    url = f"{page.url}/cross?open={allowing.url}&closed={closed.url}"
    assert seen_by_browser(page, url, tmp_path) == (
        "200 GET 7, 200 GET 7, 200 PUT 7, refused, refused,"
        ' 404 {"detail":"Not Found"} null, refused'
    )
    # Simple requests are answered; those with a preflight never came.
    closed.wait_for(r'"GET /other HTTP/1\.1" 200 ')
    assert "DELETE /other" not in allowing.output
    assert '"OPTIONS /other HTTP/1.1" 204' in allowing.output
