"""The page of the documentation where Swagger UI is not installed: HTML alone, no script."""

from __future__ import annotations

from html import escape
from typing import Any

from tercel.api.response import Response
from tercel.api.swagger_page import page_response

__all__ = ["plain_page"]

_INSTALL = "Install tercel[docs] to try the API on this page: pip install 'tercel[docs]'."
_STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
code, pre, b { font-family: ui-monospace, monospace; }
pre { background: #f4f4f4; overflow-x: auto; padding: .5rem; }
td, th { padding: .1rem 1rem .1rem 0; text-align: left; vertical-align: top; }
.deprecated { text-decoration: line-through; }
"""


def plain_page(document: dict[str, Any]) -> Response:
    """Returns the page that shows an OpenAPI document."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    operations = [
        _operation(path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    page = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
{_text(info.get("description", ""))}
{"".join(operations)}
<p>{escape(_INSTALL)}</p>
</body>
</html>
"""
    return page_response(page, "style-src 'unsafe-inline'")


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    name = f"<b>{method.upper()} {escape(path)}</b>"
    if operation.get("deprecated"):
        name = f'<span class="deprecated">{name}</span>'
    rows = [_parameter(parameter) for parameter in operation.get("parameters", ())]
    if body := operation.get("requestBody"):
        rows += [
            _row("body", media_type, content.get("schema"), required=body["required"])
            for media_type, content in body["content"].items()
        ]
    for status, response in operation["responses"].items():
        rows += [_response(status, response)]
    return f"""\
<details>
<summary>{name} {escape(operation.get("summary", ""))}</summary>
{_text(operation.get("description", ""))}
<table>
{"".join(rows)}</table>
</details>
"""


def _parameter(parameter: dict[str, Any]) -> str:
    return _row(
        parameter["in"], parameter["name"], parameter["schema"], required=parameter["required"]
    )


def _response(status: str, response: dict[str, Any]) -> str:
    contents = ", ".join(
        f"{escape(media_type)} {_type(content.get('schema'))}"
        for media_type, content in response.get("content", {}).items()
    )
    return (
        f"<tr><td>{escape(status)}</td><td>{escape(response['description'])}</td>"
        f"<td>{contents}</td></tr>\n"
    )


def _row(place: str, name: str, schema: Any, *, required: bool) -> str:
    need = ", required" if required else ""
    return (
        f"<tr><td>{escape(place)}</td><td><code>{escape(name)}</code></td>"
        f"<td>{_type(schema)}{need}</td></tr>\n"
    )


def _type(schema: Any) -> str:
    """Returns a schema in a word: the name of a component, or the type."""
    if not schema:
        return "any"
    if "$ref" in schema:
        return escape(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"array of {_type(schema['items'])}"
    return escape(" ".join(str(schema[key]) for key in ("type", "format") if key in schema))


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""
