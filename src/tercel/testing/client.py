"""`tercel.testing.TestClient`: an httpx client whose other end is an application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

try:
    import httpx

    from tercel.testing.events import EventSession
    from tercel.testing.transport import AppTransport, Response
except ModuleNotFoundError as missing:
    if missing.name not in ("httpx", "httpcore"):
        raise
    raise ModuleNotFoundError(
        "tercel.testing.TestClient is a client of httpx, which is not installed:"
        " pip install 'tercel[testing]'.",
        name=missing.name,
    ) from None

if TYPE_CHECKING:
    from tercel.testing.websocket import WebSocketSession

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
        self._app_transport = AppTransport(
            app,
            settings=settings or {},
            raise_exceptions=raise_server_exceptions,
            timeout=timeout,
        )
        super().__init__(
            transport=self._app_transport,
            base_url=base_url,
            headers=sent,
            cookies=dict(cookies or {}),
            follow_redirects=follow_redirects,
            timeout=timeout,
        )

    # --- more than requests

    def websocket(
        self,
        url: httpx.URL | str,
        *,
        subprotocols: Iterable[str] = (),
        params: Any = None,
        headers: Any = None,
        cookies: Any = None,
        timeout: float | None = None,
    ) -> WebSocketSession:
        """Opens a WebSocket; to be used as a context manager, which closes it.

        Args:
            url: a path, or a whole address.
            subprotocols: to offer.
            params, headers, cookies: of the handshake, as those of a request.
            timeout: seconds that `receive()` waits; None: those of the client.

        Raises:
            WebSocketDenied: it was answered with something else; that is its `response`.
            ModuleNotFoundError: wsproto is not installed.
        """
        try:
            from tercel.testing.websocket import WebSocketSession
        except ModuleNotFoundError as missing:
            if missing.name != "wsproto":
                raise
            raise ModuleNotFoundError(
                "TestClient.websocket() is a client of wsproto, which is not installed:"
                " pip install 'tercel[testing]'.",
                name=missing.name,
            ) from None
        request = self.build_request("GET", url, params=params, headers=headers, cookies=cookies)
        waits = self.timeout.read if timeout is None else timeout
        session = WebSocketSession(self._app_transport, request, subprotocols, waits)
        self.cookies.extract_cookies(session.response)
        return session

    def events(self, url: httpx.URL | str, *, method: str = "GET", **options: Any) -> EventSession:
        """Asks for server-sent events: a context manager, and an iterator of `ServerSentEvent`.

        The options are those of a request.
        """
        headers = httpx.Headers(options.pop("headers", None))
        headers.setdefault("accept", "text/event-stream")
        return EventSession(self.stream(method, url, headers=headers, **options))

    # --- by the names that Falcon has for them

    def simulate_request(
        self, method: str = "GET", path: str = "/", *, body: Any = None, **options: Any
    ) -> Response:
        """The same as `request(method, path, ...)`; `body` is its `content`."""
        response = self.request(method, path, content=body, **options)
        assert isinstance(response, Response)
        return response

    def simulate_get(self, path: str = "/", **options: Any) -> Response:
        """A GET request; its options, and those of the others, are those of `simulate_request`."""
        return self.simulate_request("GET", path, **options)

    def simulate_head(self, path: str = "/", **options: Any) -> Response:
        """A HEAD request."""
        return self.simulate_request("HEAD", path, **options)

    def simulate_post(self, path: str = "/", **options: Any) -> Response:
        """A POST request."""
        return self.simulate_request("POST", path, **options)

    def simulate_put(self, path: str = "/", **options: Any) -> Response:
        """A PUT request."""
        return self.simulate_request("PUT", path, **options)

    def simulate_patch(self, path: str = "/", **options: Any) -> Response:
        """A PATCH request."""
        return self.simulate_request("PATCH", path, **options)

    def simulate_delete(self, path: str = "/", **options: Any) -> Response:
        """A DELETE request."""
        return self.simulate_request("DELETE", path, **options)

    def simulate_options(self, path: str = "/", **options: Any) -> Response:
        """An OPTIONS request."""
        return self.simulate_request("OPTIONS", path, **options)
