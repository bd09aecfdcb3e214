"""`tercel.App`: functions with annotations become an API."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec

from tercel import _api
from tercel.api.authentication import refusal_of
from tercel.api.converters import check as check_converter
from tercel.api.cors import CORS
from tercel.api.dependencies import Depends
from tercel.api.error_handlers import ErrorHandlers
from tercel.api.errors import failed
from tercel.api.files import FileResponse, Folder, folder_of
from tercel.api.handshakes import Handshakes
from tercel.api.hooks import Hooks
from tercel.api.lifespan import run_lifespan
from tercel.api.media_handler import MediaHandler
from tercel.api.media_types import JSON, MediaTypes
from tercel.api.mounts import Mounts, Sinks
from tercel.api.portable import Portable
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.route import Around, Route
from tercel.api.route_table import RouteTable
from tercel.api.router import Registration, Router
from tercel.api.streams import Stream
from tercel.api.threads import THREADS, Threads
from tercel.api.uploads import Spool, spool_directory, upload_of
from tercel.options import check_call, check_number

__all__ = ["App"]

Handler = TypeVar("Handler", bound=Callable[..., Any])
Lifespan = Callable[["App"], AbstractAsyncContextManager[Any]]


class App(Router):
    """An API of typed functions, served by tercel, or by any ASGI server.

    ::

        app = tercel.App(title="Things", version="1.0")

        @app.get("/things/{thing_id}")
        async def get_thing(thing_id: int, verbose: bool = False) -> Thing: ...

    An argument is a field of the path, a parameter of the query, or the body, by its name and its
    type; `Annotated[T, Header("X-Token")]` says otherwise. What the annotations refuse is answered
    with 422 and a problem document (RFC 9457). What a handler returns is the body: bytes and str as
    they are, a `Response` as it says, anything else as JSON.

    A coroutine function runs on the event loop, a plain function on a thread, or with
    `blocking=False` on the event loop, too.

    Args:
        title: of the API, for people.
        version: of the API.
        description: of the API, in Markdown.
        openapi_url: the path at which the OpenAPI document is served; None for nowhere.
        docs_url: the path of a page that shows it; None for none. There is none without the
            document. A route of the application at either path stands in its place.
        lifespan: called with the app when a server starts; what it returns is entered before the
            first request, and left after the last.
        dependencies: functions that are called before each handler, which is not given their
            results.
        cors: which pages of other origins may read the answers; None: none, unless the application
            says so itself.
        media_types: in which typed bodies are read and results written: `application/json`, and
            `application/msgpack` and a `MediaHandler` for each other one; the first is for clients
            that take any.
        threads: that its plain functions run on, which may wait: as many are called at a time, in
            each process, and others wait for one to return; where 1,024 wait, a request is answered
            with 503. What stands behind the `yield` of dependencies has as many threads again.
        debug: what no error handler knows is answered with its traceback. Not for production.

    Attributes:
        state: for the application: a namespace for what its functions share.
    """

    __tercel_front__ = _api.front

    def __init__(
        self,
        *,
        title: str = "API",
        version: str = "0.1.0",
        description: str = "",
        openapi_url: str | None = "/openapi.json",
        docs_url: str | None = "/docs",
        lifespan: Lifespan | None = None,
        dependencies: Iterable[Depends] = (),
        cors: CORS | None = None,
        media_types: Iterable[str | MediaHandler] = (JSON,),
        threads: int = THREADS,
        debug: bool = False,
    ) -> None:
        super().__init__(dependencies=dependencies)
        if cors is not None and not isinstance(cors, CORS):
            raise TypeError(f"cors is a tercel.CORS(origins=[...]), not {cors!r}")
        self._cors = cors
        check_number("threads of an App", threads, 1, 1024)
        self._threads = Threads(threads)
        self.state = SimpleNamespace()
        self.title = title
        self.version = version
        self.description = description
        self._openapi_url = _path("openapi_url", openapi_url)
        self._docs_url = _path("docs_url", docs_url)
        if lifespan is not None:
            check_call(lifespan, "a lifespan under @contextlib.asynccontextmanager", "app")
        self._lifespan = lifespan
        self._freezing = threading.Lock()
        self._hooks = Hooks()
        self._folders: list[Folder] = []
        self._mounts = Mounts()
        self._sinks = Sinks()
        self._encode = msgspec.json.Encoder(enc_hook=_of_unknown).encode
        self._encoder = _api.Encoder(self._encode, Response, FileResponse, Stream)
        self._media_types = MediaTypes(media_types, self._encode, _of_unknown)
        self._table = RouteTable(self._encode, self._encoder, self._media_types)
        self._routes = self._table.routes
        self._websockets = self._table.websockets
        self._error_handlers = ErrorHandlers(self._encoder, debug=debug)
        self._portable = Portable(self)
        self._handshakes = Handshakes(self)

    # --- registration

    def _may_be_included(self) -> bool:
        return False

    def _register(self, registration: Registration) -> None:
        self._table.add(registration, self._dependencies)

    @contextmanager
    def override(self, function: Callable[..., Any], instead: Callable[..., Any]) -> Iterator[None]:
        """Calls another function where `Depends(function)` is, as long as the context lasts.

        For tests. `instead` is called without arguments, in every request.

        Raises:
            TypeError: `instead` has arguments without a default.
        """
        check_call(instead, "what is called instead")
        before = self._table.overrides.get(function)
        self._table.overrides[function] = instead
        self._table.ask_again()
        try:
            yield
        finally:
            if before is None:
                del self._table.overrides[function]
            else:
                self._table.overrides[function] = before
            self._table.ask_again()

    def error_handler(self, kind: type[Exception]) -> Callable[[Handler], Handler]:
        """Registers a function that answers exceptions of a class, and of those derived from it.

        It is called with the exception, and returns what a handler may return. The most specific
        class wins. It is a plain function that does not wait, or a coroutine function.
        """

        ErrorHandlers.check(kind)

        def register(function: Handler) -> Handler:
            self._table.check_open(getattr(function, "__qualname__", repr(function)))
            self._error_handlers.add(kind, function)
            return function

        return register

    def mount(self, prefix: str, application: Any) -> None:
        """Gives all paths below a prefix that no route has to another application.

        That is an ASGI application, which is started up and shut down with this one, or a WSGI
        application, which needs the extra `wsgi`. Its `root_path` (SCRIPT_NAME) has the prefix. A
        `tercel.proxy.Forward` answers without entering Python.

        Args:
            prefix: as `/old`; `/` for every path that no route has.

        Raises:
            ValueError: the prefix is none, or is taken; or it is a Forward's, whose requests hooks
                would not see, and there are some.
            TypeError: it is no application.
            RuntimeError: the app is being served already.
        """
        self._table.check_open(prefix)
        if isinstance(application, App) and application._has_mounted(self):
            raise ValueError(f"what is mounted at {prefix} is this application, or has it mounted")
        self._mounts.add(prefix, application)
        self._check_hooks()

    def _has_mounted(self, other: App) -> bool:
        """Whether it is the other one, or that is somewhere below it."""
        inner = self._mounts.applications()
        return other is self or any(
            one._has_mounted(other) for one in inner if isinstance(one, App)
        )

    def static(
        self,
        path: str,
        folder: str | os.PathLike[str],
        *,
        index: bool = True,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        """Serves the files of a folder below a path, where no route is.

        With ETag, conditional requests, ranges and compressed copies, as `tercel serve --static`
        does, and without entering Python unless there are hooks around requests. What is not in the
        folder is for mounted applications and sinks, or 404.

        Args:
            path: as `/assets`; `/` for every path that no route has.
            folder: looked up anew by each request.
            index: a folder within is its `index.html`.
            headers: header fields of every file: Cache-Control, for one.

        Raises:
            ValueError: the path is none, or there is no such folder.
            RuntimeError: the app is being served already.
        """
        self._table.check_open(path)
        served = folder_of(path, folder, index, headers)
        if any(one[0] == served[0] for one in self._folders):
            raise ValueError(f"two folders are served below {path}")
        self._folders.append(served)

    def add_converter(self, name: str, converter: Callable[..., Any]) -> None:
        """Makes `{field:name}` and `{field:name(arguments)}` of paths convert as a class says.

        The class is called with the arguments, which are literals; its `convert(text)` returns the
        value, or None or a ValueError for a text that it does not take: then the route does not
        match. It is asked while routes are looked up, so it does not wait. What the handler is
        given is the value, whatever its annotation.

        Raises:
            ValueError: the name is none, or is taken.
            TypeError: it is no class with a method `convert`.
            RuntimeError: the app is being served already.
        """
        self._table.check_open(name)
        check_converter(name, converter, self._table.converters)
        self._table.converters[name] = converter

    def sink(self, pattern: str) -> Callable[[Handler], Handler]:
        """Registers a function for all paths that no route has, and a regular expression matches.

        The expression matches from the beginning of the path; of several, the one registered last
        is asked first. The function is called with the request, whatever its method, and with the
        named groups of the expression; it returns what a handler may return.

        Raises:
            ValueError: the expression is malformed.
            TypeError: the function does not take these arguments.
        """
        expression = Sinks.checked(pattern)
        self._table.check_open(pattern)

        def register(function: Handler) -> Handler:
            self._sinks.add(expression, function)
            return function

        return register

    # --- hooks

    def on_request(self, hook: Handler) -> Handler:
        """Calls `hook(request)` for each request, before its route is known.

        What a hook returns, if it is not None, is the answer, and nothing else is called for it but
        the hooks of the response. It is a coroutine function, or a plain one that does not wait.
        """
        return self._add_hook("request", hook)

    def pre_validation(self, hook: Handler) -> Handler:
        """Calls `hook(request)` when the route is known, and before what it takes is checked."""
        return self._add_hook("pre_validation", hook)

    def pre_handler(self, hook: Handler) -> Handler:
        """Calls `hook(request, arguments)` before each handler; it may change the arguments."""
        return self._add_hook("pre_handler", hook)

    def on_error(self, hook: Handler) -> Handler:
        """Calls `hook(request, error)` when a handler or a hook raised."""
        return self._add_hook("error", hook)

    def on_response(self, hook: Handler) -> Handler:
        """Calls `hook(request, response, succeeded)` before each answer is sent.

        The response is a `Response`, or a stream; its `status` and `headers` may be changed. Those
        that the engine makes, as 404, are among them, those of mounted applications are not.
        `succeeded`: nothing was raised.
        """
        return self._add_hook("response", hook)

    def on_startup(self, hook: Handler) -> Handler:
        """Calls `hook()` when the server starts, behind the beginning of the lifespan."""
        return self._add_hook("startup", hook)

    def on_shutdown(self, hook: Handler) -> Handler:
        """Calls `hook()` when the server shuts down, before the end of the lifespan."""
        return self._add_hook("shutdown", hook)

    def add_middleware(self, middleware: Any) -> None:
        """Adds the hooks that are the methods of an object, as far as it has them.

        `process_startup()`, `process_request(request)`, `process_resource(request, arguments)`,
        which is pre_handler, `process_response(request, response, req_succeeded)` and
        `process_shutdown()`. Those of the response and of the shutdown are called in the reverse
        order.
        """
        self._table.check_open("add_middleware()")
        self._hooks.add_middleware(middleware)
        self._check_hooks()

    def _add_hook(self, kind: str, hook: Handler) -> Handler:
        self._table.check_open(getattr(hook, "__qualname__", repr(hook)))
        self._hooks.add(kind, hook)
        self._check_hooks()
        return hook

    def _check_hooks(self) -> None:
        """Refuses hooks around requests that some requests do not come to."""
        prefix = self._mounts.by_itself
        if prefix is not None and self._hooks.are_around_requests:
            raise ValueError(
                f"hooks are called for every request, and those for the Forward at {prefix} do not"
                " come to Python: give the hooks to an App of its own, and mount both in a third"
            )

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document of the routes that are registered, made anew each time."""
        from tercel.api.openapi import document_of

        return document_of(self)

    # --- what the engine asks

    def _freeze(self) -> None:
        """Ends the registration, with the routes of the documentation. Once, from any thread."""
        with self._freezing:
            if not self._table.is_open:
                return
            if self._openapi_url is not None:
                from tercel.api.docs import add_routes

                self._dependencies = ()  # The documents are not the application's.
                add_routes(self, self._openapi_url, self._docs_url)
            self._table.close(self._error_handlers.guard)

    def _specification(self) -> dict[str, Any]:
        """What tercel._api compiles (python/api/instance.h)."""
        self._freeze()
        return {
            "routes": self._native(self._routes),
            "static": self._folders,
            "mounts": self._mounts.native(),
            "websockets": [route.path for route in self._websockets],
            "encoder": self._encoder,
            "converters": self._table.converters,
            "media_readers": self._media_types.readers,
            "request_type": Request,
            "answer_raised": self._error_handlers.answer,
            "upload_type": upload_of,
            "spool_type": Spool,
            "refusal_type": refusal_of,
            "spool_directory": spool_directory() if self._takes_files() else "",
            "failed": failed,
            "cors": self._cors._native if self._cors is not None else None,
            "all_through_python": self._hooks.are_around_requests,
            "unrouted_through_python": bool(self._mounts.are_in_python or self._sinks),
        }

    def _native(
        self, routes: list[Route], around: Around | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """What the engine takes of routes: one after the other, and none of it is kept."""
        # Where the application has a say in what answers an error, it is raised.
        asked = self._error_handlers.have_errors or self._hooks.are_around_requests
        refused = self._error_handlers.guard if asked else None
        return (route.native(refused, around) for route in routes)

    def _takes_files(self) -> bool:
        return any(one.is_file for route in self._routes for one in route.plan.parameters)

    # --- as an ASGI application

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(self, receive, send)
        elif scope["type"] == "http":
            await self._portable.answer(scope, receive, send)
        else:
            await self._handshakes.answer(scope, receive, send)


def _of_unknown(value: Any) -> Any:
    """Returns what msgspec encodes in place of a value that it does not know."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__qualname__} is no type that is sent as JSON")


def _path(option: str, path: Any) -> str | None:
    if path is None:
        return None
    if isinstance(path, str) and path.startswith("/") and "{" not in path:
        return path
    raise ValueError(f"{option} must be a path without fields, or None, not {path!r}.")
