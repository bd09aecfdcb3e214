"""`Depends`: what handlers are given by other functions, and when those are done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest

import tercel
from support.server import ServerProcess
from tercel import Depends
from tercel.testing import TestClient


@pytest.fixture
def server(serve: Any) -> ServerProcess:
    return serve("api_depends:app", access_log=False)


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


def test_arguments_are_shared_and_results_made_once(client: httpx.Client) -> None:
    assert client.get("/items/7?limit=5&offset=2").json() == [7, 5, [5, 2], True]
    assert client.get("/log").json() == ["page"]


def test_what_they_take_is_refused_as_the_handlers_is(client: httpx.Client) -> None:
    refused = client.get("/items/x?limit=y&offset=z")
    assert refused.status_code == 422
    assert sorted(one["loc"] for one in refused.json()["errors"]) == [
        ["path", "item_id"],
        ["query", "limit"],
        ["query", "offset"],
    ]
    assert client.get("/log").json() == []


def test_generators_go_on_behind_their_yield(client: httpx.Client) -> None:
    headers = {"authorization": "ann"}
    response = client.post("/orders", json={"n": 1}, headers=headers)
    assert response.text == "connection of ann: 1"
    assert client.get("/log").json() == ["connected", "begin", "handler", "commit"]
    response = client.post("/orders?fail=1", json={"n": 1}, headers=headers)
    assert (response.status_code, response.text) == (409, "failed")
    assert client.get("/log").json() == ["begin", "handler", "rollback"]


def test_what_refuses_keeps_the_handler_from_being_called(client: httpx.Client) -> None:
    response = client.post("/orders", json={"n": 1}, headers={"authorization": "bob"})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert client.post("/orders", json={"n": 1}).status_code == 422
    assert client.get("/log").json() == ["connected"]


def test_plain_functions_run_on_threads_unless_told_otherwise(client: httpx.Client) -> None:
    assert client.get("/threads").json() == [True, True, True]
    assert client.get("/log").json() == ["page", "left True"]


def test_what_is_of_the_app_ends_with_it(server: ServerProcess) -> None:
    headers = {"authorization": "ann"}
    for _ in range(3):
        httpx.post(f"{server.url}/orders", json={"n": 1}, headers=headers)
    assert httpx.get(f"{server.url}/log").json().count("connected") == 1
    server.stop()
    assert server.output.count("disconnected") == 1


def test_requests_at_once_share_what_is_of_the_app() -> None:
    made = []

    async def slow() -> int:
        made.append(1)
        await asyncio.sleep(0.01)
        return len(made)

    app = tercel.App()

    @app.get("/")
    async def handler(value: int = Depends(slow, scope="app")) -> int:
        return value

    async def ask_all() -> set[str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            answers = await asyncio.gather(*(client.get("/") for _ in range(9)))
        return {one.text for one in answers}

    assert asyncio.run(ask_all()) == {"1"}


def test_another_function_in_its_place() -> None:
    app = tercel.App()

    async def real(q: int) -> str:
        return f"real {q}"

    @app.get("/")
    async def handler(value: str = Depends(real)) -> str:
        return value

    with TestClient(app) as client:
        assert client.get("/?q=1").text == "real 1"
        with app.override(real, lambda: "fake"):
            assert client.get("/?q=1").text == "fake"
            with app.override(real, lambda: "other"):
                assert client.get("/?q=1").text == "other"
            assert client.get("/?q=1").text == "fake"
        assert client.get("/?q=2").text == "real 2"
    with pytest.raises(TypeError, match="without arguments"), app.override(real, lambda q: q):
        pass


async def _of_request(q: int) -> int:
    return q


async def _other_q(q: str) -> str:
    return q


async def _itself(value: int = 0) -> int:
    return value


class TestRegistration:
    def test_what_is_of_the_app_takes_nothing_of_a_request(self) -> None:
        def handler(a: Annotated[int, Depends(_of_request, scope="app")]) -> None: ...

        with pytest.raises(TypeError, match="for the whole app"):
            tercel.App().get("/")(handler)

        async def between(a: Annotated[int, Depends(_of_request)]) -> int:
            return a

        def outer(a: int = Depends(between, scope="app")) -> None: ...

        with pytest.raises(TypeError):
            tercel.App().get("/")(outer)

    def test_one_parameter_is_one_thing(self) -> None:
        def handler(q: int, other: str = Depends(_other_q)) -> None: ...

        with pytest.raises(TypeError, match="query parameter 'q' otherwise"):
            tercel.App().get("/")(handler)

    def test_a_circle_is_told(self) -> None:
        _itself.__defaults__ = (Depends(_itself),)

        def handler(value: int = Depends(_itself)) -> None: ...

        with pytest.raises(TypeError, match="depends on itself"):
            tercel.App().get("/")(handler)

    def test_what_depends_is_not(self) -> None:
        with pytest.raises(ValueError, match="'request' or 'app'"):
            Depends(_itself, scope="session")
        with pytest.raises(TypeError, match="takes a function"):
            Depends(3)  # type: ignore[arg-type]
