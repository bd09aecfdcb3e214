"""Keys that an issuer publishes: when they are fetched, and what answers that are none do."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support.in_process import InProcess
from tercel import App, Depends, HTTPError
from tercel.auth import JWT, jwks, keys

RSA, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
SMALL = rsa.generate_private_key(65537, 1024)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    made = jwt.algorithms.RSAAlgorithm if hasattr(key, "d") or hasattr(key, "decrypt") else None
    kind = made or jwt.algorithms.ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), **members}


class Issuer:
    """A server that publishes keys, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.publish(jwk(RSA, kid="one"))
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                issuer.answer(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @staticmethod
    def sends(
        body: bytes, status: int = 200, **headers: str
    ) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        return answer

    def publish(self, *published: dict[str, Any]) -> Callable[[BaseHTTPRequestHandler], None]:
        return self.sends(json.dumps({"keys": published}).encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def published(issuer: Issuer) -> tuple[jwks.PublishedKeys, Clock]:
    clock = Clock()
    return jwks.PublishedKeys(issuer.url, ("RS256", "ES256"), clock=clock), clock


def names(found: keys.Keys) -> set[str | None]:
    return set(found)


def one_of(found: jwks.PublishedKeys) -> set[str | None]:
    """Asks for the key "one", and lets what that began come to its end."""

    async def ask() -> set[str | None]:
        got = names(await found.get("one"))
        if found._fetching is not None:
            await found._fetching
        return got

    return asyncio.run(ask())


def test_tokens_are_verified_with_them(issuer: Issuer) -> None:
    app = App()
    scheme = JWT(jwks_url=issuer.url, algorithms=["RS256"])

    @app.get("/")
    async def handler(claims: Any = Depends(scheme)) -> Any:  # noqa: B008
        return claims["sub"]

    def ask(key: Any, kid: str | None) -> int:
        claims = {"sub": "ann", "exp": time.time() + 60}
        header = {"kid": kid} if kid else None
        token = jwt.encode(claims, key, "RS256", headers=header)
        response = InProcess(app).get("/", headers={"authorization": f"Bearer {token}"})
        status: int = response.status_code
        return status

    assert [ask(RSA, "one"), ask(RSA, None), ask(OTHER, "one")] == [200, 200, 401]
    assert issuer.asked == 1
    # Unknown ones are asked for, but not again and again.
    assert [ask(RSA, "two") for _ in range(3)] == [401, 401, 401]
    assert issuer.asked == 1


def test_nothing_is_fetched_before_it_is_needed(issuer: Issuer) -> None:
    published(issuer)
    JWT(jwks_url=issuer.url, algorithms=["RS256"])
    assert issuer.asked == 0


def test_they_are_fetched_when_a_new_one_is_named_at_a_bounded_rate(issuer: Issuer) -> None:
    found, clock = published(issuer)
    get = lambda kid: names(asyncio.run(found.get(kid)))  # noqa: E731
    assert get("one") == {"one"}
    issuer.answer = issuer.publish(jwk(RSA, kid="one"), jwk(P256, kid="two"))
    assert get("two") == {"one"}  # That was just now.
    clock.now += 9.9
    assert get("two") == {"one"}
    assert issuer.asked == 1
    clock.now += 0.2
    assert get("two") == {"one", "two"}
    for number in range(50):
        assert get(f"x{number}") == {"one", "two"}
    assert issuer.asked == 2


def test_they_are_renewed_and_those_withdrawn_are_gone(issuer: Issuer) -> None:
    found, clock = published(issuer)
    one_of(found)
    issuer.answer = issuer.publish(jwk(P256, kid="two"))
    clock.now += 599
    assert one_of(found) == {"one"}
    assert issuer.asked == 1
    clock.now += 2
    # Who finds them old does not wait for the new ones.
    assert one_of(found) == {"one"}
    assert issuer.asked == 2
    assert one_of(found) == {"two"}
    assert issuer.asked == 2


def test_old_ones_are_believed_for_a_day_when_there_are_no_new_ones(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    found, clock = published(issuer)
    one_of(found)
    issuer.answer = issuer.sends(b"", 500)
    clock.now += 23 * 3600
    assert one_of(found) == {"one"}
    assert "cannot be had: HTTP Error 500" in caplog.text
    clock.now += 3601
    with pytest.raises(HTTPError) as raised:
        one_of(found)
    assert (raised.value.status, raised.value.headers) == (503, {"retry-after": "10"})
    issuer.answer = issuer.publish(jwk(RSA, kid="one"))
    with pytest.raises(HTTPError):
        one_of(found)  # Tried just now.
    clock.now += 10.1
    assert one_of(found) == {"one"}


def test_many_wait_for_one_answer(issuer: Issuer) -> None:
    found, _ = published(issuer)
    answer = issuer.answer

    def late(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        answer(handler)

    issuer.answer = late

    async def ask() -> list[set[str | None]]:
        # Of those who wait for it, the first leaves.
        first = asyncio.ensure_future(found.get("one"))
        await asyncio.sleep(0.05)
        first.cancel()
        began = time.perf_counter()
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        turning = asyncio.ensure_future(turn())
        results = await asyncio.gather(*(found.get("one") for _ in range(20)))
        turning.cancel()
        assert turns > 5  # The loop was free.
        assert time.perf_counter() - began < 5
        return [names(one) for one in results]

    assert asyncio.run(ask()) == [{"one"}] * 20
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [7, null, []]}',
        b'{"keys": [{}]}',
        b"[" * 100_000,
        json.dumps({"keys": [jwk(RSA, kid="one")]}).encode() + b" " * (1 << 18),
        json.dumps({"keys": [jwk(SMALL, kid="weak")]}).encode(),
        json.dumps({"keys": [jwk(P384, kid="other curve")]}).encode(),
        json.dumps({"keys": [jwk(RSA, use="enc")]}).encode(),
        json.dumps({"keys": [jwk(RSA, key_ops=["encrypt"])]}).encode(),
        json.dumps({"keys": [jwk(RSA, alg="RS512")]}).encode(),
        json.dumps({"keys": [jwk(RSA, n="!!!")]}).encode(),
        json.dumps({"keys": [jwk(RSA, n=7)]}).encode(),
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"}]}).encode(),
        json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}).encode(),
    ],
)
def test_what_is_no_key_is_none(issuer: Issuer, body: bytes) -> None:
    found, _ = published(issuer)
    issuer.answer = issuer.sends(body)
    with pytest.raises(HTTPError) as raised:
        asyncio.run(found.get("one"))
    assert raised.value.status == 503


def test_the_good_among_the_bad_are_taken() -> None:
    document = {
        "keys": [
            {"kty": "EC"},
            jwk(RSA, kid="a", use="sig", alg="RS256", key_ops=["verify"]),
            jwk(P256, kid="b"),
            jwk(OTHER),
            jwk(SMALL, kid="c"),
        ]
    }
    found = keys.from_jwks(document, ("RS256", "PS256", "ES256"))
    assert {name: sorted(one) for name, one in found.items()} == {
        "a": ["RS256"],
        "b": ["ES256"],
        None: ["PS256", "RS256"],
    }


def test_redirects_are_not_followed(issuer: Issuer) -> None:
    other = Issuer()
    try:
        issuer.answer = issuer.sends(b"", 302, location=other.url)
        with pytest.raises(HTTPError):
            asyncio.run(published(issuer)[0].get("one"))
        assert (issuer.asked, other.asked) == (1, 0)
    finally:
        other.close()


def test_an_answer_that_does_not_end_is_given_up(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_TIMEOUT_S", 0.3)

    def drips(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.05)

    def is_silent(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(2)

    for answer in (drips, is_silent):
        issuer.answer = answer
        began = time.perf_counter()
        with pytest.raises(HTTPError):
            asyncio.run(published(issuer)[0].get("one"))
        assert time.perf_counter() - began < 1.5


def test_nobody_listens(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    found = jwks.PublishedKeys("http://127.0.0.1:9/keys", ("RS256",))
    with pytest.raises(HTTPError):
        asyncio.run(found.get(None))
    assert "the keys at http://127.0.0.1:9/keys cannot be had" in caplog.text


def test_mistakes_are_said() -> None:
    for url in ("http://example.org/keys", "ftp://localhost/x", "file:///etc/passwd", "keys", ""):
        with pytest.raises(ValueError, match="jwks_url is an https URL"):
            JWT(jwks_url=url, algorithms=["RS256"])
    JWT(jwks_url="https://example.org/keys", algorithms=["RS256", "ES256"])
    with pytest.raises(ValueError, match="algorithms cannot be HMAC"):
        JWT(jwks_url="https://example.org/keys", algorithms=["HS256"])
