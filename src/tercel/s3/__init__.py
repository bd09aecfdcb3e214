"""A gateway in front of object storage: it verifies signatures, asks, and signs anew.

    import tercel.s3

    gateway = tercel.s3.Gateway(
        {"*": tercel.s3.Backend("https://s3.eu-de.example", creds=tercel.s3.Hmac("AK", "SK"))},
        secret_for={"alice": "her secret"},
        authorize=lambda request: request.bucket == request.identity,
    )

`tercel serve main:gateway` runs it.
"""

from tercel.s3.cors import Cors
from tercel.s3.gateway import Gateway
from tercel.s3.limits import Limit
from tercel.s3.presigned import presign
from tercel.s3.reach import EndpointState
from tercel.s3.redis import Redis
from tercel.s3.values import (
    ApiKey,
    AuthzRequest,
    Backend,
    Bearer,
    Credentials,
    Decision,
    FrontKey,
    Hmac,
)

__all__ = [
    "ApiKey",
    "AuthzRequest",
    "Backend",
    "Bearer",
    "Cors",
    "Credentials",
    "Decision",
    "EndpointState",
    "FrontKey",
    "Gateway",
    "Hmac",
    "Limit",
    "Redis",
    "presign",
]
