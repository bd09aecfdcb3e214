"""Pages of other origins: what a gateway tells browsers, as the Fetch standard has them ask.

A page in a real browser: tests/long/test_s3_browser.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from support.http1 import Response
from support.s3_gateway import Front, backend, error_code, fields_of, origin_fixture
from support.s3_origin import Origin
from tercel.s3 import Cors

APP = "https://app.example"
EVIL = "https://evil.example"

origin = origin_fixture(b"kept")


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    rules = [
        Cors(origins=[APP], methods=["GET", "PUT"], headers=["authorization", "x-amz-*"]),
        Cors(origins=["https://*.example"], max_age=5),
    ]
    buckets = {"back": backend(origin, cors=rules), "other": backend(origin)}
    with Front(buckets, domains=["s3.test"]) as one:
        yield one


def preflight(
    front: Front,
    path: str,
    method: str,
    page: str = APP,
    headers: str = "",
    *,
    host: str | None = None,
) -> Response:
    fields = {
        "Host": host or front.host,
        "Origin": page,
        "Access-Control-Request-Method": method,
    }
    if headers:
        fields["Access-Control-Request-Headers"] = headers
    return front.send_raw("OPTIONS", path, fields)


def said(answer: Response) -> dict[str, str]:
    """Returns what an answer tells browsers."""
    return {
        name: value
        for name, value in answer.headers
        if name.startswith("access-control-") or name == "vary"
    }


def test_a_preflight_is_answered_without_anybody(front: Front, origin: Origin) -> None:
    answer = preflight(front, "/back/a%20b?uploads", "PUT", headers="x-amz-date,authorization")
    assert (answer.status, answer.body) == (200, b"")
    assert said(answer) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-date,authorization",
        "access-control-max-age": "600",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }
    virtual = preflight(front, "/a", "GET", "https://x.example", host="back.s3.test")
    assert said(virtual)["access-control-max-age"] == "5"
    assert front.keys_asked == front.asked == origin.seen == []
    assert front.gateway.counts()["answered_here"] == 2


@pytest.mark.parametrize(
    ("path", "method", "page", "headers"),
    [
        ("/back/a", "DELETE", APP, ""),
        ("/back/a", "PUT", EVIL.replace("evil", "x"), ""),
        ("/back/a", "GET", "null", ""),
        ("/back/a", "PUT", APP, "x-other"),
        ("/other/a", "GET", APP, ""),
        ("/none/a", "GET", APP, ""),
        ("/", "GET", APP, ""),
    ],
)
def test_what_no_rule_allows_is_forbidden(
    front: Front, path: str, method: str, page: str, headers: str
) -> None:
    answer = preflight(front, path, method, page, headers)
    assert (answer.status, error_code(answer)) == (403, "AccessForbidden")
    assert f"<Method>{method}</Method>".encode() in answer.body
    assert not any(name.startswith("access-control") for name in said(answer))


def test_options_of_no_browser_are_refused(front: Front) -> None:
    answer = front.send_raw("OPTIONS", "/back/a", {"Host": front.host, "Origin": APP})
    assert (answer.status, error_code(answer)) == (400, "BadRequest")


def get(front: Front, path: str, more: Mapping[str, str]) -> Response:
    return front.send_raw("GET", path, fields_of("GET", path, front.host, None) | more)


def test_an_answer_says_who_may_read_it(front: Front) -> None:
    answer = get(front, "/back/key", {"Origin": APP})
    assert (answer.status, answer.body) == (200, b"kept")
    exposed = said(answer)["access-control-expose-headers"]
    assert exposed.startswith("ETag, Accept-Ranges, Content-Range, Retry-After")
    assert said(answer)["access-control-allow-origin"] == APP
    assert said(answer)["vary"] == "origin"
    assert said(get(front, "/back/key", {"Origin": "http://elsewhere"})) == {"vary": "origin"}
    assert said(get(front, "/back/key", {})) == {"vary": "origin"}
    assert said(get(front, "/other/key", {"Origin": APP})) == {}


def test_errors_can_be_read_too(front: Front) -> None:
    missing = get(front, "/back/none", {"Origin": APP})
    assert (missing.status, said(missing)["access-control-allow-origin"]) == (404, APP)
    unsigned = front.send_raw("GET", "/back/key", {"Host": front.host, "Origin": APP})
    assert (unsigned.status, said(unsigned)["access-control-allow-origin"]) == (403, APP)
    assert said(unsigned)["access-control-expose-headers"].endswith(", x-amz-request-id")


def test_rules_may_be_changed(front: Front, origin: Origin) -> None:
    assert preflight(front, "/other/a", "GET").status == 403
    front.gateway.update({"*": backend(origin, cors=Cors(origins=["*"]))})
    for path in ("/other/a", "/back/a", "/"):
        assert said(preflight(front, path, "GET"))["access-control-allow-origin"] == "*"
    assert preflight(front, "/back/a", "PUT").status == 403
