"""Runs a module of CPython's own asyncio test suite on tercel's event loop.

    python asyncio_suite.py fast|fallback MODULE

Every event loop that the suite makes, by the policy or by name, becomes a tercel one: in the fast
form, or with asyncio's own `call_soon()` and `_run_once()` above the engine. Prints how many tests
ran and on how many loops. Exits with 0 when all passed, 1 when one failed, 77 when this Python has
no `test.test_asyncio` (Debian: package libpython3-testsuite).
"""

import asyncio
import sys
import unittest
from importlib import import_module
from types import ModuleType

import tercel

NOT_INSTALLED = 77

# Tests that look at something which is not part of how a loop behaves, with the reason.
SKIPPED: dict[str, str] = {}


def make_loop_class(*, fast: bool) -> type[tercel.EventLoop]:
    class SuiteLoop(tercel.EventLoop):
        """Takes the selector that a test asks for, and uses the engine."""

        made = 0

        def __init__(self, selector: object = None) -> None:
            super().__init__(fast=fast)
            type(self).made += 1

    return SuiteLoop


def put_in_place(loop_class: type[tercel.EventLoop]) -> None:
    """Makes `loop_class` what asyncio makes by default and what the suite makes by name."""
    asyncio.SelectorEventLoop = loop_class  # type: ignore[misc]
    asyncio.DefaultEventLoopPolicy._loop_factory = loop_class  # type: ignore[attr-defined]


def load(module: str) -> ModuleType | None:
    try:
        return import_module(f"test.test_asyncio.{module}")
    except ModuleNotFoundError:
        return None


def skip_listed(suite: unittest.TestSuite) -> None:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            skip_listed(test)
            continue
        name = ".".join(test.id().split(".")[2:])
        for pattern, reason in SKIPPED.items():
            if name.endswith(pattern):
                setattr(test, test._testMethodName, unittest.skip(reason)(lambda: None))


def main() -> int:
    form, name = sys.argv[1:]
    loop_class = make_loop_class(fast=form == "fast")
    module = load(name)
    if module is None:
        return NOT_INSTALLED
    put_in_place(loop_class)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    skip_listed(suite)
    result = unittest.TextTestRunner(verbosity=1, buffer=False).run(suite)
    print(f"ran {result.testsRun} tests on {loop_class.made} loops")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
