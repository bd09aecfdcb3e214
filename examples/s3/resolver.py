"""Buckets whose backends are in a table, which grows while the gateway serves.

Run with `tercel serve resolver:gateway`.
"""

import os
import sqlite3

from tercel.s3 import Backend, Gateway, Hmac

# [resolver]
regions = {
    "de": Backend(os.environ["S3_COLD"], creds=Hmac("cold-key", "cold-secret")),
    "us": Backend(os.environ["S3_HOT"], creds=Hmac("hot-key", "hot-secret")),
}


def resolver(bucket: str) -> Backend | None:
    with sqlite3.connect(os.environ["BUCKETS"]) as table:
        row = table.execute("SELECT region FROM buckets WHERE name = ?", (bucket,)).fetchone()
    return regions[row[0]] if row else None


gateway = Gateway(
    {},
    resolver=resolver,
    secret_for={"alice": "secret-of-alice"},
    authorize=lambda request: True,
)
# [/resolver]
