"""Converters of an application's own: what they take is a match, what they make is the argument."""

from __future__ import annotations

import gc
import signal
import weakref
from typing import Any

import httpx
import pytest

import tercel
from apps import api_converters
from support.in_process import InProcess
from support.ways import client_fixture
from tercel.testing import TestClient

client = client_fixture("api_converters", native="app", asgi="app")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/posts/abc", "slug abc"),
        ("/posts/caf%C3%A9", "slug café"),
        ("/posts/a1", None),
        ("/posts/abcdefghijk", None),
        ("/posts/%FF", None),
        ("/posts/a-b/raw", "raw a-b"),
        ("/posts/a1/raw", None),
        ("/tags/abc", "tag ABC"),
        ("/tags/abcd", None),
        ("/double/1:3-ab", "2/3 ab"),
        ("/double/x-ab", None),
        ("/double/1:0-ab", None),
    ],
)
def test_what_they_take(client: Any, path: str, answer: str | None) -> None:
    response = client.get(path)
    if answer is None:
        # ZeroDivisionError is none of those that say no.
        assert response.status_code == (500 if "1:0" in path else 404)
    else:
        assert (response.status_code, response.text) == (200, answer)


def test_any_value_may_be_made(client: Any) -> None:
    assert client.get("/scale/6:4").json() == [3, 2]
    assert client.get("/scale/six").status_code == 404
    assert client.put("/scale/6:4").status_code == 405


def test_one_that_fails_is_a_fault(serve: Any) -> None:
    server = serve("api_converters:app", access_log=False)
    assert httpx.get(f"{server.url}/broken/x").status_code == 500
    server.wait_for("RuntimeError: the converter is broken")


def test_websockets_have_them() -> None:
    with TestClient(api_converters.app) as client, client.websocket("/rooms/abc") as socket:
        assert socket.receive() == "room abc"


def test_the_document_says_that_it_is_a_text() -> None:
    document = api_converters.app.openapi()["paths"]
    (parameter,) = document["/scale/{by}"]["get"]["parameters"]
    assert parameter["schema"]["type"] == "string"
    assert "404" in document["/scale/{by}"]["get"]["responses"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_interrupt_during_a_lookup_is_not_lost(method: str) -> None:
    """Ctrl-C is pressed once; the lookup of a route raises nothing."""

    class Interrupted:
        times = 0

        def convert(self, text: str) -> str:
            Interrupted.times += 1
            if Interrupted.times == 1:
                raise KeyboardInterrupt
            return text

    app = tercel.App()
    app.add_converter("own", Interrupted)
    app.get("/{x:own}")(lambda x: x)
    app.post("/{x:own}")(lambda x: x)
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        assert InProcess(app).request(method.upper(), "/a").text == "a"
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


def test_an_interrupt_while_an_argument_is_made_goes_on() -> None:
    class Interrupted:
        times = 0

        def convert(self, text: str) -> str:
            Interrupted.times += 1
            if Interrupted.times == 2:
                raise KeyboardInterrupt
            return text

    app = tercel.App()
    app.add_converter("own", Interrupted)
    app.get("/{x:own}")(lambda x: x)
    with pytest.raises(KeyboardInterrupt):
        InProcess(app).get("/a")
    assert InProcess(app).get("/a").text == "a"


def test_an_application_that_its_converters_know_is_freed() -> None:
    def make() -> weakref.ref[tercel.App]:
        app = tercel.App()

        class Own:
            def convert(self, text: str) -> tuple[tercel.App, str]:
                return app, text

        app.add_converter("own", Own)
        app.get("/{x:own}")(lambda x: x[1])
        assert InProcess(app).get("/a").text == "a"
        return weakref.ref(app)

    kept = make()
    gc.collect()
    assert kept() is None


def test_mistakes_are_said() -> None:
    app = tercel.App()
    app.add_converter("slug", api_converters.Slug)
    for name, message in (("slug", "already"), ("int", "already"), ("a b", "an identifier")):
        with pytest.raises(ValueError, match=message):
            app.add_converter(name, api_converters.Slug)
    with pytest.raises(TypeError, match=r"has no method convert\(text\)"):
        app.add_converter("none", dict)
    with pytest.raises(TypeError, match="is a class with a method"):
        app.add_converter("none", 5)  # type: ignore[arg-type]
    for template, message in (
        ("/{x:slugs}", "slugs"),
        ("/{x:slug(longer=1)}", "unexpected keyword argument 'longer'"),
        ("/{x:slug(max)}", r"literals of Python, not \(max\)"),
    ):
        with pytest.raises(ValueError, match=message):
            app.get(template)(lambda x: None)
    with TestClient(app) as client:
        client.get("/")
    with pytest.raises(RuntimeError, match="comes too late"):
        app.add_converter("late", api_converters.Slug)


def test_two_that_convert_otherwise_are_told_apart() -> None:
    app = tercel.App()
    app.add_converter("slug", api_converters.Slug)
    app.get("/{x:slug}")(lambda x: x)
    with pytest.raises(ValueError, match="slug"):
        app.post("/{x:slug(3)}")(lambda x: x)
