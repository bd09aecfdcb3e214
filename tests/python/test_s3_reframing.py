"""Signed chunks with a checksum behind them: verified, and passed on with the checksum."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from pathlib import Path

import pytest

from support.http1 import Response
from support.s3_gateway import ALICE, Front, backend, error_code, origin_fixture
from support.s3_origin import KEY, Origin
from support.sigv4 import chunked, sign
from support.versitygw import versitygw
from tercel.s3 import Backend, Hmac

origin = origin_fixture(b"kept")

SIZES = [1, 8192, 65_536, 65_537, 200_000]


def crc32(data: bytes) -> tuple[str, str]:
    return "x-amz-checksum-crc32", base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def put(
    front: Front,
    target: str,
    data: bytes,
    trailer: tuple[str, str],
    *,
    cut: int = 0,
    flip: int | None = None,
) -> Response:
    """Sends `data` in signed chunks; of the body, `cut` bytes are missing and one is changed."""
    headers = {
        "content-encoding": "aws-chunked,gzip",
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": trailer[0],
        "x-amz-sdk-checksum-algorithm": trailer[0].rpartition("-")[2].upper(),
    }
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    fields = sign("PUT", target, front.host, ALICE, headers=headers, payload=payload)
    pieces = [data[at : at + 70_000] for at in range(0, len(data), 70_000)]
    body = bytearray(chunked(pieces, ALICE, fields, trailer=trailer))
    if flip is not None:
        body[flip] ^= 1
    fields["content-length"] = str(len(body))
    with front.connect() as client:
        head = [f"PUT {target} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
        client.send("\r\n".join(head) + "\r\n\r\n")
        client.send(bytes(body[: len(body) - cut]))
        if cut:
            client.half_close()
        return client.response()


@pytest.mark.parametrize("size", SIZES)
def test_the_checksum_goes_on_behind_unsigned_chunks(origin: Origin, size: int) -> None:
    data = os.urandom(size)
    name, value = trailer = crc32(data)
    with Front({"*": backend(origin, bucket="back")}) as front:
        assert put(front, "/front/new", data, trailer).status == 200
    assert origin.objects["/back/new"] == data
    (seen,) = origin.seen
    assert seen.signed_by == KEY.access_key
    assert seen.headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert seen.headers["x-amz-trailer"] == name
    assert seen.headers["x-amz-decoded-content-length"] == str(size)
    assert seen.headers["content-encoding"] == "aws-chunked,gzip"
    assert seen.headers["content-length"] == str(len(seen.body))
    assert seen.body.endswith(f"\r\n0\r\n{name}:{value}\r\n\r\n".encode())
    assert b"signature" not in seen.body


@pytest.mark.parametrize("way", ["no trailers", "a token", "nothing in it"])
def test_where_no_trailer_is_taken_the_body_is_decoded(way: str) -> None:
    data = b"" if way == "nothing in it" else os.urandom(100_000)
    token = "a token" if way == "a token" else None
    with Origin(bearer=token) as origin:
        there = backend(origin, bucket="back", trailers=way != "no trailers")
        if token:
            from tercel.s3 import Bearer

            there = Backend(origin.url, bucket="back", creds=Bearer(token))
        with Front({"*": there}) as front:
            assert put(front, "/front/new", data, crc32(data)).status == 200
        assert origin.objects["/back/new"] == data
        assert origin.seen[0].body == data
        assert origin.seen[0].headers["content-encoding"] == "gzip"
        assert not {"x-amz-trailer", "x-amz-decoded-content-length"} & origin.seen[0].headers.keys()


@pytest.mark.parametrize("size", [1, 200_000])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"flip": 100}, "SignatureDoesNotMatch"),
        ({"flip": -10}, "SignatureDoesNotMatch"),
        ({"cut": 1}, ""),
        ({"cut": 150}, ""),
        ({"trailer": ("x-amz-checksum-crc32", "AAAAAA==")}, "BadDigest"),
    ],
)
def test_what_is_wrong_makes_no_object(
    origin: Origin, size: int, change: dict[str, object], code: str
) -> None:
    data = os.urandom(size)
    if size == 1 and change == {"flip": 100}:
        change = {"flip": 2}  # A digit of the signature's name.
        code = "IncompleteBody"
    with Front({"*": backend(origin, bucket="back")}) as front:
        options = {"trailer": crc32(data), **change}
        response = put(front, "/front/new", data, **options)  # type: ignore[arg-type]
        assert response.status in (400, 403)
        # Who ends early is answered by the server itself.
        assert "cut" in change or error_code(response) == code
    assert "/back/new" not in origin.objects
    assert not any(seen.complete for seen in origin.seen)


def test_a_real_server_keeps_the_checksum(tmp_path: Path) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is missing: tools/deps.sh --test")
    data = os.urandom(300_001)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    with versitygw(tmp_path) as server:
        direct = boto3.session.Session().client(
            "s3",
            endpoint_url=server.url,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret,
            region_name=server.region,
        )
        direct.create_bucket(Bucket="bucket")
        creds = Hmac(server.access_key, server.secret)
        with Front({"*": Backend(server.url, creds=creds)}) as front:
            response = put(front, "/bucket/key", data, ("x-amz-checksum-sha256", digest))
            assert response.status == 200, response.body
            got = direct.get_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
            assert got["Body"].read() == data
            assert got["ChecksumSHA256"] == digest
