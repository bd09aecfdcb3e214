"""Runs a module of CPython's own asyncio test suite on tercel's event loop.

    python asyncio_suite.py fast|fallback MODULE

Every event loop that the suite makes, by the policy or by name, becomes a tercel one: in the fast
form, or with asyncio's own `call_soon()` and `_run_once()` above the engine. Prints how many tests
ran and on how many loops. Exits with 0 when all passed, 1 when one failed, 77 when this Python has
no such module (Debian keeps the suite in libpython3.11-testsuite).
"""

import asyncio
import subprocess
import sys
import unittest
from asyncio import unix_events
from importlib import import_module
from pathlib import Path

import tercel

NOT_INSTALLED = 77
FORMS = ["fast", "fallback"]


def make_loop_class(*, fast: bool) -> type[tercel.EventLoop]:
    class SuiteLoop(tercel.EventLoop):
        """Takes the selector that a test asks for, and uses the engine."""

        made = 0

        def __init__(self, selector: object = None) -> None:
            super().__init__(fast=fast)
            assert self.fast == fast or self.get_debug()
            type(self).made += 1

    return SuiteLoop


def put_in_place(loop_class: type[tercel.EventLoop]) -> None:
    """Makes `loop_class` what asyncio makes by default and what the suite makes by name."""
    asyncio.SelectorEventLoop = loop_class  # type: ignore[misc]
    if hasattr(asyncio, "EventLoop"):  # The same by another name, since CPython 3.13.
        asyncio.EventLoop = loop_class
    policy = unix_events._UnixDefaultEventLoopPolicy  # type: ignore[attr-defined]
    policy._loop_factory = loop_class


def main() -> int:
    form, name = sys.argv[1:]
    loop_class = make_loop_class(fast=form == "fast")
    try:
        module = import_module(f"test.test_asyncio.{name}")
    except ModuleNotFoundError as error:
        print(error)
        return NOT_INSTALLED
    put_in_place(loop_class)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    print(f"ran {result.testsRun} tests on {loop_class.made} loops")
    return 0 if result.wasSuccessful() else 1


def run_module(form: str, name: str, *, timeout_s: float) -> str:
    """Runs one module of the suite in a process of its own.

    Returns:
        The last line that main() prints, or "" when the module is not installed.

    Raises:
        AssertionError: a test failed; the text is what the suite printed.
    """
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), form, name],
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    if done.returncode == NOT_INSTALLED:
        return ""
    assert done.returncode == 0, done.stderr[-20_000:]
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
