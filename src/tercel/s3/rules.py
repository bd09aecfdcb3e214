"""Policies as rows of a table: the first that is about a request decides, and none denies.

A rule without a key prefix is about every key. One with a prefix is about the keys that begin with
it; where it allows, about lists of those keys only, and where it denies, about every list that
could show one of them, and about what changes a bucket as a whole. HeadBucket and GetBucketLocation
tell that a bucket is there: they are for whoever is allowed anything in it. A request that is not
plain (places.py) is denied by the first rule with a prefix that would look at its keys.

Tested by tests/python/test_s3_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from tercel import _s3
from tercel.s3.places import listed
from tercel.s3.values import AuthzRequest, Decision, Scope

__all__ = ["Rule", "decide", "fits"]

Network = IPv4Network | IPv6Network

_PRESENCE = ("HeadBucket", "GetBucketLocation")
# For the audit log.
_NOT_PLAIN = "a backend may take the key for another one: a segment is empty, . or .."
# Bits of the IPv6 addresses that IPv4 ones are mapped to, ::ffff:0:0/96.
_MAPPED_BITS = 96


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether some requests may be made. Empty: whatever it is.

    Attributes:
        identity, bucket: patterns, with `*` and `?`.
        prefix: what keys begin with.
        operations: names, as AWS has them.
        cidr: where clients are. One on a Unix socket is nowhere.

    Raises:
        ValueError: a prefix is one that no plain key has.
    """

    allow: bool
    identity: Sequence[str] = ()
    bucket: Sequence[str] = ()
    prefix: Sequence[str] = ()
    operations: frozenset[str] = frozenset()
    cidr: Sequence[Network] = ()

    def __post_init__(self) -> None:
        for prefix in self.prefix:
            if not _s3.is_plain_key(prefix + "k"):
                raise ValueError(
                    "a prefix is what keys begin with, as private/, without a / before it and"
                    f" without segments that are empty, . or .., not {prefix!r}"
                )
        object.__setattr__(self, "cidr", tuple(_unmapped(net) for net in self.cidr))

    def is_for(self, request: AuthzRequest, address: IPv4Address | IPv6Address | None) -> bool:
        """Whether identity, bucket and address are this rule's."""
        return (
            fits(self.identity, request.identity)
            and fits(self.bucket, request.bucket)
            and (not self.cidr or any(address in net for net in self.cidr if address is not None))
        )

    def concerns(self, operation: str) -> bool:
        return not self.operations or operation in self.operations

    def is_about(self, request: AuthzRequest, access: Mapping[str, str]) -> bool:
        """Whether operation and key are. REQUIRES: no prefix, or a request that is plain."""
        if not self.concerns(request.operation):
            return False
        if not self.prefix:
            return True
        if request.key:
            return request.key.startswith(tuple(self.prefix))
        shown = listed(request.operation, request.query)
        if shown is not None:
            return shown.startswith(tuple(self.prefix)) or (
                not self.allow and any(prefix.startswith(shown) for prefix in self.prefix)
            )
        return not self.allow and access.get(request.operation, "write") == "write"


def decide(rules: Iterable[Rule], request: AuthzRequest, access: Mapping[str, str]) -> Decision:
    """Returns the decision of the first rule about a request, with the widest scope that is right.

    Its reason is the number of that rule: it decides about all that the scope has.

    Identity, bucket and address are in each scope: rules that look at nothing else decide about the
    bucket at once.

    Args:
        access: "read", "write" or "list" by operation.
    """
    if request.operation == "ListBuckets":
        return Decision(True, scope="operation")  # It has those that HeadBucket is allowed for.
    address = _address(request.source_ip)
    theirs = [
        (number, rule) for number, rule in enumerate(rules, 1) if rule.is_for(request, address)
    ]
    if request.operation in _PRESENCE:
        seen, number = _is_seen(theirs, request.operation)
        return Decision(seen, scope="operation", reason=_reason(number))
    by_operation = by_folder = by_key = False
    allow, decided = False, 0
    for number, rule in theirs:
        by_operation |= bool(rule.operations)
        by_folder |= bool(rule.prefix)
        by_key |= any(not prefix.endswith("/") for prefix in rule.prefix)
        if rule.prefix and rule.concerns(request.operation) and not request.is_plain:
            # Nobody knows which key the backend makes of it.
            return Decision(False, scope="request", reason=_NOT_PLAIN)
        if rule.is_about(request, access):
            allow, decided = rule.allow, number
            break
    scope: Scope = "operation" if by_operation else "bucket"
    if by_folder:
        scope = "request" if by_key or not request.key else "prefix"
    return Decision(allow, scope=scope, reason=_reason(decided))


def _is_seen(rules: Iterable[tuple[int, Rule]], operation: str) -> tuple[bool, int]:
    """Returns whether a bucket is, and the number of the rule that says it; 0: none does."""
    for number, rule in rules:
        if rule.allow:
            return True, number
        if not rule.prefix and rule.concerns(operation):
            return False, number
    return False, 0


def _reason(number: int) -> str:
    return f"policy {number}" if number else "no policy"


def fits(patterns: Sequence[str], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _unmapped(network: Network) -> Network:
    if isinstance(network, IPv4Network) or network.prefixlen < _MAPPED_BITS:
        return network
    inside = network.network_address.ipv4_mapped
    bits = network.prefixlen - _MAPPED_BITS
    return network if inside is None else IPv4Network((inside, bits))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # An IPv4 client on a socket of both families is meant by networks of IPv4.
    return getattr(address, "ipv4_mapped", None) or address
