"""Where the HTTP/1.1 vectors are: beside the repository, or at $TERCEL_HTTP1_SUITE."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SUITE = Path(os.environ.get("TERCEL_HTTP1_SUITE", ROOT.parent / "shared" / "suites" / "http1"))
VECTORS = SUITE / "vectors.json"


def vectors() -> list[dict[str, Any]]:
    """All of them; none where there are none."""
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else []
