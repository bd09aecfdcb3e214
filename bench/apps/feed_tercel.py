"""examples/feed as it is."""

import feed_store  # noqa: F401 - Makes the example importable.
from feed import app

__all__ = ["app"]
