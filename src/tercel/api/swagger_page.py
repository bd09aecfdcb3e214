"""The page of the documentation where Swagger UI is installed.

A browser that shows it asks no other server for anything: the page comes with a policy that forbids
it. Source: CSP 3; the options are those of Swagger UI 5.
"""

from __future__ import annotations

import base64
import hashlib
import html
import posixpath
from urllib.parse import quote

import msgspec

from tercel.api.response import Response

__all__ = ["page_response", "swagger_page"]


def swagger_page(title: str, openapi_url: str, docs_url: str) -> Response:
    """Returns the page. Its links are relative: it may stand behind a proxy with a prefix.

    Args:
        docs_url: the path of the page. What it loads is below it (docs.py).
    """
    here = posixpath.dirname(docs_url)
    files = quote(posixpath.relpath(docs_url, here)) if posixpath.basename(docs_url) else "."
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
<link rel="stylesheet" href="{files}/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="{files}/swagger-ui-bundle.js"></script>
<script>{script}</script>
</body>
</html>
"""
    return page_response(
        page,
        f"script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'",
    )


def page_response(page: str, policy: str) -> Response:
    """Returns a page with a policy: that, and else nothing may be loaded, sent or framed."""
    whole = f"default-src 'none'; {policy}; base-uri 'none'; form-action 'none'"
    headers = {"content-security-policy": f"{whole}; frame-ancestors 'self'"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)
