"""A pytest plugin that runs anyio's own test suite on one event loop.

The environment variable TERCEL_TEST_LOOP names it: `asyncio` (what anyio uses by itself), `fast` or
`fallback` (the two forms of tercel's). Tests for other backends are left out. Debug mode is off: in
debug mode the two forms are one.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

import tercel

ASYNCIO_IN_DEBUG_MODE = ("asyncio", {"debug": True})


def loop_options() -> dict[str, Callable[[], tercel.EventLoop]]:
    form = os.environ["TERCEL_TEST_LOOP"]
    if form == "asyncio":
        return {}
    return {"loop_factory": lambda: tercel.EventLoop(fast=form == "fast")}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    for item in items:
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        backend = parameters.get("anyio_backend")
        if backend == ASYNCIO_IN_DEBUG_MODE:
            parameters["anyio_backend"] = ("asyncio", loop_options())
        if backend in (None, ASYNCIO_IN_DEBUG_MODE):
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
