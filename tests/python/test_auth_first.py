"""Missing credentials are 401, whatever else is wrong with a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

import tercel
from support.in_process import InProcess
from tercel import Depends, Header, HTTPError, Request, Response
from tercel.auth import AnyOf, APIKey, Basic, Bearer, Session, Sessions
from tercel.testing import TestClient

KEYS = {"k1": "ann"}


class Thing(msgspec.Struct):
    price: int


def known(token: str) -> dict[str, str] | None:
    return {"scope": "read"} if token == "t1" else {"scope": "write"} if token == "t3" else None


header = APIKey(header="X-Key", keys=KEYS)
query = APIKey(query="my key", keys=KEYS)
cookie = APIKey(cookie="key", keys=KEYS)
bearer = Bearer(known, realm="Shop")
basic = Basic(lambda user, password: user if user == "ann" else None)
maybe = APIKey(header="X-Key", keys=KEYS, optional=True)
maybe_token = Bearer(known, optional=True)
either = AnyOf(maybe, maybe_token)
scoped = maybe_token.requires("read")
SCHEMES = {
    "header": header,
    "query": query,
    "cookie": cookie,
    "bearer": bearer,
    "basic": basic,
    "either": either,
    "scoped": scoped,
}
SHOWN: dict[str, dict[str, Any]] = {
    "header": {"headers": {"x-key": "k1"}},
    "query": {"params": {"my key": "k1"}},
    "cookie": {"headers": {"cookie": "a=b; key=k1"}},
    "bearer": {"headers": {"authorization": "bearer t1"}},
    "basic": {"headers": {"authorization": "Basic YW5uOng="}},
    "either": {"headers": {"authorization": "Bearer t1"}},
    "scoped": {"headers": {"authorization": "Bearer t1"}},
}


def made(**options: Any) -> tercel.App:
    app = tercel.App(**options)
    for name, scheme in {**SCHEMES, "maybe": maybe}.items():

        async def take(number: int, thing: Thing) -> int:
            return number + thing.price

        async def free() -> str:
            return "free"

        app.post(f"/{name}", dependencies=[Depends(scheme)], name=name)(take)
        app.get(f"/{name}/free", dependencies=[Depends(scheme)], name=f"{name}_free")(free)
    return app


app = made()


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "asgi":
        yield InProcess(app)
        return
    with TestClient(app) as client:
        yield client


def told(response: Any) -> tuple[Any, ...]:
    fields = response.headers
    kind = fields["content-type"]
    return response.status_code, kind, fields.get_list("www-authenticate"), response.json()


@pytest.mark.parametrize("name", SCHEMES)
def test_it_comes_before_parameters_and_bodies(client: Any, name: str) -> None:
    expected = SCHEMES[name].missing() if name != "scoped" else maybe_token.missing()
    challenges = [value for _, value in tercel.options.pairs_of(expected.headers)]
    document = msgspec.json.decode(expected.response(f"/{name}").body)
    refused = (401, "application/problem+json", challenges, document)
    assert len(challenges) == (2 if name == "either" else 1)
    for body in (b"", b"{}", b'{"price": "x"}', b"not JSON"):
        assert told(client.post(f"/{name}?number=x", content=body)) == refused
    text = {"content-type": "text/plain"}
    assert told(client.post(f"/{name}?number=1", content=b"x", headers=text)) == refused
    free = (*refused[:3], {**document, "instance": f"/{name}/free"})
    assert told(client.get(f"/{name}/free")) == free


# One that is nobody's, for each scheme.
WRONG: dict[str, dict[str, Any]] = {
    "header": {"headers": {"x-key": "k2"}},
    "query": {"params": {"my key": "k2"}},
    "cookie": {"headers": {"cookie": "a=b; key=k2"}},
    "bearer": {"headers": {"authorization": "Bearer t2"}},
    "basic": {"headers": {"authorization": "Basic Ym9iOng="}},
    "either": {"headers": {"authorization": "Bearer t2"}},
    "scoped": {"headers": {"authorization": "Bearer t2"}},
}
MALFORMED: list[tuple[str, dict[str, Any], int]] = [
    ("x", {"content": b"{}"}, 422),
    ("1", {"content": b""}, 422),
    ("1", {"content": b'{"price": "x"}'}, 422),
    ("1", {"content": b"not JSON"}, 400),
    ("1", {"content": b"x" * (2 << 20)}, 413),
    ("1", {"content": [b" " * (1 << 20), b"{}"]}, 413),  # In chunks.
    ("1", {"content": b"x", "headers": {"content-type": "text/plain"}}, 415),
]


async def later(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def sent(client: Any, path: str, *options: dict[str, Any]) -> Any:
    headers = [pair for one in options for pair in one.get("headers", {}).items()]
    params = {key: value for one in options for key, value in one.get("params", {}).items()}
    content = next(one["content"] for one in options if "content" in one)
    if isinstance(content, list):
        content = later(content) if isinstance(client, InProcess) else iter(content)
    return client.post(path, content=content, headers=headers, params=params)


@pytest.mark.parametrize("number", range(len(MALFORMED)))
@pytest.mark.parametrize("name", SCHEMES)
def test_wrong_credentials_come_before_parameters_and_bodies(
    client: Any, name: str, number: int
) -> None:
    n, malformed, status = MALFORMED[number]
    params = {"params": {"number": n}}
    plain = sent(client, f"/{name}", params, {"content": b'{"price": 1}'}, WRONG[name])
    wrong = sent(client, f"/{name}", params, malformed, WRONG[name])
    assert wrong.status_code == 401
    if n == "1":  # It tells no more than to who sends what is right.
        assert told(wrong) == told(plain)
    assert sent(client, f"/{name}", params, malformed, SHOWN[name]).status_code == status


def test_who_lacks_a_scope_learns_nothing_else(client: Any) -> None:
    lacking = {"headers": {"authorization": "Bearer t3"}}
    refused = sent(client, "/scoped", {"params": {"number": "x"}}, {"content": b"{"}, lacking)
    assert (refused.status_code, refused.json()["detail"]) == (403, "This needs the scope read.")
    # Without a body, and without the route's own handler.
    assert client.get("/scoped/free", headers=lacking["headers"]).status_code == 403


@pytest.mark.parametrize("name", SCHEMES)
def test_who_shows_some_is_told_what_else_is_wrong(client: Any, name: str) -> None:
    shown = SHOWN[name]
    params = {"number": "x", **shown.get("params", {})}
    refused = client.post(f"/{name}", content=b"{}", **{**shown, "params": params})
    assert refused.status_code == 422
    params["number"] = "1"
    right = client.post(f"/{name}", content=b'{"price": 2}', **{**shown, "params": params})
    assert (right.status_code, right.json()) == (200, 3)


def test_an_optional_scheme_asks_for_nothing(client: Any) -> None:
    assert client.post("/maybe?number=x", content=b"{}").status_code == 422
    assert client.get("/maybe/free").text == "free"


def test_credentials_of_another_scheme_are_none(client: Any) -> None:
    other = {"authorization": "Basic YW5uOng="}
    assert client.post("/bearer?number=x", headers=other).status_code == 401
    two = [("authorization", "Basic YW5uOng="), ("authorization", "Basic YW5uOng=")]
    assert client.get("/bearer/free", headers=two).status_code == 400


@pytest.mark.parametrize(
    ("name", "scheme"),
    [*SCHEMES.items(), ("either", maybe_token), ("either", maybe), ("scoped", maybe_token)],
)
def test_an_override_asks_for_nothing(client: Any, name: str, scheme: Any) -> None:
    assert client.get(f"/{name}/free").status_code == 401
    with app.override(scheme, lambda: {"scope": "read"}):
        assert client.get(f"/{name}/free").text == "free"
        assert client.post(f"/{name}?number=x", content=b"{}").status_code == 422
        with app.override(scheme, lambda: {"scope": "read write"}):
            pass
        assert client.get(f"/{name}/free").text == "free"
    assert client.get(f"/{name}/free").status_code == 401


def test_a_wrong_path_or_method_comes_before_it(client: Any) -> None:
    assert client.get("/header/no").status_code == 404
    assert client.delete("/header").status_code == 405


async def wait_and_say(error: HTTPError) -> Response:
    return Response(f"no: {error.detail}", status=error.status)


def say(error: HTTPError) -> Response:
    return Response(f"no: {error.detail}", status=error.status)


# Without a key, and with one that is not theirs: what is said of each.
_WRONG = [({}, "The API key is missing."), ({"x-key": "k2"}, "The API key is not valid.")]


@pytest.mark.parametrize("handler", [say, wait_and_say])
@pytest.mark.parametrize(("headers", "text"), _WRONG)
def test_error_handlers_are_asked(handler: Any, headers: dict[str, str], text: str) -> None:
    app = made()
    app.error_handler(HTTPError)(handler)
    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            refused = one.post("/header?number=x", content=b"{}", headers=headers)
            assert (refused.status_code, refused.text) == (401, f"no: {text}")
            assert one.post("/header?number=x", headers={"x-key": "k1"}).status_code == 422


@pytest.mark.parametrize(("headers", "text"), _WRONG)
def test_hooks_are_told(headers: dict[str, str], text: str) -> None:
    app = made()
    heard: list[Any] = []

    @app.on_error
    def note(request: Request, error: Exception) -> None:
        heard.append(str(error))

    @app.on_response
    def note_response(request: Request, response: Response, succeeded: bool) -> None:
        heard.append((response.status, succeeded))

    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            heard.clear()
            refused = one.post("/header?number=x", content=b"{}", headers=headers)
            assert refused.status_code == 401
            assert one.post("/header?number=x", headers={"x-key": "k1"}).status_code == 422
            assert heard == [f"401: {text}", (401, False), (422, True)]


def test_a_websocket_is_refused_for_it_first() -> None:
    app = tercel.App()

    @app.websocket("/chat/{room}")
    async def chat(
        socket: tercel.WebSocket, room: int, who: Annotated[str, Depends(header)]
    ) -> None:
        await socket.accept()

    with TestClient(app) as client:
        denied = pytest.raises(tercel.testing.WebSocketDenied)
        with denied as refused, client.websocket("/chat/x"):
            pass
        assert refused.value.response.status_code == 401

    denied = pytest.raises(tercel.testing.WebSocketDenied)
    with TestClient(app) as client:
        for key, status in (("k2", 401), ("k1", 422)):
            with denied as refused, client.websocket("/chat/x", headers={"x-key": key}):
                pass
            assert refused.value.response.status_code == status


def test_a_websocket_without_credentials_is_for_error_handlers() -> None:
    app = tercel.App()
    app.error_handler(HTTPError)(say)

    @app.websocket("/chat/{room}")
    async def chat(
        socket: tercel.WebSocket, room: int, who: Annotated[str, Depends(header)]
    ) -> None:
        await socket.accept()

    denied = pytest.raises(tercel.testing.WebSocketDenied)
    with TestClient(app) as client:
        for path, headers, text in (
            ("/chat/1", {}, "no: The API key is missing."),
            ("/chat/x", {"x-key": "k2"}, "no: The API key is not valid."),
        ):
            with denied as refused, client.websocket(path, headers=headers):
                pass
            assert (refused.value.response.status_code, refused.value.response.text) == (401, text)


class Model(pydantic.BaseModel):
    price: int

    @pydantic.field_validator("price")
    @classmethod
    def is_even(cls, price: int) -> int:
        if price % 2:
            raise ValueError("odd")
        return price


def test_what_only_python_refuses_is_told_to_who_may_know() -> None:
    app = tercel.App()
    calls = []

    @app.post("/models", dependencies=[Depends(header)])
    async def take(model: Model) -> None:
        calls.append(model)

    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            wrong = one.post("/models", json={"price": 1}, headers={"x-key": "k2"})
            assert (wrong.status_code, wrong.json()["detail"]) == (401, "The API key is not valid.")
            right = one.post("/models", json={"price": 1}, headers={"x-key": "k1"})
            assert (right.status_code, right.json()["errors"][0]["loc"]) == (422, ["body", "price"])
    assert calls == []


heard_of: list[str] = []
sessions = Sessions(["0" * 32], secure=False)


async def database() -> AsyncIterator[dict[str, bool]]:
    heard_of.append("open")
    yield {"ann": True}
    heard_of.append("close")


async def user(
    name: Annotated[str, Depends(header)], db: Annotated[dict[str, bool], Depends(database)]
) -> str:
    if not db.get(name):
        raise HTTPError(403, f"{name} has no account any more.")
    return name


async def of_session(session: Annotated[Session, Depends(sessions)]) -> None:
    if "user" not in session:
        raise HTTPError(401, "Sign in.")


async def page(number: int, name: Annotated[str, Depends(user)]) -> int:
    heard_of.append("page")  # Takes something else of the request.
    return number


def test_functions_that_go_by_credentials_alone_are_asked() -> None:
    app = tercel.App()

    @app.get("/accounts", dependencies=[Depends(page)])
    async def accounts() -> None: ...

    @app.get("/sessions/{number}", dependencies=[Depends(of_session)])
    async def numbered(number: int) -> None: ...

    @app.get("/visits/{number}", dependencies=[Depends(sessions)])
    async def visits(number: int) -> None: ...

    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            heard_of.clear()
            keys = {"x-key": "k1"}
            assert one.get("/accounts?number=x", headers=keys).status_code == 422
            assert heard_of == ["open", "close"]
            assert one.get("/sessions/x").json()["detail"] == "Sign in."
            # A session alone refuses nobody.
            assert one.get("/visits/x").status_code == 422
    with TestClient(app) as client, app.override(header, lambda: "bob"):
        assert client.get("/accounts?number=x").json()["detail"] == "bob has no account any more."


def test_a_route_without_security_is_refused_without_python() -> None:
    app = made()
    asked: list[Any] = []

    async def note(header: Annotated[str, Header("X-Note")] = "") -> None:
        asked.append(header)

    @app.get("/open/{number}", dependencies=[Depends(note)])
    async def opened(number: int) -> None: ...

    with TestClient(app) as client:
        assert client.get("/open/x").status_code == 422
        assert asked == []
        assert client.get("/open/1").status_code == 200
        assert asked == [""]


def test_a_time_limit_is_that_of_the_route() -> None:
    app = tercel.App()

    async def slow(token: str) -> str:
        await asyncio.sleep(10)
        return token

    @app.get("/slow/{number}", timeout=0.05, dependencies=[Depends(Bearer(slow))])
    async def take(number: int) -> None: ...

    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            late = one.get("/slow/x", headers={"authorization": "Bearer t"})
            assert late.status_code == 503
