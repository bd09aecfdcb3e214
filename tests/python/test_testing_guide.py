"""docs/guide/testing.md: its tests pass, in a project of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "api"


def test_the_tests_of_the_guide(tmp_path: Path) -> None:
    names = ("conftest.py", "test_things.py", "things.py", "test_chat.py", "chat.py", "streams.py")
    for name in names:
        shutil.copy(EXAMPLES / name, tmp_path)
    environ = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert "10 passed" in ran.stdout, ran.stdout + ran.stderr
