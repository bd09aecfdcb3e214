"""A reverse proxy: requests go on to an HTTP server, and its responses back.

    from tercel.proxy import Forward

    proxy = Forward("https://backend.internal:8443")

`tercel serve main:proxy` runs it; `app.mount("/old", proxy)` puts it below a path of a tercel.App.
"""

from tercel.proxy.forward import Forward

__all__ = ["Forward"]
