"""`tercel.App`: functions with annotations become an API."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from tercel import _api
from tercel.api.dependencies import Depends, Singletons, caller
from tercel.api.errors import HTTPError, InvalidValue, problem
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.route import Remarks, Route, endpoint_of
from tercel.api.signature import Plan, plan_of
from tercel.api.streams import Stream

__all__ = ["App"]

Handler = TypeVar("Handler", bound=Callable[..., Any])
Lifespan = Callable[["App"], AbstractAsyncContextManager[Any]]

# What is answered when a handler fails, or what it returns is no answer.
_FAILED = problem(500, "The application failed.")
# Of a body that comes through another server: as long as limit-request-body is by default.
_BODY_BYTES_MAX = 1 << 26


class App:
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
    ) -> None:
        self.title = title
        self.version = version
        self.description = description
        self._openapi_url = _path("openapi_url", openapi_url)
        self._docs_url = _path("docs_url", docs_url)
        self._lifespan = lifespan
        self._templates: _api.Templates | None = _api.Templates()  # None: it is served.
        self._routes: list[Route] = []
        self._handlers: dict[type[Exception], Callable[[Any], Any]] = {
            HTTPError: HTTPError.response,
            InvalidValue: InvalidValue.response,
        }
        # For each thread: what is worked on is part of it.
        self._portable = threading.local()
        self._singletons = Singletons()
        self._overrides: dict[Callable[..., Any], Callable[..., Any]] = {}

    # --- registration

    def route(
        self,
        path: str,
        methods: Iterable[str],
        *,
        status: int = 200,
        blocking: bool = True,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        deprecated: bool = False,
        include_in_schema: bool = True,
        responses: Mapping[int, Any] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Registers a function for some methods of a path.

        Args:
            path: a template: `/things/{thing_id}`, `{name:int}`, `{rest:path}`.
            methods: in upper case.
            status: of the answers that are no `Response`.
            blocking: of a plain function: it may wait, so it runs on a thread.
            name: of the route, for messages and as its `operationId`; that of the function if None.
            summary: for the OpenAPI document; the first paragraph of the docstring if None.
            description: as well, in Markdown; the rest of the docstring if None.
            tags: groups that the route belongs to.
            deprecated: clients should not use it any more.
            include_in_schema: False keeps the route out of the OpenAPI document.
            responses: what else the function answers, or what its answer is if the annotation does
                not say it, by status: the type of the body, None for no body, a sentence for a
                problem document that an `HTTPError` makes, or a Response Object of OpenAPI.

        Raises:
            ValueError: the template is malformed, or contradicts another one.
            TypeError: the signature is not one that a request can be made into.
            RuntimeError: the app is being served already.
        """

        if isinstance(methods, str):
            raise TypeError(f"methods is a list of names, as [{methods!r}], not {methods!r}")
        if not 200 <= status <= 599:
            raise ValueError(f"the status of an answer is from 200 to 599, not {status!r}")
        remarks = Remarks(
            summary, description, tuple(tags), deprecated, include_in_schema, responses
        )

        def register(function: Handler) -> Handler:
            if self._templates is None:
                raise RuntimeError(f"{path} comes too late: the app is being served already.")
            _check_function(function, path)
            called = name or function.__qualname__
            for method in methods:
                plan = plan_of(function, path, _api.Templates.fields(path))
                self._templates.add(method, path, called)
                endpoint = self._endpoint_of(function, plan, blocking=blocking)
                self._routes.append(
                    Route(method, path, called, plan, function, status, endpoint, remarks)
                )
            return function

        return register

    def _endpoint_of(
        self, function: Callable[..., Any], plan: Plan, *, blocking: bool
    ) -> Callable[..., Any]:
        if not plan.steps:
            return endpoint_of(function, blocking=blocking)
        *before, handler = plan.steps
        last = replace(handler, depends=Depends(function, blocking=blocking))
        return caller([*before, last], self._singletons, self._overrides)

    @contextmanager
    def override(self, function: Callable[..., Any], instead: Callable[..., Any]) -> Iterator[None]:
        """Calls another function where `Depends(function)` is, as long as the context lasts.

        For tests. `instead` is called without arguments, in every request.

        Raises:
            TypeError: `instead` has arguments without a default.
        """
        try:
            inspect.signature(instead).bind()
        except TypeError as error:
            raise TypeError(
                f"What is called instead is called without arguments: {error}."
            ) from None
        before = self._overrides.get(function)
        self._overrides[function] = instead
        try:
            yield
        finally:
            if before is None:
                del self._overrides[function]
            else:
                self._overrides[function] = before

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Registers a function for GET, and HEAD. The options are those of `route`."""
        return self.route(path, ["GET"], **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Registers a function for POST. The options are those of `route`."""
        return self.route(path, ["POST"], **options)

    def put(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Registers a function for PUT. The options are those of `route`."""
        return self.route(path, ["PUT"], **options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Registers a function for PATCH. The options are those of `route`."""
        return self.route(path, ["PATCH"], **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Registers a function for DELETE. The options are those of `route`."""
        return self.route(path, ["DELETE"], **options)

    def error_handler(self, kind: type[Exception]) -> Callable[[Handler], Handler]:
        """Registers a function that answers exceptions of a class, and of those derived from it.

        It is called with the exception, and returns what a handler may return. The most specific
        class wins.
        """

        def register(function: Handler) -> Handler:
            if inspect.iscoroutinefunction(function):
                raise TypeError(f"{function.__qualname__}() must be a plain function: it answers.")
            self._handlers[kind] = function
            return function

        return register

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document of the routes that are registered, made anew each time."""
        from tercel.api.openapi import document_of

        return document_of(self)

    # --- what the engine asks

    def _freeze(self) -> None:
        """Ends the registration, with the routes of the documentation."""
        if self._templates is not None and self._openapi_url is not None:
            from tercel.api.docs import add_routes

            add_routes(self, self._openapi_url, self._docs_url)
        self._templates = None

    def _specification(self) -> dict[str, Any]:
        """What tercel._api compiles (python/api/instance.h)."""
        self._freeze()
        return {
            "routes": [route.native() for route in self._routes],
            "encode": msgspec.json.Encoder(enc_hook=_of_unknown).encode,
            "response_type": Response,
            "stream_type": Stream,
            "request_type": Request,
            "answer_raised": self._answer_raised,
            "failed": _FAILED,
        }

    def _answer_raised(self, raised: Exception) -> Any:
        """Returns what answers an exception of a handler, or None: nobody knows it."""
        for kind in type(raised).__mro__:
            if handler := self._handlers.get(kind):
                return handler(raised)
        return None

    # --- as an ASGI application, on other servers

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            # A WebSocket, which no route takes yet: refused with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": ""})

    async def _run_lifespan(
        self,
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()
        started = False
        try:
            async with AsyncExitStack() as stack:
                if self._lifespan is not None:
                    await stack.enter_async_context(self._lifespan(self))
                # What the requests made goes before what the lifespan has.
                stack.push_async_callback(self._singletons.close)
                started = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            phase = "shutdown" if started else "startup"
            await send({"type": f"lifespan.{phase}.failed", "message": repr(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        portable: _api.Instance | None = getattr(self._portable, "instance", None)
        if portable is None:
            portable = self._portable.instance = _api.Instance(self)
        try:
            body = await _read_body(receive)
        except HTTPError as error:
            return await self._answer_error(portable, error, send)
        if body is None:
            return
        path = scope.get("raw_path") or quote(scope["path"], safe="/:@!$&'()*+,;=~-._").encode()
        # Where it is mounted is a part of the path.
        root = scope.get("root_path", "").rstrip("/").encode()
        if root and path.startswith(root + b"/"):
            path = path.removeprefix(root)
        begun = portable.begin(
            scope["method"].encode(),
            path,
            scope["query_string"],
            [tuple(pair) for pair in scope["headers"]],
            body,
        )
        if len(begun) == 3:
            return await _send(begun, send)
        number, values = begun
        route = self._routes[number]
        try:
            result = route.endpoint(**dict(zip(route.plan.names, values, strict=True)))
            if inspect.isawaitable(result):
                result = await result
            answer = None
            if not isinstance(result, Stream):
                answer = portable.answer(result, route.status)
        except Exception as error:
            return await self._answer_error(portable, error, send)
        if answer is None:
            await result.send_through(receive, send, scope["method"] == "HEAD")
        else:
            await _send(answer, send)

    async def _answer_error(
        self,
        portable: _api.Instance,
        error: Exception,
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Answers an exception of a handler as the engine does (python/api/endpoint.cc)."""
        try:
            answered = self._answer_raised(error)
            answer = None if answered is None else portable.answer(answered, 500)
        except Exception as second:
            answer, error = None, second
        if answer is None:
            await _send(portable.answer(_FAILED, 500), send)
            raise error  # For the server's log.
        await _send(answer, send)


def _check_function(function: Any, path: str) -> None:
    """Refuses what is called in another way than functions are."""
    if not inspect.isroutine(function):
        raise TypeError(f"The handler of {path} must be a function or a method, not {function!r}.")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__qualname__}(), the handler of {path}, is a generator: return a"
            " StreamingResponse of one."
        )


def _of_unknown(value: Any) -> Any:
    """Returns what msgspec encodes in place of a value that it does not know."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__qualname__} is no type that is sent as JSON")


def _path(option: str, path: str | None) -> str | None:
    if path is None or (path.startswith("/") and "{" not in path):
        return path
    raise ValueError(f"{option} must be a path without fields, or None, not {path!r}.")


async def _send(
    answer: tuple[int, list[tuple[bytes, bytes]], bytes],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
    """Returns the whole body, or None: the client left.

    Raises:
        HTTPError: it is longer than a body may be, and was read to its end all the same.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= _BODY_BYTES_MAX:
            parts.append(part)
        if not message.get("more_body", False):
            if size > _BODY_BYTES_MAX:
                raise HTTPError(413, "The request body exceeds the limit.")
            return b"".join(parts)
