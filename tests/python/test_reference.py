"""The reference pages are what the tables say, and every setting is on its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tercel.table import rows

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "reference"


def test_the_pages_are_up_to_date():
    command = [sys.executable, "tools/gen_reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_has_an_entry_with_its_names_and_default():
    page = (PAGES / "settings.md").read_text()
    for row in rows():
        entry = page.partition(f"### {row.name}\n")[2].partition("\n### ")[0]
        assert row.help in entry
        assert row.must_be in entry
        assert row.variable in entry
        assert f"`{row.keyword}`" in entry
        assert row.default_text in entry
