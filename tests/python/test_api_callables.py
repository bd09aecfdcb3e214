"""Handlers that are objects, and partial functions."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

import tercel
from support.in_process import InProcess
from tercel import Header, Query, Response
from tercel.testing import TestClient


class Greeter:
    """Says hello."""

    def __init__(self, word: str) -> None:
        self._word = word

    def __call__(self, name: str, times: Annotated[int, Query(ge=1)] = 1) -> dict[str, str]:
        return {"said": " ".join([f"{self._word} {name}"] * times)}


class Later:
    async def __call__(self, name: str) -> str:
        return f"later {name}"


class Generates:
    async def __call__(self) -> AsyncIterator[int]:
        yield 1


async def found(thing_id: int, is_admin: bool, client: Annotated[str, Header("X-Client")]) -> str:
    """Finds a thing.

    Whoever asks for it.
    """
    return f"{thing_id} {is_admin} {client}"


def add(a: int, b: int = 2) -> int:
    return a + b


async def talk(socket: tercel.WebSocket, word: str, who: str) -> None:
    await socket.accept()
    await socket.send(f"{word} {who}")


app = tercel.App()
app.get("/hello/{name}")(Greeter("hello"))
app.get("/later/{name}")(Later())
app.get("/things/{thing_id}")(functools.partial(found, is_admin=False))
app.get("/add")(functools.partial(add, 40))
app.get("/inner")(functools.partial(functools.partial(add, b=1), 5))
app.get("/direct", blocking=False)(functools.partial(add, b=3))
app.websocket("/talk/{who}")(functools.partial(talk, word="hi"))


def answers(client: Any) -> list[Any]:
    asked: list[tuple[str, dict[str, str]]] = [
        ("/hello/ann?times=2", {}),
        ("/hello/ann?times=0", {}),
        ("/later/ann", {}),
        ("/things/7", {"x-client": "c"}),
        ("/things/7?is_admin=true", {"x-client": "c"}),
        ("/things/x", {"x-client": "c"}),
        ("/add", {}),
        ("/add?b=3", {}),
        ("/inner", {}),
        ("/inner?a=1&b=9", {}),
        ("/direct?a=1&b=9", {}),
    ]
    got = [client.get(path, headers=headers) for path, headers in asked]
    return [one.text if one.status_code == 200 else one.status_code for one in got]


EXPECTED = [
    '{"said":"hello ann hello ann"}',
    422,
    "later ann",
    "7 False c",
    "7 False c",  # What was given is no client's to say.
    422,
    "42",
    "43",
    "6",
    "6",
    "4",
]


def test_they_are_called_as_functions_are() -> None:
    assert answers(InProcess(app)) == EXPECTED
    with TestClient(app) as client:
        assert answers(client) == EXPECTED
        with client.websocket("/talk/ann") as socket:
            assert socket.receive_text() == "hi ann"


def test_they_are_in_the_document() -> None:
    paths = app.openapi()["paths"]
    hello = paths["/hello/{name}"]["get"]
    assert (hello["operationId"], hello["summary"]) == ("Greeter", "Says hello.")
    assert [one["name"] for one in hello["parameters"]] == ["name", "times"]
    thing = paths["/things/{thing_id}"]["get"]
    assert (thing["operationId"], thing["summary"]) == ("found", "Finds a thing.")
    assert [one["name"] for one in thing["parameters"]] == ["thing_id", "x-client"]
    content = thing["responses"]["200"]["content"]
    assert list(content) == ["text/plain"]


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (Generates(), "is a generator"),
        (Greeter, "must be a function or a method"),
        (7, "must be a function or a method"),
        (functools.partial(print, sep=""), "name each argument"),
    ],
)
def test_what_is_none(handler: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        tercel.App().get("/")(handler)


def test_a_partial_of_nothing_that_is_known() -> None:
    def unknown(a: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(TypeError, match=r"cannot be a handler: name 'Nowhere' is not defined"):
        tercel.App().get("/")(functools.partial(unknown))


def test_what_is_registered_is_given_back() -> None:
    greeter = Greeter("x")
    assert tercel.App().get("/{name}")(greeter) is greeter


def test_hooks_and_checks_are_around_them() -> None:
    app = tercel.App()

    def stop(request: tercel.Request, arguments: dict[str, Any]) -> Response | None:
        return Response("stopped") if arguments["a"] == 1 else None

    app.get("/", before=[stop], validate_response=True)(functools.partial(add, b=1))
    assert InProcess(app).get("/?a=1").text == "stopped"
    assert InProcess(app).get("/?a=2").text == "3"
