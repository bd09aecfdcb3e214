"""The page about versitygw's tests, its raw result and what tools/s3_full_flow.py judges agree.

The tests themselves take some minutes: `tools/conformance.sh s3` runs them.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> Any:
    path = ROOT / "tools" / "s3_full_flow.py"
    spec = importlib.util.spec_from_file_location("s3_full_flow", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["s3_full_flow"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kept(tool: Any) -> Any:
    found = re.search(r"bench/results/(s3-full-flow[\w-]+\.json)", tool.PAGE.read_text())
    assert found is not None
    return json.loads((ROOT / "bench" / "results" / found[1]).read_text())


def test_page_explains_the_raw_result(tool: Any, kept: Any) -> None:
    direct, through = kept["runs"]["direct"], kept["runs"]["through"]
    assert tool.judge(direct, through) == []
    assert direct.keys() == through.keys()
    assert kept["counts"]["direct"]["PASS"] >= len(direct) - 1 > 600
    authentication = [name for name in through if name.startswith(tool.AUTHENTICATION)]
    assert len(authentication) > 40
    assert {through[name]["verdict"] for name in authentication} == {"PASS"}


def test_what_is_new_is_told(tool: Any, kept: Any) -> None:
    direct, through = kept["runs"]["direct"], dict(kept["runs"]["through"])
    through["GetObject_success"] = {"verdict": "FAIL", "why": "another body"}
    through["Authentication_invalid_auth_header"] = {"verdict": "FAIL"}
    del through["PutObject_success"]
    through["Server_large_http_header"] = {"verdict": "PASS"}
    told = tool.judge(direct, through)
    assert [one.partition(":")[0] for one in told] == [
        "Authentication_invalid_auth_header",
        "Authentication_invalid_auth_header",
        "GetObject_success",
        "PutObject_success",
        "Server_large_http_header",
    ]
    assert "another body" in told[2]
    assert "nothing through the gateway" in told[3]
    assert "differs no more" in told[4]
