"""A gateway while it serves: what its functions say and how they fail, the buckets that somebody
sees, other backends, and what it forgets and counts.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import tercel.s3
from support.http1 import Response
from support.s3_gateway import (
    ALICE,
    BOB,
    Front,
    backend,
    error_code,
    fields_of,
    front_fixture,
    origin_fixture,
)
from support.s3_origin import KEY, Origin
from support.sigv4 import UNSIGNED, Key, sign

KEPT = os.urandom(10_000)
BIG = os.urandom(2_000_000)


origin = origin_fixture(KEPT)
front = front_fixture()


# --- functions that fail


def raises(*_: Any) -> Any:
    raise RuntimeError("of the operator's")


def hangs(*_: Any) -> Any:
    time.sleep(0.6)
    return True


async def hangs_async(*_: Any) -> Any:
    await asyncio.sleep(60)


async def raises_async(*_: Any) -> Any:
    raise RuntimeError("of the operator's")


async def cancels(*_: Any) -> Any:
    raise asyncio.CancelledError


def exits(*_: Any) -> Any:
    sys.exit(3)


async def exits_async(*_: Any) -> Any:
    sys.exit(3)


async def ignores_its_cancellation(*_: Any) -> Any:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.2)
    return True


async def blocks_the_loop(*_: Any) -> Any:
    time.sleep(0.6)  # noqa: ASYNC251
    return True


def finds_nothing(*_: Any) -> Any:
    return next(iter(()))


NONSENSE: list[Any] = [1, b"bytes", object(), ["list"], {"a": 1}, (), float("nan")]
FAILURES = [
    (raises, "InternalError"),
    (raises_async, "InternalError"),
    (cancels, "InternalError"),
    (hangs, "SlowDown"),
    (hangs_async, "SlowDown"),
    (exits, "InternalError"),
    (exits_async, "InternalError"),
    (ignores_its_cancellation, "SlowDown"),
    (blocks_the_loop, "SlowDown"),
    (finds_nothing, "InternalError"),
    *((lambda *_, said=said: said, "InternalError") for said in NONSENSE),
]


@pytest.mark.parametrize("way", ["plain", "coroutine"])
@pytest.mark.parametrize("which", ["secret_for", "authorize", "credentials"])
def test_a_function_that_fails_lets_nothing_through(which: str, way: str) -> None:
    failing: list[Any] = [None]
    right: dict[str, Callable[..., Any]] = {
        "secret_for": {"alice": ALICE.secret}.get,
        "authorize": lambda request: True,
        "credentials": lambda bucket, identity: tercel.s3.Hmac(KEY.access_key, KEY.secret),
    }

    async def fails_async(*arguments: Any) -> Any:
        found = failing[0](*arguments)
        return await found if asyncio.iscoroutine(found) else found

    def fails(*arguments: Any) -> Any:
        return failing[0](*arguments)

    failing_one = fails if way == "plain" else fails_async
    with Origin() as untouched:
        options: dict[str, Any] = {**right, "policy_timeout": 0.3, "error_ttl": 0}
        buckets = {"*": backend(untouched, key=None)}
        with Front(buckets, **{**options, which: failing_one}) as front:
            for function, code in FAILURES:
                failing[0] = function
                begun = time.monotonic()
                response = front.send("PUT", "/back/new", body=b"not to be kept")
                assert error_code(response) == code, function
                assert time.monotonic() - begun < 2
            assert front.gateway.counts()["policy_failed"] == len(FAILURES)
            assert front.gateway.counts()["forwarded"] == 0
            assert untouched.connections == 0
            failing[0] = right[which]
            assert front.send("PUT", "/back/new", body=b"kept").status == 200
            assert untouched.objects == {"/back/new": b"kept"}


def test_a_failure_is_not_repeated_for_every_request(origin: Origin) -> None:
    with Front({"*": backend(origin)}, authorize=raises, error_ttl=30) as front:
        for _ in range(5):
            assert error_code(front.send("GET", "/back/key")) == "InternalError"
        assert len(front.asked) == 1
        assert origin.connections == 0


def test_who_asks_together_is_asked_about_once(origin: Origin) -> None:
    def authorize(request: tercel.s3.AuthzRequest) -> bool:
        time.sleep(0.2)
        return True

    with Front({"*": backend(origin)}, authorize=authorize, settings={"io_threads": 2}) as front:
        threads = [
            threading.Thread(target=front.send, args=("GET", "/back/key")) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(front.asked) == 1
        assert len(origin.seen) == 12


# --- what is asked, and who sees which bucket


def test_a_function_is_told_what_is_asked_for(origin: Origin) -> None:
    told = tercel.s3.FrontKey(ALICE.secret, identity="Alice herself", session={"team": "red"})
    with Front({"*": backend(origin)}, secret_for=lambda access_key: told) as front:
        headers = {"x-amz-meta-a": "1", "content-type": "text/plain"}
        target = "/back/a%20b/%C3%BC?versionId=a%2Bb&tagging"
        front.send("PUT", target, body=b"<Tagging/>", headers=headers)
        front.send_presigned("GET", "/back/key?response-content-type=a/b")
        first, second = front.asked
    assert (first.identity, first.access_key) == ("Alice herself", "alice")
    assert first.session == {"team": "red"}
    assert (first.operation, first.method) == ("PutObjectTagging", "PUT")
    assert (first.bucket, first.key) == ("back", "a b/\u00fc")
    assert dict(first.query) == {"versionId": "a+b", "tagging": ""}
    assert first.source_ip == "127.0.0.1"
    assert dict(first.headers) == {"x-amz-meta-a": "1"}
    assert not first.presigned
    assert second.presigned
    assert (second.operation, second.key) == ("GetObject", "key")
    assert dict(second.query) == {"response-content-type": "a/b"}


def test_everybody_sees_the_buckets_that_are_theirs(origin: Origin) -> None:
    buckets = {name: backend(origin) for name in ("alices", "bobs", "common", "many-*")}

    def authorize(request: tercel.s3.AuthzRequest) -> bool:
        return request.bucket in ("", "common", f"{request.identity}s")

    with Front(buckets, authorize=authorize) as front:
        for key, sees in ((ALICE, ["alices", "common"]), (BOB, ["bobs", "common"])):
            response = front.send("GET", "/", key=key)
            assert response.status == 200
            assert re.findall(rb"<Name>([^<]*)</Name>", response.body) == [
                name.encode() for name in sees
            ]
    assert origin.connections == 0


def test_a_bucket_is_a_label_of_a_domain(origin: Origin) -> None:
    with Front({"front": backend(origin, bucket="back")}, domains=["s3.example.com"]) as front:
        for host in ("front.s3.example.com", "front.s3.example.com:8443", "FRONT.s3.example.com"):
            fields = fields_of("GET", "/key", host, None)
            assert front.send_raw("GET", "/key", fields).body == KEPT
        fields = fields_of("GET", "/front/key", "s3.example.com", None)
        assert front.send_raw("GET", "/front/key", fields).body == KEPT
        fields = fields_of("GET", "/key", "other.s3.example.com", None)
        assert error_code(front.send_raw("GET", "/key", fields)) == "NoSuchBucket"
        assert {seen.target for seen in origin.seen} == {"/back/key"}


# --- changes while it serves


def test_other_backends_are_had_from_the_next_request_on(front: Front, origin: Origin) -> None:
    with Origin() as other:
        other.objects["/back/key"] = b"of the other one"
        origin.fail("answer", "stall")
        answers: list[Response] = []
        under_way = threading.Thread(target=lambda: answers.append(front.send("GET", "/back/key")))
        under_way.start()
        origin.wait_for(1)
        front.gateway.update({"*": backend(other)})
        for _ in range(6):
            assert front.send("GET", "/back/key").body == b"of the other one"
        origin.release()
        under_way.join(10)
        assert answers[0].body == KEPT
        assert len(origin.seen) == 1
        front.gateway.update({"only": backend(origin, bucket="back")})
        assert front.send("GET", "/only/key").body == KEPT
        assert error_code(front.send("GET", "/back/key")) == "NoSuchBucket"
        with pytest.raises((TypeError, ValueError)):
            front.gateway.update({"*": backend(origin, key=None)})
        assert front.send("GET", "/only/key").body == KEPT


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_known_is_forgotten_where_it_is_told_to(origin: Origin, threads: int) -> None:
    secrets = {"alice": "her secret", "bob": BOB.secret}
    allowed = [True]
    with Front(
        {"*": backend(origin)},
        secret_for=secrets.get,
        authorize=lambda request: allowed[0],
        deny_ttl=60,
        settings={"io_threads": threads},
    ) as front:
        for key in (ALICE, BOB) * 2:
            assert front.send("GET", "/back/key", key=key).status == 200
        # Of two threads one may not have met a key yet.
        known = threads == 1
        secrets["alice"] = "another secret"
        changed = Key("alice", "another secret")
        response = front.send("GET", "/back/key", key=changed)
        assert not known or error_code(response) == "SignatureDoesNotMatch"
        front.gateway.invalidate(access_key="alice")
        for _ in range(4):
            assert front.send("GET", "/back/key", key=changed).status == 200
            old = front.send("GET", "/back/key")
            assert error_code(old) == "SignatureDoesNotMatch"
        allowed[0] = False
        assert not known or front.send("GET", "/back/key", key=changed).status == 200
        front.gateway.invalidate(identity="alice")
        for _ in range(4):
            assert error_code(front.send("GET", "/back/key", key=changed)) == "AccessDenied"
            response = front.send("GET", "/back/key", key=BOB)
            assert not known or response.status == 200
        front.gateway.invalidate(bucket="back")
        assert error_code(front.send("GET", "/back/key", key=BOB)) == "AccessDenied"
        allowed[0] = True
        front.gateway.invalidate()
        for key in (changed, BOB) * 2:
            assert front.send("GET", "/back/key", key=key).status == 200


def test_counts_add_up(front: Front, origin: Origin) -> None:
    front.send("GET", "/back/key")
    front.send("GET", "/back/key", key=Key("alice", "wrong"))
    front.send("GET", "/back/key", key=Key("nobody", "wrong"))
    front.send("GET", "/")
    origin.fail("head", "close", times=4)
    front.send("PUT", "/back/new", body=BIG)
    counts = front.gateway.counts()
    assert counts["requests"] == 5
    assert counts["refused"] == 2
    assert counts["forwarded"] == 2
    assert counts["answered_here"] == 1
    assert counts["backend_failed"] == 1
    assert counts["denied"] == counts["policy_failed"] == 0


def test_an_unsigned_payload_is_forwarded_as_such(front: Front, origin: Origin) -> None:
    fields = sign("PUT", "/back/new", front.host, ALICE, payload=UNSIGNED)
    fields["content-length"] = str(len(BIG))
    assert front.send_raw("PUT", "/back/new", fields, BIG).status == 200
    assert origin.seen[-1].headers["x-amz-content-sha256"] == UNSIGNED
    assert origin.objects["/back/new"] == BIG
