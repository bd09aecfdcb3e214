"""botocore's signer and the gateway's agree about requests of every form; one that was changed is
refused.

Random requests, of one seed: keys, queries and header values with every awkward character, signed
by header and by query, with and without a session token. SEED and CASES of the environment
(TERCEL_ORACLE_SEED, TERCEL_ORACLE_CASES) make others, or more.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

import tercel.s3
from support.http1 import RawClient, Response
from support.s3_gateway import Front, backend
from support.s3_origin import KEY, Origin, Seen

botocore_auth = pytest.importorskip(
    "botocore.auth", reason="botocore is missing: tools/deps.sh --test installs it"
)
from botocore.awsrequest import AWSRequest  # noqa: E402 - there is botocore.
from botocore.credentials import Credentials  # noqa: E402

SEED = int(os.environ.get("TERCEL_ORACLE_SEED", "20261127"))
CASES = int(os.environ.get("TERCEL_ORACLE_CASES", "400"))

# By access key: the secret and the session token.
KEYS = {
    "AKIAORACLE": ("the secret/of+oracle", None),
    "team/a/key": ("s" * 64, None),
    "ASIATOKEN": ("another secret", "token/with+signs==&more"),
}
# Of each kind more than one: of a URL, of a query, of XML, of other encodings, of folders.
PIECES = [
    *"abcXYZ019-._~",
    *" +%&=?#;:,@!$'()*\"<>[]{}|\\^`/",
    "//",
    "..",
    "/./",
    "%2F",
    "%20",
    "\u00fc",
    "u\u0308",
    "\u65e5\u672c",
    "\U0001f600",
    "\u2028",
]
VALUES = [
    *string.ascii_letters,
    *string.digits,
    *" ,;:/=+&%\"'()<>@[]{}~\t",
    "  ",
    "\u00fc",
    "\u65e5",
]
OTHER_NAMES = ["content-type", "cache-control", "range", "if-none-match", "x-custom", "content-md5"]
METHODS = ["GET", "PUT", "HEAD", "DELETE"]


@dataclass(frozen=True)
class Request:
    """A request as it is sent: text of the target, header fields in their order, a body."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())

    def with_header(self, name: str, value: str | None) -> Request:
        """Has the field be `value`, or not be there."""
        kept = tuple(one for one in self.headers if one[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    def raw(self) -> bytes:
        head = [f"{self.method} {self.target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method == "PUT":
            head.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


class Maker:
    """Makes requests of one seed; with `repeats`, a parameter or a field may be there twice."""

    def __init__(self, host: str, seed: int, *, repeats: bool = True) -> None:
        self.host = host
        self.repeats = repeats
        self.random = random.Random(seed)

    def text(self, pieces: list[str], most: int) -> str:
        return "".join(self.random.choices(pieces, k=self.random.randint(1, most)))

    def target(self) -> str:
        """Canonical: this is how SDKs write what they sign."""
        query = [
            f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}"
            for name, value in self.pairs()
        ]
        path = f"/bucket/{quote(self.text(PIECES, 12), safe='/-._~')}"
        return path + ("?" + "&".join(query) if query else "")

    def pairs(self) -> list[tuple[str, str]]:
        """Of names that S3 knows anywhere, and of those that mean nothing to it."""
        pairs = []
        if self.random.random() < 0.3:
            pairs.append(("response-content-type", self.text(PIECES, 6)))
        if self.random.random() < 0.3:
            pairs.append(("prefix", self.text(PIECES, 6)))
        for _ in range(self.random.randint(0, 3)):
            value = "" if self.random.random() < 0.2 else self.text(PIECES, 6)
            pairs.append(("x-" + self.text(PIECES, 5), value))
        if not self.repeats:
            pairs = list(dict(pairs).items())
        self.random.shuffle(pairs)
        return pairs

    def header_fields(self) -> list[tuple[str, str]]:
        names = [
            f"x-amz-meta-{self.text(list('abc-9'), 6)}" for _ in range(self.random.randint(0, 3))
        ]
        names += self.random.sample(OTHER_NAMES[:-1], self.random.randint(0, 2))
        fields = [
            (name, self.text(VALUES, 12).strip(" \t") or "v") for name in dict.fromkeys(names)
        ]
        if (
            self.repeats and fields and self.random.random() < 0.2
        ):  # The same name twice is one value of both.
            fields.append((fields[0][0], self.text(VALUES, 4).strip(" \t") or "w"))
        return fields

    def unsigned(self, method: str | None = None) -> Request:
        method = method or self.random.choice(METHODS)
        body = self.random.randbytes(self.random.randint(0, 40)) if method == "PUT" else b""
        return Request(method, self.target(), tuple(self.header_fields()), body)

    def signed(self, access_key: str, *, presigned: bool = False) -> Request:
        """As botocore signs it for S3."""
        request = self.unsigned()
        secret, token = KEYS[access_key]
        # botocore takes the body of a request that it presigns for a form.
        theirs = AWSRequest(
            request.method,
            f"http://{self.host}{request.target}",
            data=None if presigned else request.body or None,
        )
        for name, value in request.headers:
            theirs.headers.add_header(name, value)
        credentials = Credentials(access_key, secret, token)
        region = self.random.choice(["us-east-1", "eu-de"])
        if presigned:
            expires = self.random.choice([60, 3600, 604800])
            botocore_auth.S3SigV4QueryAuth(credentials, "s3", region, expires).add_auth(theirs)
        else:
            botocore_auth.S3SigV4Auth(credentials, "s3", region).add_auth(theirs)
        parts = urlsplit(theirs.url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        fields = [("Host", self.host), *theirs.headers.items()]
        # A presigned URL is for the fields that it was signed with; botocore leaves some out.
        return replace(request, target=target, headers=tuple(fields))

    def same_in_other_words(self, request: Request) -> Request:
        """What is encoded or not without need in path and query is the same key and value."""
        path, mark, query = request.target.partition("?")
        return replace(request, target=self.encode_more(path) + mark + self.encode_more(query))

    def encode_more(self, text: str) -> str:
        def other(found: re.Match[str]) -> str:
            escape = found[0]
            if escape.startswith("%"):
                return escape.lower() if self.random.random() < 0.5 else escape
            return f"%{ord(escape):02x}" if self.random.random() < 0.2 else escape

        return re.sub(r"%[0-9A-F]{2}|[A-Za-z0-9._~-]", other, text)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as one:
        yield one


def secret_for(access_key: str) -> Any:
    secret, token = KEYS[access_key]
    return tercel.s3.FrontKey(secret, session_token=token)


@pytest.fixture(scope="module")
def front(origin: Origin) -> Iterator[Front]:
    """Denies everything: that it does so says that the signature is right."""
    denial = tercel.s3.Decision(False, scope="bucket", ttl=600)
    with Front(
        {"*": backend(origin)},
        secret_for=secret_for,
        authorize=lambda request: denial,
        settings={"access_log": False},
    ) as one:
        yield one


class Asker:
    """Asks on one connection as long as there is one."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._client: RawClient | None = None

    def __call__(self, request: Request) -> Response:
        if self._client is None:
            self._client = self._front.connect()
        self._client.send(request.raw())
        response = self._client.response(head=request.method == "HEAD")
        if request.body or response.get("connection") == "close":
            self.close()
        return response

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


@pytest.fixture
def ask(front: Front) -> Iterator[Asker]:
    asker = Asker(front)
    yield asker
    asker.close()


def believed(front: Front, ask: Asker, request: Request) -> bool:
    """Whether the policy was what denied it."""
    before = front.gateway.counts()["denied"]
    response = ask(request)
    assert response.status >= 400, (request, response)
    denied = front.gateway.counts()["denied"] > before
    assert not denied or response.status == 403
    return denied


def cases(front: Front, presigned: bool) -> Iterator[tuple[Maker, Request]]:
    for number in range(CASES):
        maker = Maker(front.host, SEED * 1_000_003 + number)
        access_key = maker.random.choice(list(KEYS))
        yield maker, maker.signed(access_key, presigned=presigned)


@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
def test_what_botocore_signs_is_right(front: Front, ask: Asker, presigned: bool) -> None:
    for _, request in cases(front, presigned):
        assert believed(front, ask, request), (request, ask(request))


@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
def test_the_same_in_another_encoding_is_right(front: Front, ask: Asker, presigned: bool) -> None:
    for maker, request in cases(front, presigned):
        other = maker.same_in_other_words(request)
        assert believed(front, ask, other), (request, other, ask(other))


# --- what was changed on the way


def other_digit(text: str, place: int) -> str:
    return text[:place] + ("1" if text[place] == "0" else "0") + text[place + 1 :]


def change_signature(maker: Maker, request: Request) -> Request:
    if "X-Amz-Signature=" in request.target:
        at = request.target.index("X-Amz-Signature=") + 16 + maker.random.randrange(64)
        return replace(request, target=other_digit(request.target, at))
    value = request.header("Authorization")
    at = len(value) - 1 - maker.random.randrange(64)
    return request.with_header("Authorization", other_digit(value, at))


def change_method(maker: Maker, request: Request) -> Request:
    other = maker.random.choice([one for one in METHODS if one != request.method])
    return replace(request, method=other, body=b"")


def change_key(maker: Maker, request: Request) -> Request:
    path, mark, query = request.target.partition("?")
    return replace(request, target=path + maker.random.choice("axy/.") + mark + query)


def change_bucket(_: Maker, request: Request) -> Request:
    return replace(request, target=request.target.replace("/bucket/", "/another/", 1))


def add_parameter(maker: Maker, request: Request) -> Request:
    path, mark, query = request.target.partition("?")
    more = maker.random.choice(["x-more=1", "delimiter=%2F", "versionId=1", "x-id="])
    return replace(request, target=path + "?" + more + ("&" if mark else "") + query)


def change_parameter(maker: Maker, request: Request) -> Request:
    path, mark, query = request.target.partition("?")
    parts = query.split("&") if mark else []
    if not parts:
        return add_parameter(maker, request)
    at = maker.random.randrange(len(parts))
    parts[at] += "0"
    return replace(request, target=path + "?" + "&".join(parts))


def drop_parameter(maker: Maker, request: Request) -> Request:
    path, mark, query = request.target.partition("?")
    parts = query.split("&") if mark else []
    if not parts:
        return add_parameter(maker, request)
    del parts[maker.random.randrange(len(parts))]
    return replace(request, target=path + ("?" + "&".join(parts) if parts else ""))


def signed_names(request: Request) -> list[str]:
    if "X-Amz-SignedHeaders=" in request.target:
        query = dict(parse_qsl(urlsplit(request.target).query))
        return query["X-Amz-SignedHeaders"].split(";")
    found = re.search(r"SignedHeaders=([^,]+)", request.header("Authorization"))
    assert found is not None
    return found[1].split(";")


def change_header(maker: Maker, request: Request) -> Request:
    name = maker.random.choice(signed_names(request))
    return request.with_header(name, request.header(name) + "0")


def drop_header(maker: Maker, request: Request) -> Request:
    names = [name for name in signed_names(request) if name != "host"]
    return (
        request.with_header(maker.random.choice(names), None)
        if names
        else change_key(maker, request)
    )


def add_header(maker: Maker, request: Request) -> Request:
    """S3 reads each x-amz- field, so that none may come on the way."""
    name = maker.random.choice(["x-amz-meta-more", "x-amz-acl", "x-amz-tagging"])
    return request.with_header(name, "1")


def change_host(_: Maker, request: Request) -> Request:
    return request.with_header("Host", "localhost:" + request.header("Host").split(":")[1])


def change_scope(maker: Maker, request: Request) -> Request:
    """Signed for one region, said to be for another one."""
    old, new = (("us-east-1", "us-west-1"), ("eu-de", "eu-fr"))[
        "eu-de" in request.target or "/eu-de/" in str(request.headers)
    ]
    if "X-Amz-Credential=" in request.target:
        return replace(request, target=request.target.replace(f"%2F{old}%2F", f"%2F{new}%2F"))
    value = request.header("Authorization")
    return request.with_header("Authorization", value.replace(f"/{old}/", f"/{new}/"))


def change_owner(_: Maker, request: Request) -> Request:
    """Another client's access key."""
    for old, new in (
        ("AKIAORACLE", "ASIATOKEN"),
        ("team/a/key", "AKIAORACLE"),
        ("ASIATOKEN", "team/a/key"),
    ):
        if quote(old, safe="") in request.target:
            return replace(
                request, target=request.target.replace(quote(old, safe=""), quote(new, safe=""))
            )
        if "Credential=" + old in str(request.headers):
            value = request.header("Authorization")
            return request.with_header("Authorization", value.replace(old, new))
    raise AssertionError(request)


CHANGES: list[Callable[[Maker, Request], Request]] = [
    change_signature,
    change_method,
    change_key,
    change_bucket,
    add_parameter,
    change_parameter,
    drop_parameter,
    change_header,
    drop_header,
    add_header,
    change_host,
    change_scope,
    change_owner,
]


@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_was_changed_is_refused(
    front: Front, ask: Asker, change: Callable[[Maker, Request], Request], presigned: bool
) -> None:
    for number, (maker, request) in enumerate(cases(front, presigned)):
        if number == CASES // 4:
            break
        other = change(maker, request)
        assert other != request
        assert not believed(front, ask, other), (request, other)


# --- our own signatures


def test_links_are_those_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now.replace(tzinfo=None))
    for number in range(CASES):
        maker = Maker("s3.test:9000", SEED + number, repeats=False)
        request = maker.unsigned()
        headers = {
            name: value
            for name, value in request.headers
            if value.isascii()
            and value.isprintable()
            and (name.startswith("x-amz-meta-") or name == "range")
        }
        access_key = maker.random.choice(list(KEYS))
        secret, token = KEYS[access_key]
        url = f"https://s3.test:9000{request.target}"
        theirs = AWSRequest(request.method, url, headers=headers)
        botocore_auth.S3SigV4QueryAuth(
            Credentials(access_key, secret, token), "s3", "eu-de", expires=60
        ).add_auth(theirs)
        ours = tercel.s3.presign(
            request.method,
            url,
            credentials=tercel.s3.Hmac(access_key, secret, token),
            region="eu-de",
            expires_s=60,
            headers=headers,
            now=now,
        )
        found, expected = (
            sorted(parse_qsl(urlsplit(one).query, keep_blank_values=True))
            for one in (ours, theirs.url)
        )
        assert found == expected, request
        assert urlsplit(ours)[:3] == urlsplit(url)[:3]


def signature_by_botocore(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a request that came to a backend, with the fields that it says are signed."""
    stamp = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: stamp)
    names = re.search(r"SignedHeaders=([^,]+)", seen.headers["authorization"])
    assert names is not None
    request = AWSRequest(seen.method, f"http://{seen.headers['host']}{seen.target}", data=seen.body)
    for name in names[1].split(";"):
        if name not in ("host", "x-amz-date", "x-amz-content-sha256"):
            request.headers[name] = seen.headers[name].encode("latin-1").decode()
    botocore_auth.S3SigV4Auth(Credentials(KEY.access_key, KEY.secret), "s3", KEY.region).add_auth(
        request
    )
    return str(request.headers["Authorization"]).rpartition("=")[2]


def test_what_goes_to_a_backend_is_signed_as_by_botocore(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow = tercel.s3.Decision(True, scope="bucket", ttl=600)
    with Front(
        {"*": backend(origin)},
        secret_for=secret_for,
        authorize=lambda request: allow,
        settings={"access_log": False},
    ) as front:
        for number in range(CASES // 4):
            maker = Maker(front.host, SEED + number, repeats=False)
            request = maker.signed("ASIATOKEN", presigned=number % 2 == 0)
            origin.seen.clear()
            asker = Asker(front)
            response = asker(request)
            asker.close()
            assert len(origin.seen) == 1, (request, response)
            seen = origin.seen[0]
            monkeypatch.undo()
            payload = seen.headers["x-amz-content-sha256"]
            if payload == hashlib.sha256(seen.body).hexdigest():
                said = seen.headers["authorization"].rpartition("=")[2]
                assert said == signature_by_botocore(seen, monkeypatch), (request, seen)
            monkeypatch.undo()
            path, _, query = request.target.partition("?")
            assert seen.target.partition("?")[0] == path
            kept = [
                pair
                for pair in parse_qsl(query, keep_blank_values=True)
                if not pair[0].startswith("X-Amz-")
            ]
            sent = parse_qsl(seen.target.partition("?")[2], keep_blank_values=True)
            assert sorted(sent) == sorted(kept), (request, seen)
            assert seen.signed_by == KEY.access_key
