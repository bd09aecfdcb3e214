"""`tercel.testing.TestClient`: an httpx client whose other end is an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    import httpx

    from tercel.testing.transport import AppTransport
except ModuleNotFoundError as missing:
    if missing.name not in ("httpx", "httpcore"):
        raise
    raise ModuleNotFoundError(
        "tercel.testing.TestClient is a client of httpx, which is not installed:"
        " pip install 'tercel[testing]'.",
        name=missing.name,
    ) from None

__all__ = ["TestClient"]


class TestClient(httpx.Client):
    """Asks an application, through the whole server, without a port and without a thread.

    ::

        with TestClient(app) as client:
            response = client.get("/things/7", params={"verbose": True})
            assert response.status == 200
            assert response.json()["thing_id"] == 7

    It is an `httpx.Client`: its methods, parameters, responses, cookies and event hooks are those
    that are known from there. What it sends is parsed, limited, routed and answered by the code
    that serves; handlers run in the thread of the test, and go on while the client waits. When a
    response was read, the application has returned.

    In a `with` block the lifespan of the application is around the requests; without one there is
    no lifespan. A client is for one thread at a time, and not for a thread that runs a loop.

    Args:
        app: a `tercel.App`, or any ASGI application.
        base_url: what paths are relative to. With `https` the application takes the connection for
            an encrypted one.
        headers: of every request.
        cookies: to begin with; answers set others.
        raise_server_exceptions: an exception that the application does not answer goes on in the
            test; else the response is what a client gets, 500.
        follow_redirects: as a browser does, also to other hosts: they lead to the application, too.
        timeout: seconds that a request may wait for the next bytes; None for ever.
        settings: of the server, as keyword arguments of `tercel.Server`: `{"root_path": "/v1"}`.

    Raises:
        ModuleNotFoundError: httpx is not installed.
        RuntimeError, on use: an event loop is running in this thread.
    """

    # For pytest, which would take it for a class of tests.
    __test__ = False

    def __init__(
        self,
        app: Any,
        *,
        base_url: str = "http://testserver",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        cookies: Mapping[str, str] | None = None,
        raise_server_exceptions: bool = True,
        follow_redirects: bool = True,
        timeout: float | None = 60.0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.app = app
        sent = httpx.Headers(headers)
        sent.setdefault("user-agent", "testclient")
        super().__init__(
            transport=AppTransport(
                app,
                settings=settings or {},
                raise_exceptions=raise_server_exceptions,
                timeout=timeout,
            ),
            base_url=base_url,
            headers=sent,
            cookies=dict(cookies or {}),
            follow_redirects=follow_redirects,
            timeout=timeout,
        )
