"""A gateway with limits, and with rules for pages of other origins."""

import os

from tercel.s3 import Backend, Cors, Gateway, Hmac, Limit

# [limits]
limits = [
    Limit(per="identity", identity="backup"),  # Is not limited in this kind.
    Limit(per="identity", identity="batch-*", rate=500, concurrent=50, bandwidth=100_000_000),
    Limit(per="identity", rate=50, burst=100, concurrent=10),
    Limit(per="bucket", bucket="archive", rate=5),
    Limit(per="all", concurrent=1000),
]
# [/limits]

# [cors]
photos = Backend(
    os.environ["S3_ENDPOINT"],
    creds=Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"]),
    cors=[
        Cors(origins=["https://admin.example.com"], methods=["GET", "PUT", "POST", "DELETE"]),
        Cors(origins=["*"], methods=["GET", "HEAD"], headers=["range"]),
    ],
)
# [/cors]

gateway = Gateway(
    {"photos": photos, "archive": photos},
    secret_for={"alice": "secret-of-alice", "backup": "secret-of-backup"},
    authorize=lambda request: True,
    limits=limits,
)
