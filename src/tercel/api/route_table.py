"""From registrations to routes: what each takes, and what is called for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tercel import _api
from tercel.api.authentication import Authenticator, authenticator_of
from tercel.api.background import BackgroundTasks, Followed
from tercel.api.dependencies import Depends, Singletons, caller
from tercel.api.handshakes import check_plan
from tercel.api.hooks import preceded
from tercel.api.media_types import MediaTypes
from tercel.api.plan import Plan
from tercel.api.response_headers import ResponseHeaders, answer_with
from tercel.api.returned import validated, validator_of
from tercel.api.route import WEBSOCKET, Route, endpoint_of
from tercel.api.router import Registration
from tercel.api.security import Demand
from tercel.api.signature import plan_of
from tercel.options import pairs_of

__all__ = ["RouteTable"]


class RouteTable:
    """The routes of one application, until it is served.

    Args:
        encode: to JSON.
        media_types: of typed values.
        encoder: of answers.

    Attributes:
        routes: those of requests, by their number.
        websockets: those of WebSockets, by a number of their own.
        singletons: what the functions of `Depends(..., scope="app")` made.
        overrides: functions that are called in the place of others.
        converters: of the application's own, by name.
    """

    def __init__(
        self, encode: Callable[[Any], bytes], encoder: _api.Encoder, media_types: MediaTypes
    ) -> None:
        self.routes: list[Route] = []
        self.websockets: list[Route] = []
        self.singletons = Singletons()
        self.overrides: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._encode = encode
        self._encoder = encoder
        self._media_types = media_types
        self.converters: dict[str, Callable[..., Any]] = {}
        self._rules: dict[Demand, _api.Credentials] = {}
        # None: it is served.
        self._templates: _api.Templates | None = _api.Templates(self.converters)
        self._websocket_templates = _api.Templates(self.converters)

    @property
    def is_open(self) -> bool:
        """Whether something may be registered."""
        return self._templates is not None

    def check_open(self, what: str) -> _api.Templates:
        """Raises RuntimeError: `what` comes too late."""
        if self._templates is None:
            raise RuntimeError(f"{what} comes too late: the app is being served already.")
        return self._templates

    def close(self, guard: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Ends the registration.

        Args:
            guard: returns what to call in the place of an endpoint.
        """
        for route in self.routes:
            route.guarded = guard(route.endpoint)
        for route in (*self.routes, *self.websockets):
            if route.authenticator is not None:
                route.authenticator.guarded = guard(route.authenticator.endpoint)
        self._templates = None

    def add(self, registration: Registration, dependencies: tuple[Depends, ...]) -> None:
        """Adds a route for each method of a registration.

        Args:
            dependencies: of the application, called before those of the registration.

        Raises:
            ValueError, TypeError, RuntimeError: as `Router.route`.
        """
        templates = self.check_open(registration.path)
        path, function = registration.path, registration.function
        called = registration.name or function.__qualname__
        if any("\ud800" <= character <= "\udfff" for character in path):
            raise ValueError(
                f"the path {path!r} of {called} has a lone surrogate, which is no text"
            )
        fields = dict(templates.fields(path))
        is_websocket = registration.methods == (WEBSOCKET,)
        rate = registration.limits.counter()  # One for all methods.
        for method in registration.methods:
            plan = plan_of(
                function, path, fields, dependencies + registration.dependencies, registration.given
            )
            if plan.body is not None and plan.body.kind == "json":
                plan.body.msgpack = self._media_types.has_msgpack
            if is_websocket:
                check_plan(plan, f"{function.__qualname__}(), the handler of the WebSocket {path},")
                self._websocket_templates.add(method, path, called)
            elif plan.websocket is not None:
                raise TypeError(
                    f"{function.__qualname__}(), the handler of {path}, takes a WebSocket: register"
                    f' it with @app.websocket("{path}").'
                )
            else:
                templates.add(method, path, called)
            routes = self.websockets if is_websocket else self.routes
            routes.append(
                Route(
                    method,
                    path,
                    called,
                    plan,
                    function,
                    registration.status,
                    self._endpoint_of(registration, plan),
                    registration.remarks,
                    rate,
                    registration.limits.timeout,
                    registration.origins,
                    [(self._rule_of(one), one.refusal) for one in plan.demands],
                    registration.after,
                    authenticator=self._authenticator_of(registration, plan),
                    negotiation=None if is_websocket else self._media_types.negotiation,
                    strict=self._media_types.refuses(function, registration.status),
                )
            )

    def ask_again(self) -> None:
        """Asks for the credentials that no override stands in the place of."""
        for demand, rule in self._rules.items():
            rule.enable(not any(one in self.overrides for one in demand.of))

    def _rule_of(self, demand: Demand) -> _api.Credentials:
        if demand not in self._rules:
            error = demand.refusal()
            challenges = [value for _, value in pairs_of(error.headers)]
            self._rules[demand] = _api.Credentials(
                list(demand.any_of), error.detail or "", challenges
            )
            self.ask_again()
        return self._rules[demand]

    def _endpoint_of(self, registration: Registration, plan: Plan) -> Callable[..., Any]:
        endpoint = preceded(self._called(registration, plan), registration.before, plan)
        if registration.methods != (WEBSOCKET,):
            endpoint = self._media_types.negotiated(endpoint, plan)
        return registration.limits.around(endpoint, registration.function.__qualname__)

    def _authenticator_of(self, registration: Registration, plan: Plan) -> Authenticator | None:
        made = authenticator_of(plan, self.singletons, self.overrides)
        if made is not None:
            made.endpoint = registration.limits.around(
                made.endpoint, registration.function.__qualname__
            )
        return made

    def _called(self, registration: Registration, plan: Plan) -> Callable[..., Any]:
        function, blocking = registration.function, registration.blocking
        validate = None
        if registration.validate_response:
            validate = validator_of(function, self._encode)
        if not plan.steps:
            endpoint = endpoint_of(function, blocking=blocking)
            endpoint = validated(endpoint, validate) if validate else endpoint
            return self._encoded(endpoint, registration.status)
        *before, handler = plan.steps
        last = replace(handler, depends=Depends(function, blocking=blocking))

        def finish(
            result: Any, tasks: BackgroundTasks | None, headers: ResponseHeaders | None
        ) -> Any:
            if registration.methods == (WEBSOCKET,):
                return tasks  # Behind the end of the WebSocket: handshakes.py.
            if validate:
                validate(result)
            result = self._media_types.encoded(result, registration.status)
            if headers:
                result = answer_with(headers, result, registration.status, self._encoder)
            return Followed(result, registration.status, tasks, self._encoder) if tasks else result

        return caller([*before, last], self.singletons, self.overrides, finish)

    def _encoded(self, endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
        """Returns what calls an endpoint, and encodes its result where there is a choice."""
        if not self._media_types.are_several:
            return endpoint

        async def call(**arguments: Any) -> Any:
            result = endpoint(**arguments)
            if inspect.isawaitable(result):
                result = await result
            return self._media_types.encoded(result, status)

        return call
