"""Buckets that need no signature: what is let through, and that nothing else ever is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.http1 import RawClient, Response
from support.s3_gateway import ALICE, Front, backend, error_code, origin_fixture, raw_request
from support.s3_origin import KEY, Origin
from support.server import ServerThread
from support.sigv4 import Key, presign, sign
from tercel.s3 import Backend, FrontKey, Hmac
from tercel.s3.file import FileGateway

origin = origin_fixture(b"kept")


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    buckets = {
        "open": backend(origin, bucket="back", anonymous="read"),
        "drop": backend(origin, bucket="back", anonymous=["PutObject", "list"]),
        "closed": backend(origin, bucket="back"),
    }
    with Front(buckets) as one:
        yield one


def bare(front: Front, method: str, target: str, body: bytes | None = None, **fields: str) -> Any:
    head = {"Host": front.host} | {name.replace("_", "-"): text for name, text in fields.items()}
    if body is not None:
        head["content-length"] = str(len(body))
    return front.send_raw(method, target, head, body)


def test_reads_need_no_signature_and_are_signed_for_the_backend(
    front: Front, origin: Origin
) -> None:
    assert bare(front, "GET", "/open/key", range="bytes=0-1").body == b"kept"
    assert bare(front, "HEAD", "/open/key").status == 200
    assert [one.signed_by for one in origin.seen] == [KEY.access_key] * 2
    assert origin.seen[0].headers["range"] == "bytes=0-1"
    assert [(one.identity, one.access_key, one.operation) for one in front.asked] == [
        ("", "", "GetObject"),
        ("", "", "HeadObject"),
    ]
    assert not front.keys_asked
    # Those who sign are who they are.
    assert front.send("GET", "/open/key").body == b"kept"
    assert front.asked[-1].identity == ALICE.access_key


def test_nothing_else_is_let_through(front: Front, origin: Origin) -> None:
    for method, target in (
        ("PUT", "/open/key"),
        ("DELETE", "/open/key"),
        ("POST", "/open/key?uploads"),
        ("POST", "/open?delete"),
        ("PUT", "/open/key?acl"),
        ("GET", "/open/key?acl"),
        ("GET", "/open"),
        ("GET", "/open?list-type=2"),
        ("GET", "/open?policy"),
        ("GET", "/open/key?versionId=1"),
        ("GET", "/closed/key"),
        ("HEAD", "/closed/key"),
        ("GET", "/drop/key"),
        ("GET", "/"),
    ):
        response = bare(front, method, target, b"" if method in ("PUT", "POST") else None)
        assert response.status == 403, (method, target)
        if method != "HEAD":
            assert error_code(response) == "AccessDenied", (method, target)
    assert bare(front, "GET", "/open/key?xversions").status == 501
    assert not origin.seen
    assert not front.asked


def test_a_signature_that_is_wrong_is_never_taken_for_none(front: Front, origin: Origin) -> None:
    target, host = "/open/key", front.host
    good = sign("GET", target, host, ALICE)
    for fields, code in (
        (sign("GET", target, host, Key("alice", "guessed")), "SignatureDoesNotMatch"),
        (sign("GET", target, host, Key("nobody", "guessed")), "InvalidAccessKeyId"),
        (good | {"authorization": "AWS4-HMAC-SHA256 garbage"}, "AuthorizationHeaderMalformed"),
        (good | {"authorization": ""}, "InvalidArgument"),
        (good | {"authorization": "Basic YTpi"}, "InvalidArgument"),
        (good | {"authorization": "AWS alice:sig"}, "InvalidRequest"),
    ):
        fields = {name.lower(): text for name, text in fields.items()}
        assert error_code(front.send_raw("GET", target, fields)) == code, fields
    link = presign("GET", target, host, ALICE)
    for wrong, code in (
        (link[:-1] + ("0" if link[-1] != "0" else "1"), "SignatureDoesNotMatch"),
        (link.replace("X-Amz-Expires", "X-Amz-Expire"), "AuthorizationQueryParametersError"),
        (link.partition("&X-Amz-Signature")[0], "AuthorizationQueryParametersError"),
        (f"{target}?X-Amz-Date=20270101T000000Z", "AccessDenied"),
        (f"{target}?x-amz-signature=00", "AccessDenied"),
        (f"{target}?x%2Damz-credential=alice", "AccessDenied"),
        (f"{target}?AWSAccessKeyId=alice&Signature=a&Expires=1", "InvalidRequest"),
        (f"{target}?response-content-type=text%2Fhtml", "InvalidRequest"),
    ):
        assert error_code(front.send_raw("GET", wrong, {"Host": host})) == code, wrong
    assert not origin.seen
    assert not front.asked


def test_authorize_has_the_last_word(origin: Origin) -> None:
    buckets = {"open": backend(origin, bucket="back", anonymous="read")}
    with Front(buckets, authorize=lambda request: request.identity != "") as front:
        assert error_code(bare(front, "GET", "/open/key")) == "AccessDenied"
        assert front.send("GET", "/open/key").body == b"kept"
        assert error_code(bare(front, "GET", "/open/key")) == "AccessDenied"
    assert len(origin.seen) == 1


def test_writes_are_let_through_where_they_are_named(front: Front, origin: Origin) -> None:
    assert bare(front, "PUT", "/drop/new", b"left here").status == 200
    assert origin.objects["/back/new"] == b"left here"
    assert error_code(bare(front, "DELETE", "/drop/new")) == "AccessDenied"
    copied = bare(front, "PUT", "/drop/copy", b"", x_amz_copy_source="/closed/key")
    assert error_code(copied) == "AccessDenied"


def test_credentials_are_asked_for_nobody(origin: Origin) -> None:
    buckets = {"open": backend(origin, key=None, bucket="back", anonymous="read")}
    lend = lambda bucket, identity: Hmac(KEY.access_key, KEY.secret)  # noqa: E731
    with Front(buckets, credentials=lend) as front:
        assert bare(front, "GET", "/open/key").body == b"kept"
        assert front.credentials_asked == [("open", "")]


def test_policies_of_a_file_are_asked(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", KEY.secret)
    origin.objects["/back/pub/key"] = b"public"
    file = tmp_path / "s3.toml"
    file.write_text(
        f"""
        [buckets.open]
        endpoint = "{origin.url}"
        bucket = "back"
        anonymous = "read"
        access_key = "{KEY.access_key}"
        secret_key = {{ env = "T" }}
        [identities.alice]
        secret = {{ env = "T" }}
        [[policies]]
        allow = true
        bucket = "open"
        prefix = "pub/"
        [[policies]]
        allow = true
        identity = "alice"
        """
    )
    with (
        ServerThread(FileGateway(str(file)), io_threads=1) as server,
        RawClient(server.address) as client,
    ):
        host = f"127.0.0.1:{server.address[1]}"

        def get(path: str, fields: dict[str, str]) -> Response:
            client.send(raw_request("GET", path, fields))
            return client.response()

        assert get("/open/pub/key", {"Host": host}).body == b"public"
        assert error_code(get("/open/key", {"Host": host})) == "AccessDenied"
        alice = sign("GET", "/open/key", host, Key("alice", KEY.secret))
        assert get("/open/key", alice).body == b"kept"


@pytest.mark.parametrize(
    ("anonymous", "sentence"),
    [
        ("reed", "is of read, list and names of operations, not 'reed' (did you mean read?)"),
        (["read", "PutBucketPolicy"], "has 'PutBucketPolicy', which nobody may do without"),
        ("DeleteObjects", "has 'DeleteObjects', which nobody may do without a signature"),
        ("ListBuckets", "has 'ListBuckets', which nobody may do without a signature"),
        (True, "anonymous of Backend is a text or a list of texts, not True"),
        ([5], "anonymous of Backend is a text or a list of texts, not [5]"),
    ],
)
def test_mistakes(anonymous: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Backend("http://h", anonymous=anonymous)
    assert sentence in str(caught.value)


def test_no_signed_identity_is_nobody() -> None:
    with pytest.raises(ValueError, match="is that of requests without a signature"):
        FrontKey("secret", identity="")
