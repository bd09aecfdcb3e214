"""Buckets on two backends, under other names than they have there."""

import os

from tercel.s3 import AuthzRequest, Backend, Decision, Gateway, Hmac

# [backends]
cold = os.environ["S3_COLD"]
hot = os.environ["S3_HOT"]
gateway = Gateway(
    {
        "archive": Backend(cold, bucket="prod-archive", creds=Hmac("cold-key", "cold-secret")),
        "tmp-*": Backend(hot, region="eu-de", creds=Hmac("hot-key", "hot-secret")),
        "*": Backend(hot, creds=Hmac("hot-key", "hot-secret")),
    },
    secret_for={"alice": "secret-of-alice", "bob": "secret-of-bob"},
    authorize=lambda request: decide(request),
)
# [/backends]

READS = ("GetObject", "HeadObject", "ListObjectsV2", "ListObjects")


# [decisions]
def decide(request: AuthzRequest) -> bool | Decision:
    if request.identity == "alice":
        return Decision(True, ttl=600, scope="bucket")
    if request.operation in ("HeadBucket", "ListBuckets"):
        return Decision(True, scope="operation")
    if request.operation not in READS:
        return Decision(False, reason="bob reads", scope="operation")
    # Asked again for each folder.
    return Decision(request.outside("private/"), scope="prefix")
    # [/decisions]
