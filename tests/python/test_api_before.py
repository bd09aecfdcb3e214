"""Hooks of one handler: `before=[...]` and `after=[...]` of a route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

import tercel
from support.in_process import InProcess
from tercel import Depends, HTTPError, Request, Response
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


def mark(request: Request, response: Response, succeeded: bool) -> None:
    called.append(f"mark {request.route} {request.state.get('said')} {succeeded}")
    response.headers.append(("x-mark", str(response.status)))


async def instead(request: Request, response: Response, succeeded: bool) -> Any:
    return Response("no tea", status=418) if response.status == 503 else None


class Busy(Exception):
    pass


def say(request: Request, arguments: dict[str, Any]) -> Any:
    request.state["said"] = "hello"
    return {"early": True} if arguments["number"] == 5 else None


@app.error_handler(Busy)
async def busy(error: Busy) -> Response:
    return Response("busy", status=503)


def outer(request: Request, arguments: dict[str, Any]) -> Any:
    called.append("outer")
    return {"outer": True} if arguments.get("number") == 13 else None


def inner(request: Request, arguments: dict[str, Any]) -> None:
    called.append("inner")


def outer_end(request: Request, response: Response, succeeded: bool) -> None:
    called.append("outer end")
    response.headers.append(("x-outer", "1"))


def inner_end(request: Request, response: Response, succeeded: bool) -> None:
    called.append("inner end")


router = tercel.Router(prefix="/routed", before=[outer], after=[outer_end])
innermost = tercel.Router(before=[inner], after=[inner_end])


@innermost.get("/{number}", before=[count], after=[mark])
async def routed(number: int) -> int:
    called.append("handler")
    return number


@router.get("/own")
async def own() -> str:
    return "own"


router.include(innermost)
app.include(router)


@app.get("/after/{number}", before=[say], after=[mark, instead])
def after(number: int, more: Annotated[int, Depends(two)]) -> int:
    if number == 1:
        raise HTTPError(409, "No.")
    if number == 3:
        raise Busy
    if number == 4:
        raise ValueError("lost")
    return number + more


@app.post("/after/{number}", after=[mark])
async def after_body(number: int, body: dict[str, int]) -> dict[str, int]:
    return body


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


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "asgi":
        yield InProcess(app)
        return
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_hooks_behind_a_handler_see_its_answer(client: Any) -> None:
    called.clear()
    answer = client.get("/after/7")
    assert (answer.json(), answer.headers["x-mark"]) == (9, "200")
    assert called == ["mark /after/{number} hello True"]
    assert client.get("/after/5").json() == {"early": True}
    posted = client.post("/after/1", json={"a": 1})
    assert (posted.json(), posted.headers["x-mark"]) == ({"a": 1}, "200")
    assert client.head("/after/7").headers["x-mark"] == "200"


def test_they_see_what_answers_an_exception(client: Any) -> None:
    called.clear()
    refused = client.get("/after/1")
    assert (refused.status_code, refused.headers["x-mark"]) == (409, "409")
    assert refused.json()["detail"] == "No."
    busy = client.get("/after/3")
    assert (busy.status_code, busy.text) == (418, "no tea")
    lost = client.get("/after/4")
    assert (lost.status_code, lost.headers["x-mark"]) == (500, "500")
    assert called == ["mark /after/{number} hello False"] * 3


def test_they_do_not_see_what_the_engine_refuses(client: Any) -> None:
    called.clear()
    assert client.get("/after/x").status_code == 422
    assert client.post("/after/1", content=b"{").status_code == 400
    assert client.delete("/after/1").status_code == 405
    assert client.get("/without?number=7").headers.get("x-mark") is None
    assert called == []


def test_on_error_is_told_before_them() -> None:
    app = tercel.App()
    heard: list[str] = []

    @app.on_error
    def note(request: Request, error: Exception) -> Response | None:
        heard.append(f"error {error}")
        return Response("found", status=404) if str(error) == "lost" else None

    @app.on_response
    def last(request: Request, response: Response, succeeded: bool) -> None:
        heard.append(f"response {response.status} {succeeded}")

    def own(request: Request, response: Response, succeeded: bool) -> None:
        heard.append(f"after {response.status} {succeeded}")
        if request.query == "fail":
            raise ValueError("late")

    @app.get("/lost", after=[own])
    async def lose() -> None:
        raise ValueError("lost")

    with TestClient(app, raise_server_exceptions=False) as native:
        for one in (native, InProcess(app)):
            heard.clear()
            assert one.get("/lost").text == "found"
            assert heard == ["error lost", "after 404 False", "response 404 False"]
            assert one.get("/lost?fail").status_code == 500
            assert heard[-1] == "error late"


def test_the_test_client_is_told_what_nobody_answers() -> None:
    with TestClient(app) as client, pytest.raises(ValueError, match="lost"):
        client.get("/after/4")


def test_what_is_no_hook_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a hook in before=\[\.\.\.\]"):
        app.get("/x", before=[two])
    with pytest.raises(TypeError, match="before is a list of functions"):
        app.get("/x", before=count)
    with pytest.raises(TypeError, match=r"a hook in after=\[\.\.\.\]"):
        app.get("/x", after=[count])
    with pytest.raises(TypeError, match="after is a list of functions"):
        app.get("/x", after=mark)


def test_hooks_of_routers_stand_around_those_of_routes(client: Any) -> None:
    called.clear()
    answer = client.get("/routed/1")
    assert (answer.json(), answer.headers["x-outer"]) == (2, "1")
    ends = ["mark /routed/{number} None True", "inner end", "outer end"]
    assert called == ["outer", "inner", "/routed/1", "handler", *ends]
    called.clear()
    answer = client.get("/routed/13")
    assert (answer.json(), answer.headers["x-outer"]) == ({"outer": True}, "1")
    assert called == ["outer", *ends]
    called.clear()
    assert client.get("/routed/own").text == "own"
    assert called == ["outer", "outer end"]


def test_a_websocket_does_not_lose_the_hooks_of_its_router() -> None:
    guarded = tercel.Router(before=[outer])

    @guarded.websocket("/live")
    async def live(socket: tercel.WebSocket) -> None: ...

    with pytest.raises(TypeError, match="the WebSocket /live would have the hooks of its router"):
        tercel.App().include(guarded)
