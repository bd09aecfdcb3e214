"""ResponseHeaders, and cookies: what a handler adds to whatever becomes its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import tercel
from apps import api_auth
from support.in_process import InProcess
from support.server import ServerProcess
from tercel import Depends, Response, ResponseHeaders, StreamingResponse
from tercel.api.cookies import cookie_field
from tercel.api.streams import Stream


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest, serve_shared: Any) -> Iterator[Any]:
    if request.param == "native":
        server: ServerProcess = serve_shared("api_auth:app", access_log=False)
        with httpx.Client(base_url=server.url, timeout=20) as client:
            yield client
    else:
        yield InProcess(api_auth.app)


def fields(response: httpx.Response, *but: str) -> list[tuple[str, str]]:
    general = ("date", "server", "content-length", "transfer-encoding", "connection", *but)
    return [pair for pair in response.headers.multi_items() if pair[0] not in general]


def test_they_are_added_to_what_is_encoded(client: Any) -> None:
    response = client.get("/headers/json")
    assert (response.status_code, response.json()) == (203, {"a": 1})
    assert fields(response) == [
        ("content-type", "application/json"),
        ("x-two", "b"),
        ("x-one", "1"),
        ("x-one", "2"),
        ("set-cookie", "theme=light; Max-Age=60; Path=/"),
    ]
    assert response.headers["content-length"] == "7"
    head = client.head("/headers/json")
    assert fields(head) == fields(response)
    assert head.headers["content-length"] == "7"
    empty = client.get("/headers/none")
    assert (empty.status_code, empty.content) == (204, b"")
    assert fields(empty) == [
        ("set-cookie", "theme=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
    ]


def test_a_response_stays_as_it_is_and_its_own_fields_count(client: Any) -> None:
    for _ in range(2):
        assert fields(client.get("/headers/shared")) == [
            ("content-type", "text/plain; charset=utf-8"),
            ("x-own", "1"),
            ("x-other", "2"),
            ("x-behind", "1"),
        ]
    assert api_auth.SHARED.headers[1:] == [("x-own", "1")]


def test_they_are_added_to_streams(client: Any) -> None:
    response = client.get("/headers/stream")
    assert response.text == "onetwo"
    assert response.headers["set-cookie"] == "a=b; Path=/; Secure; HttpOnly; SameSite=Lax"
    events = client.get("/headers/events")
    assert (events.text, events.headers["x-one"]) == ("data: 1\n\n", "1")


def test_they_are_added_where_work_follows(client: Any) -> None:
    response = client.get("/headers/tasks")
    assert (response.text, response.headers["x-one"]) == ("done", "1")


def test_what_is_raised_is_answered_without_them(client: Any) -> None:
    response = client.get("/headers/raised")
    assert (response.status_code, "x-one" in response.headers) == (409, False)
    response = client.get("/headers/malformed")
    assert (response.status_code, "x-one" in response.headers) == (500, False)


def test_responses_set_cookies(client: Any) -> None:
    assert client.get("/response").headers.get_list("set-cookie") == [
        "__Host-id=7; Path=/; Secure; HttpOnly; SameSite=Lax",
        "old=; Max-Age=0; Domain=example.org; Path=/old; Secure; HttpOnly; SameSite=Lax",
    ]
    stream: Stream = StreamingResponse([])
    stream.set_cookie("a", "b", secure=False, httponly=False, samesite=None)
    assert stream.headers[-1] == ("set-cookie", "a=b; Path=/")


def test_a_cookie_takes_the_place_of_the_same_and_of_no_other() -> None:
    response = Response(headers=[("Set-Cookie", "a=0; Path=/; Secure"), ("x", "a=; Path=/")])
    plain = {"secure": False, "httponly": False, "samesite": None}
    response.set_cookie("a", "1", **plain)
    response.set_cookie("a", "2", path="/A", **plain)
    response.set_cookie("a", "3", path="/a", **plain)
    response.set_cookie("a", "4", domain="B.org", **plain)
    response.set_cookie("a", "5", domain="b.org", **plain)
    response.set_cookie("aa", "6", **plain)
    assert response.headers == [
        ("x", "a=; Path=/"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "a=2; Path=/A"),
        ("set-cookie", "a=3; Path=/a"),
        ("set-cookie", "a=5; Domain=b.org; Path=/"),
        ("set-cookie", "aa=6; Path=/"),
    ]


def test_cookies_are_as_the_rfc_has_them() -> None:
    assert (
        cookie_field(
            "a.b", '"x=y&z"', max_age=-1, path="/p q", domain="x.org", samesite="None",
            partitioned=True,
        )
        == 'a.b="x=y&z"; Max-Age=-1; Domain=x.org; Path=/p q; Secure; HttpOnly; SameSite=None;'
        " Partitioned"
    )  # fmt: skip
    assert cookie_field("a", "x" * 4095, secure=False, httponly=False, samesite="STRICT").endswith(
        "x; Path=/; SameSite=Strict"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (("", "b"), {}, "not called ''"),
        (("a b", "b"), {}, "not called 'a b'"),
        (("a=", "b"), {}, "not called"),
        (("ä", "b"), {}, "not called"),
        (("a\n", "b"), {}, "not called"),
        (("a", "b;c"), {}, "urllib.parse.quote"),
        (("a", "b,c"), {}, "urllib.parse.quote"),
        (("a", "b c"), {}, "urllib.parse.quote"),
        (("a", "b\\c"), {}, "urllib.parse.quote"),
        (("a", "b\r\nSet-Cookie: c"), {}, "urllib.parse.quote"),
        (("a", "b\n"), {}, "urllib.parse.quote"),
        (("a", "ä"), {}, "urllib.parse.quote"),
        (("a", '"b'), {}, "urllib.parse.quote"),
        (("a", "x" * 4096), {}, "takes 4097 bytes with its name, and browsers keep 4096"),
        (("a", "b"), {"path": "p"}, "begins with /"),
        (("a", "b"), {"path": ""}, "begins with /"),
        (("a", "b"), {"path": "/;Domain=x"}, "has no ;"),
        (("a", "b"), {"path": "/\n"}, "has no ;"),
        (("a", "b"), {"path": "/" + "p" * 1024}, "begins with /"),
        (("a", "b"), {"domain": ".x.org"}, "host name"),
        (("a", "b"), {"domain": "x.org; Path=/"}, "host name"),
        (("a", "b"), {"domain": ""}, "host name"),
        (("a", "b"), {"samesite": "lux"}, "'lax', 'strict', 'none' or None, not 'lux'"),
        (("a", "b"), {"samesite": "none", "secure": False}, "must be secure"),
        (("a", "b"), {"partitioned": True, "secure": False}, "must be secure"),
        (("__secure-a", "b"), {"secure": False}, "as its name says"),
        (("__Host-a", "b"), {"secure": False}, "as its name says"),
        (("__Host-a", "b"), {"path": "/p"}, "the path / and no domain"),
        (("__Host-a", "b"), {"domain": "x.org"}, "the path / and no domain"),
    ],
)
def test_what_browsers_drop_is_a_mistake(
    arguments: tuple[str, str], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Response().set_cookie(*arguments, **options)


def test_mistakes_are_said() -> None:
    headers = ResponseHeaders()
    for name, value in (("a b", "1"), ("a", "1\n"), ("a", " 1"), ("a", "\u0100"), ("", "1")):
        with pytest.raises(ValueError, match="no header field"):
            headers.add(name, value)
        with pytest.raises(ValueError, match="no header field"):
            headers[name] = value
    with pytest.raises(ValueError, match="return a Response with a media_type"):
        headers["Content-Type"] = "text/html"
    with pytest.raises(TypeError, match="whole number of seconds"):
        headers.set_cookie("a", "b", max_age=1.5)  # type: ignore[arg-type]
    assert not headers
    headers["a"] = "\xe4 b"
    assert headers
    app = tercel.App()
    with pytest.raises(TypeError, match=r"is a tercel\.ResponseHeaders; a Response is returned"):

        @app.get("/")
        def takes(response: Response) -> None: ...

    async def for_all(headers: ResponseHeaders) -> None: ...

    with pytest.raises(TypeError, match="takes something of a request"):

        @app.get("/all")
        def takes_for_all(x: None = Depends(for_all, scope="app")) -> None: ...  # type: ignore[assignment]
