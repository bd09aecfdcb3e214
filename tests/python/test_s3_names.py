"""The backend's names in what it answers beside the documents of S3: clients learn none of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.http1 import Response
from support.s3_gateway import Front, backend, error_code, got_of_refused, origin_fixture
from support.s3_origin import Origin
from support.sigv4 import Key

origin = origin_fixture(b"kept")

XML = {"Content-Type": "application/xml"}
HTML = {"Content-Type": "text/html"}
PAGE = b"<html><body>nginx: shared at prod-host</body></html>"
LIST = (
    "<ListBucketResult><Name>shared</Name><Prefix>teams/a/</Prefix>"
    "<Contents><Key>teams/a/x</Key></Contents></ListBucketResult>"
)


@pytest.fixture
def front(origin: Origin, tmp_path: Path) -> Iterator[Front]:
    buckets = {
        "*": backend(origin),
        "alias": backend(origin, bucket="shared"),
        "team": backend(origin, bucket="shared", prefix="teams/a/"),
    }
    with Front(buckets, audit_log=str(tmp_path / "audit.log")) as one:
        yield one


def answer(
    origin: Origin, path: str, status: int, body: bytes | str, headers: Mapping[str, str] = XML
) -> None:
    data = body.encode() if isinstance(body, str) else body
    origin.answers[("GET", path)] = (status, data, dict(headers))


def audited(tmp_path: Path, count: int) -> list[str | None]:
    lines = (tmp_path / "audit.log").read_text().splitlines()
    assert len(lines) == count
    return [json.loads(line)["error"] for line in lines]


PATHS = {"back": "/back/k", "alias": "/shared/k", "team": "/shared/teams/a/k"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchKey"), (501, "NotImplemented")],
)
@pytest.mark.parametrize("bucket", PATHS)
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (PAGE, HTML),
        (PAGE, {}),
        (b"<?xml version='1.0'?>" + PAGE, XML),
        (b"shared on prod-host", {"Content-Type": "text/plain"}),
        (b'{"error": "prod-host"}', {"Content-Type": "application/json"}),
        (b"prod-host, shared: teams/a", XML),
        (b"<Error><Code>X</Code><Resource>/shared", XML),
        (b"<Error><Code>X</Code></Error>\nprod-host", XML),
        (b"<!-- --> prod-host <Error><Code>X</Code></Error>", XML),
        (b"<Error><Code>X</Code></Error><html>prod-host</html>", XML),
        (b"<Error><Code>X</Code></Error><Error><Code>prod-host</Code></Error>", XML),
        (gzip.compress(b"<Error><Code>X</Code></Error>"), {**XML, "Content-Encoding": "gzip"}),
        (b"<Error><Code>X</Code>" + b"<A>a</A>" * 4096 + b"</Error>", XML),
        (LIST.encode(), XML),
    ],
    ids=[
        "page",
        "page without a type",
        "page behind a declaration",
        "text",
        "json",
        "text as xml",
        "cut off",
        "text behind",
        "text before",
        "page behind",
        "error behind",
        "gzip",
        "too long",
        "list",
    ],
)
def test_error_that_is_none_of_s3_is_replaced(
    front: Front,
    origin: Origin,
    tmp_path: Path,
    status: int,
    code: str,
    bucket: str,
    body: bytes,
    headers: dict[str, str],
) -> None:
    answer(origin, PATHS[bucket], status, body, headers)
    response = front.send("GET", f"/{bucket}/k")
    assert (response.status, error_code(response)) == (status, code)
    assert response.get("content-type") == "application/xml"
    assert response.get("content-encoding") is None
    for name in (b"shared", b"prod-host", b"teams", b"nginx"):
        assert name not in response.body
    front.close()
    assert audited(tmp_path, 1) == [code]


def test_page_of_a_proxy_before_the_storage_is_replaced(origin: Origin) -> None:
    with Front({"alias": backend(origin, bucket="shared", retries=0)}) as front:
        for status in (500, 502, 503, 504):
            answer(origin, "/shared/k", status, PAGE, HTML)
            response = front.send("GET", "/alias/k")
            assert response.status == status
            assert b"<Error>" in response.body
            assert b"prod-host" not in response.body


@pytest.mark.parametrize("headers", [XML, {}, {"Content-Type": "text/plain"}])
@pytest.mark.parametrize("around", ["", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff"])
def test_error_of_s3_is_passed_whatever_it_says_that_it_is(
    front: Front, origin: Origin, headers: dict[str, str], around: str
) -> None:
    said = "<Error><Code>NoSuchTag</Code><Message>None is there</Message></Error>"
    answer(origin, "/back/k", 404, around + said, headers)
    response = front.send("GET", "/back/k")
    assert (response.status, response.body.decode()) == (404, around + said)
    assert response.get("content-type") == "application/xml"


def test_comment_before_an_error_is_not_passed(front: Front, origin: Origin) -> None:
    said = "<Error><Code>NoSuchTag</Code></Error>"
    comment = "<!-- Error of <Error>prod-host</Error> -->"
    answer(origin, "/back/k", 404, f"{comment}\n{said}\n{comment}")
    assert front.send("GET", "/back/k").body.decode() == said


def test_what_is_said_of_the_text_of_an_error_goes_with_it(front: Front, origin: Origin) -> None:
    said = {
        "ETag": '"prod"',
        "Content-MD5": "cHJvZA==",
        "x-amz-checksum-crc32": "cHJvZA==",
        "x-minio-error-desc": '"prod-host"',
        "x-amz-error-message": "prod-host",
        "x-amz-error-code": "NoSuchKey",
    }
    answer(origin, "/back/k", 404, PAGE, {**HTML, **said})
    fields = front.send("GET", "/back/k").headers
    assert not {name.lower() for name, _ in fields} & {name.lower() for name in list(said)[:-1]}
    assert ("x-amz-error-code", "NoSuchKey") in fields


MESSAGE = "<Error><Code>NoSuchKey</Code><Message>{}</Message></Error>"
LEFT_OUT = MESSAGE.format("The storage refused this, and its message has names of its own")


@pytest.mark.parametrize(
    ("bucket", "message", "passes"),
    [
        ("back", "no k in back", True),
        ("back", "no shared/k", True),
        ("alias", "The specified key does not exist.", True),
        ("alias", "see https://docs.test/", True),
        ("alias", "no k in shared", False),
        ("alias", "open /data/shared/k: no such file", False),
        ("team", "The specified key does not exist.", True),
        ("team", "no teams/a/k", False),
        ("team", "no teams%2Fa%2Fk", False),
        ("team", "no teams&#47;a&#47;k", False),
        ("team", "no k in shared", False),
    ],
)
def test_message_that_tells_names_is_left_out(
    front: Front, origin: Origin, bucket: str, message: str, passes: bool
) -> None:
    said = MESSAGE.format(message)
    answer(origin, PATHS[bucket], 404, said)
    assert front.send("GET", f"/{bucket}/k").body.decode() == (said if passes else LEFT_OUT)


def test_message_about_the_source_of_a_copy(origin: Origin) -> None:
    said = MESSAGE.format("no k in shared")
    origin.answers[("PUT", "/back/c")] = (404, said.encode(), XML)
    with Front({"back": backend(origin), "alias": backend(origin, bucket="shared")}) as front:
        headers = {"x-amz-copy-source": "alias/k"}
        assert front.send("PUT", "/back/c", body=b"", headers=headers).body.decode() == LEFT_OUT


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
@pytest.mark.parametrize("bucket", ["alias", "team"])
def test_list_is_a_list_whatever_it_says_that_it_is(
    front: Front, origin: Origin, headers: dict[str, str], bucket: str
) -> None:
    answer(origin, "/shared", 200, LIST, headers)
    expected = LIST.replace("shared", bucket)
    if bucket == "team":
        expected = expected.replace("teams/a/", "")
    assert front.send("GET", f"/{bucket}?list-type=2").body.decode() == expected


def test_list_that_is_none_is_not_passed(front: Front, origin: Origin) -> None:
    answer(origin, "/shared", 200, "<html><b>shared</html>", HTML)
    assert b"shared" not in got_of_refused(front, "/alias?list-type=2", 502)


# --- regions


def location(response: Response) -> str:
    assert response.status == 200
    return response.body.decode().partition('/2006-03-01/">')[2].partition("</")[0]


@pytest.mark.parametrize(
    "said",
    [
        "<LocationConstraint>eu-de</LocationConstraint>",
        '<?xml version="1.0"?><LocationConstraint xmlns="x"/>',
    ],
)
def test_location_is_the_region_that_is_pinned(origin: Origin, said: str) -> None:
    answer(origin, "/back", 200, said, {**XML, "x-amz-bucket-region": "eu-de"})
    for pinned, told in (("eu-x", "eu-x"), ("us-east-1", "")):
        key = Key("alice", "her secret", pinned)
        buckets = {
            "front": backend(origin, bucket="back"),
            "team": backend(origin, bucket="back", prefix="t/"),
        }
        with Front(buckets, region=pinned) as front:
            for bucket in buckets:
                response = front.send("GET", f"/{bucket}?location", key=key)
                assert location(response) == told
                assert response.get("x-amz-bucket-region") == pinned
    answer(origin, "/back", 404, MESSAGE.format("none"))
    with Front({"back": backend(origin)}, region="eu-x") as front:
        response = front.send("GET", "/back?location", key=Key("alice", "her secret", "eu-x"))
        assert error_code(response) == "NoSuchKey"


def test_location_is_the_backends_where_none_is_pinned(front: Front, origin: Origin) -> None:
    said = "<LocationConstraint>eu-de</LocationConstraint>"
    answer(origin, "/back", 200, said)
    assert front.send("GET", "/back?location").body.decode() == said
