"""The S3 gateway in front of the origin of the benchmark, which looks at no signature."""

import os
from urllib.parse import urlsplit

from tercel.s3 import Backend, Gateway, Hmac

_ORIGIN = os.environ["S3_ORIGIN"]
assert urlsplit(_ORIGIN).port

app = Gateway(
    {"*": Backend(_ORIGIN, creds=Hmac("backend", "the backend's secret"))},
    secret_for={"bench": "the secret of the benchmark"},
    authorize=lambda request: True,
    allow_ttl=3600,
    key_ttl=3600,
)
