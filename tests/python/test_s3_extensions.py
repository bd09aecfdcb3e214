"""What some backends do beyond S3 when a field says so: no such field reaches them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.s3_gateway import Front, backend, error_code, fields_of, origin_fixture
from support.s3_origin import Origin

origin = origin_fixture(b"kept")


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    buckets = {
        "*": backend(origin),
        "team": backend(origin, bucket="shared", prefix="teams/a/"),
    }
    with Front(buckets) as one:
        yield one


@pytest.mark.parametrize(
    "name",
    [
        "x-minio-force-delete",
        "X-Minio-Source-Mtime",
        "x-rustfs-force-delete",
        "x_amz_copy_source",
        "x-amz_copy-source",
        "x-amz-copy_source",
    ],
)
@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("bucket", ["back", "team"])
def test_field_is_not_passed(
    front: Front, origin: Origin, name: str, is_signed: bool, bucket: str
) -> None:
    target = f"/{bucket}/folder"
    signed = {name.lower(): "true"} if is_signed else {}
    for method in ("PUT", "DELETE"):
        body = b"hers" if method == "PUT" else None
        fields = fields_of(method, target, front.host, body, headers=signed)
        if not is_signed:
            fields[name] = "true"
        response = front.send_raw(method, target, fields, body)
        if not is_signed and name.startswith("x-amz-"):
            assert error_code(response) == "AccessDenied"  # What begins so is signed.
            continue
        assert response.status in (200, 204)
        seen = origin.seen[-1]
        assert (seen.method, seen.wrong) == (method, "")
        assert name.lower() not in seen.headers
    assert "CopyObject" not in [one.operation for one in front.asked]


def test_metadata_may_have_an_underscore(front: Front, origin: Origin) -> None:
    headers = {"x-amz-meta-camera_model": "a", "x-amz-meta-snowball-auto-extract": "false"}
    assert front.send("PUT", "/back/photo", body=b"p", headers=headers).status == 200
    assert headers.items() <= origin.seen[-1].headers.items()


@pytest.mark.parametrize("value", ["true", "TRUE", "1"])
@pytest.mark.parametrize(
    "name", ["x-amz-meta-snowball-auto-extract", "X-Amz-Meta-Snowball-Auto_Extract"]
)
def test_archives_are_not_unpacked(front: Front, origin: Origin, name: str, value: str) -> None:
    for bucket in ("back", "team"):
        target = f"/{bucket}/x.tar"
        headers = {name.lower(): value, "x-amz-meta-minio-snowball-prefix": "elsewhere"}
        assert error_code(front.send("PUT", target, body=b"tar", headers=headers)) == (
            "NotImplemented"
        )
        fields = fields_of("PUT", target, front.host, b"tar") | {name: value}
        assert front.send_raw("PUT", target, fields, b"tar").status in (403, 501)
        link = front.send_presigned("PUT", f"{target}?{name}={value}")
        assert error_code(link) == "NotImplemented"
    assert not origin.seen
    assert not front.asked
