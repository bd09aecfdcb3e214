"""Files of the project, for tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

__all__ = ["import_file"]


def import_file(path: Path) -> Any:
    """Returns the module that a file is, which stands in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # Annotations are looked up there.
    spec.loader.exec_module(module)
    return module
