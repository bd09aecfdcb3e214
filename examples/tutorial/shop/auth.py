"""Who may change things: docs/tutorial/05-auth.md"""

# [key]
from __future__ import annotations

import os

from tercel.auth import APIKey

seller = APIKey(header="X-API-Key", keys={os.environ.get("SHOP_KEY", "secret"): "seller"})
# [/key]
