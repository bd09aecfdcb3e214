"""Asks one application in several ways: served by tercel, and as any ASGI server would.

client = client_fixture("api_errors", native="app", asgi="app")

def test_a_question(client): ...        # Runs twice.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.in_process import InProcess

__all__ = ["client_fixture"]


def client_fixture(
    module: str, *, asgi: str, shared: bool = True, forget: str = "", **served: str
) -> Any:
    """Returns a fixture, which is a client of each of some applications of `apps.<module>`.

    Args:
        asgi: the name of the one that is asked as an ASGI application, or of the function that
            makes it, with `()`; this way is called `asgi`.
        served: the names of those that tercel serves, by what this way is called.
        shared: the tests of a module ask the same server.
        forget: a path that is asked for before each test.
    """

    @pytest.fixture(params=[*served, "asgi"])
    def client(request: pytest.FixtureRequest) -> Iterator[Any]:
        if request.param == "asgi":
            found = getattr(importlib.import_module(f"apps.{module}"), asgi.removesuffix("()"))
            asked: Any = InProcess(found() if asgi.endswith("()") else found)
            if forget:
                asked.get(forget)
            yield asked
            return
        serve = request.getfixturevalue("serve_shared" if shared else "serve")
        server = serve(f"{module}:{served[request.param]}", access_log=False)
        with httpx.Client(base_url=server.url, timeout=20) as asked:
            if forget:
                asked.get(forget)
            yield asked

    return client
