"""Links of tercel.s3.presign: as botocore makes them, as AWS shows them, and what is refused."""

from __future__ import annotations

import doctest
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import tercel.s3.presigned
from support.s3_gateway import ALICE, Front, backend
from support.s3_origin import Origin
from tercel.s3 import Bearer, Hmac, presign

botocore_auth = pytest.importorskip("botocore.auth")

KEY = Hmac("AK", "SK")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_example_of_the_docstring_is_right() -> None:
    assert doctest.testmod(tercel.s3.presigned) == doctest.TestResults(0, 2 + 1)


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.test/bucket/key",
        "http://127.0.0.1:9000/bucket/a%20b%2Bc/%C3%A9/?versionId=1&response-content-type=a%2Fb",
        "https://bucket.s3.test:8443/a//b/../c",
        "https://s3.test/",
    ],
)
@pytest.mark.parametrize("credentials", [KEY, Hmac("AK/x", "S+K/", "tok+en/=")])
def test_signature_is_that_of_botocore(
    url: str, credentials: Hmac, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    request = AWSRequest("PUT", url, headers={"x-amz-meta-a": "b"})
    botocore_auth.S3SigV4QueryAuth(
        Credentials(credentials.access_key, credentials.secret_key, credentials.session_token),
        "s3",
        "eu-de",
        expires=60,
    ).add_auth(request)
    ours = presign(
        "PUT",
        url,
        credentials=credentials,
        region="eu-de",
        expires_s=60,
        headers={"X-Amz-Meta-A": "b"},
        now=NOW,
    )
    theirs = dict(parse_qsl(urlsplit(request.url).query))
    assert dict(parse_qsl(urlsplit(ours).query)) == theirs
    assert urlsplit(ours)[:2] == urlsplit(url)[:2]


def test_lifetime_begins_now() -> None:
    link = presign("GET", "https://s3.test:443/b/k", credentials=KEY)
    query = dict(parse_qsl(urlsplit(link).query))
    begins = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(begins.timestamp() - time.time()) < 60
    assert query["X-Amz-Expires"] == "3600"
    assert link.startswith("https://s3.test/b/k?")  # As clients send the Host field.


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("HTTPS://S3.Test:/B/K", "https://s3.test/B/K?"),
        ("http://[2001:DB8::1]:9000/b", "http://[2001:db8::1]:9000/b?"),
        ("http://[::1]:80/b", "http://[::1]/b?"),
        ("http://s3.test:443/b", "http://s3.test:443/b?"),
        ("https://s3.test", "https://s3.test/?"),
    ],
)
def test_host_is_as_clients_send_it(url: str, begins: str) -> None:
    assert presign("GET", url, credentials=KEY).startswith(begins)


def test_a_digest_that_is_signed_is_that_of_the_only_body() -> None:
    with Origin() as origin, Front({"*": backend(origin)}) as front:
        for body in (b"this", b"other"):
            fields = {"x-amz-content-sha256": hashlib.sha256(b"this").hexdigest()}
            link = presign(
                "PUT",
                f"http://{front.host}/back/new",
                credentials=Hmac(ALICE.access_key, ALICE.secret),
                headers=fields,
            )
            target = link.partition(front.host)[2]
            sent = {"Host": front.host, "content-length": str(len(body)), **fields}
            response = front.send_raw("PUT", target, sent, body)
            assert response.status == (200 if body == b"this" else 400), response.body
        assert origin.objects["/back/new"] == b"this"


URL = "https://s3.test/b/k"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: presign("GET", URL, credentials=Bearer("T")), "is an Hmac, not of Bearer"),
        (lambda: presign("", URL, credentials=KEY), "the method is empty"),
        (lambda: presign("GET", 5, credentials=KEY), "the url is a text"),
        (lambda: presign("GET", "s3://b/k", credentials=KEY), "is an http(s) URL"),
        (lambda: presign("GET", "https://u@s3.test/", credentials=KEY), "has a user or a password"),
        (lambda: presign("GET", "https://:PW@s3.test/", credentials=KEY), "has a user or a passw"),
        (lambda: presign("GET", "https://@s3.test/", credentials=KEY), "has a user or a password"),
        (lambda: presign("GET", "https://s 3.test/", credentials=KEY), "is an http(s) URL, as"),
        (lambda: presign("GET", "https://[::1/", credentials=KEY), "is an http(s) URL, as"),
        (
            lambda: presign("GET", "https://h:a/", credentials=KEY),
            "the url has a port that is none",
        ),
        (
            lambda: presign("GET", "https://h:0/", credentials=KEY),
            "the url has a port that is none",
        ),
        (lambda: presign("GET", "https://h:65536/", credentials=KEY), "a port that is none"),
        (lambda: presign("GET", URL + "#a", credentials=KEY), "the url has a fragment"),
        (lambda: presign("GET", URL + "/a b", credentials=KEY), "has a blank: percent-encode it"),
        (lambda: presign("G T", URL, credentials=KEY), "of HTTP in upper case, as GET, not 'G T'"),
        (lambda: presign("get", URL, credentials=KEY), "of HTTP in upper case, as GET, not 'get'"),
        (lambda: presign("GET", URL + "%zz", credentials=KEY), "is not percent-encoded"),
        (lambda: presign("GET", URL + "?X-Amz-Date=1", credentials=KEY), "is presigned already"),
        (lambda: presign("GET", URL, credentials=KEY, region=""), "the region is empty"),
        (lambda: presign("GET", URL, credentials=KEY, region="a/b"), "without slash, comma and"),
        (lambda: presign("GET", URL, credentials=KEY, expires_s=0), "from 1 to 604800"),
        (lambda: presign("GET", URL, credentials=KEY, expires_s=604801), "from 1 to 604800"),
        (lambda: presign("GET", URL, credentials=KEY, now=datetime(2026, 1, 1)), "a time zone"),
        (lambda: presign("GET", URL, credentials=KEY, now="now"), "now is a datetime, not of str"),
        (
            lambda: presign("GET", URL, credentials=KEY, now=datetime(1, 1, 1, tzinfo=UTC)),
            "now is a time from 1970 to 9999, not 0001-01-01T00:00:00+00:00",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, now=datetime(9999, 12, 31, tzinfo=UTC)),
            "now is a time from 1970 to 9999",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers=[("a", "b")]),
            "headers is a dict of names and values, not of list",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"a b": "1"}),
            "the name of a header is of letters, digits and hyphens, not 'a b'",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"a;b": "1"}),
            "the name of a header is of letters, digits and hyphens, not 'a;b'",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"Host": "h"}),
            "Host is that of the url: leave it out of headers",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"X-Amz-Security-Token": "t"}),
            "is the session_token of the credentials",
        ),
        (
            lambda: presign("PUT", URL, credentials=KEY, headers={"x-amz-content-sha256": "0"}),
            "the value of x-amz-content-sha256 is a SHA-256, 64 digits of hex in lower case",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"a": "1", "A": "2"}),
            "a header is there twice",
        ),
        (
            lambda: presign("GET", URL, credentials=KEY, headers={"a": "1\r\n"}),
            "the value of a has bytes",
        ),
        (lambda: presign("GET", URL + "?" + "a&" * 2000, credentials=KEY), "too many parameters"),
    ],
)
def test_mistakes(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert sentence in str(caught.value)
    assert "PW" not in str(caught.value)
