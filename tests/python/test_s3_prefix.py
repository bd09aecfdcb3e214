"""A folder of a bucket as a bucket: every key is mapped both ways, and nothing else is reached."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.http1 import Closed
from support.s3_gateway import (
    ALICE,
    Front,
    backend,
    error_code,
    fields_of,
    got_of_refused,
    origin_fixture,
    raw_request,
)
from support.s3_origin import KEY, Origin
from support.sigv4 import presign
from support.versitygw import Versity, versitygw
from tercel.s3 import Backend, Hmac

origin = origin_fixture(b"kept")

XML = {"Content-Type": "application/xml"}


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    buckets = {
        "team-a": backend(origin, bucket="back", prefix="team-a/"),
        "team-b": backend(origin, bucket="back", prefix="team-b/"),
        "whole": backend(origin, bucket="back"),
    }
    with Front(buckets, settings={"limit_request_body": 0}) as one:
        yield one


def delete(*keys: str) -> bytes:
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f'<Delete xmlns="http://s3.test/">{objects}</Delete>'.encode()


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


# --- requests


def test_objects_are_behind_the_prefix(front: Front, origin: Origin) -> None:
    assert front.send("PUT", "/team-a/x%20y/z", body=b"hers").status == 200
    assert origin.objects["/back/team-a/x y/z"] == b"hers"
    assert front.send("GET", "/team-a/x%20y/z").body == b"hers"
    assert front.send_presigned("GET", "/team-a/x%20y/z").body == b"hers"
    assert error_code(front.send("GET", "/team-b/x%20y/z")) == "NoSuchKey"
    assert error_code(front.send("GET", "/team-a/key")) == "NoSuchKey"
    copied = front.send(
        "PUT", "/team-b/copy", body=b"", headers={"x-amz-copy-source": "/team-a/x%20y/z"}
    )
    assert copied.status == 200
    assert origin.objects["/back/team-b/copy"] == b"hers"
    assert front.send("DELETE", "/team-a/x%20y/z").status == 204
    assert "/back/team-a/x y/z" not in origin.objects
    # What a policy is asked about is what the client says.
    assert {(one.bucket, one.key) for one in front.asked} >= {("team-a", "x y/z")}
    assert all(one.signed_by == KEY.access_key for one in origin.seen)


def test_nothing_climbs_out(front: Front, origin: Origin) -> None:
    origin.objects["/back/team-b/secret"] = b"secret"
    for target in (
        "/team-a/../team-b/secret",
        "/team-a/%2e%2e/team-b/secret",
        "/team-a/..%2Fteam-b%2Fsecret",
        "/team-a/%2e%2e%2fteam-b%2fsecret",
        "/team-a/x/..%2f..%2fteam-b/secret",
        "/team-a/%252e%252e%252fteam-b/secret",
        "/team-a/..%5Cteam-b%5Csecret",
        "/team-a/..%00/secret",
        "/team-a/..",
        "/team-a?prefix=../team-b/",
        "/team-a?list-type=2&start-after=..%2Fteam-b",
        "/team-a?versions&key-marker=%2e%2e%2Fteam-b",
        "/team-a?uploads&prefix=x%2F..%2F..%2Fteam-b",
        "/team-a/x?versionId=..%2F..%2Fteam-b%2Fsecret",
        "/team-a/x?uploadId=..%2F..%2Fteam-b%2Fsecret",
        "/team-a?list-type=2&continuation-token=..%2Fteam-b",
    ):
        assert error_code(front.send("GET", target)) == "InvalidArgument", target
    for source in ("team-a/..%2Fteam-b%2Fsecret", "/team-a/%252e%252e/team-b/secret"):
        headers = {"x-amz-copy-source": source}
        response = front.send("PUT", "/team-a/stolen", body=b"", headers=headers)
        assert error_code(response) == "InvalidArgument", source
    assert not origin.seen


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", "/team-a"),
        ("PUT", "/team-a"),
        ("POST", "/team-a"),
        ("GET", "/team-a?policy"),
        ("PUT", "/team-a?policy"),
        ("DELETE", "/team-a?policy"),
        ("GET", "/team-a?lifecycle"),
        ("PUT", "/team-a?acl"),
        ("GET", "/team-a/?acl"),
        ("PUT", "/team-a?versioning"),
        ("POST", "/team-a/x?restore"),
        ("GET", "/team-a/x?torrent"),
    ],
)
def test_the_bucket_as_a_whole_is_nobodys(
    front: Front, origin: Origin, method: str, target: str
) -> None:
    body = b"" if method in ("PUT", "POST") else None
    assert error_code(front.send(method, target, body=body)) == "AccessDenied"
    assert not origin.seen


def test_lists_are_below_the_prefix(front: Front, origin: Origin) -> None:
    for query, sent in (
        ("", "prefix=team-a%2F&marker=team-a%2F"),
        ("list-type=2", "list-type=2&prefix=team-a%2F&start-after=team-a%2F"),
        ("list-type=2&prefix=x", "list-type=2&prefix=team-a%2Fx"),
        ("prefix=", "prefix=team-a%2F&marker=team-a%2F"),
        ("uploads", "uploads=&prefix=team-a%2F"),
    ):
        front.send("GET", f"/team-a?{query}")
        assert origin.seen[-1].target == f"/back?{sent}"
        assert origin.seen[-1].signed_by == KEY.access_key


# --- DeleteObjects


def test_deleted_keys_are_mapped_and_their_digests_with_them(front: Front, origin: Origin) -> None:
    body = delete("a&amp;b", "c/d")
    for headers in (
        {"content-md5": md5(body)},
        {
            "x-amz-checksum-crc32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
            "x-amz-sdk-checksum-algorithm": "CRC32",
        },
        {"expect": "100-continue", "accept-encoding": "gzip"},
    ):
        assert front.send("POST", "/team-a?delete", body=body, headers=headers).status == 200
        seen = origin.seen[-1]
        assert seen.signed_by == KEY.access_key
        assert seen.complete
        assert b"<Key>team-a/a&amp;b</Key>" in seen.body
        assert b"<Key>team-a/c/d</Key>" in seen.body
        assert seen.headers["content-md5"] == md5(seen.body)
        assert seen.headers["x-amz-content-sha256"] == hashlib.sha256(seen.body).hexdigest()
        assert seen.headers["content-length"] == str(len(seen.body))
        assert not {"x-amz-checksum-crc32", "expect", "accept-encoding"} & seen.headers.keys()
    # A bucket that is whole gets the client's document.
    assert front.send("POST", "/whole?delete", body=body).status == 200
    assert origin.seen[-1].body == body


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_deletion_in_every_version(front: Front, origin: Origin, http2: bool) -> None:
    httpx = pytest.importorskip("httpx")
    link = presign("POST", "/team-a?delete", front.host, ALICE)
    with httpx.Client(http1=not http2, http2=http2) as client:
        response = client.post(f"http://{front.host}{link}", content=delete("a", "b"))
    assert response.status_code == 200
    assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert origin.seen[-1].body.count(b"<Key>team-a/") == 2
    assert origin.seen[-1].signed_by == KEY.access_key


def test_a_document_that_is_not_what_was_signed_deletes_nothing(
    front: Front, origin: Origin
) -> None:
    body = delete("a")
    for sent, options, code in (
        (body, {"payload": hashlib.sha256(b"other").hexdigest()}, "XAmzContentSHA256Mismatch"),
        (body, {"headers": {"content-md5": md5(b"other")}}, "BadDigest"),
        (body, {"headers": {"x-amz-checksum-crc32": "AAAAAA=="}}, "BadDigest"),
        (delete("../team-b/x"), {}, "InvalidArgument"),
        (delete("%2e%2e/team-b/x"), {}, "InvalidArgument"),
        (delete("&#46;&#46;/team-b/x"), {}, "InvalidArgument"),
        (delete(""), {}, "MalformedXML"),
        (delete("<![CDATA[a]]>"), {}, "MalformedXML"),
        (delete("a</Key><Key>b"), {}, "MalformedXML"),
        (b"", {}, "MalformedXML"),
        (b"<Delete>", {}, "MalformedXML"),
        (delete(*["k"] * 1001), {}, "MalformedXML"),
        (b" " * (2 << 20) + body, {}, "EntityTooLarge"),
    ):
        response = front.send("POST", "/team-a?delete", body=sent, **options)
        assert error_code(response) == code, sent[:80]
    assert not origin.seen
    assert front.gateway.counts()["forwarded"] == 0


def test_a_connection_that_was_closed_meanwhile_is_no_matter(front: Front, origin: Origin) -> None:
    body = delete("a")
    assert front.send("POST", "/team-a?delete", body=body).status == 200
    origin.hang_up()
    assert front.send("POST", "/team-a?delete", body=body).status == 200
    assert b"<Key>team-a/a</Key>" in origin.seen[-1].body


# --- answers


def test_answers_have_the_clients_keys(front: Front, origin: Origin) -> None:
    def ask(method: str, path: str, target: str, document: str, **options: Any) -> str:
        origin.answers[method, path] = (200, document.encode(), XML)
        return front.send(method, target, **options).body.decode()

    listed = ask(
        "GET",
        "/back",
        "/team-a?list-type=2&encoding-type=url",
        "<ListBucketResult><Name>back</Name><Prefix>team-a%2F</Prefix><StartAfter>team-a%2F"
        "</StartAfter><Contents><Key>team-a%2Fx%20y</Key></Contents><CommonPrefixes><Prefix>"
        "team-a/z%2F</Prefix></CommonPrefixes></ListBucketResult>",
    )
    assert listed == (
        "<ListBucketResult><Name>team-a</Name><Prefix></Prefix><StartAfter></StartAfter>"
        "<Contents><Key>x%20y</Key></Contents><CommonPrefixes><Prefix>z%2F</Prefix>"
        "</CommonPrefixes></ListBucketResult>"
    )
    begun = ask(
        "POST",
        "/back/team-a/k%2F",
        "/team-a/k%252F?uploads",
        "<InitiateMultipartUploadResult><Bucket>back</Bucket><Key>team-a/k%2F</Key>"
        "<UploadId>u</UploadId></InitiateMultipartUploadResult>",
        body=b"",
    )
    assert "<Bucket>team-a</Bucket><Key>k%2F</Key>" in begun
    deleted = ask(
        "POST",
        "/back",
        "/team-a?delete",
        "<DeleteResult><Deleted><Key>team-a/a</Key></Deleted><Error><Key>team-a/b</Key></Error>"
        "</DeleteResult>",
        body=delete("a", "b"),
    )
    assert deleted == (
        "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key></Error></DeleteResult>"
    )


def test_errors_tell_nothing_of_where_keys_are(front: Front, origin: Origin) -> None:
    document = (
        b"<Error><Code>NoSuchKey</Code><Key>team-a/gone</Key><BucketName>back</BucketName>"
        b"<Resource>/back/team-a/gone</Resource><ArgumentValue>team-a/x</ArgumentValue></Error>"
    )
    origin.answers["GET", "/back/team-a/gone"] = (404, document, XML)
    got = front.send("GET", "/team-a/gone").body
    assert b"<Key>gone</Key><BucketName>team-a</BucketName><Resource>/team-a/gone<" in got
    assert b"<ArgumentValue>x</ArgumentValue>" in got
    origin.answers["GET", "/back/team-a/gone"] = (404, document.replace(b"team-a", b"team-b"), XML)
    assert b"<Key></Key>" in front.send("GET", "/team-a/gone").body
    detailed = {**XML, "x-amz-error-detail-Key": "team-a/gone", "Content-Location": "/team-a/gone"}
    origin.answers["GET", "/back/team-a/gone"] = (404, document, detailed)
    answer = front.send("GET", "/team-a/gone")
    assert answer.get("x-amz-error-detail-key") is None
    assert answer.get("content-location") is None


@pytest.mark.parametrize(
    "document",
    [
        "<ListBucketResult><Contents><Key>team-b/secret</Key></Contents></ListBucketResult>",
        "<ListBucketResult><CommonPrefixes><Prefix>team-b/</Prefix></CommonPrefixes>"
        "</ListBucketResult>",
        "<ListBucketResult><Contents><Key><![CDATA[team-b/secret]]></Key></Contents>"
        "</ListBucketResult>",
        "<ListKeysResult><Key>team-b/secret</Key></ListKeysResult>",
    ],
)
def test_a_backend_that_tells_of_other_keys_is_cut_off(
    front: Front, origin: Origin, document: str
) -> None:
    origin.answers["GET", "/back"] = (200, document.encode(), XML)
    got = b""
    with front.connect() as client, contextlib.suppress(Closed):
        fields = fields_of("GET", "/team-a", front.host, None) | {"connection": "close"}
        client.send(raw_request("GET", "/team-a", fields))
        while piece := client.read_some():
            got += piece
    assert b"secret" not in got
    assert b"team-b" not in got


@pytest.mark.parametrize(
    "fields",
    [{"Content-Type": "text/plain"}, {}, {**XML, "Content-Encoding": "gzip"}],
    ids=["text", "nothing", "gzip"],
)
def test_what_cannot_be_rewritten_is_not_told(
    front: Front, origin: Origin, fields: dict[str, str]
) -> None:
    origin.answers["GET", "/back"] = (200, b"team-b/secret", fields)
    status = 503 if "Content-Encoding" in fields else 502
    target = "/team-a?list-type=2&response-content-type=text%2Fplain"
    assert b"secret" not in got_of_refused(front, target, status)
    # What is in an object is the client's.
    origin.answers["GET", "/back/team-a/x"] = (200, b"<Error><Key>k</Key></Error>", fields)
    assert front.send("GET", "/team-a/x").body == b"<Error><Key>k</Key></Error>"


# --- a real server, which keeps keys as files


@pytest.fixture(scope="module")
def versity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Versity]:
    with versitygw(tmp_path_factory.mktemp("versity"), versions=True) as server:
        yield server


@pytest.fixture(scope="module")
def clients(versity: Versity) -> Iterator[tuple[Any, Any]]:
    """A boto3 client of the gateway, and one without it."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is missing: tools/deps.sh --test")
    from botocore.config import Config

    def client(url: str, access_key: str, secret: str) -> Any:
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return boto3.session.Session().client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=config,
        )

    direct = client(versity.url, versity.access_key, versity.secret)
    direct.create_bucket(Bucket="shared")
    direct.create_bucket(Bucket="kept")
    direct.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    creds = Hmac(versity.access_key, versity.secret)

    def folder(prefix: str, bucket: str = "shared") -> Backend:
        return Backend(versity.url, bucket=bucket, prefix=prefix, creds=creds)

    buckets = {
        "team-a": folder("teams/team-a/"),
        "team-b": folder("teams/team-b/"),
        "versions": folder("a/", "kept"),
    }
    with Front(buckets) as front:
        yield client(f"http://{front.host}", ALICE.access_key, ALICE.secret), direct


def keys_of(client: Any, operation: str, **options: Any) -> list[str]:
    pages = client.get_paginator(operation).paginate(**options)
    found: list[str] = []
    for page in pages:
        found += [one["Key"] for one in page.get("Contents", [])]
        found += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
    return found


def test_a_folder_is_a_bucket_to_boto3(clients: tuple[Any, Any], versity: Versity) -> None:
    client, direct = clients
    keys = sorted(["a/1", "a/2", "b c/\u00fc&<3>", "plus+ %41", "z"])
    direct.put_object(Bucket="shared", Key="teams/team-ab/x", Body=b"")
    direct.put_object(Bucket="shared", Key="outside", Body=b"")
    for key in keys:
        client.put_object(Bucket="team-a", Key=key, Body=key.encode())
    client.put_object(Bucket="team-b", Key="other", Body=b"other")
    for key in keys:
        assert client.get_object(Bucket="team-a", Key=key)["Body"].read() == key.encode()
        assert direct.get_object(Bucket="shared", Key=f"teams/team-a/{key}")
    for operation in ("list_objects", "list_objects_v2"):
        assert keys_of(client, operation, Bucket="team-a") == keys
        paged = keys_of(client, operation, Bucket="team-a", PaginationConfig={"PageSize": 2})
        assert paged == keys
        assert keys_of(client, operation, Bucket="team-a", Prefix="a/") == ["a/1", "a/2"]
        assert sorted(keys_of(client, operation, Bucket="team-a", Delimiter="/")) == sorted(
            ["plus+ %41", "z", "a/", "b c/"]
        )
    after = client.list_objects_v2(Bucket="team-a", StartAfter="a/1")
    assert [one["Key"] for one in after["Contents"]] == keys[1:]
    assert client.list_objects_v2(Bucket="team-a", StartAfter="a/1")["StartAfter"] == "a/1"
    assert client.head_bucket(Bucket="team-a")


def test_the_folder_itself_is_no_object(clients: tuple[Any, Any]) -> None:
    client, direct = clients
    direct.put_object(Bucket="shared", Key="teams/team-b/", Body=b"")
    client.put_object(Bucket="team-b", Key="other", Body=b"other")
    for operation in ("list_objects", "list_objects_v2"):
        assert keys_of(client, operation, Bucket="team-b") == ["other"]


def test_uploads_copies_and_deletions(clients: tuple[Any, Any], versity: Versity) -> None:
    from boto3.s3.transfer import TransferConfig

    client, direct = clients
    data = bytes(range(256)) * 4096 * 12
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    client.upload_fileobj(io.BytesIO(data), "team-a", "big/one", Config=config)
    got = direct.get_object(Bucket="shared", Key="teams/team-a/big/one")["Body"].read()
    assert got == data
    upload = client.create_multipart_upload(Bucket="team-a", Key="half/one")
    assert (upload["Bucket"], upload["Key"]) == ("team-a", "half/one")
    uploads = client.list_multipart_uploads(Bucket="team-a", Prefix="half/")
    assert [one["Key"] for one in uploads["Uploads"]] == ["half/one"]
    assert uploads["Prefix"] == "half/"
    client.abort_multipart_upload(Bucket="team-a", Key="half/one", UploadId=upload["UploadId"])
    client.copy_object(
        Bucket="team-b", Key="copied", CopySource={"Bucket": "team-a", "Key": "big/one"}
    )
    assert direct.head_object(Bucket="shared", Key="teams/team-b/copied")["ContentLength"] == len(
        data
    )
    wanted = ["big/one", "a&b", "never there"]
    client.put_object(Bucket="team-a", Key="a&b", Body=b"")
    direct.put_object(Bucket="shared", Key="a&b", Body=b"")
    answer = client.delete_objects(
        Bucket="team-a", Delete={"Objects": [{"Key": key} for key in wanted]}
    )
    assert sorted(one["Key"] for one in answer["Deleted"]) == sorted(wanted)
    assert "Errors" not in answer
    assert direct.head_object(Bucket="shared", Key="a&b")
    assert not (versity.folder / "shared" / "teams" / "team-a" / "big" / "one").exists()


def test_versions(clients: tuple[Any, Any]) -> None:
    client, direct = clients
    for key in ("a/x", "a/y/z", "ab/x", "x"):
        for body in (b"1", b"2", b"3"):
            direct.put_object(Bucket="kept", Key=key, Body=body)
    client.delete_object(Bucket="versions", Key="x")

    def seen(**options: Any) -> tuple[list[str], list[str], list[str]]:
        page = client.list_object_versions(Bucket="versions", **options)
        return (
            [one["Key"] for one in page.get("Versions", [])],
            [one["Key"] for one in page.get("DeleteMarkers", [])],
            [one["Prefix"] for one in page.get("CommonPrefixes", [])],
        )

    assert client.get_bucket_versioning(Bucket="versions")["Status"] == "Enabled"
    assert seen() == (["x"] * 3 + ["y/z"] * 3, ["x"], [])
    assert seen(Prefix="y/") == (["y/z"] * 3, [], [])
    assert seen(Delimiter="/") == (["x"] * 3, ["x"], ["y/"])
    first = client.list_object_versions(Bucket="versions", Prefix="y/")["Versions"][-1]["VersionId"]
    got = client.get_object(Bucket="versions", Key="y/z", VersionId=first)
    assert got["Body"].read() == b"1"
    source = {"Bucket": "versions", "Key": "y/z", "VersionId": first}
    client.copy_object(Bucket="versions", Key="copy", CopySource=source)
    assert direct.get_object(Bucket="kept", Key="a/copy")["Body"].read() == b"1"
    objects = [{"Key": "y/z", "VersionId": first}]
    client.delete_objects(Bucket="versions", Delete={"Objects": objects, "Quiet": True})
    assert seen(Prefix="y/")[0] == ["y/z"] * 2


def test_versity_is_not_climbed(clients: tuple[Any, Any], versity: Versity) -> None:
    from botocore.exceptions import ClientError

    client, direct = clients
    direct.put_object(Bucket="shared", Key="secret", Body=b"secret")
    for key in ("../../secret", "x/../../../secret", "%2e%2e/%2e%2e/secret"):
        with pytest.raises(ClientError, match="InvalidArgument"):
            client.get_object(Bucket="team-a", Key=key)
        with pytest.raises(ClientError, match="InvalidArgument"):
            client.delete_objects(Bucket="team-a", Delete={"Objects": [{"Key": key}]})
    assert direct.head_object(Bucket="shared", Key="secret")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_bucket(Bucket="team-a")


# --- mistakes


@pytest.mark.parametrize(
    "prefix", ["", "a", "/a/", "a//", "../", "a/../b/", "./", "a\n/", "x" * 600]
)
def test_a_prefix_is_a_folder(prefix: str) -> None:
    with pytest.raises(ValueError, match="the prefix of Backend is a folder, as team-a/"):
        Backend("http://h", prefix=prefix)


def test_a_prefix_is_a_text() -> None:
    with pytest.raises(TypeError, match="the prefix of Backend is a text, not 5"):
        Backend("http://h", prefix=5)  # type: ignore[arg-type]


def test_a_file_has_both(tmp_path: Path) -> None:
    from tercel.s3.file import read_file

    path = tmp_path / "s3.toml"
    path.write_text(
        '[buckets.public]\nendpoint = "http://h"\nanonymous = ["read", "list"]\n'
        'prefix = "pub/"\ntoken = { env = "HOME" }\n'
    )
    found = read_file(str(path)).buckets["public"]
    assert (found.anonymous, found.prefix) == (["read", "list"], "pub/")
