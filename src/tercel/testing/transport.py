"""What connects httpx to an application: a transport whose network is a `Pipeline`.

The protocol of the client's side is httpcore's, the engine of httpx, on a network backend of ours:
connections are kept, several may be open, and what a server does to a client (an early answer, a
cut body) has its usual effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import httpcore
import httpx

from tercel.testing.pipeline import Pipeline

__all__ = ["AppTransport", "Response", "Stream"]


class Response(httpx.Response):
    """An answer, as httpx has it, with its status under the name that it has on the server, too."""

    @property
    def status(self) -> int:
        return self.status_code


class AppTransport(httpx.BaseTransport):
    """Runs requests through `app`. As a context manager, its lifespan is around them.

    Args:
        settings: of the server.
        raise_exceptions: what the application raises goes on in the caller.
        timeout: how long an application may work on after its answer, in seconds.
    """

    def __init__(
        self,
        app: Any,
        *,
        settings: Mapping[str, Any],
        raise_exceptions: bool,
        timeout: float | None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._raise_exceptions = raise_exceptions
        self._timeout = timeout
        self._pipeline: Pipeline | None = None
        self._pool = httpcore.ConnectionPool(
            # Nobody shakes hands. Without it httpcore reads the certificates of the system.
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            network_backend=_Backend(self._connect),
            max_connections=None,
        )
        self._open = 0

    def __enter__(self) -> AppTransport:
        require_no_loop()
        self._start(lifespan=True)
        return self

    def handle_request(self, request: httpx.Request) -> Response:
        require_no_loop()
        assert isinstance(request.stream, httpx.SyncByteStream)
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with self.errors():
            answer = self._pool.handle_request(sent)
        self._open += 1
        return Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer, self.errors, self._on_closed),
            extensions=answer.extensions,
        )

    def open(self, *, secure: bool) -> Stream:
        """Returns a connection of its own, for another protocol than that of requests."""
        require_no_loop()
        stream = self._connect()
        stream.secure = secure
        self._open += 1
        return stream

    def done(self, stream: Stream) -> None:
        """Closes what `open()` returned. Raises what the application raised."""
        stream.close()
        self._on_closed()

    def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        self._pool.close()
        if pipeline is not None:
            self._finalizer.detach()
            pipeline.close()

    # --- the other side

    def _start(self, *, lifespan: bool) -> Pipeline:
        self._pipeline = Pipeline(
            self._app, self._settings, lifespan=lifespan, note=self._raise_exceptions
        )
        # A client that nobody closes.
        self._finalizer = weakref.finalize(self, self._pipeline.abandon)
        return self._pipeline

    def _connect(self) -> Stream:
        return Stream(self._pipeline or self._start(lifespan=False))

    def _on_closed(self) -> None:
        """A response was read, or is not wanted any more."""
        self._open -= 1
        if self._open == 0 and self._pipeline is not None:
            self._pipeline.settle(self._timeout)
        error = self._pipeline.take_raised() if self._pipeline is not None else None
        if error is not None:
            raise error

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """What httpcore raises goes on as httpx's. What the application raised is for close()."""
        try:
            yield
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
        ) as error:
            # Both have the same names.
            raise getattr(httpx, type(error).__name__)(str(error)) from error


class _Body(httpx.SyncByteStream):
    def __init__(
        self,
        answer: httpcore.Response,
        errors: Callable[[], contextlib.AbstractContextManager[None]],
        on_closed: Callable[[], None],
    ) -> None:
        self._answer = answer
        self._errors = errors
        self._on_closed = on_closed

    def __iter__(self) -> Iterator[bytes]:
        with self._errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._on_closed()


class _Backend(httpcore.NetworkBackend):
    """Leads to the application, whatever the name of the host is."""

    def __init__(self, connect: Callable[[], Stream]) -> None:
        self._connect = connect

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return self._connect()


class Stream(httpcore.NetworkStream):
    """A connection to the application. It begins with the first bytes, when the scheme is known."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.secure = False
        self._socket: socket.socket | None = None
        self._arrived = b""

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        self.secure = True
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._arrived:
            arrived, self._arrived = self._arrived[:max_bytes], self._arrived[max_bytes:]
            return arrived
        assert self._socket is not None
        in_time = True
        while True:
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                if not in_time:
                    raise httpcore.ReadTimeout(_too_slow("answer", timeout)) from None
            except OSError as error:
                raise httpcore.ReadError(str(error)) from error
            in_time = self._pipeline.wait(self._socket, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._socket is None:
            self._socket = self._pipeline.connect(secure=self.secure)
        in_time = True
        left = memoryview(buffer)
        while left:
            try:
                left = left[self._socket.send(left) :]
                continue
            except BlockingIOError:
                if not in_time:
                    raise httpcore.WriteTimeout(_too_slow("read", timeout)) from None
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error
            in_time = self._pipeline.wait(self._socket, timeout, writable=True)
            # An application that answers while it reads waits for us to take the answer.
            with contextlib.suppress(OSError):
                self._arrived += self._socket.recv(1 << 16)

    def close(self) -> None:
        if self._socket is not None:
            self._pipeline.disconnect(self._socket)

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable" or self._socket is None:
            return None
        # Asked of a connection that waits for the next request: what is there can only be its end.
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def _too_slow(what: str, timeout: float | None) -> str:
    return f"The application did not {what} within {timeout:g} s."


def require_no_loop() -> None:
    """Raises RuntimeError when this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "A TestClient turns an event loop of its own, and one is running in this thread already: in"
        " an async test, use httpx.AsyncClient(transport=httpx.ASGITransport(app))."
    )
