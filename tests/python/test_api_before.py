"""Hooks of one handler: `before=[...]` of a route."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

import tercel
from support.in_process import InProcess
from tercel import Depends, Request
from tercel.testing import TestClient

app = tercel.App()
called: list[str] = []


def count(request: Request, arguments: dict[str, Any]) -> None:
    called.append(request.path)
    if "number" in arguments:
        arguments["number"] += 1


async def refuse(request: Request, arguments: dict[str, Any]) -> Any:
    return {"refused": sorted(arguments)} if request.header("x-refuse") else None


def two() -> int:
    return 2


@app.get("/plain", before=[count, refuse])
async def plain(number: int) -> int:
    return number


@app.get("/request", before=[count])
def with_request(request: Request, number: int) -> list[Any]:
    return [request.path, number]


@app.get("/depends", before=[count, refuse])
async def depends(number: int, more: Annotated[int, Depends(two)]) -> int:
    return number + more


@app.get("/without")
async def without(number: int) -> int:
    return number


@pytest.mark.parametrize(
    ("path", "answer"), [("/plain", 8), ("/request", ["/request", 8]), ("/depends", 10)]
)
def test_hooks_change_the_arguments_of_their_handler(path: str, answer: Any) -> None:
    called.clear()
    assert InProcess(app).get(f"{path}?number=7").json() == answer  # As under other servers.
    assert called == [path]
    called.clear()
    with TestClient(app) as client:
        assert client.get(f"{path}?number=7").json() == answer
        assert client.get("/without?number=7").json() == 7
        assert client.get(f"{path}?number=x").status_code == 422
    assert called == [path]


def test_what_a_hook_returns_is_the_answer() -> None:
    with TestClient(app) as client:
        refused = client.get("/plain?number=7", headers={"x-refuse": "1"})
        assert refused.json() == {"refused": ["number"]}
        refused = client.get("/depends?number=7", headers={"x-refuse": "1"})
        assert refused.json() == {"refused": ["more", "number"]}


def test_what_is_no_hook_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a hook in before=\[\.\.\.\]"):
        app.get("/x", before=[two])
    with pytest.raises(TypeError, match="before is a list of functions"):
        app.get("/x", before=count)
