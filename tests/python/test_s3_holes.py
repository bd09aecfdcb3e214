"""What other gateways let through: each is refused here before it is asked about or forwarded.

The holes are those of an existing gateway, by number, in the order in which they were listed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import tercel.s3
from support.fixtures import ServeProcess
from support.processes import SANITIZED, private_bytes
from support.s3_gateway import (
    ALICE,
    BOB,
    Front,
    backend,
    error_code,
    fields_of,
    raw_request,
)
from support.s3_origin import KEY, Origin
from support.sigv4 import UNSIGNED, Key, chunked, presign, sign
from support.tls import Authority

FORGED = Key(ALICE.access_key, "not her secret")
MINUTE = 60.0


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as one:
        one.objects["/back/key"] = b"what is kept"
        yield one


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    with Front({"front": backend(origin, bucket="back"), "*": backend(origin)}) as one:
        yield one


def assert_untouched(front: Front, origin: Origin) -> None:
    """Neither the operator was asked whether it may be, nor did the backend hear of it."""
    assert front.asked == []
    assert front.credentials_asked == []
    assert origin.seen == []
    assert origin.connections == 0


# --- 1 to 5: no request without a valid signature


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("signed", ["forged", "unsigned"])
def test_expect_continue_is_no_way_round_the_signature(
    front: Front, origin: Origin, method: str, signed: str
) -> None:
    target = "/front/key" if method == "PUT" else "/front/key?uploads"
    body = b"a body" if method == "PUT" else b""
    if signed == "forged":
        fields = fields_of(method, target, front.host, body, key=FORGED)
    else:
        fields = {"host": front.host, "content-length": str(len(body))}
    with front.connect() as client:
        client.send(raw_request(method, target, {**fields, "expect": "100-continue"}))
        response = client.response()
    assert response.status == 403
    assert response.interim == []
    assert_untouched(front, origin)


@pytest.mark.parametrize("query", ["uploadId=1", "xuploadId=1", "a=uploadId=", "uploads&uploadId="])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_query_is_no_way_round_the_signature(
    front: Front, origin: Origin, method: str, query: str
) -> None:
    target = f"/front/key?{query}"
    forged = front.send(method, target, body=b"x" if method == "PUT" else None, key=FORGED)
    assert forged.status in (403, 501)  # What is no operation is none for anybody.
    assert front.send_raw(method, target, {"host": front.host}).status in (403, 501)
    assert_untouched(front, origin)


@pytest.mark.parametrize("missing", ["authorize", "secret_for"])
def test_there_is_no_gateway_without_a_check(origin: Origin, missing: str) -> None:
    options: dict[str, Any] = {"secret_for": {"a": "b"}, "authorize": lambda request: True}
    with pytest.raises(TypeError):
        tercel.s3.Gateway({"*": backend(origin)}, **{**options, missing: None})
    del options[missing]
    with pytest.raises(TypeError):
        tercel.s3.Gateway({"*": backend(origin)}, **options)


# What is signed right and refused all the same: options of sign(), the code, and whether the secret
# has to be known for that.
NOT_NOW = {
    "16 minutes old": ({"at": -16 * MINUTE}, "RequestTimeTooSkewed"),
    "of last week, again": ({"at": -7 * 24 * 60 * MINUTE}, "RequestTimeTooSkewed"),
    "16 minutes early": ({"at": 16 * MINUTE}, "RequestTimeTooSkewed"),
    "the scope of another day": ({"date": "20200101"}, "AuthorizationHeaderMalformed"),
}


@pytest.mark.parametrize("case", NOT_NOW)
def test_a_signature_of_another_time_is_refused(front: Front, origin: Origin, case: str) -> None:
    options, code = NOT_NOW[case]
    if "at" in options:
        options = {"at": time.time() + options["at"]}
    response = front.send("GET", "/front/key", **options)
    assert error_code(response) == code
    assert front.keys_asked == []
    assert_untouched(front, origin)


@pytest.mark.parametrize(
    ("seconds", "expires", "text"),
    [
        (-61, 60, b"Request has expired"),
        (-8 * 86400, 604800, b"Request has expired"),
        (16 * 60, 60, b"Request is not valid yet"),
        (0, 604801, b"week"),
        (0, -1, b""),
    ],
)
def test_a_presigned_url_ends(
    front: Front, origin: Origin, seconds: float, expires: int, text: bytes
) -> None:
    response = front.send_presigned("GET", "/front/key", expires=expires, at=time.time() + seconds)
    assert response.status in (400, 403)
    assert text in response.body
    assert front.keys_asked == []
    assert_untouched(front, origin)


def test_a_presigned_url_is_replayed_until_it_ends_and_not_after(
    front: Front, origin: Origin
) -> None:
    target = presign("GET", "/front/key", front.host, ALICE, expires=3, at=time.time() - 1)
    fields = {"Host": front.host}
    assert front.send_raw("GET", target, fields).body == b"what is kept"
    assert front.send_raw("GET", target, fields).body == b"what is kept"
    forwarded = len(origin.seen)
    time.sleep(3.1)
    replayed = front.send_raw("GET", target, fields)
    assert (replayed.status, error_code(replayed)) == (403, "AccessDenied")
    assert len(origin.seen) == forwarded


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (Key("alice", "her secret", region="eu-west-1"), "AuthorizationHeaderMalformed"),
        (Key("alice", "her secret", service="sts"), "AuthorizationHeaderMalformed"),
    ],
    ids=["region", "service"],
)
def test_a_signature_for_another_scope_is_refused(origin: Origin, key: Key, code: str) -> None:
    with Front({"*": backend(origin)}, region="us-east-1") as front:
        assert error_code(front.send("GET", "/front/key", key=key)) == code
        assert front.keys_asked == []
        assert_untouched(front, origin)


def flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def tampered(front: Front, what: str) -> tuple[str, str, dict[str, str], bytes]:
    """A PUT of ALICE's that somebody changed on its way."""
    method, target, body = "PUT", "/front/key?tagging", b"<Tagging/>"
    meta = {"x-amz-meta-a": "1", "content-type": "text/xml"}
    fields = fields_of(method, target, front.host, body, headers=meta)
    changes: dict[str, tuple[str, str, dict[str, str]]] = {
        "method": ("GET", target, {}),
        "key": (method, "/front/other?tagging", {}),
        "bucket": (method, "/other/key?tagging", {}),
        "query": (method, "/front/key?acl", {}),
        "more query": (method, "/front/key?tagging&versionId=1", {}),
        "host": (method, target, {"host": f"localhost:{front.port}"}),
        "a signed field": (method, target, {"content-type": "text/html"}),
        "an unsigned x-amz field": (method, target, {"x-amz-acl": "public-read"}),
        "the payload's hash": (method, target, {"x-amz-content-sha256": UNSIGNED}),
        "the time": (method, target, {"x-amz-date": flip(fields["x-amz-date"][:-1]) + "Z"}),
        "the signature": (method, target, {"authorization": flip(fields["authorization"])}),
        "the access key": (
            method,
            target,
            {"authorization": fields["authorization"].replace("alice/", "bob/")},
        ),
    }
    method, target, changed = changes[what]
    return method, target, {**fields, **changed}, body


@pytest.mark.parametrize(
    "what",
    [
        "method",
        "key",
        "bucket",
        "query",
        "more query",
        "host",
        "a signed field",
        "an unsigned x-amz field",
        "the payload's hash",
        "the time",
        "the signature",
        "the access key",
    ],
)
def test_what_was_changed_on_its_way_is_refused(front: Front, origin: Origin, what: str) -> None:
    response = front.send_raw(*tampered(front, what))
    assert response.status in (400, 403)
    assert error_code(response) in ("SignatureDoesNotMatch", "AccessDenied")
    assert_untouched(front, origin)
    assert front.gateway.counts()["refused"] == 1


def test_an_unknown_key_is_asked_for_once_and_goes_nowhere(front: Front, origin: Origin) -> None:
    for _ in range(3):
        response = front.send("GET", "/front/key", key=Key("mallory", "her secret"))
        assert error_code(response) == "InvalidAccessKeyId"
    assert front.keys_asked == ["mallory"]
    assert_untouched(front, origin)


def test_a_session_token_is_part_of_the_key(origin: Origin) -> None:
    held = tercel.s3.FrontKey("her secret", session_token="the token")
    with Front({"*": backend(origin)}, secret_for=lambda access_key: held) as front:
        for token in (None, "another token"):
            key = Key("alice", "her secret", token=token)
            assert error_code(front.send("GET", "/back/key", key=key)) == "InvalidToken"
        assert_untouched(front, origin)
        right = Key("alice", "her secret", token="the token")
        assert front.send("GET", "/back/key", key=right).body == b"what is kept"
        assert "x-amz-security-token" not in origin.seen[0].headers


# --- 6 and 7: what is known of one is not for another


def test_credentials_of_one_identity_do_not_serve_another() -> None:
    of_alice, of_bob = Key("ALICES", "a backend secret"), Key("BOBS", "another one")
    lent = {"alice": of_alice, "bob": of_bob}

    def credentials(bucket: str, identity: str) -> tercel.s3.Hmac:
        return tercel.s3.Hmac(lent[identity].access_key, lent[identity].secret)

    with (
        Origin(keys=[of_alice, of_bob]) as origin,
        Front({"*": backend(origin, key=None)}, credentials=credentials) as front,
    ):
        origin.objects["/back/key"] = b"shared"

        def ask(key: Key) -> None:
            for _ in range(15):
                response = front.send("GET", f"/back/key?versionId={key.access_key}", key=key)
                assert response.body == b"shared"

        threads = [threading.Thread(target=ask, args=(key,)) for key in (ALICE, BOB)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(origin.seen) == 30
        for seen in origin.seen:
            assert seen.signed_by == ("ALICES" if "versionId=alice" in seen.target else "BOBS")
        assert sorted(front.credentials_asked) == [("back", "alice"), ("back", "bob")]


def test_a_grant_to_read_is_none_to_write_and_none_for_other_keys(origin: Origin) -> None:
    def authorize(request: tercel.s3.AuthzRequest) -> bool:
        asked = (request.operation, request.bucket, request.key)
        return asked == ("GetObject", "back", "key")

    with Front({"*": backend(origin)}, authorize=authorize) as front:
        assert front.send("GET", "/back/key").status == 200
        refused = [
            front.send("PUT", "/back/key", body=b"mine now"),
            front.send("DELETE", "/back/key"),
            front.send("GET", "/back/other"),
            front.send("GET", "/back/key?acl"),
            front.send("GET", "/back/key?tagging"),
            front.send("GET", "/back"),
            front.send("GET", "/other/key"),
            front.send("POST", "/back/key?uploads", body=b""),
        ]
        assert [error_code(response) for response in refused] == ["AccessDenied"] * len(refused)
        assert len(origin.seen) == 1
        assert origin.objects == {"/back/key": b"what is kept"}
        # Bob is another one, for whom it is asked anew.
        assert front.send("GET", "/back/key", key=BOB).status == 200
        assert [request.identity for request in front.asked].count("bob") == 1


@pytest.mark.parametrize(
    ("scope", "covered", "others"),
    [
        ("request", ["/back/a/1"], ["/back/a/2", "/back/b", "/back/a/1?versionId=7"]),
        ("prefix", ["/back/a/1", "/back/a/2"], ["/back/a/b/1", "/back/b", "/other/a/1"]),
        ("operation", ["/back/a/1", "/back/b"], ["/other/a/1", "/back/a/1?tagging"]),
        ("bucket", ["/back/a/1", "/back/b", "/back/a/1?tagging"], ["/other/a/1"]),
    ],
)
def test_a_decision_covers_its_scope_and_no_more(
    origin: Origin, scope: Any, covered: list[str], others: list[str]
) -> None:
    decision = tercel.s3.Decision(True, scope=scope)
    with Front({"*": backend(origin)}, authorize=lambda request: decision) as front:
        front.send("GET", covered[0])
        for target in covered:
            front.send("GET", target)
        assert len(front.asked) == 1
        for number, target in enumerate(others):
            front.send("GET", target)
            assert len(front.asked) == 2 + number
        front.send("GET", covered[0], key=BOB)
        assert len(front.asked) == 2 + len(others)


def test_who_copies_has_to_be_allowed_to_read(origin: Origin) -> None:
    def authorize(request: tercel.s3.AuthzRequest) -> bool:
        return request.operation != "GetObject"

    with Front({"front": backend(origin, bucket="back"), "*": backend(origin)}) as front:
        source = {"x-amz-copy-source": "/front/key"}
        copied = front.send("PUT", "/other/copy", headers=source, body=b"")
        assert copied.status == 200
        assert origin.objects["/other/copy"] == b"what is kept"
        assert [request.operation for request in front.asked] == ["CopyObject", "GetObject"]
    with Front({"*": backend(origin)}, authorize=authorize) as front:
        source = {"x-amz-copy-source": "/back/key"}
        refused = front.send("PUT", "/other/second", headers=source, body=b"")
        assert error_code(refused) == "AccessDenied"
        assert "/other/second" not in origin.objects


# --- 8: what is secret is not told


def test_secrets_are_told_to_nobody(serve: ServeProcess, origin: Origin) -> None:
    server = serve("s3_gateway:gateway", env={"ORIGIN": origin.url}, log_level="debug")
    host = f"127.0.0.1:{server.port}"
    for key in (ALICE, FORGED, Key("nobody", "a secret of nobody")):
        with server.connect() as client:
            client.send(
                raw_request("GET", "/back/key", fields_of("GET", "/back/key", host, None, key=key))
            )
            response = client.response()
            assert KEY.secret.encode() not in response.body
            assert ALICE.secret.encode() not in response.body
    assert server.stop() == 0
    for secret in (ALICE.secret, KEY.secret, "a secret of nobody", "Signature="):
        assert secret not in server.output


# --- 9 to 14: what is forwarded is what was asked for


@pytest.mark.parametrize(
    "path",
    [
        "/backup/b",
        "/mybucket/bucket",
        "/logs/s",
        "/front/front",
        "/front/back/front/",
        "/logs//s",
        "/logs/./s/../s",
        "/logs/%2e%2e/s",
        "/logs/a%2Fb",
        "/logs/a%20b%2Bc%25",
        "/logs/%C3%BC",
        "/logs/..",
    ],
)
def test_a_path_arrives_as_it_was_asked_for(front: Front, origin: Origin, path: str) -> None:
    front.send("GET", path)
    bucket, _, key = path[1:].partition("/")
    there = "back" if bucket == "front" else bucket
    assert unquote(origin.seen[0].target) == f"/{there}/{unquote(key)}"
    assert origin.seen[0].wrong == ""
    assert (front.asked[0].bucket, front.asked[0].key) == (bucket, unquote(key))


def test_no_field_of_an_object_is_lost(front: Front, origin: Origin) -> None:
    headers = {
        "cache-control": "max-age=60, private",
        "content-disposition": 'attachment; filename="a b"',
        "content-encoding": "gzip",
        "content-language": "mi",
        "content-type": "text/plain; charset=utf-8",
        "expires": "Thu, 01 Dec 2033 16:00:00 GMT",
        "if-none-match": "*",
        "x-amz-meta-empty": "",
        "x-amz-meta-it": "is  kept",
        "x-amz-storage-class": "STANDARD",
        "x-amz-tagging": "a=b&c=d",
        "x-custom": "too",
    }
    assert front.send("PUT", "/front/new", body=b"data", headers=headers).status == 200
    got = origin.seen[0].headers
    assert {name: got.get(name) for name in headers} == headers
    assert origin.objects["/back/new"] == b"data"


def test_fields_of_the_connection_and_of_proxies_end_here(front: Front, origin: Origin) -> None:
    fields = fields_of("GET", "/front/key", front.host, None)
    fields |= {"connection": "x-hop", "x-hop": "1", "x-forwarded-for": "10.0.0.1", "te": "trailers"}
    assert front.send_raw("GET", "/front/key", fields).status == 200
    got = origin.seen[0].headers
    assert not {"x-hop", "x-forwarded-for", "te"} & got.keys()
    assert "alice" not in got["authorization"]


PIECES = [os.urandom(65536), os.urandom(8192), os.urandom(100)]


def signed_chunks(front: Front, target: str) -> tuple[dict[str, str], bytes]:
    decoded = sum(map(len, PIECES))
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(decoded)}
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    fields = sign("PUT", target, front.host, ALICE, headers=headers, payload=payload)
    body = chunked(PIECES, ALICE, fields)
    return {**fields, "content-length": str(len(body))}, body


def test_signed_chunks_arrive_decoded(front: Front, origin: Origin) -> None:
    fields, body = signed_chunks(front, "/front/new")
    assert front.send_raw("PUT", "/front/new", fields, body).status == 200
    assert origin.objects["/back/new"] == b"".join(PIECES)
    assert "content-encoding" not in origin.seen[0].headers


@pytest.mark.parametrize("at", [100, 70_000, -120, -20])
def test_a_chunk_that_was_changed_makes_no_object(front: Front, origin: Origin, at: int) -> None:
    fields, body = signed_chunks(front, "/front/new")
    changed = bytearray(body)
    changed[at] ^= 1
    response = front.send_raw("PUT", "/front/new", fields, bytes(changed))
    assert response.status in (400, 403)
    assert "/back/new" not in origin.objects
    assert not any(seen.complete for seen in origin.seen)


@pytest.mark.parametrize("pause", [0, 0.2], ids=["at once", "later"])
def test_what_is_behind_the_last_chunk_makes_no_object(
    front: Front, origin: Origin, pause: float
) -> None:
    fields, body = signed_chunks(front, "/front/new")
    fields["content-length"] = str(len(body) + len(b"more"))
    with front.connect() as client:
        client.send(raw_request("PUT", "/front/new", fields) + body)
        time.sleep(pause)
        client.send(b"more")
        assert error_code(client.response()) == "IncompleteBody"
    assert "/back/new" not in origin.objects
    assert not any(seen.complete for seen in origin.seen)


def trailed(data: bytes, *, checksum: int) -> bytes:
    text = base64.b64encode(checksum.to_bytes(4, "big"))
    return b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(data), data, text)


@pytest.mark.parametrize("trailers", [True, False], ids=["passed on", "decoded"])
@pytest.mark.parametrize("right", [True, False])
def test_a_checksum_in_a_trailer_is_verified(origin: Origin, trailers: bool, right: bool) -> None:
    data = os.urandom(100_000)
    body = trailed(data, checksum=zlib.crc32(data) ^ (not right))
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    with Front({"*": backend(origin, trailers=trailers)}) as front:
        fields = sign("PUT", "/back/new", front.host, ALICE, headers=headers, payload=payload)
        fields["content-length"] = str(len(body))
        response = front.send_raw("PUT", "/back/new", fields, body)
        assert not any(seen.wrong for seen in origin.seen)
        if right:
            assert response.status == 200
            assert origin.objects["/back/new"] == data
        elif not trailers:  # Else the backend verifies it, which this one does not.
            assert error_code(response) == "BadDigest"
            assert "/back/new" not in origin.objects


@pytest.mark.parametrize(
    "changed",
    [
        {"x-amz-date": None},
        {"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=, Signature="},
        {"authorization": "AWS4-HMAC-SHA256"},
        {
            "authorization": "AWS4-HMAC-SHA256 Credential=////,SignedHeaders=host,Signature="
            + "0" * 64
        },
        {"authorization": "AWS alice:c2lnbmF0dXJl"},
        {"authorization": "Bearer token"},
        {"authorization": ""},
        {"x-amz-content-sha256": "STREAMING-"},
        {"x-amz-content-sha256": None},
        {"x-amz-date": "yesterday"},
    ],
    ids=str,
)
def test_what_is_malformed_is_answered(
    front: Front, origin: Origin, changed: dict[str, str | None]
) -> None:
    fields: dict[str, Any] = {**fields_of("GET", "/front/key", front.host, None), **changed}
    fields = {name: value for name, value in fields.items() if value is not None}
    response = front.send_raw("GET", "/front/key", fields)
    assert response.status in (400, 403)
    assert b"<Code>" in response.body
    assert_untouched(front, origin)
    assert front.send("GET", "/front/key").body == b"what is kept"


def test_two_signatures_are_one_too_many(front: Front, origin: Origin) -> None:
    target = presign("GET", "/front/key", front.host, ALICE)
    fields = fields_of("GET", target, front.host, None)
    assert front.send_raw("GET", target, fields).status == 400
    head = raw_request("GET", "/front/key", fields_of("GET", "/front/key", front.host, None))
    again = head.replace(b"\r\n\r\n", b"\r\nauthorization: AWS4-HMAC-SHA256 x\r\n\r\n")
    with front.connect() as client:
        client.send(again)
        assert client.response().status == 400
    assert_untouched(front, origin)


@pytest.mark.parametrize("query", ["tagging", "tagging=", "versionId=a%2Bb", "versionId=a+b"])
def test_a_query_arrives_as_it_was_signed(front: Front, origin: Origin, query: str) -> None:
    front.send("GET", f"/front/key?{query}")
    assert origin.seen[0].wrong == ""
    assert front.gateway.counts()["refused"] == 0


def test_a_bucket_with_dots_is_reached_where_certificates_are_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, private_key = authority.issue("localhost", file="origin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private_key)
    with Origin(context=context) as origin:
        options: dict[str, Any] = {"endpoint": f"https://localhost:{origin.port}"}
        buckets = {
            "path.*": backend(origin, ca=authority.ca, **options),
            "virtual.*": backend(origin, ca=authority.ca, style="virtual", **options),
            "unknown": backend(origin, **options),
        }
        origin.objects |= {"/path.dots/key": b"in the path", "/key": b"in the host"}
        with Front(buckets) as front:
            assert front.send("GET", "/path.dots/key").body == b"in the path"
            assert front.send("GET", "/virtual.dots/key").body == b"in the host"
            hosts = [seen.headers["host"] for seen in origin.seen]
            assert hosts == [
                f"localhost:{origin.port}",
                f"virtual.dots.localhost:{origin.port}",
            ]
            # Without that authority it is nobody whom one knows.
            assert error_code(front.send("GET", "/unknown/key")) == "ServiceUnavailable"
            assert len(origin.seen) == 2


# --- 15 to 20: what serving costs


@pytest.mark.skipif(SANITIZED, reason="the size of a sanitized process says nothing")
def test_requests_leave_no_memory_behind(serve: ServeProcess, origin: Origin) -> None:
    server = serve("s3_gateway:gateway", env={"ORIGIN": origin.url, "CACHE_ENTRIES": "64"})
    host = f"127.0.0.1:{server.port}"
    padding = "k" * 900

    def ask(count: int) -> None:
        with server.connect() as client:
            for number in range(count):
                target = f"/back/{padding}{number}"
                client.send(raw_request("GET", target, fields_of("GET", target, host, None)))
                assert client.response().status == 404
        origin.seen.clear()

    ask(500)
    before = private_bytes(server.pid)
    ask(2000)
    # A copy of each path would be 1.8 million bytes.
    assert private_bytes(server.pid) - before < 900_000


def test_functions_are_asked_once_for_many_requests(front: Front, origin: Origin) -> None:
    with front.connect() as client:
        for _ in range(20):
            fields = fields_of("GET", "/front/key", front.host, None)
            client.send(raw_request("GET", "/front/key", fields))
            assert client.response().body == b"what is kept"
    assert front.keys_asked == ["alice"]
    assert len(front.asked) == 1
    counts = front.gateway.counts()
    assert (counts["requests"], counts["forwarded"]) == (20, 20)


def test_a_function_that_waits_holds_up_nobody_else(origin: Origin) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def secret_for(access_key: str) -> str:
        if access_key == "bob":
            begun.set()
            go_on.wait(10)
        return {"alice": ALICE, "bob": BOB}[access_key].secret

    with Front({"*": backend(origin)}, secret_for=secret_for) as front:
        assert front.send("GET", "/back/key").status == 200
        answers: list[int] = []
        waits = threading.Thread(
            target=lambda: answers.append(front.send("GET", "/back/key", key=BOB).status)
        )
        waits.start()
        assert begun.wait(5)
        for number in range(5):  # Known, and to be asked about.
            assert front.send("GET", "/back/key").status == 200
            assert front.send("GET", f"/back/other{number}").status == 404
        assert answers == []
        go_on.set()
        waits.join(10)
        assert answers == [200]


def test_gateways_in_one_process_are_two(origin: Origin) -> None:
    with contextlib.ExitStack() as stack:
        fronts = [
            stack.enter_context(
                Front({"*": backend(origin)}, secret_for=lambda name, own=number: f"secret {own}")
            )
            for number in (1, 2)
        ]
        for number, front in enumerate(fronts, 1):
            assert front.send("GET", "/back/key", key=Key("a", f"secret {number}")).status == 200
            wrong = front.send("GET", "/back/key", key=Key("a", f"secret {3 - number}"))
            assert error_code(wrong) == "SignatureDoesNotMatch"
            assert front.gateway.counts()["requests"] == 2


def test_a_body_that_is_not_what_was_signed_makes_no_object(front: Front, origin: Origin) -> None:
    fields = fields_of("PUT", "/front/new", front.host, b"what was signed")
    response = front.send_raw("PUT", "/front/new", fields, b"what was forged")
    assert error_code(response) == "XAmzContentSHA256Mismatch"
    assert "/back/new" not in origin.objects
    assert hashlib.sha256(b"what was forged").hexdigest() != fields["x-amz-content-sha256"]
