"""Routes as they are registered: what `tercel.App` and `tercel.Router` have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tercel.api.callables import function_of
from tercel.api.dependencies import Depends
from tercel.api.given_schemas import GivenSchemas
from tercel.api.handshakes import checked_origins
from tercel.api.hooks import checked
from tercel.api.limits import Limits, Rate
from tercel.api.route import WEBSOCKET, Remarks
from tercel.options import check_number, listed

__all__ = ["Registration", "Router"]

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Registration:
    """A function for some methods of a path, as it was registered.

    Attributes:
        name: of the route; None: that of the function.
        blocking: a plain function may wait.
        validate_response: what it returns is held against its annotation.
        limits: of how often, and for how long, it is called.
        dependencies: called before the function, which is not given their results.
        origins: of pages that may ask for a WebSocket; None: all.
        before: hooks of this function alone, called with the request and its arguments.
        after: the same behind it, called with the request, the response, and whether nothing was
            raised.
        given: schemas of what it takes, besides its annotations; None: there are none.
    """

    path: str
    methods: tuple[str, ...]
    function: Callable[..., Any]
    status: int
    blocking: bool
    name: str | None
    remarks: Remarks
    dependencies: tuple[Depends, ...]
    validate_response: bool
    limits: Limits
    origins: frozenset[str] | None = None
    before: tuple[Callable[..., Any], ...] = ()
    after: tuple[Callable[..., Any], ...] = ()
    given: GivenSchemas | None = None


class Router:
    """Routes that an application, or another router, includes.

    ::

        things = tercel.Router(prefix="/things", tags=["things"], dependencies=[Depends(signed_in)])

        @things.get("/{thing_id}")
        async def get_thing(thing_id: int) -> Thing: ...

        app.include(things)

    What includes it has all of its routes: none can be added afterwards. It may be included several
    times, at several prefixes.

    Args:
        prefix: of all paths: a template, as `/things` or `/users/{user_id}`. Empty, or it begins
            with `/` and does not end with one.
        tags: of all routes, before those of their own.
        dependencies: functions that are called before each handler, which is not given their
            results.
        before, after: hooks of all routes, as `route` has them: the former before those of the
            route, the latter behind them. WebSockets have none: give them `dependencies`.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Iterable[str] = (),
        dependencies: Iterable[Depends] = (),
        before: Iterable[Callable[..., Any]] = (),
        after: Iterable[Callable[..., Any]] = (),
    ) -> None:
        self._prefix = _checked_prefix(prefix)
        self._tags = listed("tags", tags)
        self._dependencies = _checked_dependencies(dependencies)
        self._before = checked("before", before, "request", "arguments")
        self._after = checked("after", after, "request", "response", "succeeded")
        self._registrations: list[Registration] = []
        self._included = False

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
        dependencies: Iterable[Depends] = (),
        body_schema: Mapping[str, Any] | None = None,
        params_schema: Mapping[str, Any] | None = None,
        validate_response: bool = False,
        rate: Rate | str | None = None,
        timeout: float | None = None,
        before: Iterable[Callable[..., Any]] = (),
        after: Iterable[Callable[..., Any]] = (),
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
            dependencies: functions that are called before this one, which is not given their
                results: they let the request pass, or raise.
            body_schema: a JSON Schema that the body must match, besides its type. An argument
                without an annotation is the body then, as JSON has it.
            params_schema: the same for arguments that are parameters: the schema of an object that
                has them as properties. One without an annotation has the type that is named there,
                and one that is not `required` the default that is given there, or None.
            validate_response: hold what the function returns against its annotation: what does not
                match is a fault of the application, answered with 500. It costs what it takes to
                decode the answer.
            rate: how many requests one client may make, as "10/s", "100/min" or a `Rate`; above it:
                429 with Retry-After, before the body is read.
            timeout: seconds that the handler may take, with what it depends on. Then it is
                cancelled, and the answer is 503; what runs on a thread goes on, unheard. A stream
                has begun in time when the handler has returned it.
            before: hooks of this route alone: each is called with the request and the arguments,
                before the function; it may change the arguments. What one returns, if it is not
                None, is the answer.
            after: the same behind it, called as those of `App.on_response` are, before them: with
                the request, the response, and whether nothing was raised. What the engine answers
                in the place of the function, as 422, they do not see. The answers of such a route
                are made through Python.

        Raises:
            ValueError: the template is malformed, or contradicts another one; a limit or a schema
                is none.
            TypeError: the signature is not one that a request can be made into; the timeout could
                not end the function; a schema is of what it does not take.
            RuntimeError: it comes too late: the app is being served, or the router was included.
        """
        if not isinstance(path, str):
            called = getattr(path, "__name__", repr(path))
            raise TypeError(f'a route has a path: write @app.get("/{called}"), with the brackets')
        methods = listed("methods", methods)
        if not methods:
            raise ValueError(f'{path} has no methods: name one, as ["GET"]')
        if WEBSOCKET in methods:
            raise TypeError(f'a WebSocket is no method: write @app.websocket("{path}")')
        check_number("the status of an answer", status, 200, 599)
        _check_name(name)
        remarks = Remarks(
            summary,
            description,
            listed("tags", tags),
            deprecated,
            include_in_schema,
            _checked_responses(responses),
        )
        depends = _checked_dependencies(dependencies)
        limits = Limits.of(rate, timeout)
        given = GivenSchemas.of(body_schema, params_schema)
        called_before = checked("before", before, "request", "arguments")
        called_after = checked("after", after, "request", "response", "succeeded")

        def register(function: Handler) -> Handler:
            called = function_of(function)
            _check_function(called, path)
            self._register(
                Registration(
                    path,
                    methods,
                    called,
                    status,
                    blocking,
                    name,
                    remarks,
                    depends,
                    validate_response,
                    limits,
                    before=called_before,
                    after=called_after,
                    given=given,
                )
            )
            return function

        return register

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

    def websocket(
        self,
        path: str,
        *,
        name: str | None = None,
        origins: Iterable[str] | None = None,
        dependencies: Iterable[Depends] = (),
    ) -> Callable[[Handler], Handler]:
        """Registers a coroutine function for the WebSockets of a path.

        One of its arguments is a `tercel.WebSocket`; the others are taken from the request as those
        of other handlers are, and checked before it is called: what is refused is the answer to the
        handshake.

        Args:
            path: a template. What other requests to it are answered with is no concern of this one.
            name: of the route, for messages; that of the function if None.
            origins: of the pages that may connect, as `https://example.org`; others are refused
                with 403. Browsers let any page connect to any server, and send its cookies: None,
                for all of them, is for what does not trust cookies. Who sends no Origin is no
                browser, and may connect.
            dependencies: as those of `route`. They last as long as the WebSocket.

        Raises:
            ValueError: the template is malformed, or contradicts another one; or an origin is none.
            TypeError: the function is no coroutine function, or its signature is not one that a
                request can be made into.
            RuntimeError: as `route`.
        """
        if not isinstance(path, str):
            called = getattr(path, "__name__", repr(path))
            raise TypeError(f'a route has a path: write @app.websocket("/{called}")')
        _check_name(name)
        allowed = checked_origins(origins)
        before = _checked_dependencies(dependencies)

        def register(function: Handler) -> Handler:
            called = function_of(function)
            _check_function(called, path)
            if not inspect.iscoroutinefunction(called):
                raise TypeError(
                    f"{called.__qualname__}(), the handler of the WebSocket {path}, must be a"
                    " coroutine function: write `async def`."
                )
            self._register(
                Registration(
                    path,
                    (WEBSOCKET,),
                    called,
                    200,
                    False,
                    name,
                    Remarks(),
                    before,
                    False,
                    Limits(),
                    allowed,
                )
            )
            return function

        return register

    def include(
        self,
        router: Router,
        *,
        prefix: str = "",
        tags: Iterable[str] = (),
        dependencies: Iterable[Depends] = (),
    ) -> None:
        """Registers all routes of a router.

        Args:
            prefix: before the router's own; `tags` and `dependencies` likewise.

        Raises:
            ValueError, TypeError, RuntimeError: as `route`; TypeError, too: it has hooks and a
                WebSocket.
        """
        if not isinstance(router, Router) or not router._may_be_included():
            raise TypeError(f"include() takes a tercel.Router, not {router!r}")
        prefix = _checked_prefix(prefix) + router._prefix
        tags = listed("tags", tags) + router._tags
        before = _checked_dependencies(dependencies) + router._dependencies
        router._included = True
        for one in router._registrations:
            if one.methods == (WEBSOCKET,) and (router._before or router._after):
                raise TypeError(
                    f"the WebSocket {one.path} would have the hooks of its router, and WebSockets"
                    " have none: give the router dependencies instead, or put it into another one"
                )
            remarks = replace(one.remarks, tags=tags + one.remarks.tags)
            self._register(
                replace(
                    one,
                    path=prefix + one.path if prefix else one.path,
                    remarks=remarks,
                    dependencies=before + one.dependencies,
                    before=router._before + one.before,
                    after=one.after + router._after,
                )
            )

    def _may_be_included(self) -> bool:
        return True

    def _register(self, registration: Registration) -> None:
        if self._included:
            raise RuntimeError(
                f"{registration.path} comes too late: include the router behind its last route."
            )
        self._registrations.append(registration)


def _checked_prefix(prefix: str) -> str:
    if not isinstance(prefix, str) or (
        prefix and (not prefix.startswith("/") or prefix.endswith("/"))
    ):
        raise ValueError(f"a prefix begins with / and does not end with one, not {prefix!r}")
    return prefix


def _checked_dependencies(dependencies: Iterable[Depends]) -> tuple[Depends, ...]:
    if not isinstance(dependencies, Iterable):
        raise TypeError(f"dependencies are given as [Depends(function)], not {dependencies!r}")
    checked = tuple(dependencies)
    for one in checked:
        if not isinstance(one, Depends):
            raise TypeError(f"dependencies are given as [Depends(function)], not {one!r}")
    return checked


def _check_name(name: Any) -> None:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a route is a text, not {name!r}")


def _checked_responses(responses: Any) -> Mapping[int, Any] | None:
    if responses is None:
        return None
    if not isinstance(responses, Mapping):
        raise TypeError(f"responses is a dict by status, as {{404: None}}, not {responses!r}")
    for status in responses:
        check_number("a status in responses", status, 100, 599)
    return responses


def _check_function(function: Any, path: str) -> None:
    """Refuses what is called in another way than functions are."""
    if not inspect.isroutine(function):
        raise TypeError(f"The handler of {path} must be a function or a method, not {function!r}.")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__qualname__}(), the handler of {path}, is a generator: return a"
            " StreamingResponse of one."
        )
