"""Sessions: what a client sends back is what it was given, or nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import itsdangerous
import pytest

import tercel
from apps import api_auth
from support.in_process import InProcess
from support.server import ServerProcess
from tercel import Depends
from tercel.auth import Session, Sessions

ATTRIBUTES = "; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax"


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest, serve_shared: Any) -> Iterator[Any]:
    if request.param == "native":
        server: ServerProcess = serve_shared("api_auth:app", access_log=False)
        with httpx.Client(base_url=server.url, timeout=20) as client:
            yield client
    else:
        yield InProcess(api_auth.app)


class Browser:
    """Keeps the one cookie there is."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.cookie: str | None = None

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"cookie": self.cookie} if self.cookie is not None else {}
        response: httpx.Response = self._client.request(method, path, headers=headers, **options)
        if set_cookie := response.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        return response


def signed(data: Any, secret: str, *, at: float = 0.0, salt: str = "session") -> str:
    """Returns a cookie as a holder of `secret` makes it, `at` seconds from now."""

    class Signer(itsdangerous.TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() + at)

    serializer = itsdangerous.URLSafeTimedSerializer(
        secret,
        salt=f"tercel.session.{salt}",
        signer=Signer,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
    return "session=" + str(serializer.dumps(data))


def test_a_session_is_kept_changed_and_ended(client: Any) -> None:
    browser = Browser(client)
    response = browser.ask("GET", "/session")
    assert (response.json(), "set-cookie" in response.headers) == ({}, False)
    response = browser.ask("POST", "/session", json={"user": "ann", "n": 1})
    assert response.headers["set-cookie"].endswith(ATTRIBUTES)
    response = browser.ask("GET", "/session")
    assert (response.json(), "set-cookie" in response.headers) == ({"user": "ann", "n": 1}, False)
    same = browser.ask("POST", "/session", json={"user": "ann"})
    assert "set-cookie" not in same.headers
    ended = browser.ask("DELETE", "/session")
    assert ended.headers["set-cookie"] == "session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    assert browser.ask("GET", "/session").json() == {}
    assert "set-cookie" not in browser.ask("DELETE", "/session").headers


def test_changes_within_its_parts_are_kept(client: Any) -> None:
    browser = Browser(client)
    assert [browser.ask("POST", f"/session/cart/{item}").json() for item in "abc"] == [1, 2, 3]
    assert browser.ask("GET", "/session").json() == {"cart": ["a", "b", "c"]}


def test_what_is_raised_leaves_it_as_it_was(client: Any) -> None:
    browser = Browser(client)
    browser.ask("POST", "/session", json={"n": 1})
    failed = browser.ask("POST", "/session?fail=1", json={"n": 2})
    assert (failed.status_code, "set-cookie" in failed.headers) == (409, False)
    assert browser.ask("GET", "/session").json() == {"n": 1}


def test_the_first_secret_signs_and_all_are_believed(client: Any) -> None:
    browser = Browser(client)
    for secret in (api_auth.OLD, api_auth.NEW):
        browser.cookie = signed({"n": 1}, secret)
        assert browser.ask("GET", "/session").json() == {"n": 1}
    browser.cookie = signed({"n": 1}, api_auth.OLD)
    browser.ask("POST", "/session", json={"n": 2})
    only_new = Sessions([api_auth.NEW])
    assert browser.cookie is not None
    assert only_new._read(browser.cookie.removeprefix("session=")) == {"n": 2}
    only_old = Sessions([api_auth.OLD])
    assert only_old._read(browser.cookie.removeprefix("session=")) == {}


def test_what_is_not_ours_is_nothing(client: Any) -> None:
    browser = Browser(client)
    good = signed({"n": 1}, api_auth.NEW)
    body, stamp, signature = good.removeprefix("session=").split(".")
    other = signed({"n": 2}, api_auth.NEW).removeprefix("session=").split(".")
    for cookie in (
        f"session={body}.{stamp}.",
        f"session={body}.{stamp}",
        f"session={body}..{signature}",
        f"session={other[0]}.{stamp}.{signature}",
        f"session={body}.{stamp}.{signature[:-1]}",
        f"session={body}.{stamp}.{signature[:-2]}AA",
        f"session=.{body}.{stamp}.{signature}",
        "session=",
        "session=" + "." * 4000,
        "session=" + "x" * 8000,
        signed({"n": 1}, "another secret, 16"),
        signed({"n": 1}, api_auth.NEW, salt="other"),
        signed({"n": 1}, api_auth.NEW, at=-1209600 - 5),
        signed({"n": 1}, api_auth.NEW, at=3600),
        signed([1], api_auth.NEW),
        signed("text", api_auth.NEW),
    ):
        browser.cookie = cookie
        response = browser.ask("GET", "/session")
        assert (response.status_code, response.json()) == (200, {}), cookie
    browser.cookie = signed({"n": 1}, api_auth.NEW, at=-1209600 + 60)
    assert browser.ask("GET", "/session").json() == {"n": 1}


def test_what_cannot_be_kept_is_a_fault(client: Any) -> None:
    # Nothing that can be compressed.
    large = browser_answer(client, {"n": secrets.token_hex(4000)})
    assert (large.status_code, "set-cookie" in large.headers) == (500, False)
    assert browser_answer(client, {"n": "x" * 20_000}).status_code == 200
    assert client.post("/session/unsendable").status_code == 500


def browser_answer(client: Any, data: Any) -> httpx.Response:
    return Browser(client).ask("POST", "/session", json=data)


def test_the_fault_says_what_to_do() -> None:
    client = InProcess(api_auth.app, raises=True)
    with pytest.raises(ValueError, match="keep an id in it, and what it stands for in a store"):
        client.post("/session", json={"n": secrets.token_hex(4000)})
    with pytest.raises(TypeError, match="a session holds what JSON has"):
        client.post("/session/unsendable")


def test_it_is_secure_unless_told_otherwise() -> None:
    app = tercel.App()
    sessions = Sessions(["x" * 16], cookie="__Host-s", max_age=60, samesite="strict")

    @app.get("/")
    async def handler(session: Session = Depends(sessions)) -> None:  # noqa: B008
        session["n"] = 1

    assert (
        InProcess(app)
        .get("/")
        .headers["set-cookie"]
        .endswith("; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict")
    )
    assert "parameters" not in json.dumps(app.openapi())


def test_mistakes_are_said() -> None:
    for few in ([], ["short"], "x" * 15):
        with pytest.raises(ValueError, match=r"has 16 bytes or more: python -c 'import secrets"):
            Sessions(few)
    with pytest.raises(ValueError, match="max_age of Sessions"):
        Sessions("x" * 16, max_age=0)
    with pytest.raises(ValueError, match="must be secure, as its name says"):
        Sessions("x" * 16, cookie="__Host-s", secure=False)


@pytest.mark.parametrize(
    ("module", "made", "package"),
    [
        ("itsdangerous", "Sessions('x' * 16)", "itsdangerous"),
        ("jwt", "JWT(key='x' * 32, algorithms=['HS256'])", "PyJWT"),
        ("cryptography", "JWT(key='x' * 32, algorithms=['HS256'])", "cryptography"),
    ],
)
def test_a_package_that_is_missing_is_named(module: str, made: str, package: str) -> None:
    script = (
        f"import sys; sys.modules[{module!r}] = None\nfrom tercel.auth import JWT, Sessions\n{made}"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f"needs {package}: install it with `pip install 'tercel[auth]'`" in done.stderr


def test_nothing_of_the_extra_is_loaded_before_it_is_needed() -> None:
    script = (
        "import sys, tercel.auth; tercel.App(); tercel.auth.APIKey(keys={})\n"
        "print([m for m in ('jwt', 'cryptography', 'itsdangerous') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n"
