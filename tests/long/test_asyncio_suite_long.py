"""The modules of CPython's asyncio tests that take long: see tests/python/test_asyncio_suite.py."""

import pytest

from support.asyncio_suite import FORMS, run_module

MODULES = [
    "test_eager_task_factory",
    "test_runners",
    "test_ssl",
    "test_sslproto",
    "test_taskgroups",
    "test_tasks",
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("module", MODULES)
def test_asyncios_own_tests_pass(module: str, form: str):
    if not run_module(form, module, timeout_s=880):
        pytest.skip(f"this Python has no test.test_asyncio.{module}")
