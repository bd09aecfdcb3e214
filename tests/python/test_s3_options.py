"""Mistakes with tercel.s3: each is one sentence, where it is made, and without a secret."""

from __future__ import annotations

import asyncio
import gc
import re
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tercel.s3 import ApiKey, Backend, Bearer, Cors, Decision, FrontKey, Gateway, Hmac, Limit

HMAC = Hmac("AK", "SK")
BACKEND = Backend("http://127.0.0.1:9000", creds=HMAC)


def gateway(buckets: Any = None, **options: Any) -> Gateway:
    options = {"secret_for": {}, "authorize": lambda request: True} | options
    return Gateway({"*": BACKEND} if buckets is None else buckets, **options)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Hmac("", "S"), "the access_key of Hmac is empty"),
        (lambda: Hmac("A", 5), "the secret_key of Hmac is a text, not of int"),
        (lambda: Hmac("A", "S\n"), "has bytes that are not printable ASCII"),
        (lambda: Hmac("A", "S", expires_at="soon"), "since the epoch, is a number, not 'soon'"),
        (lambda: Bearer("T\u00e9"), "the token of Bearer has bytes that are not printable"),
        (lambda: ApiKey("K", "ftp://x"), "URL, as https://s3.example.com, not 'ftp://x'"),
        (lambda: ApiKey("K", "http://"), "the token_url of ApiKey is an http(s) URL"),
        (lambda: ApiKey("K", "http://[::1/"), "the token_url of ApiKey is an http(s) URL"),
        (lambda: ApiKey("K", "http://h:abc/"), "the token_url of ApiKey has a port that is none"),
        (lambda: ApiKey("K", "http://u:PW@h/"), "the token_url of ApiKey has a user or a password"),
        (lambda: ApiKey("K", 5), "the token_url of ApiKey is a text, not of int"),
        (lambda: FrontKey("S", ttl=-1), "the ttl of FrontKey, in seconds, is from 0 to"),
        (lambda: FrontKey("S", identity=5), "the identity of FrontKey is a text, not 5"),
        (lambda: Decision("yes"), "allow of Decision is True or False, not 'yes'"),
        (lambda: Decision(True, scope="all"), "is one of request, prefix, operation, bucket"),
        (lambda: Decision(True, reason=5), "the reason of Decision is a text"),
        (lambda: Backend("127.0.0.1:9000"), "is an http(s) URL, as https://s3.example.com"),
        (lambda: Backend("http://h/path"), "has a scheme, a host and a port only"),
        (lambda: Backend("http://h?a"), "has a scheme, a host and a port only"),
        (lambda: Backend("http://u:PW@h"), "the endpoint of Backend has a user or a password"),
        (lambda: Backend("http://:PW@[h"), "the endpoint of Backend has a user or a password"),
        (
            lambda: Backend("http://h:0"),
            "endpoint of Backend has a port that is none: it is from 1",
        ),
        (lambda: Backend("http://h:65536"), "the endpoint of Backend has a port that is none"),
        (lambda: Backend("http://h:x"), "the endpoint of Backend has a port that is none"),
        (lambda: Backend("http://h", ca="/ca.pem"), "has a ca for an endpoint that is https only"),
        (lambda: Backend("http://h", bucket=".."), "the bucket of Backend is a name: 1 to 255 let"),
        (lambda: Backend("http://h", bucket="a/b"), "of Backend is a name: 1 to 255 letters"),
        (lambda: Backend("http://h", bucket="a?b"), "of Backend is a name: 1 to 255 letters"),
        (lambda: Backend("http://h", bucket="a" * 256), "of Backend is a name: 1 to 255 letters"),
        (lambda: Backend("http://h", style="host"), "is one of path, virtual, auto, not 'host'"),
        (lambda: Backend("http://h", creds="key"), "are Hmac, Bearer or ApiKey, not 'key'"),
        (lambda: Backend("https://h", verify="no"), "verify of Backend is True or False, not 'no'"),
        (lambda: Backend("http://h", spread=1), "spread of Backend is True or False, not 1"),
        (lambda: Backend("http://h", trailers=0), "trailers of Backend is True or False, not 0"),
        (lambda: Backend("http://h", region=""), "the region of Backend is empty"),
        (lambda: Backend("http://h", region="r" * 65), "the region of Backend has at most 64 ch"),
        (
            lambda: Backend("http://h", region="a/b"),
            "is a name, as eu-de, without slash, comma and",
        ),
        (
            lambda: gateway(region="a/b"),
            "the region of Gateway is a name, as eu-de, without slash,",
        ),
        (lambda: gateway(region=""), "the region of Gateway is empty"),
        (lambda: gateway(region="r" * 65), "the region of Gateway has at most 64 characters"),
        (lambda: gateway(buckets=[BACKEND]), "buckets is a dict of backends by name"),
        (lambda: gateway(buckets={"a": "http://h"}), "buckets is a dict of backends by name"),
        (lambda: gateway(buckets={"a/b": BACKEND}), '"a/b" is no name of a bucket: 3 to 63 lower'),
        (lambda: gateway(buckets={"ab": BACKEND}), '"ab" is no name of a bucket: 3 to 63 lower'),
        (lambda: gateway(buckets={"Logs": BACKEND}), '"Logs" is no name of a bucket'),
        (lambda: gateway(buckets={"a/*": BACKEND}), "1 to 255 bytes without '/', not \"a/*\""),
        (lambda: gateway(domains=["https://s3.test"]), "domains are names of hosts, as s3.ex"),
        (lambda: gateway(domains=["s3.test:9000"]), "domains are names of hosts, as s3.ex"),
        (lambda: gateway(buckets={"a": Backend("http://h")}), "has no creds, and the gateway has"),
        (lambda: gateway(secret_for=5), "secret_for is a function, not 5"),
        (lambda: gateway(secret_for={5: "PW"}), "dict of secrets by access key, not by 5"),
        (
            lambda: gateway(secret_for={"a": "s", "bob": 5}),
            "the secret of 'bob' in secret_for is a text or a FrontKey, not of int",
        ),
        (lambda: gateway(secret_for={"a": None}), "is a text or a FrontKey, not of NoneType"),
        (lambda: gateway(secret_for={"a": b"PW"}), "'a' in secret_for is a text or a FrontKey"),
        (lambda: gateway(secret_for={"a": ""}), "the secret of 'a' in secret_for is empty"),
        (lambda: gateway(secret_for={"a": "PW\n"}), "in secret_for has bytes that are not"),
        (lambda: gateway(authorize=None), "authorize is a function, not None"),
        (lambda: gateway(authorize=lambda: True), "called with (request)"),
        (lambda: gateway(credentials=lambda bucket: HMAC), "called with (bucket, identity)"),
        (lambda: gateway(domains="s3.test"), "domains is a list of texts"),
        (lambda: gateway(allow_ttl=-1), "the ttl of a Gateway, allow_ttl, in seconds, is from"),
        (lambda: gateway(policy_timeout=0), "policy_timeout, in seconds, is from 0.001 to 600"),
        (lambda: gateway(cache_entries=0), "cache_entries is from 1 to"),
        (lambda: Limit(per="user"), "is one of identity, bucket, pair, all, not 'user'"),
        (lambda: Limit(rate=0), "the rate of Limit, in requests a second, is from 0.001 to"),
        (lambda: Limit(burst=5), "the burst of Limit is that of a rate: name one"),
        (lambda: Limit(rate=1, burst=0), "the burst of Limit is from 1 to"),
        (lambda: Limit(concurrent=0), "the concurrent of Limit is from 1 to"),
        (lambda: Limit(bandwidth=1000), "in bytes a second, is from 65536 to"),
        (lambda: Limit(identity=5), "the identity of Limit is a list of texts, not 5"),
        (lambda: Limit(bucket=[]), "the bucket of Limit is a name or a pattern"),
        (lambda: gateway(limits=Limit(rate=1)), "limits is a list of Limit, not Limit("),
        (lambda: gateway(limits=[5]), "limits is a list of Limit, and 5 is none"),
        (lambda: gateway(limits=[Limit(rate=1), Limit(rate=2)]), "the second would never count"),
        (lambda: gateway(limits=[Limit(bucket=str(i)) for i in range(257)]), "at most 256 limits"),
        (lambda: Cors(origins="*"), "origins of Cors is a list of texts, as ['*'], not '*'"),
        (lambda: Cors(origins=[]), "CORS allows no origin: name some"),
        (lambda: Cors(origins=["a.example"]), "has no scheme: write it as https://"),
        (lambda: Cors(origins=["*"], credentials=True), "does not go with the origin *"),
        (lambda: Cors(origins=["*"], credentials=1), "credentials of Cors is True or False"),
        (lambda: Cors(origins=["*"], max_age=-1), "max_age of Cors, in seconds, is from 0"),
        (lambda: Cors(origins=["*"], expose=["x-*-y"]), "the * is its last letter"),
        (lambda: Backend("http://h", cors="*"), "is a Cors, or a list of them, not '*'"),
        (lambda: Backend("http://h", cors=5), "is a Cors, or a list of them, not 5"),
        (
            lambda: gateway({"a": Backend("https://h", creds=HMAC, ca="/none.pem")}),
            'no certificate can be read from "/none.pem"',
        ),
    ],
)
def test_mistakes(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert "PW" not in said


@pytest.mark.parametrize("name", ["logs", "Old_Bucket", "tenant:logs", "a", "1.2-3"])
def test_names_of_buckets_that_storages_have(name: str) -> None:
    assert Backend("http://h", bucket=name).bucket == name


def test_secrets_are_not_shown() -> None:
    shown = repr((Hmac("AK", "SEC1", "SEC2"), Bearer("SEC3"), ApiKey("SEC4"), FrontKey("SEC5")))
    assert not re.search("SEC[0-9]", shown)
    assert "AK" in shown


def test_another_configuration_is_checked_before_it_counts() -> None:
    served = gateway()
    with pytest.raises(ValueError, match="is no name of a bucket"):
        served.update({"a/b": BACKEND})
    served.update({"abc": BACKEND, "b-*": BACKEND})


def test_counts_begin_with_nothing() -> None:
    assert set(gateway().counts().values()) == {0}


def test_other_servers_are_told() -> None:
    async def nothing(*_: Any) -> Any: ...

    with pytest.raises(RuntimeError, match="run it by `tercel serve`"):
        asyncio.run(gateway()({"type": "http"}, nothing, nothing))


def test_a_gateway_whose_functions_know_it_is_collected() -> None:
    def make() -> weakref.ref[Gateway]:
        made = gateway(authorize=lambda request: made.counts() == {})
        return weakref.ref(made)

    left = make()
    gc.collect()
    assert left() is None
