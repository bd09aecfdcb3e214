"""The routes that an application has of its own: the OpenAPI document, and a page that shows it.

The page is Swagger UI, from the package that `pip install tercel[docs]` installs; without that, a
plain one (plain_page.py). A browser that shows it asks no other server for anything: the page comes
with a policy that forbids it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import posixpath
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from tercel.api.response import Response

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["add_routes", "find_assets"]

# Carries a build of Swagger UI 5, without which OpenAPI 3.1 cannot be shown; of the packages that
# do, the one that needs neither Django nor a framework. It is not imported.
_PACKAGE = "mkdocs_swagger_ui_tag"
_FILES = {
    "swagger-ui.css": ("stylesheets", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("javascripts", "text/javascript; charset=utf-8"),
}
# Of the files, whose content changes with the package.
_CACHE = {"cache-control": "max-age=3600"}


def add_routes(app: App, openapi_url: str, docs_url: str | None) -> None:
    """Registers what the application does not answer itself: a route of its own wins."""
    taken = {route.path for route in app._routes if route.method == "GET"}

    def add(path: str, name: str, answer: Callable[[], Response], *, blocking: bool) -> None:
        if path not in taken:
            app.get(path, name=name, blocking=blocking, include_in_schema=False)(answer)

    @functools.cache
    def openapi() -> Response:
        return Response(msgspec.json.encode(app.openapi()), media_type="application/json")

    def answer_openapi() -> Response:
        return openapi()

    add(openapi_url, "openapi", answer_openapi, blocking=False)
    if docs_url is None or docs_url in taken:
        return
    folder = find_assets()
    if folder is None:

        def answer_plainly() -> Response:
            from tercel.api.plain_page import page_of

            return _page(page_of(app.openapi()), "style-src 'unsafe-inline'")

        add(docs_url, "docs", answer_plainly, blocking=False)
        return

    for name, (part, media_type) in _FILES.items():
        answer = _file(folder / part / name, media_type)
        add(f"{docs_url.rstrip('/')}/{name}", f"docs {name}", answer, blocking=True)
    swagger_ui = _swagger_ui(app.title, openapi_url, docs_url)
    add(docs_url, "docs", lambda: swagger_ui, blocking=False)


def find_assets() -> Path | None:
    """Returns the folder of the files that the page is made of; None: it is not installed."""
    found = find_spec(_PACKAGE)
    for place in (found and found.submodule_search_locations) or ():
        folder = Path(place) / "swagger-ui"
        if all((folder / part / name).is_file() for name, (part, _) in _FILES.items()):
            return folder
    return None


def _file(path: Path, media_type: str) -> Callable[[], Response]:
    """Returns what answers with a file, which is read each time: it is seldom asked for."""

    def answer() -> Response:
        return Response(path.read_bytes(), media_type=media_type, headers=_CACHE)

    return answer


def _swagger_ui(title: str, openapi_url: str, docs_url: str) -> Response:
    """Returns the page. Its links are relative: it may stand behind a proxy with a prefix."""
    here = posixpath.dirname(docs_url)
    files = {name: f"{docs_url.rstrip('/')}/{name}" for name in _FILES}
    links = {name: quote(posixpath.relpath(path, here)) for name, path in files.items()}
    options = {
        "url": quote(posixpath.relpath(openapi_url, here)),
        "dom_id": "#docs",
        "deepLinking": True,
        "validatorUrl": None,
    }
    encoded = msgspec.json.encode(options).decode().replace("<", "\\u003c")
    script = f"SwaggerUIBundle({encoded})"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{links["swagger-ui.css"]}">
</head>
<body>
<div id="docs"></div>
<script src="{links["swagger-ui-bundle.js"]}"></script>
<script>{script}</script>
</body>
</html>
"""
    return _page(
        page,
        f"script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'",
    )


def _page(text: str, policy: str) -> Response:
    headers = {
        "content-security-policy": f"default-src 'none'; {policy}; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'self'",
    }
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)
