"""Links of tercel.s3.presign: as botocore makes them, as AWS shows them, and what is refused."""

from __future__ import annotations

import doctest
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import tercel.s3.presigned
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


URL = "https://s3.test/b/k"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: presign("GET", URL, credentials=Bearer("T")), "is an Hmac, not of Bearer"),
        (lambda: presign("", URL, credentials=KEY), "the method is empty"),
        (lambda: presign("GET", 5, credentials=KEY), "the url is a text"),
        (lambda: presign("GET", "s3://b/k", credentials=KEY), "is an http(s) URL"),
        (lambda: presign("GET", "https://u@s3.test/", credentials=KEY), "without user"),
        (lambda: presign("GET", URL + "#a", credentials=KEY), "and fragment"),
        (lambda: presign("GET", URL + "%zz", credentials=KEY), "is not percent-encoded"),
        (lambda: presign("GET", URL + "?X-Amz-Date=1", credentials=KEY), "is presigned already"),
        (lambda: presign("GET", URL, credentials=KEY, region=""), "the region is empty"),
        (lambda: presign("GET", URL, credentials=KEY, expires_s=0), "from 1 to 604800"),
        (lambda: presign("GET", URL, credentials=KEY, expires_s=604801), "from 1 to 604800"),
        (lambda: presign("GET", URL, credentials=KEY, now=datetime(2026, 1, 1)), "a time zone"),
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
