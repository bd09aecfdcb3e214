"""Clients of others through a gateway to a real S3 server, versitygw: what they get is what it has
without a gateway.

Each in clear and over TLS. boto3 names the bucket in the path and in the host; a URL that it
presigned is asked for in HTTP/1.1 and HTTP/2.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import socket
import ssl
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.s3_gateway import ALICE, Front, backend
from support.s3_origin import Origin
from support.s3_ways import Way, fixtures, make_client, read, run

boto3 = pytest.importorskip("boto3", reason="boto3 is missing: tools/deps.sh --test installs it")
from boto3.s3.transfer import TransferConfig  # noqa: E402 - there is boto3.
from botocore.exceptions import ClientError  # noqa: E402

MEBIBYTE = 1 << 20
STYLES = ["path", "virtual"]
BIN = Path(sys.executable).parent


versity, direct, way = fixtures()


@pytest.fixture(autouse=True)
def names_of_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has this process find all names below localhost here, as browsers do."""
    find = socket.getaddrinfo

    def found(host: Any, *rest: Any, **options: Any) -> Any:
        here = isinstance(host, str) and host.endswith(".localhost")
        return find("127.0.0.1" if here else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.fixture(params=STYLES)
def s3(way: Way, request: pytest.FixtureRequest) -> Any:
    return way.client(request.param)


def code_of(error: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


# --- boto3: objects


@pytest.mark.parametrize("size", [0, 1, 8191, 65_536, 1_000_003])
@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
def test_an_object_is_the_same_on_both_sides(way: Way, s3: Any, size: int, checksums: str) -> None:
    data = os.urandom(size)
    client = s3
    if checksums == "when_required":
        style = s3.meta.config.s3["addressing_style"]
        client = way.client(style, request_checksum_calculation=checksums)
    put = client.put_object(
        Bucket="front", Key="sized", Body=data, ContentType="text/x", Metadata={"a": "b c"}
    )
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    there = way.direct.head_object(Bucket="back", Key="sized", ChecksumMode="ENABLED")
    here = client.head_object(Bucket="front", Key="sized", ChecksumMode="ENABLED")
    same = ("ETag", "ContentLength", "ContentType", "Metadata", "LastModified", "ChecksumCRC32")
    assert {name: here.get(name) for name in same} == {name: there.get(name) for name in same}
    assert read(client, "front", "sized") == read(way.direct, "back", "sized") == data


@pytest.mark.parametrize("trailers", [True, False], ids=["passed on", "decoded"])
def test_the_checksums_of_boto3_arrive(way: Way, trailers: bool) -> None:
    """Over TLS they come behind the body, which is sent in chunks and signed by nothing else."""
    data = os.urandom(200_000)
    with (
        Origin() as origin,
        Front({"*": backend(origin, trailers=trailers)}, settings=way.settings) as front,
    ):
        with contextlib.closing(replace(way, front=front).client()) as client:
            client.put_object(Bucket="back", Key="key", Body=data)
            client.put_object(Bucket="back", Key="file", Body=io.BytesIO(data))
        assert origin.objects == {"/back/key": data, "/back/file": data}
        for seen in origin.seen:
            if not way.ca:
                assert "x-amz-checksum-crc32" in seen.headers
                assert "x-amz-trailer" not in seen.headers
            elif trailers:
                assert seen.headers["x-amz-trailer"] == "x-amz-checksum-crc32"
                assert seen.headers["transfer-encoding"] == "chunked"
            else:
                assert "x-amz-trailer" not in seen.headers
                assert seen.headers["content-length"] == str(len(data))
            # And the body waited for it.
            assert seen.headers["expect"] == "100-continue"


AWKWARD = [
    "a b",
    "a+b",
    "a%b",
    "a%20b",
    "a%2Fb",
    "a&b=c",
    "a?b",
    "a#b",
    "a;b:c@d",
    "a,b",
    "a!b$c'd(e)f*g",
    "a~b^c`d|e",
    "a\\b",
    'a"b',
    "a<b>c",
    "a[b]{c}",
    "a\u00fcb",
    "a\u0075\u0308b",
    "\u65e5\u672c\u8a9e",
    "\U0001f600/\U0001f600",
    "a..b/.c/d.",
    "a/b/c/d/e/f/g/h",
    "front/front",
    "back/front",
    "uploads",
    "x" * 200,
]


def test_a_key_with_any_character_is_the_same_on_both_sides(way: Way, s3: Any) -> None:
    for number, key in enumerate(AWKWARD):
        name = f"keys/{key}"
        data = f"{number} {key}".encode()
        s3.put_object(Bucket="front", Key=name, Body=data)
        assert read(way.direct, "back", name) == data, key
        assert read(s3, "front", name) == data, key
    listed = [
        {
            item["Key"]: (item["ETag"], item["Size"])
            for item in client.list_objects_v2(Bucket=bucket, Prefix="keys/")["Contents"]
        }
        for client, bucket in ((s3, "front"), (way.direct, "back"))
    ]
    assert listed[0] == listed[1]
    assert listed[0].keys() == {f"keys/{key}" for key in AWKWARD}
    for key in AWKWARD:
        source = {"Bucket": "front", "Key": f"keys/{key}"}
        s3.copy_object(Bucket="other", Key=f"copies/{key}", CopySource=source)
        s3.delete_object(Bucket="front", Key=f"keys/{key}")
        assert read(way.direct, "other", f"copies/{key}").endswith(key.encode()), key
    names = [{"Key": f"copies/{key}"} for key in AWKWARD]
    deleted = s3.delete_objects(Bucket="other", Delete={"Objects": names})
    assert {item["Key"] for item in deleted["Deleted"]} == {item["Key"] for item in names}
    assert "Errors" not in deleted
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="keys/")
    assert "Contents" not in way.direct.list_objects_v2(Bucket="other", Prefix="copies/")


def test_a_range_is_the_same_on_both_sides(way: Way, s3: Any) -> None:
    data = os.urandom(300_000)
    way.direct.put_object(Bucket="back", Key="ranged", Body=data)
    for asked, expected in (
        ("bytes=0-0", data[:1]),
        ("bytes=5-104", data[5:105]),
        ("bytes=299990-", data[-10:]),
        ("bytes=-7", data[-7:]),
    ):
        response = s3.get_object(Bucket="front", Key="ranged", Range=asked)
        assert response["Body"].read() == expected
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 206
        there = way.direct.get_object(Bucket="back", Key="ranged", Range=asked)
        assert response["ContentRange"] == there["ContentRange"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="front", Key="ranged", Range="bytes=300000-")
    assert code_of(error) == (416, "InvalidRange")


def test_conditions_are_the_same_on_both_sides(way: Way, s3: Any) -> None:
    etag = s3.put_object(Bucket="front", Key="once", Body=b"1")["ETag"]
    assert read(s3, "front", "once", IfMatch=etag) == b"1"
    for options, status in (
        ({"IfNoneMatch": etag}, 304),
        ({"IfMatch": '"another"'}, 412),
    ):
        for client, bucket in ((s3, "front"), (way.direct, "back")):
            with pytest.raises(ClientError) as error:
                client.get_object(Bucket=bucket, Key="once", **options)
            assert code_of(error)[0] == status
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="front", Key="once", Body=b"2", IfNoneMatch="*")
    assert code_of(error) == (412, "PreconditionFailed")
    assert read(s3, "front", "once") == b"1"


def test_tags_are_the_same_on_both_sides(way: Way, s3: Any) -> None:
    s3.put_object(Bucket="front", Key="tagged", Body=b"1", Tagging="a=b&c=d%20e")
    tags = tags_of(s3, "front")
    assert tags == tags_of(way.direct, "back") == {"a": "b", "c": "d e"}
    more = {"x y": "\u00fc +-=._:/@"}
    tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in more.items()]}
    s3.put_object_tagging(Bucket="front", Key="tagged", Tagging=tagging)
    assert tags_of(s3, "front") == tags_of(way.direct, "back") == more
    s3.delete_object_tagging(Bucket="front", Key="tagged")
    assert tags_of(s3, "front") == tags_of(way.direct, "back") == {}


def tags_of(client: Any, bucket: str) -> dict[str, str]:
    found = client.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_errors_are_those_of_s3(way: Way, s3: Any) -> None:
    asked = {
        ("front", "nothing"): (404, "NoSuchKey"),
        ("nowhere", "key"): (404, "NoSuchBucket"),
        ("denied", "key"): (403, "AccessDenied"),
    }
    for (bucket, key), expected in asked.items():
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=bucket, Key=key)
        assert code_of(error) == expected
        with pytest.raises(ClientError) as error:
            s3.head_object(Bucket=bucket, Key=key)
        assert code_of(error)[0] == expected[0]
    style = s3.meta.config.s3["addressing_style"]
    url = s3.meta.endpoint_url
    wrong = make_client(url, ALICE.access_key, "another secret", style, way.ca)
    with pytest.raises(ClientError) as error:
        wrong.get_object(Bucket="front", Key="nothing")
    assert code_of(error) == (403, "SignatureDoesNotMatch")
    unknown = make_client(url, "nobody", "a secret", style, way.ca)
    with pytest.raises(ClientError) as error:
        unknown.put_object(Bucket="front", Key="nothing", Body=b"x" * MEBIBYTE)
    assert code_of(error) == (403, "InvalidAccessKeyId")


# --- boto3: buckets


def test_lists_say_the_names_of_the_front(way: Way, s3: Any) -> None:
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == ["front", "other"]
    for number in range(7):
        s3.put_object(Bucket="front", Key=f"listed/{number % 2}/{number}", Body=b"x")
    for version in ("list_objects", "list_objects_v2"):
        pages = list(
            s3.get_paginator(version).paginate(
                Bucket="front", Prefix="listed/", PaginationConfig={"PageSize": 3}
            )
        )
        assert {page["Name"] for page in pages} == {"front"}
        assert sum(len(page["Contents"]) for page in pages) == 7
        folders = getattr(s3, version)(Bucket="front", Prefix="listed/", Delimiter="/")
        assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["listed/0/", "listed/1/"]
    assert "LocationConstraint" in s3.get_bucket_location(Bucket="front")
    s3.head_bucket(Bucket="front")


# --- boto3: uploads of many parts


def upload_id(client: Any, bucket: str, key: str) -> str:
    made = client.create_multipart_upload(Bucket=bucket, Key=key)
    assert (made["Bucket"], made["Key"]) == (bucket, key)
    return made["UploadId"]


def test_an_upload_of_parts_is_the_same_on_both_sides(way: Way, s3: Any) -> None:
    data = os.urandom(5 * MEBIBYTE)
    s3.put_object(Bucket="other", Key="source", Body=data)
    ids = upload_id(s3, "front", "in parts")
    named = {"Bucket": "front", "Key": "in parts", "UploadId": ids}
    first = s3.upload_part(**named, PartNumber=1, Body=data)["ETag"]
    source = {"Bucket": "other", "Key": "source"}
    second = s3.upload_part_copy(
        **named, PartNumber=2, CopySource=source, CopySourceRange="bytes=0-99"
    )["CopyPartResult"]["ETag"]
    assert [part["ETag"] for part in s3.list_parts(**named)["Parts"]] == [first, second]
    uploads = s3.list_multipart_uploads(Bucket="front")
    assert uploads["Bucket"] == "front"
    assert [one["Key"] for one in uploads["Uploads"]] == ["in parts"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert (done["Bucket"], done["Key"]) == ("front", "in parts")
    assert way.versity.url not in done["Location"]
    assert f":{way.front.port}/" in done["Location"]
    there = way.direct.get_object(Bucket="back", Key="in parts")
    assert there["ETag"] == done["ETag"]
    assert there["Body"].read() == data + data[:100]
    abandoned = upload_id(s3, "front", "abandoned")
    s3.abort_multipart_upload(Bucket="front", Key="abandoned", UploadId=abandoned)
    assert "Uploads" not in way.direct.list_multipart_uploads(Bucket="back")


def test_64_mebibytes_in_parts_are_the_same_on_both_sides(way: Way) -> None:
    data = os.urandom(MEBIBYTE) * 64
    s3 = way.client()
    parts = TransferConfig(
        multipart_threshold=8 * MEBIBYTE, multipart_chunksize=8 * MEBIBYTE, max_concurrency=4
    )
    s3.upload_fileobj(io.BytesIO(data), "front", "large", Config=parts)
    there = way.direct.head_object(Bucket="back", Key="large")
    assert there["ETag"].endswith('-8"')
    assert s3.head_object(Bucket="front", Key="large")["ETag"] == there["ETag"]
    stored = (way.versity.folder / "back" / "large").read_bytes()
    assert hashlib.sha256(stored).digest() == hashlib.sha256(data).digest()
    got = io.BytesIO()
    s3.download_fileobj("front", "large", got, Config=parts)
    assert got.getbuffer() == data
    s3.delete_object(Bucket="front", Key="large")


def test_many_clients_at_once_get_their_own(way: Way) -> None:
    failed: list[object] = []

    def work(number: int) -> None:
        client = way.client()
        for turn in range(6):
            data = f"{number} {turn} ".encode() * 20_000
            try:
                client.put_object(Bucket="front", Key=f"mine/{number}", Body=data)
                if read(client, "front", f"mine/{number}") != data:
                    failed.append((number, turn))
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []


# --- URLs


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("style", STYLES)
def test_presigned_urls_work_in_every_version(way: Way, style: str, http2: bool) -> None:
    s3 = way.client(style, signature_version="s3v4")
    data = os.urandom(200_000)
    name = {"Bucket": "front", "Key": "pre/signed \u00fc+%"}
    trust: dict[str, Any] = {}
    if way.ca:
        trust["verify"] = ssl.create_default_context(cafile=way.ca)
    with httpx.Client(http1=not http2, http2=http2, **trust) as client:
        put = s3.generate_presigned_url("put_object", Params=name, ExpiresIn=60)
        response = client.put(put, content=data)
        assert (response.status_code, response.http_version) == (
            200,
            "HTTP/2" if http2 else "HTTP/1.1",
        )
        assert read(way.direct, "back", name["Key"]) == data
        get = s3.generate_presigned_url(
            "get_object", Params={**name, "ResponseContentType": "a/b"}, ExpiresIn=60
        )
        got = client.get(get)
        assert (got.content, got.headers["content-type"]) == (data, "a/b")
        part = client.get(get, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, data[10:20])
        assert client.head(get).status_code == 403  # It is signed for GET.
        assert client.get(get.replace("signed%20", "other%20")).status_code == 403
        assert client.put(get, content=b"x").status_code == 403
    assert read(way.direct, "back", name["Key"]) == data


# --- programs


def program(name: str, how: str) -> str:
    """Returns the path of a program, or skips the test."""
    found = shutil.which(name, path=f"{BIN}:{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is missing: {how}")
    return found


def test_aws_cli(way: Way, tmp_path: Path) -> None:
    aws = program("aws", "tools/deps.sh --test installs it")
    here, back = tmp_path / "a file", tmp_path / "back"
    here.write_bytes(os.urandom(20 * MEBIBYTE))  # In parts.
    run(way, aws, "s3", "cp", str(here), "s3://front/cli/a file", "--no-progress")
    assert read(way.direct, "back", "cli/a file") == here.read_bytes()
    assert "cli/a file" in run(way, aws, "s3", "ls", "--recursive", "s3://front/cli")
    run(way, aws, "s3", "cp", "s3://front/cli/a file", str(back), "--no-progress")
    assert back.read_bytes() == here.read_bytes()
    run(way, aws, "s3", "mv", "s3://front/cli/a file", "s3://other/moved", "--no-progress")
    assert read(way.direct, "other", "moved") == here.read_bytes()
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="cli/")


def test_s3cmd(way: Way, tmp_path: Path) -> None:
    s3cmd = program("s3cmd", "tools/deps.sh --test installs it")
    settings = tmp_path / "s3cfg"
    address = f"127.0.0.1:{way.front.port}"
    settings.write_text(
        f"[default]\naccess_key = {ALICE.access_key}\nsecret_key = {ALICE.secret}\n"
        f"host_base = {address}\nhost_bucket = {address}\n"
        f"use_https = {bool(way.ca)}\nca_certs_file = {way.ca or ''}\n"
        "multipart_chunk_size_mb = 5\n"
    )
    call = (s3cmd, "-c", str(settings), "--no-progress")
    here, back = tmp_path / "here", tmp_path / "back"
    here.write_bytes(os.urandom(11 * MEBIBYTE))
    run(way, *call, "put", str(here), "s3://front/cmd/a b+\u00fc")
    assert read(way.direct, "back", "cmd/a b+\u00fc") == here.read_bytes()
    listed = run(way, *call, "ls", "s3://front/cmd/")
    assert "s3://front/cmd/a b+\u00fc" in listed
    run(way, *call, "get", "s3://front/cmd/a b+\u00fc", str(back))
    assert back.read_bytes() == here.read_bytes()
    small = tmp_path / "small"
    small.write_bytes(b"small")
    run(way, *call, "put", str(small), "s3://front/cmd/small")  # Compares the ETag with MD5.
    run(way, *call, "del", "--recursive", "--force", "s3://front/cmd/")
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="cmd/")


def test_rclone(way: Way, tmp_path: Path) -> None:
    rclone = program("rclone", "tools/deps.sh --test installs it")
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    for name in ("a", "b c", "deeper/\u00fc+%"):
        (folder / name).write_bytes(os.urandom(50_000))
    (folder / "large").write_bytes(os.urandom(12 * MEBIBYTE))
    remote = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_FRONT_TYPE": "s3",
        "RCLONE_CONFIG_FRONT_PROVIDER": "Other",
        "RCLONE_CONFIG_FRONT_ACCESS_KEY_ID": ALICE.access_key,
        "RCLONE_CONFIG_FRONT_SECRET_ACCESS_KEY": ALICE.secret,
        "RCLONE_CONFIG_FRONT_ENDPOINT": way.url(),
        "RCLONE_CONFIG_FRONT_CHUNK_SIZE": "5M",
        "RCLONE_CONFIG_FRONT_UPLOAD_CUTOFF": "5M",
        **({"RCLONE_CA_CERT": way.ca} if way.ca else {}),
    }
    # It is told whom to trust itself.
    environment = {**remote, "AWS_CA_BUNDLE": ""}
    call = (rclone, "--retries", "1", "--low-level-retries", "1")
    run(way, *call, "sync", str(folder), "front:front/sync", **environment)
    run(way, *call, "check", "--download", str(folder), "front:front/sync", **environment)
    names = run(way, *call, "lsf", "-R", "--files-only", "front:front/sync", **environment)
    assert sorted(names.split("\n")[:-1]) == ["a", "b c", "deeper/\u00fc+%", "large"]
    assert read(way.direct, "back", "sync/large") == (folder / "large").read_bytes()
    run(way, *call, "purge", "front:front/sync", **environment)
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="sync/")


def test_pyarrow_reads_parquet_by_range(way: Way, tmp_path: Path) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", reason="pyarrow is missing: tools/deps.sh --test installs it"
    )
    if way.ca:
        pytest.skip("pyarrow takes no authority of a test's own")
    import pyarrow
    from pyarrow import fs

    numbers = list(range(200_000))
    table = pyarrow.table({"number": numbers, "text": [f"text {one}" for one in numbers]})
    storage = fs.S3FileSystem(
        access_key=ALICE.access_key,
        secret_key=ALICE.secret,
        endpoint_override=f"127.0.0.1:{way.front.port}",
        scheme="http",
        region="us-east-1",
    )
    parquet.write_table(table, "front/table/one.parquet", filesystem=storage, row_group_size=20_000)
    stored = tmp_path / "one.parquet"
    stored.write_bytes(read(way.direct, "back", "table/one.parquet"))
    assert parquet.read_table(stored).equals(table)
    before = len(way.front.asked)
    column = parquet.read_table("front/table/", columns=["number"], filesystem=storage)
    assert column["number"].to_pylist() == numbers
    assert len(way.front.asked) > before
    assert storage.get_file_info("front/table/one.parquet").size == stored.stat().st_size
    storage.delete_file("front/table/one.parquet")
    with contextlib.suppress(ClientError):
        way.direct.delete_object(Bucket="back", Key="table/")
