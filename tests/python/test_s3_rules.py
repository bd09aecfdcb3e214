"""Rules of a gateway's file: which decides, and that no scope is wider than it is right."""

from __future__ import annotations

import itertools
from ipaddress import ip_network

import pytest

from tercel import _s3
from tercel.s3 import AuthzRequest, Decision
from tercel.s3.rules import Rule, decide

ACCESS = _s3.operations()
READS = frozenset(name for name, level in ACCESS.items() if level == "read")


def request(
    operation: str = "GetObject",
    key: str = "",
    *,
    prefix: str = "",
    identity: str = "alice",
    bucket: str = "b",
    source_ip: str = "10.0.0.1",
) -> AuthzRequest:
    return AuthzRequest(
        identity=identity,
        access_key=identity,
        session=None,
        bucket=bucket,
        key=key,
        operation=operation,
        method="GET",
        query={"prefix": prefix} if prefix else {},
        source_ip=source_ip,
        headers={},
    )


def allowed(rules: list[Rule], asked: AuthzRequest) -> bool:
    return decide(rules, asked, ACCESS).allow


def test_what_no_rule_is_about_is_denied() -> None:
    said = Decision(False, scope="bucket", reason="no policy")
    assert decide([], request(key="k"), ACCESS) == said
    assert not allowed([Rule(True, identity=["bob"])], request(key="k"))


def test_first_rule_decides() -> None:
    rules = [Rule(False, prefix=["secret/"]), Rule(True)]
    assert not allowed(rules, request(key="secret/a"))
    assert allowed(rules, request(key="public/a"))
    assert allowed(rules[::-1], request(key="secret/a"))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request(key="secret/a"), "policy 2"),
        (request("PutObject", "a"), "no policy"),
        (request(key="a"), "policy 3"),
        (request("HeadBucket"), "policy 3"),
        (request("HeadBucket", bucket="c"), "no policy"),
        (request("HeadBucket", bucket="hidden"), "policy 4"),
    ],
)
def test_reason_is_the_policy(asked: AuthzRequest, reason: str) -> None:
    rules = [
        Rule(True, identity=["bob"]),
        Rule(False, bucket=["b"], prefix=["secret/"]),
        Rule(True, bucket=["b"], operations=READS),
        Rule(False, bucket=["hidden"]),
    ]
    assert decide(rules, asked, ACCESS).reason == reason


@pytest.mark.parametrize(
    ("rule", "asked", "allow"),
    [
        (Rule(True, identity=["al*"]), request(key="k"), True),
        (Rule(True, identity=["AL*"]), request(key="k"), False),
        (Rule(True, bucket=["a", "b"]), request(key="k"), True),
        (Rule(True, bucket=["?"]), request(key="k", bucket="bb"), False),
        (Rule(True, operations=READS), request("PutObject", "k"), False),
        (Rule(True, cidr=[ip_network("10.0.0.0/8")]), request(key="k"), True),
        (
            Rule(True, cidr=[ip_network("10.0.0.0/8")]),
            request(key="k", source_ip="::ffff:10.0.0.1"),
            True,
        ),
        (
            Rule(True, cidr=[ip_network("10.0.0.0/8")]),
            request(key="k", source_ip="11.0.0.1"),
            False,
        ),
        (Rule(True, cidr=[ip_network("0.0.0.0/0")]), request(key="k", source_ip=""), False),
        (Rule(True, cidr=[ip_network("::ffff:10.0.0.0/104")]), request(key="k"), True),
        (
            Rule(True, cidr=[ip_network("::ffff:11.0.0.0/104")]),
            request(key="k"),
            False,
        ),
        (Rule(True, cidr=[ip_network("::/0")]), request(key="k", source_ip="2001:db8::1"), True),
        (Rule(True, cidr=[ip_network("2001:db8::/104")]), request(key="k"), False),
        # Nobody may list more than the prefix, nor change what is beside it.
        (Rule(True, prefix=["a/"]), request("ListObjectsV2", prefix="a/b"), True),
        (Rule(True, prefix=["a/"]), request("ListObjectsV2", prefix="a"), False),
        (Rule(True, prefix=["a/"]), request("ListObjectsV2"), False),
        (Rule(True, prefix=["a/"]), request("DeleteObjects"), False),
        (Rule(True, prefix=["a/"]), request("PutBucketPolicy"), False),
        (Rule(True, prefix=["a/"]), request("HeadBucket"), True),
        (Rule(True, operations=READS, prefix=["a/"]), request("HeadBucket"), True),
        (Rule(True, bucket=["a"]), request("HeadBucket"), False),
    ],
)
def test_one_rule(rule: Rule, asked: AuthzRequest, allow: bool) -> None:
    assert allowed([rule], asked) is allow


NOT_PLAIN = ["a/../s/k", "/s/k", "./s/k", "a//k", "a/..", "a/%2e%2e/s/k", "s/../s/k"]


@pytest.mark.parametrize("key", NOT_PLAIN)
def test_key_that_is_not_plain_is_denied_by_rules_with_a_prefix(key: str) -> None:
    for asked in (request(key=key), request("ListObjectsV2", prefix=key)):
        allow, deny, all_ = Rule(True, prefix=["a/"]), Rule(False, prefix=["s/"]), Rule(True)
        assert decide([allow], asked, ACCESS).allow is False
        said = decide([deny, all_], asked, ACCESS)
        assert (said.allow, said.scope) == (False, "request")
        assert "segment" in said.reason
        # Nobody looks at the key.
        assert allowed([all_, deny], asked)
        writes = Rule(False, operations=frozenset({"PutObject"}), prefix=["s/"])
        assert allowed([writes, all_], asked)
        assert allowed([Rule(False, identity=["bob"], prefix=["s/"]), all_], asked)


@pytest.mark.parametrize("prefix", ["/", "/s/", "a//", "a//b", "./a", "a/../s/", "../"])
def test_prefix_that_no_plain_key_has_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="a prefix is what keys begin with"):
        Rule(True, prefix=["a/", prefix])


def test_prefix_may_end_in_the_middle_of_a_name() -> None:
    for prefix in ("a", "a/", "a/.", "a/..", "."):
        assert Rule(True, prefix=[prefix]).prefix == [prefix]


@pytest.mark.parametrize(
    ("operation", "prefix", "allow"),
    [
        ("ListObjectsV2", "", False),
        ("ListObjects", "s", False),
        ("ListObjectsV2", "s/", False),
        ("ListObjectVersions", "s/deep", False),
        ("ListObjectsV2", "t", True),
        ("DeleteObjects", "", False),
        ("DeleteBucket", "", False),
        ("GetBucketAcl", "", True),
        ("HeadBucket", "", True),
        ("NoSuchOperation", "", False),
    ],
)
def test_what_a_denied_prefix_denies_of_a_bucket(operation: str, prefix: str, allow: bool) -> None:
    rules = [Rule(False, prefix=["s/"]), Rule(True)]
    assert allowed(rules, request(operation, prefix=prefix)) is allow


def test_bucket_that_is_denied_is_not_seen() -> None:
    assert not allowed([Rule(False, bucket=["b"]), Rule(True)], request("HeadBucket"))
    assert allowed([Rule(False, operations=READS), Rule(True)], request("HeadBucket"))


def test_list_of_buckets_is_for_all_who_have_a_key() -> None:
    assert decide([], request("ListBuckets", bucket=""), ACCESS) == Decision(
        True, scope="operation"
    )


@pytest.mark.parametrize(
    ("rules", "scope"),
    [
        ([Rule(True)], "bucket"),
        ([Rule(True, operations=READS), Rule(True)], "operation"),
        ([Rule(False, prefix=["a/"]), Rule(True)], "prefix"),
        ([Rule(False, prefix=["a/b"]), Rule(True)], "request"),
        ([Rule(True, identity=["bob"], prefix=["a/"]), Rule(True)], "bucket"),
        ([Rule(True), Rule(False, prefix=["a/"])], "bucket"),
    ],
)
def test_scope(rules: list[Rule], scope: str) -> None:
    assert decide(rules, request(key="c/d"), ACCESS).scope == scope


PREFIXES: list[list[str]] = [[], ["a/"], ["a"], ["a/b/", "c"]]
KEYS = ["", "a", "a/", "a/b", "a/b/", "a/b/c", "ab/c", "c", "c/d", "a/..", "a/../c", "c/.", "/a"]
OPERATIONS = [
    "GetObject",
    "PutObject",
    "ListObjectsV2",
    "DeleteObjects",
    "GetBucketAcl",
    "HeadBucket",
    "PutBucketAcl",
]


def shared(one: AuthzRequest, other: AuthzRequest, scope: str) -> bool:
    """Whether the engine takes the answer to one for the other: see decision_key.cc."""

    def place(asked: AuthzRequest) -> str:
        text = asked.key or asked.query.get("prefix", "")
        end = text.rfind("/") + 1
        return text[:end] if _s3.is_plain_key(text[end:]) else text

    if scope == "bucket":
        return True
    if scope == "operation":
        return one.operation == other.operation
    if scope == "prefix":
        return one.operation == other.operation and place(one) == place(other)
    return False


def test_every_decision_is_right_for_all_that_its_scope_has() -> None:
    # Walks each table of two rules, and each pair of requests.
    rows = [
        Rule(allow, operations=operations, prefix=prefix)
        for allow in (True, False)
        for operations in (frozenset(), READS)
        for prefix in PREFIXES
    ]
    asked = [
        request(operation, key="" if of_bucket else key, prefix=key if of_bucket else "")
        for operation in OPERATIONS
        for of_bucket in [operation not in ("GetObject", "PutObject")]
        for key in KEYS
        if of_bucket or key
    ]
    for rules in itertools.product(rows, rows):
        said = [(one, decide(rules, one, ACCESS)) for one in asked]
        for (one, first), (other, second) in itertools.product(said, repeat=2):
            if (first.allow, first.reason) != (second.allow, second.reason):
                assert not shared(one, other, first.scope), (rules, one, other)
