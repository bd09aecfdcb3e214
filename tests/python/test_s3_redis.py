"""Gateways that share answers in a Redis: what is asked once, what is forgotten by all, and who is
not believed.

Each gateway here has its own server and loop; the Redis is a real one.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.redis_server import RedisServer, free_port
from support.s3_gateway import BOB, Front, backend, origin_fixture
from support.s3_origin import Origin
from support.s3_shared import (
    KEY,
    MakeFront,
    client_of,
    entries_of,
    fronts_fixture,
    redis_fixture,
    wait_for_entries,
)
from support.tls import Authority
from support.waiting import wait_until
from tercel.s3 import ApiKey, AuthzRequest, Backend, Decision, FrontKey, Gateway, Hmac, Limit, Redis
from tercel.s3.redis import place_of
from tercel.s3.shared_changes import SharedChanges

origin = origin_fixture(b"kept")
redis = redis_fixture()
fronts = fronts_fixture()


def get(front: Front, path: str = "/back/key", **options: Any) -> int:
    return front.send("GET", path, **options).status


def shared_by(front: Front) -> int:
    return front.gateway.counts()["policy_shared"]


# --- what is asked once


@pytest.mark.parametrize("allow", [True, False])
def test_a_decision_is_asked_once_for_all(
    fronts: MakeFront, redis: RedisServer, allow: bool
) -> None:
    decide = lambda request: Decision(allow, ttl=60, reason="why")  # noqa: E731
    one, other = fronts(authorize=decide), fronts(authorize=decide)
    status = 200 if allow else 403
    assert get(one) == status
    wait_for_entries(redis, 1)
    assert [get(other) for _ in range(3)] == [status] * 3
    assert (len(one.asked), len(other.asked)) == (1, 0)
    assert (shared_by(one), shared_by(other)) == (0, 1)
    assert other.gateway.counts()["policy_known"] == 2 + 2  # Of the key, and of the decision.


@pytest.mark.parametrize(
    ("scope", "holds", "asked"),
    [
        ("request", "/back/key", "/back/key?versionId=1"),
        ("prefix", "/back/a/2", "/back/b/1"),
        ("operation", "/back/x/y", "/other/a/1"),
        ("bucket", "/back?list-type=2", "/other/a/1"),
    ],
)
def test_it_holds_for_its_scope(
    fronts: MakeFront, redis: RedisServer, scope: Any, holds: str, asked: str
) -> None:
    one, other = (fronts(authorize=lambda request: Decision(True, scope=scope)) for _ in range(2))
    get(one, "/back/key" if scope == "request" else "/back/a/1")
    wait_for_entries(redis, 1)
    get(other, holds)
    assert not other.asked
    get(other, asked)
    get(other, holds, key=BOB)
    assert len(other.asked) == 2


def test_the_narrowest_decision_counts(fronts: MakeFront, redis: RedisServer) -> None:
    def decide(request: AuthzRequest) -> Decision:
        if request.key == "private":
            return Decision(False)
        return Decision(True, scope="operation")

    one = fronts(authorize=decide)
    assert (get(one, "/back/private"), get(one)) == (403, 200)
    wait_for_entries(redis, 2)
    other = fronts(authorize=decide)
    assert (get(other, "/back/private"), get(other)) == (403, 200)
    assert not other.asked


@pytest.mark.parametrize(
    ("redis_options", "options"),
    [
        ({"key": "another key " * 3}, {}),
        ({"policy": "2"}, {}),
        ({"prefix": "t2:"}, {}),
        ({}, {"allow_ttl": 61}),
        ({"share": ["limits"]}, {}),
    ],
)
def test_gateways_that_differ_share_nothing(
    fronts: MakeFront, redis: RedisServer, redis_options: Any, options: Any
) -> None:
    assert get(fronts()) == 200
    wait_for_entries(redis, 1)
    other = fronts(redis_options=redis_options, **options)
    assert get(other) == 200
    assert (len(other.asked), shared_by(other)) == (1, 0)


def test_what_has_no_signature_is_not_shared(
    fronts: MakeFront, redis: RedisServer, origin: Origin
) -> None:
    one, other = (fronts({"*": backend(origin, anonymous="read")}) for _ in range(2))
    for front in (one, other):
        assert front.send_raw("GET", "/back/key", {"Host": front.host}).status == 200
        assert len(front.asked) == 1
    assert get(one) == 200
    assert len(wait_for_entries(redis, 1)) == 1


def test_failures_are_not_shared(fronts: MakeFront, redis: RedisServer) -> None:
    def fail(request: AuthzRequest) -> bool:
        raise RuntimeError("no")

    assert get(fronts(authorize=fail)) == 500
    other = fronts()
    assert get(other) == 200
    assert len(other.asked) == 1
    assert len(wait_for_entries(redis, 1)) == 1


# --- tokens, secrets and credentials


@pytest.fixture
def iam() -> Iterator[tuple[str, list[str]]]:
    """The URL of an endpoint that exchanges API keys, and those that came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["content-length"])).decode())
            body = json.dumps({"access_token": "TOKEN-1", "expires_in": 3600}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/token", came
        server.shutdown()


def test_a_token_is_got_once(
    fronts: MakeFront, redis: RedisServer, iam: tuple[str, list[str]]
) -> None:
    url, came = iam
    with Origin(bearer="TOKEN-1") as other_origin:
        other_origin.objects["/back/key"] = b"kept"
        buckets = {"*": Backend(other_origin.url, creds=ApiKey("THE-API-KEY", url))}
        for number in range(3):
            front = fronts(buckets, redis_options={"share": ["tokens"]})
            assert get(front) == 200
            assert len(came) == 1
            wait_for_entries(redis, 1)
            assert len(front.asked) == 1  # Decisions are not shared here.
            assert number == 0 or shared_by(front) == 0
        front.gateway.invalidate()
        wait_until(lambda: get(front) == 200 and len(came) == 2)


def test_secrets_and_credentials_are_shared_where_that_is_said(
    fronts: MakeFront, redis: RedisServer, origin: Origin
) -> None:
    options: dict[str, Any] = {
        "buckets": {"*": backend(origin, key=None)},
        "credentials": lambda bucket, identity: Hmac("BACKENDKEY", "the secret of the backend"),
        "secret_for": lambda key: FrontKey("her secret", identity="ann"),
    }
    usual, other_usual = fronts(**options), fronts(**options)
    assert (get(usual), get(other_usual)) == (200, 200)
    assert len(other_usual.keys_asked) == len(other_usual.credentials_asked) == 1
    redis_options = {"share": ["decisions", "secrets", "credentials"], "policy": "all"}
    one = fronts(**options, redis_options=redis_options)
    assert get(one) == 200
    wait_for_entries(redis, 1 + 3)
    other = fronts(**options, redis_options=redis_options)
    assert get(other) == 200
    assert (other.keys_asked, other.asked, other.credentials_asked) == ([], [], [])
    assert shared_by(other) == 3


def test_a_secret_with_a_session_is_not_shared(fronts: MakeFront, redis: RedisServer) -> None:
    found = lambda key: FrontKey("her secret", session=object())  # noqa: E731
    for _ in range(2):
        front = fronts(secret_for=found, redis_options={"share": ["secrets"]})
        assert get(front) == 200
        assert front.keys_asked == ["alice"]
    assert not entries_of(redis)


# --- what is forgotten


def test_invalidate_reaches_the_others(fronts: MakeFront, redis: RedisServer) -> None:
    allowed = True
    one, other = (fronts(authorize=lambda request: allowed) for _ in range(2))
    assert (get(one), get(other), get(one, key=BOB)) == (200, 200, 200)
    wait_for_entries(redis, 2)
    allowed = False
    assert (get(one), get(other)) == (200, 200)
    began = time.monotonic()
    one.gateway.invalidate(identity="alice")
    assert get(one) == 403
    wait_until(lambda: get(other) == 403, timeout=5)
    assert time.monotonic() - began < 3
    assert get(one, key=BOB) == 200  # What is in a process of others stays.


def test_what_was_answered_before_is_not_read_after(fronts: MakeFront, redis: RedisServer) -> None:
    one = fronts()
    assert get(one) == 200
    before = wait_for_entries(redis, 1)
    one.gateway.invalidate(bucket="back")
    wait_until(lambda: get(one) == 200 and len(one.asked) == 2)
    with client_of(redis) as client:
        for name, value in before.items():
            client.set(name, value)
    other = fronts(authorize=lambda request: False)
    assert get(other) == 403
    assert len(other.asked) == 1


def test_until_all_are_told_nothing_of_before_is_read(
    fronts: MakeFront, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = True
    one = fronts(authorize=lambda request: allowed)
    assert get(one) == 200
    wait_for_entries(redis, 1)
    publish = SharedChanges._publish
    told = threading.Event()

    async def slow(self: SharedChanges, client: Any) -> Any:
        await asyncio.sleep(0.5)
        told.set()
        return await publish(self, client)

    monkeypatch.setattr(SharedChanges, "_publish", slow)
    allowed = False
    one.gateway.invalidate()
    assert get(one) == 403
    assert not told.is_set()
    assert told.wait(10)


def test_the_same_is_said_again_when_it_comes_while_it_is_said(
    fronts: MakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another gateway may have asked between the two."""
    one = fronts()
    assert get(one) == 200
    publish = SharedChanges._publish
    began, go_on = threading.Event(), threading.Event()
    said: list[Any] = []

    async def slow(self: SharedChanges, client: Any) -> Any:
        result = await publish(self, client)
        said.append(result)
        began.set()
        await asyncio.to_thread(go_on.wait, 10)
        return result

    monkeypatch.setattr(SharedChanges, "_publish", slow)
    one.gateway.invalidate(identity="alice")
    assert began.wait(10)
    one.gateway.invalidate(identity="alice")
    go_on.set()
    wait_until(lambda: len(said) == 2)


def test_what_was_asked_before_is_not_kept_after(fronts: MakeFront, redis: RedisServer) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def decide(request: AuthzRequest) -> bool:
        if not asked.is_set():
            asked.set()
            assert go_on.wait(10)
            return True
        return False

    one, other = fronts(authorize=decide), fronts()
    assert get(other, key=BOB) == 200
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(get(one)))
    thread.start()
    assert asked.wait(10)
    with client_of(redis) as client:
        epoch = client.get("tercel:epoch")
        assert epoch
        other.gateway.invalidate(identity="alice")
        wait_until(lambda: client.get("tercel:epoch") != epoch)
    time.sleep(0.5)  # For the message.
    go_on.set()
    thread.join()
    assert statuses == [403]  # It was asked again.
    third = fronts(authorize=lambda request: False)
    assert get(third) == 403


def test_who_was_away_forgets_everything(fronts: MakeFront, redis: RedisServer) -> None:
    allowed = True
    one, other = (fronts(authorize=lambda request: allowed) for _ in range(2))
    assert (get(one), get(other)) == (200, 200)
    wait_for_entries(redis, 1)
    redis.kill()
    allowed = False
    one.gateway.invalidate()
    assert (get(one), get(other)) == (403, 200)  # Nobody can tell it.
    redis.start()
    wait_until(lambda: get(other) == 403)


# --- who is not believed


def test_what_others_wrote_is_not_read(fronts: MakeFront, redis: RedisServer) -> None:
    decide = lambda request: request.identity == "alice"  # noqa: E731
    one = fronts(authorize=decide)
    assert (get(one), get(one, key=BOB)) == (200, 403)
    entries = wait_for_entries(redis, 2)
    first, second = entries
    for forged in (
        {first: entries[second], second: entries[first]},  # Each is right, but not there.
        {name: value[:-1] + bytes([value[-1] ^ 1]) for name, value in entries.items()},
        dict.fromkeys(entries, b""),
        dict.fromkeys(entries, b'["", 9e9, 60, [0, 0, "", 0]]'),
        dict.fromkeys(entries, bytes(100_000)),
    ):
        with client_of(redis) as client:
            client.mset(forged)
        other = fronts(authorize=decide)
        assert (get(other), get(other, key=BOB)) == (200, 403)
        assert len(other.asked) == 2
        assert shared_by(other) == 0
        # It has kept its own answers when the next ones are forged.
        wait_until(lambda: not forged.items() & entries_of(redis).items())  # noqa: B023


def test_an_answer_ends_when_it_says_so(fronts: MakeFront, redis: RedisServer) -> None:
    decide = lambda request: Decision(True, ttl=1.5)  # noqa: E731
    assert get(fronts(authorize=decide)) == 200
    (name,) = wait_for_entries(redis, 1)
    with client_of(redis) as client:
        assert 0 < client.pttl(name) <= 1500
        client.persist(name)
    time.sleep(1.6)
    other = fronts(authorize=decide)
    assert get(other) == 200
    assert len(other.asked) == 1


@pytest.mark.parametrize("what", [b"", b"nonsense", bytes(1000)])
def test_what_others_say_is_not_heard(fronts: MakeFront, redis: RedisServer, what: bytes) -> None:
    one, other = fronts(), fronts()
    assert (get(one), get(other)) == (200, 200)
    with client_of(redis) as client:
        wait_until(lambda: client.publish("tercel:changes", what) >= 2)
    time.sleep(0.2)
    assert get(other) == 200
    wait_until(lambda: (one.gateway.invalidate(), get(other), len(other.asked))[2] >= 2)


def test_another_type_of_value_is_no_answer(fronts: MakeFront, redis: RedisServer) -> None:
    assert get(fronts()) == 200
    (name,) = wait_for_entries(redis, 1)
    with client_of(redis) as client:
        client.delete(name)
        client.rpush(name, "x")
    other = fronts()
    assert get(other) == 200
    assert len(other.asked) == 1


def test_nothing_that_is_secret_lies_there(
    fronts: MakeFront, redis: RedisServer, origin: Origin, iam: tuple[str, list[str]]
) -> None:
    url, _ = iam
    with Origin(bearer="TOKEN-1") as by_token, client_of(redis) as client:
        by_token.objects["/token/key"] = b"kept"
        buckets = {
            "token": Backend(by_token.url, creds=ApiKey("THE-API-KEY", url)),
            "*": backend(origin, key=None),
        }
        everything = ["decisions", "tokens", "limits", "secrets", "credentials"]
        with client.pubsub() as heard:
            heard.psubscribe("*")
            front = fronts(
                buckets,
                redis_options={"share": everything},
                credentials=lambda *_: Hmac("BACKENDKEY", "the secret of the backend"),
                authorize=lambda request: Decision(True, reason="the reason"),
                limits=[Limit(rate=0.01, burst=100)],
            )
            assert (get(front), get(front, "/token/key"), get(front, key=BOB)) == (200, 200, 200)
            wait_for_entries(redis, 3 + 2 + 3)
            front.gateway.invalidate(identity="alice", access_key="alice", bucket="back")
            told: list[bytes] = []
            end = time.monotonic() + 5
            while not told and time.monotonic() < end:
                message = heard.get_message(ignore_subscribe_messages=True, timeout=1)
                if message is not None:
                    told.append(message["channel"] + b" " + message["data"])
        assert told
        lying = told + [name + b" " + (client.get(name) or b"") for name in client.keys("*")]
    assert len(lying) >= 3 + 2 + 3 + 3  # With the epoch, two budgets and what was told.
    for secret in (
        *("alice", "her secret", "bob", "his secret", "BACKENDKEY", "the secret", "TOKEN-1"),
        *("THE-API-KEY", "back", "token", "/key", "GetObject", "the reason", KEY, "127.0.0.1"),
    ):
        for text in lying:
            assert secret.encode() not in text.replace(b"tercel:", b"")


# --- a Redis that is away


def test_without_redis_each_gateway_asks_for_itself(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer(tmp_path, begin=False) as redis:
        shared = Redis(f"redis://:pass-word@127.0.0.1:{redis.port}", key=KEY)
        options: dict[str, Any] = {"shared": shared, "limits": [Limit(rate=1000)]}
        buckets = {"*": backend(origin)}
        with Front(buckets, **options) as one, Front(buckets, **options) as other:
            for front in (one, other):
                assert [get(front) for _ in range(3)] == [200] * 3
                assert len(front.asked) == 1
            assert f"Redis at redis://127.0.0.1:{redis.port}: " in caplog.text
            assert "pass-word" not in caplog.text
            redis.start()  # It has no password, so it refuses one.
            assert get(one, "/back/other") == 404
    assert caplog.text.count("goes on by itself") == 2


def test_it_is_shared_once_redis_is_there(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer(tmp_path, begin=False) as redis:
        shared = Redis(redis.url, key=KEY, timeout=1)
        buckets = {"*": backend(origin)}
        with Front(buckets, shared=shared) as one, Front(buckets, shared=shared) as other:
            assert (get(one), get(other)) == (200, 200)
            redis.start()
            wait_until(lambda: caplog.text.count("answers again") == 2)
            assert get(one, "/back/new") == 404
            wait_for_entries(redis, 1)
            assert get(other, "/back/new") == 404
            assert shared_by(other) == 1


def test_a_redis_that_dies_costs_nobody_anything(
    fronts: MakeFront, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = fronts(), fronts()
    assert get(one) == 200
    wait_for_entries(redis, 1)
    redis.kill()
    for number in range(20):
        assert get(one, f"/back/{number}") == 404
        assert get(other, f"/back/{number}") == 404
    assert (len(one.asked), len(other.asked)) == (21, 20)
    redis.start()
    wait_until(lambda: caplog.text.count("answers again") == 2)
    assert get(one) == 200
    wait_for_entries(redis, 1)


def test_a_redis_that_hangs_costs_one_timeout(
    fronts: MakeFront, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    front = fronts(redis_options={"timeout": 1.5})
    assert get(front) == 200
    wait_for_entries(redis, 1)
    redis.pause()
    try:
        began = time.monotonic()
        assert get(front, "/back/1") == 404
        assert 1.4 < time.monotonic() - began < 5
        began = time.monotonic()
        for number in range(10):
            assert get(front, f"/back/x{number}") == 404
        assert time.monotonic() - began < 1.4
    finally:
        redis.resume()
    assert "no answer in 1.5 s" in caplog.text
    wait_until(lambda: "answers again" in caplog.text)
    assert get(front, "/back/2") == 404
    wait_until(lambda: len(entries_of(redis)) >= 2)


def test_a_server_ends_while_redis_hangs(origin: Origin, redis: RedisServer) -> None:
    shared = Redis(redis.url, key=KEY, timeout=1)
    with Front({"*": backend(origin)}, shared=shared, limits=[Limit(rate=1000)]) as front:
        assert get(front) == 200
        redis.pause()
        front.gateway.invalidate()
        assert get(front, "/back/other") == 404
        began = time.monotonic()
    redis.resume()
    assert time.monotonic() - began < 8


# --- how it is reached


def test_users_and_passwords(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rights = "user gate on >pass-word ~tercel:* &tercel:* -@all +@read +@write +@pubsub +@scripting"
    (tmp_path / "acl").write_text(f"{rights} +@connection +@transaction +time\nuser default off\n")
    with RedisServer(tmp_path, "--aclfile", str(tmp_path / "acl")) as redis:
        where = f"127.0.0.1:{redis.port}"
        buckets = {"*": backend(origin)}
        options: dict[str, Any] = {"limits": [Limit(rate=1000)]}
        good = Redis(f"redis://gate:pass-word@{where}/0", key=KEY, timeout=1)
        options["shared"] = good
        with Front(buckets, **options) as one, Front(buckets, **options) as other:
            for number in range(100):  # It is kept in the background.
                assert get(one, f"/back/{number}") == 404
                time.sleep(0.05)
                assert get(other, f"/back/{number}") == 404
                if shared_by(other):
                    break
            asked = len(other.asked)
            one.gateway.invalidate()
            wait_until(lambda: get(other, f"/back/{number}") and len(other.asked) > asked)
        assert "Redis" not in caplog.text
        wrong = Redis(f"redis://gate:wrong-word@{where}", key=KEY, timeout=1)
        with Front(buckets, **(options | {"shared": wrong})) as front:
            assert get(front) == 200
    assert f"Redis at redis://{where}: " in caplog.text
    assert "-word" not in caplog.text


def test_over_tls(origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", file="redis")
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-cert-file", certificate]
    tls += ["--tls-key-file", key, "--tls-ca-cert-file", authority.ca]
    with RedisServer(tmp_path, *tls, "--tls-auth-clients", "no") as redis:
        shared = Redis(f"rediss://localhost:{port}", key=KEY, timeout=2, ca=authority.ca)
        buckets = {"*": backend(origin)}
        with Front(buckets, shared=shared) as front:
            assert get(front) == 200
            wait_for_entries(redis, 1)
        assert "Redis" not in caplog.text
        stranger = Redis(f"rediss://localhost:{port}", key=KEY, timeout=2)
        with Front(buckets, shared=stranger) as front:
            assert get(front) == 200
            assert len(front.asked) == 1
    assert "certificate verify failed" in caplog.text


# --- options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"url": "http://h"}, "the url of Redis begins with redis://, rediss:// or unix://"),
        ({"url": "redis://"}, "the url of Redis names no host and port"),
        ({"url": "redis://h:x"}, "the url of Redis is none: Port could not be cast"),
        ({"url": "redis://h/x"}, "the path in the url of Redis is the number of a database"),
        ({"url": "redis://h?color=red"}, "the options in the url of Redis cannot be used: "),
        (
            {"url": "redis://h?decode_responses=True"},
            "the url of Redis has decode_responses: leave",
        ),
        ({"url": "unix://"}, "the url of Redis names no socket"),
        ({"url": 5}, "the url of Redis is a text, not of int"),
        ({"key": "short"}, "the key of Redis has 32 characters or more, at random"),
        ({"key": 5}, "the key of Redis is a text"),
        ({"key": None, "share": ["tokens"]}, "Redis shares tokens only with a key"),
        ({"share": ["keys"]}, "the share of Redis has decisions, tokens, limits, secrets, cred"),
        ({"share": "limits"}, "the share of Redis is a list of texts, as ['limits']"),
        ({"share": []}, "the share of Redis is empty"),
        ({"prefix": ""}, "the prefix of Redis is empty"),
        ({"prefix": "x" * 65}, "the prefix of Redis has at most 64 characters"),
        ({"policy": 5}, "the policy of Redis is a text, not 5"),
        ({"timeout": 0}, "the timeout of Redis, in seconds, is from 0.001 to 5, not 0"),
        ({"ca": "/x"}, "the ca of Redis is for a url that begins with rediss://"),
        ({"url": "rediss://h", "ca": "/x/y"}, "the ca of Redis, /x/y, cannot be read"),
    ],
)
def test_mistakes_end_in_a_sentence(options: dict[str, Any], sentence: str) -> None:
    given = {"url": "redis://h", "key": KEY, **options}
    with pytest.raises((TypeError, ValueError)) as caught:
        Redis(**given)
    assert str(caught.value).startswith(sentence)


def test_what_is_shared_if_nothing_is_said() -> None:
    assert Redis("redis://h").share == ("limits",)
    assert Redis("redis://h", key=KEY).share == ("decisions", "tokens", "limits")


def test_it_tells_no_secret() -> None:
    redis = Redis("rediss://u:pass-word@[::1]:7/3", key=KEY)
    assert "pass-word" not in repr(redis)
    assert KEY not in repr(redis)
    assert place_of(redis) == "rediss://[::1]:7"
    assert place_of(Redis("unix:///run/a%20b?db=1")) == "unix:///run/a b"


def test_a_gateway_takes_a_redis_only() -> None:
    options: dict[str, Any] = {"secret_for": {}, "authorize": lambda request: True}
    with pytest.raises(TypeError, match="shared is a Redis, not of str"):
        Gateway({}, shared="redis://h", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"is longer than policy_timeout, 0\.1 s"):
        Gateway({}, shared=Redis("redis://h"), policy_timeout=0.1, **options)


@pytest.mark.parametrize(
    ("missing", "options"),
    [("redis", {}), ("cryptography", {"key": KEY})],
)
def test_without_its_packages(
    monkeypatch: pytest.MonkeyPatch, missing: str, options: dict[str, Any]
) -> None:
    import importlib

    from tercel import extras

    def find(name: str) -> Any:
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(extras, "import_module", find)
    with pytest.raises(ImportError) as caught:
        Redis("redis://h", **options)
    assert str(caught.value) == (
        f"tercel.s3.Redis needs {missing}: install it with `pip install 'tercel[redis]'`"
    )
