"""What tools/sync_docs.py finds in the sources: names of files that do not exist."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "sync_docs.py"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch) -> ModuleType:
    """The tool, for a repository of its own in `tmp_path`."""
    # The tool makes the bench importable, whose folder `apps` hides that of the tests.
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("sync_docs", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for folder in ("cpp", "tests/python"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "GUIDE.md").write_text("")
    return module


def test_files_that_a_header_names_exist(tool: ModuleType, tmp_path: Path):
    (tmp_path / "cpp" / "a.h").write_text(
        "// Source: GUIDE.md, guide.md. Tested by a_test.cc, tests/python/test_*.py.\n"
        "// As asyncio/events.py has it, e.g. for foo.h.\n"
        "#pragma once\n"
        "// later.md is no part of the first comment.\n"
    )
    (tmp_path / "cpp" / "a_test.cc").write_text("")
    (tmp_path / "tests" / "python" / "test_a.py").write_text('"""Source: cpp/a.h, b.h."""\n')
    assert tool.missing_files() == [
        "cpp/a.h: names guide.md, which does not exist",
        "cpp/a.h: names foo.h, which does not exist",
        "tests/python/test_a.py: names b.h, which does not exist",
    ]
