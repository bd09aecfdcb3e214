"""One storage behind two endpoints, one of which may fail."""

import os

from tercel.s3 import Backend, Gateway, Hmac

# [endpoints]
backend = Backend(
    [os.environ["S3_FIRST"], os.environ["S3_SECOND"]],
    creds=Hmac("key", "secret"),
    connect_timeout=2,
    response_timeout=600,  # Longer than a backend works on a CompleteMultipartUpload.
    retries=3,
    check="head",
    check_interval=5,
)
# [/endpoints]

gateway = Gateway(
    {"*": backend},
    secret_for={"alice": "secret-of-alice"},
    authorize=lambda request: True,
)
