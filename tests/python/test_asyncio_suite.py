"""CPython's own asyncio tests on tercel's event loop, in both forms, one process a module.

Left out: modules that make no loop of their own choice (futures, selector_events, pep492 ...), and
for `make test-long` those that take longer than the others together.
"""

import pytest

from support.asyncio_suite import FORMS, run_module

MODULES = [
    "test_base_events",
    "test_buffered_proto",
    "test_context",
    "test_events",
    "test_futures2",
    "test_locks",
    "test_queues",
    "test_sendfile",
    "test_server",
    "test_sock_lowlevel",
    "test_streams",
    "test_subprocess",
    "test_threads",
    "test_timeouts",
    "test_unix_events",
    "test_waitfor",
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("module", MODULES)
def test_asyncios_own_tests_pass(module: str, form: str):
    summary = run_module(form, module, timeout_s=280)
    if not summary:
        pytest.skip(f"this Python has no test.test_asyncio.{module}")
    assert " on 0 loops" not in summary
