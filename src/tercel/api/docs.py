"""The routes that an application has of its own: the OpenAPI document, and a page that shows it.

The page is Swagger UI, from the package that `pip install tercel[docs]` installs; without that, a
plain one. What it takes to make either is loaded when somebody asks.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tercel.api.response import Response

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["add_routes"]

# Carries a build of Swagger UI 5, without which OpenAPI 3.1 cannot be shown; of the packages that
# do, the one that needs neither Django nor a framework. It is not imported.
_PACKAGE = "mkdocs_swagger_ui_tag"
# Of the page, with their folders in the package.
_FILES = {
    "swagger-ui.css": ("stylesheets", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("javascripts", "text/javascript; charset=utf-8"),
}
# Of the files, whose content changes with the package.
_CACHE = {"cache-control": "max-age=3600"}


def add_routes(app: App, openapi_url: str, docs_url: str | None) -> None:
    """Registers what the application does not answer itself: a route of its own wins."""
    taken = {route.path for route in app._routes if route.method == "GET"}

    def add(path: str, name: str, answer: Callable[[], Response]) -> None:
        # On a thread: to make the document of 500 routes takes a few tenths of a second.
        if path not in taken:
            app.get(path, name=name, blocking=True, include_in_schema=False)(answer)

    add(openapi_url, "openapi", _once(_document(app)))
    if docs_url is None or docs_url in taken:
        return
    folder = _find_assets()
    add(docs_url, "docs", _once(_page(app, openapi_url, docs_url, folder)))
    if folder is not None:
        for name, (part, media_type) in _FILES.items():
            answer = _file(os.path.join(folder, part, name), media_type)
            add(f"{docs_url.rstrip('/')}/{name}", f"docs {name}", answer)


def _find_assets() -> str | None:
    """Returns the folder of the files that the page is made of; None: it is not installed."""
    found = find_spec(_PACKAGE)
    for place in (found and found.submodule_search_locations) or ():
        folder = os.path.join(place, "swagger-ui")
        files = (os.path.join(folder, part, name) for name, (part, _) in _FILES.items())
        if all(os.path.isfile(file) for file in files):
            return folder
    return None


def _once(make: Callable[[], Response]) -> Callable[[], Response]:
    """Returns a handler that answers each request with what `make` returns for the first."""
    made = functools.cache(make)

    def answer() -> Response:
        return made()

    return answer


def _document(app: App) -> Callable[[], Response]:
    def make() -> Response:
        import msgspec

        return Response(msgspec.json.encode(app.openapi()), media_type="application/json")

    return make


def _page(app: App, openapi_url: str, docs_url: str, folder: str | None) -> Callable[[], Response]:
    def make() -> Response:
        if folder is None:
            from tercel.api.plain_page import plain_page

            return plain_page(app.openapi())
        from tercel.api.swagger_page import swagger_page

        return swagger_page(app.title, openapi_url, docs_url)

    return make


def _file(path: str, media_type: str) -> Callable[[], Response]:
    """Returns a handler that answers with a file, which it reads each time: few ask for it."""

    def answer() -> Response:
        with open(path, "rb") as file:
            return Response(file.read(), media_type=media_type, headers=_CACHE)

    return answer
