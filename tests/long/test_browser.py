"""A page of a FastAPI application in headless Chromium: markup, a stylesheet, a script that fetches
JSON and one that reads a stream, all over the connections that a browser opens by itself.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.server import ServerProcess

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is missing"),
    pytest.mark.timeout(120),
]


def test_page_with_everything(serve: Any, tmp_path: Path) -> None:
    server: ServerProcess = serve("page:app")
    assert BROWSER is not None
    browser = subprocess.Popen(
        # The debugging port keeps a headless browser running until it is ended.
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-port=0",
            f"--user-data-dir={tmp_path}",
            f"{server.url}/",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # The script of the page sends what it found.
        found = server.wait_for("^browser: (.*)$", timeout=60)[1]
    finally:
        browser.terminate()
        browser.wait(20)
    assert found == "hello from FastAPI, 20 lines, 100000 bytes, 7px"
