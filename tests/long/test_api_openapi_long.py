"""Minutes of schemathesis against APIs, and the page of the documentation in headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import schemathesis
from support.processes import environment_of_others
from support.server import ServerProcess

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = ["--seed", "1", "-n", "100"]
# What fails on purpose, and says so nowhere; and streams as long as the client asks for.
FAILING = [
    "--exclude-path-regex",
    "^/(raise|unencodable|bad-header|breaks|closed|endless|events|numbers)",
]

pytestmark = pytest.mark.timeout(400)


def test_no_answer_of_the_example_contradicts_its_document(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("books_api:app", app_dir=EXAMPLES)
    assert schemathesis.run(server.url, tmp_path, *OPTIONS, timeout=300) == ""
    assert "Traceback" not in server.output


@pytest.mark.parametrize("target", ["api_things:app", "api_asgi:app"], ids=["native", "asgi"])
def test_no_answer_of_an_api_with_everything_does(serve: Any, tmp_path: Path, target: str) -> None:
    server: ServerProcess = serve(target, access_log=False)
    assert schemathesis.run(server.url, tmp_path, *OPTIONS, *FAILING, timeout=300) == ""
    assert "Traceback" not in server.output


def test_no_answer_of_an_api_of_many_types_does(serve: Any, tmp_path: Path) -> None:
    # The schemas of msgspec do not say all that msgspec asks for (docs/guide/openapi.md), and
    # schemathesis takes a cookie that the document does not name for a wrong request.
    server: ServerProcess = serve("api_types:app", access_log=False)
    allowed = ["--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
    assert schemathesis.run(server.url, tmp_path, *OPTIONS, *allowed, timeout=300) == ""
    assert "Traceback" not in server.output


@pytest.mark.skipif(BROWSER is None, reason="Chromium is missing")
def test_a_browser_shows_the_page(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("api_things:app")
    assert BROWSER is not None
    browser = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
            f"--user-data-dir={tmp_path}",
            "--dump-dom",
            f"{server.url}/docs",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        env=environment_of_others(),
    )
    # An operation each, made by the script from the document.
    shown = re.findall(r'id="operations-default-(\w+)"', browser.stdout)
    document = json.loads(server.request("GET", "/openapi.json").body)
    operations = [
        one["operationId"] for item in document["paths"].values() for one in item.values()
    ]
    assert sorted(shown) == sorted(operations)
    # Nothing broke the policy of the page, which forbids requests to other servers.
    assert "CONSOLE" not in browser.stderr
    assert server.output.count('"GET /docs') == 3
