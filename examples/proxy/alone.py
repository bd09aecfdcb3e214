"""A reverse proxy before one server.

BACKEND=http://127.0.0.1:9000 tercel serve alone:proxy
"""

import os

from tercel.proxy import Forward

# [alone]
proxy = Forward(os.environ["BACKEND"])
# [/alone]

# [options]
strict = Forward(
    os.environ["BACKEND"],
    keep_host=False,
    request_headers={"X-Api-Key": os.environ.get("API_KEY", ""), "Cookie": None},
    response_headers={"Server": None, "X-Frame-Options": "DENY"},
    connections=64,
    connect_timeout=2,
    response_timeout=30,
)
# [/options]
