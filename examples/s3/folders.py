"""Folders of one bucket as buckets, and one that everybody may read."""

import os

from tercel.s3 import AuthzRequest, Backend, Decision, Gateway, Hmac

endpoint = os.environ["S3_ENDPOINT"]
creds = Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"])

# [folders]
gateway = Gateway(
    {
        "team-a": Backend(endpoint, bucket="shared", prefix="teams/a/", creds=creds),
        "team-b": Backend(endpoint, bucket="shared", prefix="teams/b/", creds=creds),
        "public": Backend(
            endpoint, bucket="shared", prefix="public/", anonymous="read", creds=creds
        ),
    },
    secret_for={"alice": "secret-of-alice", "bob": "secret-of-bob"},
    authorize=lambda request: decide(request),
)
# [/folders]

TEAMS = {"team-a": "alice", "team-b": "bob"}


# [anonymous]
def decide(request: AuthzRequest) -> bool | Decision:
    if request.bucket == "public" and request.operation in ("GetObject", "HeadObject"):
        return Decision(True, ttl=600, scope="operation")  # Everybody, signed or not.
    # The identity of a request without a signature is "".
    return request.identity != "" and TEAMS.get(request.bucket) == request.identity
    # [/anonymous]
