"""The package as a whole: what importing it costs, and that the table of errors is well formed."""

import subprocess
import sys

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
