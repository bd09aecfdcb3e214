"""Missing credentials are 401, whatever else is wrong with a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest

import tercel
from support.in_process import InProcess
from tercel import Depends, HTTPError, Request, Response
from tercel.auth import AnyOf, APIKey, Basic, Bearer
from tercel.testing import TestClient

KEYS = {"k1": "ann"}


class Thing(msgspec.Struct):
    price: int


def known(token: str) -> dict[str, str] | None:
    return {"scope": "read"} if token == "t1" else None


header = APIKey(header="X-Key", keys=KEYS)
query = APIKey(query="my key", keys=KEYS)
cookie = APIKey(cookie="key", keys=KEYS)
bearer = Bearer(known, realm="Shop")
basic = Basic(lambda user, password: user)
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


@pytest.mark.parametrize("handler", [say, wait_and_say])
def test_error_handlers_are_asked(handler: Any) -> None:
    app = made()
    app.error_handler(HTTPError)(handler)
    with TestClient(app) as client:
        for one in (client, InProcess(app)):
            refused = one.post("/header?number=x", content=b"{}")
            assert (refused.status_code, refused.text) == (401, "no: The API key is missing.")
            assert one.post("/header?number=x", headers={"x-key": "k1"}).status_code == 422


def test_hooks_are_told() -> None:
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
            assert one.post("/header?number=x", content=b"{}").status_code == 401
            assert heard == ["401: The API key is missing.", (401, False)]


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
