"""What the engine asks and is answered, as tuples, and what the operator's functions say of it.

A question is (kind, what it is about ...), an answer (kind, verdict, value ..., seconds for which
it is fresh, seconds for which it holds), as python/s3/answers.h reads them; the numbers are those
of cpp/tercel/gateway/policy.h. The functions that begin with `of_` make the answers; nonsense of
the operator's functions is a TypeError or a ValueError. Who is asked, and how long: policy.py.
Tested by tests/python/test_s3_policy.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tercel.s3.values import ApiKey, AuthzRequest, Bearer, Credentials, Decision, FrontKey, Hmac

__all__ = [
    "BUCKET",
    "BUDGET",
    "CREDENTIALS",
    "DECISION",
    "FAILED",
    "KEY",
    "NO",
    "TIMED_OUT",
    "YES",
    "Answer",
    "Question",
    "Times",
    "credentials_of",
    "failure",
    "fresh",
    "front_key_of",
    "of_bucket",
    "of_credentials",
    "of_decision",
    "of_key",
    "request_of",
]

# Kinds of questions.
KEY, DECISION, CREDENTIALS, BUCKET, BUDGET = range(5)
# Verdicts.
YES, NO, FAILED, TIMED_OUT = range(4)
# Kinds of credentials.
_NONE, _HMAC, _BEARER = range(3)
_SCOPES = {"request": 0, "prefix": 1, "operation": 2, "bucket": 3}

Answer = tuple[Any, ...]
Question = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds.

    Attributes:
        key: for which a secret is believed, `unknown`: that there is none.
        allow, deny: for which a decision is.
        credentials: for which those without an end are.
        failure: before a function that failed is called again for the same question.
        patience: for which an answer is waited for.
        bucket: for which a backend that was resolved is believed, `no_bucket`: that there is none.
    """

    key: float
    unknown: float
    allow: float
    deny: float
    credentials: float
    failure: float
    patience: float
    bucket: float = 300
    no_bucket: float = 10


def failure(kind: int, verdict: int, seconds: float) -> Answer:
    """Returns what is said where there is no answer. It is asked for again after `seconds`."""
    if kind == BUDGET:
        return (kind,)
    empty: Mapping[int, tuple[Any, ...]] = {
        KEY: ("", "", ""),
        DECISION: (0, ""),
        CREDENTIALS: (_NONE, "", "", ""),
        BUCKET: (None,),
    }
    return (kind, verdict, *empty[kind], seconds, seconds)


def fresh(holds: float) -> float:
    """Returns when the next answer is asked for: in the last fifth, at most five minutes before."""
    return holds - min(holds / 5, 300)


def front_key_of(found: Any, name: str) -> FrontKey | None:
    """Returns what the function `name` found for an access key.

    Raises:
        TypeError: it is nothing of the kind.
    """
    if found is None or isinstance(found, FrontKey):
        return found
    if isinstance(found, str):
        return FrontKey(found)
    kind = type(found).__name__  # What it is, may be a secret.
    raise TypeError(f"{name} returns a FrontKey, a text or None, not one of {kind}")


def of_key(found: FrontKey | None, identity: str, times: Times) -> Answer:
    if found is None:
        return (KEY, NO, "", "", "", times.unknown, times.unknown)
    holds = times.key if found.ttl is None else found.ttl
    return (KEY, YES, found.secret, found.session_token or "", identity, fresh(holds), holds)


def of_decision(found: Any, name: str, times: Times) -> Answer:
    if isinstance(found, bool):
        found = Decision(found)
    if not isinstance(found, Decision):
        raise TypeError(f"{name} returns True, False or a Decision, not {found!r}")
    holds = found.ttl
    if holds is None:
        holds = times.allow if found.allow else times.deny
    verdict = YES if found.allow else NO
    return (DECISION, verdict, _SCOPES[found.scope], found.reason, holds, holds)


def request_of(question: Question, session: Any) -> AuthzRequest:
    """Returns what a question about a decision is about, for whom `session` is kept."""
    (
        _,
        access_key,
        identity,
        bucket,
        key,
        operation,
        method,
        query,
        source_ip,
        copy_source,
        presigned,
        headers,
    ) = question
    return AuthzRequest(
        identity=identity,
        access_key=access_key,
        session=session,
        bucket=bucket,
        key=key,
        operation=operation,
        method=method,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        source_ip=source_ip,
        headers=dict(headers),
        copy_source=copy_source,
        presigned=presigned,
    )


def of_credentials(found: Hmac | Bearer, name: str, times: Times) -> Answer:
    holds = times.credentials
    if found.expires_at is not None:
        holds = min(holds, found.expires_at - time.time())
        if holds <= 0:
            raise ValueError(f"{name} returned credentials that expired")
    if isinstance(found, Hmac):
        value = (_HMAC, found.access_key, found.secret_key, found.session_token or "")
    else:
        value = (_BEARER, "", found.token, "")
    return (CREDENTIALS, YES, *value, fresh(holds), holds)


def credentials_of(found: Any) -> Credentials:
    """Returns credentials as they are, or those of a JSON text.

    Raises:
        TypeError, ValueError: they are none.
    """
    if isinstance(found, (Hmac, Bearer, ApiKey)):
        return found
    if not isinstance(found, str):
        raise TypeError(
            f"credentials are Hmac, ApiKey, Bearer or a JSON text, not of {type(found).__name__}"
        )
    try:
        said = json.loads(found)
    except ValueError:
        said = found
    if isinstance(said, str):
        return ApiKey(said)
    if isinstance(said, dict) and "api_key" in said:
        return ApiKey(said["api_key"])
    if isinstance(said, dict) and {"access_key", "secret_key"} <= said.keys():
        return Hmac(said["access_key"], said["secret_key"], said.get("session_token"))
    raise ValueError('a JSON text of credentials has "api_key", or "access_key" and "secret_key"')


def of_bucket(native: Any, times: Times) -> Answer:
    """Returns the answer for a backend of the engine's; None: there is no such bucket."""
    if native is None:
        return (BUCKET, NO, None, times.no_bucket, times.no_bucket)
    return (BUCKET, YES, native, fresh(times.bucket), times.bucket)
