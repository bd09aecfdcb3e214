"""An ASGI application on a `_core.Server` in a thread of this process: no settings but those given,
no lifespan, any event loop, any dispatch."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self

from support.http1 import Address, RawClient, Response
from support.options import io_threads_for
from tercel import _core
from tercel.loop import EventLoop

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WAIT_S = 10.0


def uvloop_factory() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "tercel": EventLoop,
    "slow": lambda: EventLoop(fast=False),
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop_factory,
}
# Every way to run the first step that this Python has.
DISPATCHES = [
    *(["direct"] if _core.lazy_tasks_supported else []),
    *(["eager"] if sys.version_info >= (3, 12) else []),
    "task",
]


def make_settings(**values: Any) -> _core.Settings:
    """Returns settings with `values`, by their names in Python."""
    settings = _core.Settings()
    for name, value in values.items():
        texts = value if isinstance(value, list) else [str(value).lower()]
        problem = settings.assign(name.replace("_", "-"), texts, name)
        assert problem is None, problem
    return settings


@contextlib.contextmanager
def engine_on(loop: asyncio.AbstractEventLoop) -> Iterator[_core.Engine]:
    """The engine of `loop`, or a new one nested in it."""
    if isinstance(loop, EventLoop):
        assert loop.engine is not None
        yield loop.engine
        return
    engine = _core.Engine()
    engine.set_nested(True)
    loop.add_reader(engine.fileno(), engine.on_ready)
    try:
        yield engine
    finally:
        loop.remove_reader(engine.fileno())
        engine.close()


class AsgiServer:
    """Serves `app` while the context lasts.

    Args:
        loop: a name in LOOPS.
        bind: as the setting; a free port of 127.0.0.1.
        state: of the lifespan.
        setup: called with the loop before the server starts, in its thread.
        settings: by their names in Python.

    Attributes:
        loop: the event loop.
        native: the _core.Server.
        errors: what the loop's exception handler was told.
        raised: what came out of the loop, if anything did.
    """

    def __init__(
        self,
        app: Any,
        *,
        loop: str = "tercel",
        bind: str = "127.0.0.1:0",
        state: dict[str, Any] | None = None,
        context: contextvars.Context | None = None,
        setup: Callable[[asyncio.AbstractEventLoop], None] | None = None,
        **settings: Any,
    ) -> None:
        self._app = app
        self._make_loop = LOOPS[loop]
        self._bind = bind
        self._state = state
        self._context = context or contextvars.Context()
        self._setup = setup
        self._settings = make_settings(**{**settings, "io_threads": io_threads_for(settings)})
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.errors: list[dict[str, Any]] = []
        self.raised: BaseException | None = None
        self.address: Address = ("", 0)

    def _run(self) -> None:
        try:
            self.loop = self._make_loop()
            self.loop.set_exception_handler(lambda _, details: self.errors.append(details))
            try:
                if self._setup is not None:
                    self._setup(self.loop)
                with engine_on(self.loop) as engine:
                    self._serve(engine)
            finally:
                self.loop.close()
        except BaseException as error:
            self.raised = error
            self._started.set()

    def _serve(self, engine: _core.Engine) -> None:
        self.native = _core.Server(
            engine, self.loop, self._app, self._settings, self._state, self._context
        )
        try:
            self.native.listen(self._bind)
            self.native.start()
            self.address = self.native.addresses[0]
            self.loop.call_soon(self._started.set)
            self.loop.run_forever()
        finally:
            self.native.close()
            self.loop.run_until_complete(asyncio.sleep(0.01))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(WAIT_S)
        if self.raised is not None:
            raise self.raised
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WAIT_S)
        if error is None:
            assert not self._thread.is_alive(), "the server did not stop"

    def join(self) -> None:
        """Waits until the loop has ended by itself."""
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Returns what `coroutine` does, run in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(WAIT_S)

    def call(self, function: Callable[[], Any]) -> Any:
        """Returns `function()`, called in the loop's thread."""

        async def call() -> Any:
            return function()

        return self.run(call())

    def connect(self, *, timeout: float = WAIT_S, receive_buffer: int = 0) -> RawClient:
        return RawClient(self.address, timeout=timeout, receive_buffer=receive_buffer)

    def request(self, method: str = "GET", target: str = "/", **parts: Any) -> Response:
        """Sends one request on a connection of its own."""
        with self.connect() as client:
            return client.request(method, target, **parts)


async def respond(
    send: Send,
    body: bytes | str = b"",
    *,
    status: int = 200,
    headers: Any = (),
) -> None:
    """Sends a whole response."""
    data = body.encode() if isinstance(body, str) else body
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def read_body(receive: Receive) -> bytes:
    """Returns the request body; fails on anything but http.request."""
    body = b""
    more = True
    while more:
        message = await receive()
        assert message["type"] == "http.request", message
        body += message["body"]
        more = message["more_body"]
    return body
