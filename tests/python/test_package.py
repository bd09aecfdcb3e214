"""The package as a whole: what importing it costs, and that the table of errors is well formed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import tercel
from tercel import _core


def modules_loaded_by(statement: str) -> set[str]:
    """Names that `statement` adds to sys.modules in a fresh interpreter."""
    probe = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    command = [sys.executable, "-c", probe]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_loads_neither_asyncio_nor_the_extension():
    needed = modules_loaded_by("import typing, importlib")
    assert modules_loaded_by("import tercel") - needed == {"tercel"}


# An application that answers with what is imported by then.
NAMES = """\
import sys

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": "\\n".join(sys.modules).encode()})
"""


def test_serving_loads_neither_the_api_nor_msgspec(tmp_path: Path, serve: Any) -> None:
    (tmp_path / "names_app.py").write_text(NAMES)
    server = serve("names_app:app", app_dir=tmp_path)
    loaded = httpx.get(server.url).text.splitlines()
    assert "tercel.server" in loaded
    of_api = (
        "msgspec",
        "tercel._api",
        "tercel.api",
        "tercel.auth",
        "tercel.testing",
        "tercel._proxy",
        "tercel.proxy",
    )
    assert [name for name in loaded if name.startswith(of_api)] == []


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = tercel.no_such_name


def test_public_names_are_listed():
    assert {"EventLoop", "Server", "__version__", "serve"} <= set(dir(tercel))


def test_version_is_three_numbers():
    assert len([int(part) for part in tercel.__version__.split(".")]) == 3


def test_error_table_rows_are_unique_and_complete():
    rows = _core.error_table()
    names = [name for name, _, _, _ in rows]
    assert len(set(names)) == len(names) > 40
    for _, blame, status, text in rows:
        assert blame in {"client", "upstream", "server"}
        assert status == 0 or 400 <= status <= 599
        assert text
    assert ("HeadTooLarge", "client", 431, "the request head exceeds the limit") in rows
