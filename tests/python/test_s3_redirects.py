"""A backend that says that a bucket is elsewhere: where the gateway goes, what clients are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.http1 import Response
from support.s3_gateway import Front, backend, error_code, fields_of, origin_fixture, raw_request
from support.s3_origin import KEY, Origin
from tercel.s3 import Backend

origin = origin_fixture(b"kept")

# What its own documents have, and nobody else is to know.
DOCUMENT = b"<Error><Code>TemporaryRedirect</Code><Endpoint>back.secret.test</Endpoint></Error>"


@pytest.fixture
def front(origin: Origin) -> Iterator[Front]:
    """Before an endpoint in path style and another region, which knows itself by other names."""
    origin.objects["/key"] = b"there"
    with Front({"*": there(origin)}) as one:
        yield one


def there(origin: Origin) -> Backend:
    return backend(
        origin,
        bucket="back",
        endpoint=f"http://localhost:{origin.port}",
        style="path",
        region="eu-de",
    )


def send_on(origin: Origin, method: str, *, status: int = 307, host: str = "", **more: str) -> None:
    host = host or f"back.localhost:{origin.port}"
    fields = {
        "Location": f"http://{host}/key?x=y",
        "Content-Type": "application/xml",
        "x-amz-bucket-region": KEY.region,
        **more,
    }
    origin.answers[method, "/back/key"] = (status, DOCUMENT, fields)


def assert_tells_nothing(response: Response) -> None:
    assert response.get("location") is None
    assert b"localhost" not in response.body
    assert b"secret" not in response.body
    assert response.get("x-amz-bucket-region") is None


# The endpoint's own host without the bucket: the name of it is looked up by the resolver.
def test_goes_there_once_and_signs_for_it(front: Front, origin: Origin) -> None:
    send_on(origin, "GET")
    assert front.send("GET", "/front/key?partNumber=1").body == b"there"
    first, second = origin.seen
    assert first.target == "/back/key?partNumber=1"
    assert second.target == "/key?partNumber=1"
    assert second.headers["host"] == f"back.localhost:{origin.port}"
    assert "/eu-de/s3/" in first.headers["authorization"]
    assert second.signed_by == KEY.access_key
    assert len(front.asked) == 1


def test_the_next_time_it_goes_there_at_once(front: Front, origin: Origin) -> None:
    send_on(origin, "GET")
    assert front.send("GET", "/front/key").body == b"there"
    assert front.send("HEAD", "/front/key").status == 200
    assert front.send("PUT", "/front/key", body=b"a new one").status == 200
    assert [one.target for one in origin.seen] == ["/back/key", "/key", "/key", "/key"]
    # Another bucket is another matter, and so is another configuration.
    assert front.send("GET", "/other/key").body == b"a new one"
    assert origin.seen[4].target == "/back/key"
    front.gateway.update({"*": there(origin)})
    assert front.send("GET", "/front/key").body == b"a new one"
    assert origin.seen[6].target == "/back/key"


def test_what_fails_there_is_forgotten(front: Front, origin: Origin) -> None:
    send_on(origin, "GET")
    assert front.send("GET", "/front/key").body == b"there"
    origin.answers["GET", "/key"] = (
        307,
        DOCUMENT,
        {"Location": f"http://localhost:{origin.port}/"},
    )
    assert front.send("GET", "/front/key").status == 503
    del origin.answers["GET", "/key"]
    origin.answers["GET", "/back/key"] = (200, b"home again", {})
    assert front.send("GET", "/front/key").body == b"home again"


def test_a_connection_that_had_been_closed_says_nothing_of_the_place(
    front: Front, origin: Origin
) -> None:
    send_on(origin, "GET")
    assert front.send("GET", "/front/key").body == b"there"
    origin.fail("head", "reset")
    assert front.send("GET", "/front/key").body == b"there"
    assert front.send("GET", "/front/key").body == b"there"
    assert [one.target for one in origin.seen].count("/back/key") == 1
    assert front.gateway.counts()["retried"] == 1


def test_a_body_that_was_not_sent_goes_there(front: Front, origin: Origin) -> None:
    send_on(origin, "PUT")
    body = b"a new one"
    fields = fields_of("PUT", "/front/key", front.host, body) | {"expect": "100-continue"}
    with front.connect() as client:
        client.send(raw_request("PUT", "/front/key", fields))
        assert client.interim_response().status == 100
        client.send(body)
        assert client.response().status == 200
    assert origin.objects["/key"] == body
    assert [len(one.body) for one in origin.seen] == [0, len(body)]


def test_a_body_that_was_sent_does_not(front: Front, origin: Origin) -> None:
    send_on(origin, "PUT")
    response = front.send("PUT", "/front/key", body=b"a new one")
    assert error_code(response) == "ServiceUnavailable"
    assert response.status == 503
    assert_tells_nothing(response)
    assert len(origin.seen) == 1
    assert front.gateway.counts()["backend_failed"] == 1
    # A client that tries again, as they do after 503, is sent on.
    assert front.send("PUT", "/front/key", body=b"a new one").status == 200
    assert origin.objects["/key"] == b"a new one"


def test_from_there_it_goes_nowhere(front: Front, origin: Origin) -> None:
    send_on(origin, "GET")
    origin.answers["GET", "/key"] = origin.answers["GET", "/back/key"]
    response = front.send("GET", "/front/key")
    assert error_code(response) == "ServiceUnavailable"
    assert_tells_nothing(response)
    assert len(origin.seen) == 2


@pytest.mark.parametrize(
    "host",
    [
        "{}",
        "back.localhost",
        "evil.localhost:{}",
        "127.0.0.1:{}",
        "back.localhost.evil.test:{}",
        "back.localhost:{}@evil.test",
        "localhost:{}@evil.test",
        "[::1]:{}",
    ],
)
def test_to_nobody_else(front: Front, origin: Origin, host: str) -> None:
    with Origin() as evil:
        port = evil.port if host == "{}" else origin.port
        host = f"localhost:{port}" if host == "{}" else host.format(port)
        send_on(origin, "GET", host=host)
        response = front.send("GET", "/front/key")
        assert error_code(response) == "ServiceUnavailable"
        assert_tells_nothing(response)
        assert not evil.seen
    assert len(origin.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_clients_are_not_sent_on(front: Front, origin: Origin, status: int) -> None:
    send_on(origin, "GET", status=status, host="elsewhere.secret.test")
    response = front.send("GET", "/front/key")
    code = "InternalError" if status in (301, 308) else "ServiceUnavailable"
    assert error_code(response) == code
    assert_tells_nothing(response)
    # 304 is no redirect.
    origin.answers["GET", "/back/key"] = (304, b"", {"ETag": '"a"'})
    assert front.send("GET", "/front/key").status == 304


def test_a_region_of_its_own(front: Front, origin: Origin) -> None:
    for method in ("GET", "HEAD"):
        fields = {"x-amz-bucket-region": KEY.region}
        origin.answers[method, "/back/key"] = (301, b"", fields)
        before = len(origin.seen)
        assert front.send(method, "/front/key").status == 500
        # Signed for it, it is asked again, and says the same.
        assert [bool(one.signed_by) for one in origin.seen[before:]] == [False, True]


def test_keys_stay_behind_their_prefix(origin: Origin) -> None:
    origin.objects["/team-a/key"] = b"hers"
    folder = backend(
        origin,
        bucket="back",
        endpoint=f"http://localhost:{origin.port}",
        style="path",
        prefix="team-a/",
    )
    location = {"Location": f"http://back.localhost:{origin.port}/other"}
    origin.answers["GET", "/back/team-a/key"] = (307, b"", location)
    with Front({"*": folder}) as front:
        assert front.send("GET", "/front/key").body == b"hers"


@pytest.mark.parametrize("domain", ["", "com", "Example.com", "*.example.com", "a..b", ".b.c", 5])
def test_mistakes(domain: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="redirects of Backend"):
        Backend("http://h", redirects=domain)
