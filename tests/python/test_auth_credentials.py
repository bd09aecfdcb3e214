"""API keys, Bearer and Basic: who is let in, what the others are told, and what OpenAPI says."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from openapi_spec_validator import validate

import tercel
from apps import api_auth
from support import schemathesis
from support.in_process import InProcess
from support.server import ServerProcess
from tercel import Depends, Header
from tercel.api.security import SecurityScheme
from tercel.auth import AnyOf, APIKey, Basic, Bearer

EXAMPLES = Path(__file__).parents[2] / "examples" / "api"


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest, serve_shared: Any) -> Iterator[Any]:
    if request.param == "native":
        server: ServerProcess = serve_shared("api_auth:app", access_log=False)
        with httpx.Client(base_url=server.url, timeout=20) as client:
            yield client
    else:
        yield InProcess(api_auth.app)


def refused(response: httpx.Response, status: int = 401) -> tuple[str, str]:
    """Returns the challenge and the sentence of an answer that is a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert (response.status_code, document["status"]) == (status, status)
    return response.headers.get("www-authenticate", ""), document["detail"]


def authorization(*values: str) -> list[tuple[str, str]]:
    return [("authorization", value) for value in values]


def basic(text: str | bytes) -> list[tuple[str, str]]:
    raw = text.encode() if isinstance(text, str) else text
    return authorization(("Basic " + base64.b64encode(raw).decode()).rstrip())


# --- API keys


def test_a_key_in_a_header(client: Any) -> None:
    assert client.get("/key/header", headers={"x-api-key": "first-key"}).text == "ann"
    assert client.get("/key/header", headers={"X-API-Key": "second-key"}).text == "bob"
    challenge = 'APIKey in="header", name="X-API-Key"'
    assert refused(client.get("/key/header")) == (challenge, "The API key is missing.")
    for wrong in ("", "first-ke", "first-keyy", "FIRST-KEY", "ann", "x" * 8193):
        answer = refused(client.get("/key/header", headers={"x-api-key": wrong}))
        assert answer == (challenge, "The API key is not valid.")
    two = [("x-api-key", "first-key"), ("x-api-key", "first-key")]
    assert refused(client.get("/key/header", headers=two), 400)[1].startswith("There is more than")


def test_a_key_in_a_query(client: Any) -> None:
    assert client.get("/key/query?key=k1").text == "carl"
    challenge = 'APIKey in="query", name="key"'
    assert refused(client.get("/key/query?key=k2"))[0] == challenge
    assert refused(client.get("/key/query"))[0] == challenge
    assert refused(client.get("/key/query?key=k1&key=k2"), 400)[0] == ""


def test_a_key_in_a_cookie_that_need_not_be_there(client: Any) -> None:
    assert client.get("/key/cookie", headers={"cookie": "key=first-key"}).text == "ann"
    assert client.get("/key/cookie").json() is None
    answer = refused(client.get("/key/cookie", headers={"cookie": "key=x"}))
    assert answer[0] == 'APIKey in="cookie", name="key"'


def test_mistakes_with_keys_are_said() -> None:
    with pytest.raises(TypeError, match="either keys="):
        APIKey()
    with pytest.raises(TypeError, match="either keys="):
        APIKey(keys={}, verify=print)
    with pytest.raises(TypeError, match="one of header, query and cookie"):
        APIKey(header="a", query="b", keys={})
    for key in ("", "ä", "a\n"):
        with pytest.raises(ValueError, match="printable ASCII, and not empty"):
            APIKey(keys={key: "ann"})
    for identity in (None, False):
        with pytest.raises(ValueError, match="neither None nor False"):
            APIKey(keys={"key": identity})
    with pytest.raises(TypeError, match="APIKey takes a function that knows"):
        APIKey(verify={"key": "ann"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the name of a security scheme is of letters"):
        APIKey(keys={}, name="a b")


# --- Bearer


def test_a_token(client: Any) -> None:
    for word in ("Bearer", "bearer", "BEARER"):
        response = client.get("/bearer", headers=authorization(f"{word} t0k/en+=="))
        assert response.json()["name"] == "dora"
    bare = ('Bearer realm="things"', "Bearer credentials are missing.")
    # RFC 6750, section 3.1: who shows nothing is told no error.
    assert refused(client.get("/bearer")) == bare
    assert refused(client.get("/bearer", headers=basic("a:b"))) == bare
    for wrong, detail in (
        ("x", "The token is not valid."),
        ("", "The token is malformed."),
        ("t0k/en+== x", "The token is malformed."),
        ("=", "The token is malformed."),
        ('"t0k/en+=="', "The token is malformed."),
        ("x" * 64, "The token is not valid."),
        ("x" * 65, "The token is too long."),
    ):
        challenge, sentence = refused(
            client.get("/bearer", headers=authorization(f"Bearer {wrong}".rstrip()))
        )
        said = f'Bearer realm="things", error="invalid_token", error_description="{detail}"'
        assert (challenge, sentence) == (said, detail)


def test_two_tokens_are_none(client: Any) -> None:
    for headers in (
        authorization("Bearer t0k/en+==", "Bearer t0k/en+=="),
        authorization("Bearer t0k/en+==", "Basic x"),
        authorization("", "Bearer t0k/en+=="),
    ):
        answer = refused(client.get("/bearer", headers=headers), 400)
        assert answer == ("", "There is more than one Authorization field.")


def test_a_token_that_need_not_be_there(client: Any) -> None:
    assert client.get("/bearer/maybe").json() is None
    assert client.get("/bearer/maybe", headers=basic("a:b")).json() is None
    assert client.get("/bearer/maybe", headers=authorization("Bearer listed")).json() == {
        "scp": ["read"]
    }
    assert "invalid_token" in refused(
        client.get("/bearer/maybe", headers=authorization("Bearer x"))
    )[0]  # fmt: skip


def test_scopes_are_required(client: Any) -> None:
    right, other = authorization("Bearer t0k/en+=="), authorization("Bearer listed")
    assert client.delete("/bearer", headers=right).text == "removed"
    challenge, _ = refused(client.delete("/bearer", headers=other), 403)
    assert challenge == 'Bearer realm="things", error="insufficient_scope", scope="write"'
    refused(client.delete("/bearer"))
    assert client.get("/bearer/read", headers=right).json()["name"] == "dora"
    assert client.get("/bearer/read", headers=other).json() == {"scp": ["read"]}
    assert refused(client.get("/bearer/read"))[0] == "Bearer"


@pytest.mark.parametrize(
    "identity",
    ["write", {"scope": "writer"}, {"scope": "write"}, {"scope": 1}, {"scope": [1]}, 7, {}],
)
def test_whose_scopes_are_not_known_has_none(identity: Any) -> None:
    app = tercel.App()
    scheme = Bearer(lambda token: identity)

    @app.get("/", dependencies=[Depends(scheme.requires("read", "write"))])
    async def handler() -> None: ...

    refused(InProcess(app).get("/", headers=authorization("Bearer x")), 403)


def test_mistakes_with_tokens_are_said() -> None:
    with pytest.raises(TypeError, match="Bearer takes a function"):
        Bearer("secret")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a realm is of printable ASCII"):
        Bearer(print, realm='a"')
    for scopes in ((), ("",), ("a b",), ('a"',)):
        with pytest.raises(ValueError, match=r"requires\(\) takes scopes"):
            Bearer(print).requires(*scopes)


# --- Basic


def test_a_name_and_a_password(client: Any) -> None:
    assert client.get("/basic", headers=basic("ann:pässwört:1")).text == "ann 0"
    challenge = 'Basic realm="Shop", charset="UTF-8"'
    missing = (challenge, "Basic credentials are missing.")
    assert refused(client.get("/basic")) == missing
    assert refused(client.get("/basic", headers=authorization("Bearer x"))) == missing
    wrong = (challenge, "The name or the password is wrong.")
    for pair in ("ann:", ":", "ann:passwort:1", "bob:pässwört:1", ":pässwört:1"):
        assert refused(client.get("/basic", headers=basic(pair))) == wrong
    malformed = (challenge, "The Basic credentials are malformed.")
    for raw in ("ann", "ann:p\x00", "ann:p\n", b"ann:\xe4", b"", "a:" + "x" * 8192):
        assert refused(client.get("/basic", headers=basic(raw))) == malformed
    for text in ("Basic", "Basic !!!", "Basic YW5u OnA=", "Basic YW5uOnA"):
        assert refused(client.get("/basic", headers=authorization(text))) == malformed


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [("/bearer", "authorization", b"Bearer \xff"), ("/key/header", "x-api-key", b"\xff")],
)
def test_credentials_that_are_not_utf_8_are_none(
    client: Any, path: str, name: str, value: bytes
) -> None:
    assert client.get(path, headers={name: value}).json() == client.get(path).json()
    refused(client.get(path, headers={name: value}))


def test_a_session_that_is_not_utf_8_is_refused_as_every_parameter_is(client: Any) -> None:
    response = client.get("/session", headers={"cookie": b"session=\xff"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["type"] == "string_unicode"


# --- where they stand


def test_routers_ask_for_all_of_theirs(client: Any) -> None:
    assert client.get("/admin", headers={"x-api-key": "first-key"}).text == "admin ann"
    refused(client.get("/admin"))


def test_tests_put_another_in_their_place() -> None:
    client = InProcess(api_auth.app)
    with api_auth.app.override(api_auth.bearer, lambda: {"scope": "write"}):
        assert client.delete("/bearer").text == "removed"
    with api_auth.app.override(api_auth.bearer, lambda: {"scope": ""}):
        refused(client.delete("/bearer"), 403)
    refused(client.delete("/bearer"))


def test_a_function_that_is_awaited_later_is() -> None:
    async def who(token: str) -> str:
        return token

    class Known:
        async def __call__(self, token: str) -> str:
            return token

    app = tercel.App()
    for number, verify in enumerate((lambda token: who(token), Known(), who)):
        scheme = Bearer(verify, blocking=False)
        app.get(f"/{number}")(_returns(scheme))
    for number in range(3):
        response = InProcess(app).get(f"/{number}", headers=authorization("Bearer x"))
        assert response.text == "x"


def _returns(scheme: SecurityScheme) -> Any:
    async def handler(who: Any = Depends(scheme)) -> Any:  # noqa: B008
        return who

    return handler


def test_the_field_of_a_scheme_is_not_taken_otherwise() -> None:
    app = tercel.App()
    with pytest.raises(TypeError, match="'authorization' otherwise than another function"):

        @app.get("/")
        async def handler(
            raw: Annotated[str, Header("Authorization")],
            who: Annotated[Any, Depends(api_auth.bearer)],
        ) -> None: ...


# --- in the document


def test_the_document_has_them() -> None:
    document = api_auth.app.openapi()
    validate(document)
    assert document["components"]["securitySchemes"] == {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookieKey": {"type": "apiKey", "in": "cookie", "name": "key"},
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "queryKey": {
            "type": "apiKey",
            "in": "query",
            "name": "key",
            "description": "For links.",
        },
    }

    def said(path: str, method: str = "get") -> tuple[Any, list[str], list[str]]:
        operation = document["paths"][path][method]
        parameters = [one["name"] for one in operation.get("parameters", [])]
        return operation.get("security"), sorted(operation["responses"]), parameters

    assert said("/key/header") == ([{"apiKey": []}], ["200", "401"], [])
    assert said("/key/cookie") == ([{"cookieKey": []}, {}], ["200", "401"], [])
    assert said("/bearer") == ([{"bearer": []}], ["200", "401"], [])
    assert said("/bearer", "delete") == ([{"bearer": ["write"]}], ["200", "401", "403"], [])
    assert said("/bearer/read") == ([{"bearer": ["read"]}], ["200", "401", "403"], [])
    assert said("/basic") == ([{"basic": []}], ["200", "401", "422"], ["count"])
    assert said("/admin") == ([{"apiKey": []}], ["200", "401"], [])
    assert said("/session") == (None, ["200"], [])
    problem = document["paths"]["/bearer"]["get"]["responses"]["401"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_schemes_of_the_app_the_router_and_the_route_are_all_required() -> None:
    key, other = APIKey(keys={"a": 1}), APIKey(header="X-Other", keys={"b": 1})
    user = Basic(lambda user, password: user, optional=True)
    app = tercel.App(dependencies=[Depends(key)])
    router = tercel.Router(prefix="/r", dependencies=[Depends(other)])

    @router.get("", dependencies=[Depends(user)])
    async def handler(own: Annotated[str, Header("X-API-Key-2")] = "") -> None: ...

    app.include(router)
    document = app.openapi()
    validate(document)
    assert sorted(document["components"]["securitySchemes"]) == ["apiKey", "apiKey_2", "basic"]
    assert document["paths"]["/r"]["get"]["security"] == [
        {"apiKey": [], "apiKey_2": [], "basic": []},
        {"apiKey": [], "apiKey_2": []},
    ]
    assert "securitySchemes" not in tercel.App().openapi()["components"]


def test_a_scheme_of_ones_own() -> None:
    class Signature(SecurityScheme):
        """What a partner signs its requests with."""

        def __init__(self) -> None:
            super().__init__("signature", {"type": "http", "scheme": "signature"})

        async def __call__(self, signature: Annotated[str, Header()] = "") -> str:
            if not signature:
                raise tercel.HTTPError(401, headers={"www-authenticate": "Signature"})
            return signature

    app = tercel.App()
    app.get("/")(_returns(Signature()))
    document = app.openapi()
    validate(document)
    assert document["paths"]["/"]["get"]["security"] == [{"signature": []}]
    assert InProcess(app).get("/", headers={"signature": "x"}).text == "x"
    assert InProcess(app).get("/").status_code == 401


def test_no_answer_of_the_example_contradicts_its_document(serve: Any, tmp_path: Path) -> None:
    """What is guarded is refused, among the rest: the check `ignored_auth`."""
    server: ServerProcess = serve("auth:app", app_dir=EXAMPLES)
    assert schemathesis.run(server.url, tmp_path, "--seed", "1", "-n", "5", timeout=50) == ""
    assert "Traceback" not in server.output


# --- one of several


def test_one_of_several_is_enough() -> None:
    key = APIKey(keys={"k": "by key"}, optional=True)
    user = Basic(lambda user, password: user == "ann" and "by name", optional=True)
    token = Bearer(lambda token: token == "t" and "by token", optional=True)
    either = AnyOf(key, token, user)
    app = tercel.App()
    app.get("/")(_returns(either))
    client = InProcess(app)
    missing = client.get("/")
    assert refused(missing)[1] == "Credentials are missing."
    assert missing.headers.get_list("www-authenticate") == [
        'APIKey in="header", name="X-API-Key"',
        "Bearer",
        'Basic realm="API", charset="UTF-8"',
    ]
    right = {"x-api-key": "k"}
    assert client.get("/", headers=right).text == "by key"
    assert client.get("/", headers=authorization("Bearer t")).text == "by token"
    assert client.get("/", headers=basic("ann:x")).text == "by name"
    both = [*right.items(), *authorization("Bearer t")]
    assert client.get("/", headers=both).text == "by key"
    wrong = [*right.items(), *authorization("Bearer u")]
    assert "invalid_token" in refused(client.get("/", headers=wrong))[0]
    document = app.openapi()
    validate(document)
    operation = document["paths"]["/"]["get"]
    assert operation["security"] == [{"apiKey": []}, {"bearer": []}, {"basic": []}]
    assert sorted(operation["responses"]) == ["200", "401"]
    assert sorted(document["components"]["securitySchemes"]) == ["apiKey", "basic", "bearer"]


def test_mistakes_with_several_are_said() -> None:
    key, optional = APIKey(keys={}), APIKey(keys={}, optional=True)
    with pytest.raises(TypeError, match="give APIKey optional=True"):
        AnyOf(optional, key)
    for schemes in ((), (optional,), (optional, print)):
        with pytest.raises(TypeError, match="AnyOf takes two schemes or more"):
            AnyOf(*schemes)  # type: ignore[arg-type]
