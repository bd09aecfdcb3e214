"""object-storage-proxy in front of the origin of the benchmark: python s3_osp.py PORT."""

import json
import os
import sys
from urllib.parse import urlsplit

from object_storage_proxy import ProxyServerConfig, start_server

_ORIGIN = urlsplit(os.environ["S3_ORIGIN"])
_CREDENTIALS = json.dumps({"access_key": "backend", "secret_key": "the backend's secret"})

start_server(
    ProxyServerConfig(
        cos_map={
            "bench": {
                "host": _ORIGIN.hostname,
                "port": _ORIGIN.port,
                "region": "us-east-1",
                "ttl": 3600,
                "addressing_style": "path",
                "is_tls_enabled": False,
            }
        },
        bucket_creds_fetcher=lambda token, bucket: _CREDENTIALS,
        hmac_fetcher=lambda access_key: "the secret of the benchmark",
        validator=lambda token, bucket, request=None: True,
        http_port=int(sys.argv[1]),
        threads=1,
    )
)
