"""Backends that a function says, of buckets that the gateway's configuration does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.s3_gateway import Front, backend, error_code
from support.s3_origin import Origin
from tercel.s3 import ApiKey, Backend, Cors, Gateway, Hmac


@pytest.fixture
def origins() -> Iterator[tuple[Origin, Origin]]:
    with Origin() as one, Origin() as other:
        one.objects["/back/key"] = b"one"
        other.objects["/back/key"] = b"other"
        yield one, other


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "coroutine"])
def test_each_bucket_is_where_it_is_said_to_be(
    origins: tuple[Origin, Origin], is_async: bool
) -> None:
    where = dict(zip(("left", "right"), origins, strict=True))
    asked: list[str] = []

    def find(bucket: str) -> Backend | None:
        asked.append(bucket)
        return backend(where[bucket], bucket="back") if bucket in where else None

    async def find_later(bucket: str) -> Backend | None:
        await asyncio.sleep(0.01)
        return find(bucket)

    with Front({}, resolver=find_later if is_async else find) as front:
        for _ in range(3):
            assert front.send("GET", "/left/key").body == b"one"
            assert front.send("GET", "/right/key").body == b"other"
            assert error_code(front.send("GET", "/nowhere/key")) == "NoSuchBucket"
        assert asked == ["left", "right", "nowhere"]
        front.gateway.invalidate(bucket="left")
        where["left"] = origins[1]
        assert front.send("GET", "/left/key").body == b"other"
        assert asked == ["left", "right", "nowhere", "left"]


def test_rules_come_first_and_strangers_ask_nothing(origins: tuple[Origin, Origin]) -> None:
    asked: list[str] = []

    def find(bucket: str) -> Backend:
        asked.append(bucket)
        return backend(origins[1], bucket="back")

    rules = {"left": backend(origins[0], bucket="back")}
    with Front(
        rules, resolver=find, authorize=lambda request: request.bucket != "not-yours"
    ) as front:
        assert front.send("GET", "/left/key").body == b"one"
        assert error_code(front.send("GET", "/not-yours/key")) == "AccessDenied"
        assert front.send_raw("GET", "/right/key", {"Host": front.host}).status == 403
        assert not asked
        assert front.send("GET", "/right/key").body == b"other"
        assert asked == ["right"]
        assert b"<Name>left</Name>" in front.send("GET", "/").body


def test_a_copy_is_of_two_buckets_on_one_backend(origins: tuple[Origin, Origin]) -> None:
    def find(bucket: str) -> Backend:
        return backend(origins[bucket == "right"], bucket="back")

    with Front({}, resolver=find) as front:

        def copy(source: str) -> Any:
            fields = {"x-amz-copy-source": source}
            return front.send("PUT", "/left/copy", headers=fields)

        assert error_code(copy("right/key")) == "NotImplemented"
        assert origins[0].seen == []
        copy("other/key")
        assert origins[0].seen[-1].headers["x-amz-copy-source"] == "back/key"


def raises(bucket: str) -> Backend:
    raise OSError("the table of buckets is away")


async def hangs(bucket: str) -> Backend:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.mark.parametrize(
    ("resolver", "code", "says"),
    [
        (raises, "InternalError", "the table of buckets is away"),
        (hangs, "SlowDown", "took longer than"),
        (lambda bucket: "http://h", "InternalError", "returns a Backend or None"),
        (lambda bucket: Backend("http://h:1"), "InternalError", "without creds"),
        (
            lambda bucket: Backend("http://h:1", creds=Hmac("a", "b"), anonymous="read"),
            "InternalError",
            "name them in buckets=",
        ),
        (
            lambda bucket: Backend("http://h:1", creds=Hmac("a", "b"), cors=Cors(origins=["*"])),
            "InternalError",
            "name them in buckets=",
        ),
    ],
    ids=["raises", "hangs", "nonsense", "no credentials", "anonymous", "cors"],
)
def test_what_is_no_answer_reaches_no_backend(
    resolver: Callable[[str], Any], code: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Front({}, resolver=resolver, policy_timeout=0.3) as front:
        assert error_code(front.send("GET", "/left/key")) == code
        assert front.gateway.counts()["forwarded"] == 0
    assert says in caplog.text


def test_backends_with_one_api_key_have_its_token_in_common(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tercel.s3 import Bearer, policy

    exchanged: list[ApiKey] = []

    def exchange(api_key: ApiKey, patience: float) -> Bearer:
        exchanged.append(api_key)
        return Bearer("the token")

    monkeypatch.setattr(policy, "exchange", exchange)
    with Origin(bearer="the token") as origin:
        origin.objects["/left/key"] = origin.objects["/right/key"] = b"there"
        there = {"creds": ApiKey("the key", token_url="http://127.0.0.1:9")}
        with Front(
            {}, resolver=lambda bucket: Backend(origin.url, bucket=bucket, **there)
        ) as front:
            assert front.send("GET", "/left/key").body == b"there"
            assert front.send("GET", "/right/key").body == b"there"
            assert len(exchanged) == 1


def test_what_is_said_of_a_place_counts_for_all_its_buckets() -> None:
    def find(bucket: str) -> Backend:
        return Backend("http://127.0.0.1:9", creds=Hmac("a", "b"), retries=0, bucket=f"at-{bucket}")

    with Front({}, resolver=find, error_ttl=0) as front:
        for bucket in ("one", "two", "three"):
            assert error_code(front.send("GET", f"/{bucket}/key")) == "ServiceUnavailable"
        assert front.gateway.counts()["rested"] == 1, "three failures of one endpoint"


# Whoever is told that a bucket is elsewhere asks there for this request: the next time the function
# may say something else.
def test_a_redirect_is_followed_and_forgotten(origins: tuple[Origin, Origin]) -> None:
    origin = origins[0]
    origin.objects["/key"] = b"there"
    fields = {"Location": f"http://back.localhost:{origin.port}/key"}
    origin.answers["GET", "/back/key"] = (307, b"", fields)

    def find(bucket: str) -> Backend:
        place = f"http://localhost:{origin.port}"
        return backend(origin, bucket="back", endpoint=place, style="path")

    with Front({}, resolver=find) as front:
        for _ in range(2):
            assert front.send("GET", "/front/key").body == b"there"
    paths = [seen.target for seen in origin.seen]
    assert paths == ["/back/key", "/key"] * 2


def test_a_wrong_resolver_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="resolver"):
        Gateway({}, secret_for={}, authorize=lambda request: True, resolver="there")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bucket_ttl"):
        Gateway({}, secret_for={}, authorize=lambda request: True, bucket_ttl=-1)
