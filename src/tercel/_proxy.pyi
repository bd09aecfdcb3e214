# The module tercel._proxy (python/proxy/module.cc). Private: tercel.proxy is what users see.
from typing import Any

front: object

class Forward:
    def __init__(self, options: dict[str, Any]) -> None: ...
