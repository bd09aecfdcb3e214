"""Headless Chromium, where there is one.

with opened(url, profile):
    ...  # Until the page has reported.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support.processes import environment_of_others

__all__ = ["BROWSER", "opened"]

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def opened(url: str, profile: Path) -> Iterator[None]:
    """Has `url` open in a browser with a new profile in the folder `profile`."""
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
            "--ignore-certificate-errors",  # The authority of the tests is not one of its own.
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            url,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment_of_others(),
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(20)
