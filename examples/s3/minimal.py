"""The smallest gateway: one backend, one client, who may do all in one bucket.

S3_ENDPOINT=http://127.0.0.1:7070 S3_KEY=... S3_SECRET=... tercel serve minimal:gateway
"""

# [minimal]
import os

from tercel.s3 import AuthzRequest, Backend, Gateway, Hmac

backend = Backend(
    os.environ["S3_ENDPOINT"],
    creds=Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"]),
)


def authorize(request: AuthzRequest) -> bool:
    return request.bucket in ("", "reports")  # Empty: a list of buckets.


gateway = Gateway(
    {"reports": backend},
    secret_for={"alice": "alice-and-nobody-else"},
    authorize=authorize,
)
# [/minimal]
