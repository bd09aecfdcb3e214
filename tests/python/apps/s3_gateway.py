"""A gateway in front of the origin at $ORIGIN (support/s3_origin.py), for Alice."""

import os

import tercel.s3

gateway = tercel.s3.Gateway(
    {
        "*": tercel.s3.Backend(
            os.environ["ORIGIN"], creds=tercel.s3.Hmac("BACKENDKEY", "the secret of the backend")
        )
    },
    secret_for={"alice": "her secret"},
    authorize=lambda request: True,
    cache_entries=int(os.environ.get("CACHE_ENTRIES", "10000")),
)
