"""JWTs: real ones, forged ones, and what of RFC 8725 an attacker tries.

Forged tokens are made by hand, where PyJWT would refuse to make them.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import jwt
import pydantic
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

import tercel
from apps import api_auth
from support.in_process import InProcess
from support.server import ServerProcess
from tercel import Depends
from tercel.auth import JWT, Claims, encode_jwt

SECRET = api_auth.SECRET
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()


def pem(key: Any) -> bytes:
    """Returns the public key of a private one."""
    made: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made


def private_pem(key: Any) -> bytes:
    made: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made


def claims(**changes: Any) -> dict[str, Any]:
    """Returns claims of a valid token; without those that are None."""
    made = {"sub": "ann", "aud": "shop", "exp": time.time() + 60, **changes}
    return {name: value for name, value in made.items() if value is not None}


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: Any, payload: Any, key: bytes = SECRET, digest: str = "sha256") -> str:
    """Returns a token signed by HMAC, whatever its header says."""
    text = f"{part(header)}.{part(payload)}"
    return f"{text}.{part(hmac.new(key, text.encode(), digest).digest())}"


def signed(key: Any = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def said(response: httpx.Response) -> str:
    """Returns the sentence of a refusal."""
    assert response.status_code == 401, response.text
    detail: str = response.json()["detail"]
    assert response.headers["www-authenticate"] == (
        f'Bearer error="invalid_token", error_description="{detail}"'
    )
    return detail


def asker(scheme: JWT) -> InProcess:
    """Returns a client of an app that answers with the claims."""
    app = tercel.App()

    async def handler(found: Annotated[Any, Depends(scheme)]) -> Any:
        return found

    handler.__annotations__["found"] = Annotated[Any, Depends(scheme)]
    app.get("/")(handler)
    return InProcess(app)


def ask(scheme: JWT, token: str) -> httpx.Response:
    response: httpx.Response = asker(scheme).get("/", headers=bearer(token))
    return response


@pytest.fixture(params=["native", "asgi"])
def client(request: pytest.FixtureRequest, serve_shared: Any) -> Iterator[Any]:
    if request.param == "native":
        server: ServerProcess = serve_shared("api_auth:app", access_log=False)
        with httpx.Client(base_url=server.url, timeout=20) as client:
            yield client
    else:
        yield InProcess(api_auth.app)


# --- what is valid


def test_a_token_says_who_asks(client: Any) -> None:
    assert client.get("/token", headers=bearer(signed())).text == "ann"
    assert client.get("/token", headers=bearer(by_hand({"alg": "HS256"}, claims()))).text == "ann"
    bare = client.get("/token")
    assert (bare.status_code, bare.headers["www-authenticate"]) == (401, "Bearer")
    assert client.delete("/token", headers=bearer(signed())).status_code == 403
    scope = signed(scope="things:read things:write")
    assert client.delete("/token", headers=bearer(scope)).text == "removed"
    refused = client.delete("/token", headers=bearer(signed(scope="things:write2")))
    assert refused.status_code == 403
    assert refused.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="things:write"'
    )


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        *((name, RSA) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        ("ES256", P256),
        ("ES384", P384),
        ("ES512", P521),
        ("EdDSA", ED25519),
        ("EdDSA", ED448),
    ],
)
def test_public_keys(algorithm: str, key: Any) -> None:
    token = encode_jwt({"sub": "ann"}, key=key, algorithm=algorithm, lifetime_s=60)
    for public in (pem(key), pem(key).decode(), key.public_key(), key):
        scheme = JWT(key=public, algorithms=[algorithm])
        assert ask(scheme, token).json()["sub"] == "ann"
    head, body, signature = token.split(".")
    scheme = JWT(key=pem(key), algorithms=[algorithm])
    assert said(ask(scheme, f"{head}.{part(claims(sub='root'))}.{signature}")) == (
        "The signature of the token is wrong."
    )
    raw = base64.urlsafe_b64decode(signature + "==")
    for wrong in ("", part(raw[:-1]), part(raw + b"x"), "AAAA", part(bytes(len(raw)))):
        assert "wrong" in said(ask(scheme, f"{head}.{body}.{wrong}"))


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_secrets(algorithm: str, size: int) -> None:
    key = bytes(range(1, size + 1))
    token = encode_jwt({"sub": "ann"}, key=key, algorithm=algorithm, lifetime_s=60)
    assert ask(JWT(key=key, algorithms=[algorithm]), token).json()["sub"] == "ann"
    with pytest.raises(ValueError, match=f"has {size - 1} bytes, and needs {size}: a password"):
        JWT(key=key[:-1], algorithms=[algorithm])


def test_what_is_encoded() -> None:
    before = int(time.time())
    token = encode_jwt(
        Claims(sub="ann", aud=["a", "b"]),
        key=private_pem(P256),
        algorithm="ES256",
        lifetime_s=900,
        key_name="k1",
        token_type="at+jwt",
    )
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    found = jwt.decode(token, pem(P256), ["ES256"], audience="b")
    assert found["exp"] == found["iat"] + 900
    assert before <= found["iat"] <= time.time()
    assert set(found) == {"sub", "aud", "iat", "exp"}
    with pytest.raises(ValueError, match="a private key of ES256, this is a public one"):
        encode_jwt({}, key=pem(P256), algorithm="ES256", lifetime_s=60)
    with pytest.raises(ValueError, match="lifetime_s is a number of seconds"):
        encode_jwt({}, key=SECRET, algorithm="HS256", lifetime_s=0)
    with pytest.raises(ValueError, match="'none' is none of HS256"):
        encode_jwt({}, key="", algorithm="none", lifetime_s=60)


# --- what is forged


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 1, ["HS256"]])
def test_the_token_does_not_decide_how_it_is_checked(client: Any, algorithm: Any) -> None:
    for token in (
        f"{part({'alg': algorithm})}.{part(claims())}.",
        by_hand({"alg": algorithm}, claims()),
    ):
        assert said(client.get("/token", headers=bearer(token))) in (
            "The token is signed in a way that is not accepted.",
            "The token is malformed.",
        )
    token = f"{part({})}.{part(claims())}."
    assert "not accepted" in said(client.get("/token", headers=bearer(token)))


def test_a_public_key_is_no_secret() -> None:
    """CVE-2015-9235: the token says HMAC, and the public key would be its secret."""
    for public in (pem(RSA), pem(RSA).strip()):
        forged = by_hand({"alg": "HS256"}, claims(aud=None), key=public)
        assert "not accepted" in said(ask(JWT(key=pem(RSA), algorithms=["RS256"]), forged))
    with pytest.raises(ValueError, match="algorithms has HMAC beside others"):
        JWT(key=pem(RSA), algorithms=["RS256", "HS256"])
    with pytest.raises(ValueError, match=r"the key is none of HS256: .*asymmetric key"):
        JWT(key=pem(RSA), algorithms=["HS256"])


def test_another_algorithm_of_the_key_is_not_accepted() -> None:
    scheme = JWT(key=pem(RSA), algorithms=["RS256", "PS256"])
    assert ask(scheme, signed(RSA, "PS256", aud=None)).status_code == 200
    assert "not accepted" in said(ask(scheme, signed(RSA, "RS512", aud=None)))
    assert "not accepted" in said(ask(JWT(key=SECRET, algorithms=["HS256"]), by_hand(
        {"alg": "HS512"}, claims(aud=None), digest="sha512"
    )))  # fmt: skip
    assert "signature" in said(ask(scheme, signed(OTHER_RSA, "RS256", aud=None)))


def test_keys_in_the_token_are_not_believed() -> None:
    """CVE-2018-0114: `jwk`, `jku` and `x5u` name the key of the attacker."""
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_RSA.public_key()))
    for extra in ({"jwk": own}, {"jku": "http://127.0.0.1:9/"}, {"x5u": "http://127.0.0.1:9/"}):
        token = jwt.encode(claims(aud=None), OTHER_RSA, "RS256", headers=extra)
        assert "signature" in said(ask(JWT(key=pem(RSA), algorithms=["RS256"]), token))


def test_critical_parameters_are_not_understood(client: Any) -> None:
    for extra in ({"crit": ["exp"]}, {"crit": ["b64"], "b64": True}, {"crit": []}):
        token = by_hand({"alg": "HS256", **extra}, claims())
        assert said(client.get("/token", headers=bearer(token))) in (
            "The token has critical header parameters.",
            "The token is malformed.",
        )
    token = by_hand({"alg": "HS256", "crit": ["b64"], "b64": False}, b"")
    said(client.get("/token", headers=bearer(token)))


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "x.y",
        "x.y.z",
        "..",
        "a.b.c.d.e",
        f"{part(b'{')}.{part({})}.x",
        f"{part([])}.{part({})}.x",
        f"{part(b'x' * 10)}.{part({})}.x",
        f"{part(chr(255).encode('latin-1'))}.{part({})}.x",
        f"{part({'alg': 'HS256', 'kid': 7})}.{part({})}.x",
        # Deeper than a parser that calls itself goes.
        f"{part(b'[' * 5000)}.{part({})}.x",
        part(b'{"alg":"HS256","x":' + b"[" * 2500 + b"]" * 2500 + b"}") + ".e30.x",
    ],
)
def test_what_is_no_token(client: Any, token: str) -> None:
    assert said(client.get("/token", headers=bearer(token))) == "The token is malformed."


def test_a_long_token_is_not_looked_at(client: Any) -> None:
    token = signed(padding="x" * 8192)
    assert said(client.get("/token", headers=bearer(token))) == "The token is too long."


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"7",
        b"null",
        b"{",
        b"\xff",
        b"[" * 5000,
        b'{"aud":"shop","exp":1e999}',
        b'{"aud":"shop","exp":' + b"9" * 5000 + b"}",
        b'{"aud":"shop","exp":"soon"}',
        b'{"aud":"shop","exp":null}',
        b'{"aud":"shop","exp":[]}',
        b'{"aud":"shop","exp":NaN}',
        b'{"aud":{},"exp":4102444800}',
        b'{"aud":[1],"exp":4102444800}',
        b'{"aud":"shop","exp":4102444800,"nbf":"x"}',
        b'{"aud":"shop","exp":4102444800,"iat":{}}',
        b'{"aud":"shop","exp":4102444800,"sub":7}',
        b'{"aud":"shop","exp":4102444800,"scope":["a"]}',
        b'{"aud":"shop","exp":4102444800,"jti":7}',
    ],
)
def test_claims_that_are_none_are_refused_though_signed(client: Any, payload: bytes) -> None:
    said(client.get("/token", headers=bearer(by_hand({"alg": "HS256"}, payload))))


# --- whose, for whom, when


def test_times(client: Any) -> None:
    now = time.time()

    def answer(**changes: Any) -> str:
        return said(client.get("/token", headers=bearer(signed(**changes))))

    assert answer(exp=now - 1) == "The token has expired."
    assert answer(exp=0) == "The token has expired."
    assert answer(nbf=now + 30) == "The token is not valid yet."
    assert answer(iat=now + 30) == "The token is not valid yet."
    assert answer(exp=None) == "The token lacks the claim exp."
    scheme = JWT(key=SECRET, algorithms=["HS256"], leeway=60)
    assert ask(scheme, signed(exp=now - 30, nbf=now + 30, aud=None)).status_code == 200
    assert "expired" in said(ask(scheme, signed(exp=now - 90, aud=None)))
    required = JWT(key=SECRET, algorithms=["HS256"], required=["exp", "jti"])
    assert said(ask(required, signed(aud=None))) == "The token lacks the claim jti."
    for_ever = JWT(key=SECRET, algorithms=["HS256"], required=[])
    assert ask(for_ever, signed(exp=None, aud=None)).status_code == 200
    assert "expired" in said(ask(for_ever, signed(exp=1, aud=None)))


def test_audiences_and_issuers(client: Any) -> None:
    somebody_else = "The token is for somebody else, or by somebody else."
    for audience in ("other", "Shop", "sho", ["other"], []):
        found = said(client.get("/token", headers=bearer(signed(aud=audience))))
        assert found in (somebody_else, "The token lacks the claim aud.")
    assert said(client.get("/token", headers=bearer(signed(aud=None)))) == (
        "The token lacks the claim aud."
    )
    assert client.get("/token", headers=bearer(signed(aud=["x", "shop"]))).text == "ann"
    # RFC 7519, section 4.1.3: who is not named does not take it.
    assert said(ask(JWT(key=SECRET, algorithms=["HS256"]), signed())) == somebody_else
    several = JWT(key=SECRET, algorithms=["HS256"], audience=["a", "b"], issuer=["i", "j"])
    assert ask(several, signed(aud="b", iss="j")).status_code == 200
    assert said(ask(several, signed(aud="b", iss="k"))) == somebody_else
    assert said(ask(several, signed(aud="b"))) == "The token lacks the claim iss."
    one = JWT(key=SECRET, algorithms=["HS256"], issuer="https://i/")
    assert ask(one, signed(aud=None, iss="https://i/")).status_code == 200
    for issuer in ("https://i", "https://", "h", ["https://i/"]):
        said(ask(one, by_hand({"alg": "HS256"}, claims(aud=None, iss=issuer))))


def test_types_of_tokens() -> None:
    scheme = JWT(key=SECRET, algorithms=["HS256"], token_type="at+jwt")
    for right in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert ask(scheme, by_hand({"alg": "HS256", "typ": right}, claims(aud=None))).is_success
    for header in ({"typ": "JWT"}, {}, {"typ": 7}, {"typ": None}):
        token = by_hand({"alg": "HS256", **header}, claims(aud=None))
        assert said(ask(scheme, token)) == "The token is of another type."


def test_several_keys_by_their_names() -> None:
    names = {"old": SECRET, "new": bytes(32)}
    scheme = JWT(key=names, algorithms=["HS256"])

    def token(key: bytes, **header: Any) -> str:
        return by_hand({"alg": "HS256", **header}, claims(aud=None), key=key)

    assert ask(scheme, token(SECRET, kid="old")).is_success
    assert ask(scheme, token(bytes(32), kid="new")).is_success
    assert "signature" in said(ask(scheme, token(SECRET, kid="new")))
    for header in ({}, {"kid": ""}, {"kid": "other"}):
        assert said(ask(scheme, token(SECRET, **header))) == (
            "The token is signed with an unknown key."
        )
    # The only key is meant where none is named; one without a name, whatever is named.
    assert ask(JWT(key={"old": SECRET}, algorithms=["HS256"]), token(SECRET)).is_success
    assert "unknown" in said(
        ask(JWT(key={"old": SECRET}, algorithms=["HS256"]), token(SECRET, kid="x"))
    )
    assert ask(JWT(key=SECRET, algorithms=["HS256"]), token(SECRET, kid="x")).is_success
    # Each key is of its own kind, and verifies nothing else.
    mixed = JWT(key={"r": pem(RSA), "e": pem(P256)}, algorithms=["RS256", "ES256"])
    as_r = jwt.encode(claims(aud=None), P256, "ES256", headers={"kid": "r"})
    assert "unknown" in said(ask(mixed, as_r))
    as_e = jwt.encode(claims(aud=None), P256, "ES256", headers={"kid": "e"})
    assert ask(mixed, as_e).is_success


# --- types of claims


class UserClaims(Claims):
    roles: list[str]


class Model(pydantic.BaseModel):
    sub: str = pydantic.Field(min_length=2)


def test_claims_are_of_their_type() -> None:
    scheme = JWT(key=SECRET, algorithms=["HS256"], type=UserClaims)
    found = ask(scheme, signed(aud=None, roles=["a"])).json()
    assert (found["sub"], found["roles"]) == ("ann", ["a"])
    wrong = "The claims of the token are not what they must be."
    assert said(ask(scheme, signed(aud=None))) == wrong
    assert said(ask(scheme, signed(aud=None, roles="a"))) == wrong
    scheme = JWT(key=SECRET, algorithms=["HS256"], type=Model)
    assert ask(scheme, signed(aud=None)).json() == {"sub": "ann"}
    assert said(ask(scheme, signed(aud=None, sub="a"))) == wrong
    scheme = JWT(key=SECRET, algorithms=["HS256"], type=dict[str, str | float])
    assert ask(scheme, signed(aud=None)).json()["sub"] == "ann"
    assert said(ask(scheme, signed(aud=None, x=[]))) == wrong
    plain = ask(JWT(key=SECRET, algorithms=["HS256"]), signed(aud=None, x=[])).json()
    assert plain["x"] == []


def test_it_need_not_be_there() -> None:
    client = asker(JWT(key=SECRET, algorithms=["HS256"], optional=True))
    assert client.get("/").json() is None
    assert said(client.get("/", headers=bearer("x.y.z"))) == "The token is malformed."


# --- mistakes


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"algorithms": []}, "algorithms names at least one"),
        ({"algorithms": ["none"]}, "'none' is none of HS256"),
        ({"algorithms": ["HS1"]}, "'HS1' is none of HS256"),
        ({"algorithms": ["RS256"], "key": "x"}, "the key is none of RS256"),
        ({"algorithms": ["RS256"], "key": pem(P256)}, "the key is none of RS256"),
        ({"algorithms": ["ES256"], "key": pem(P384)}, "the key is none of ES256"),
        ({"algorithms": ["ES256", "ES384"], "key": pem(P384)}, "the key is none of ES256"),
        ({"algorithms": ["HS256"], "key": ""}, "the key (is none )?of HS256"),
        ({"algorithms": ["HS256"], "key": 7}, "the key is none of HS256"),
        ({"algorithms": ["HS256"], "key": {}}, "from 1 to 100 keys by their names, not 0"),
        ({"algorithms": ["ES256"], "key": {"a": pem(RSA)}}, "the key is none of ES256"),
        ({"leeway": -1}, "leeway is from 0 to 600 seconds, not -1"),
        ({"leeway": 86400}, "leeway is from 0 to 600 seconds"),
        ({"audience": []}, "audience is a name or a list of names"),
        ({"issuer": ""}, "issuer is a name or a list of names"),
    ],
)
def test_mistakes_are_said(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        JWT(**{"algorithms": ["HS256"], "key": SECRET, **options})


def test_other_mistakes_are_said() -> None:
    with pytest.raises(TypeError, match=r"a list of texts, as \['HS256'\]"):
        JWT(key=SECRET, algorithms="HS256")
    with pytest.raises(TypeError, match="either key= or jwks_url="):
        JWT(algorithms=["HS256"])
    with pytest.raises(TypeError, match="either key= or jwks_url="):
        JWT(algorithms=["HS256"], key=SECRET, jwks_url="https://x/")
    with pytest.raises(TypeError, match="one that msgspec or pydantic knows, not <class 'object'>"):
        JWT(key=SECRET, algorithms=["HS256"], type=object)
    small = rsa.generate_private_key(65537, 1024)
    with pytest.raises(ValueError, match="has 1024 bits, not 2048"):
        JWT(key=pem(small), algorithms=["RS256"])


def test_digests_are_those_of_the_test() -> None:
    """What `by_hand` makes is what PyJWT makes: it forges what would be valid."""
    text = json.dumps(claims(), separators=(",", ":")).encode()
    header = json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode()
    assert by_hand(header, text) == jwt.encode(json.loads(text), SECRET, "HS256")
