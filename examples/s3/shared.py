"""A gateway of several: what one of them was answered, all know, and a limit counts for all."""

import os

from tercel.s3 import AuthzRequest, Backend, Decision, Gateway, Hmac, Limit, Redis

backend = Backend(
    os.environ["S3_ENDPOINT"],
    creds=Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"]),
)


async def authorize(request: AuthzRequest) -> Decision:
    allowed = request.bucket in ("", "reports")  # A database would be asked here.
    return Decision(allowed, ttl=300, scope="bucket")


# [shared]
shared = Redis(
    os.environ["REDIS_URL"],  # rediss://user:password@redis.example:6379/0
    key=os.environ["REDIS_KEY"],  # The same for all gateways: `openssl rand -base64 32`.
)
gateway = Gateway(
    {"reports": backend},
    secret_for={"alice": "alice-and-nobody-else"},
    authorize=authorize,
    limits=[Limit(per="identity", rate=50, burst=100)],
    shared=shared,
)
# [/shared]
