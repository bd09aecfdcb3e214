"""Requests that come as ASGI messages: from other servers, and where hooks or mounts need Python.

The engine finds the route, and checks what it takes, all the same; but it is asked to, by Python.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tercel import _api
from tercel.api import hooks
from tercel.api.asked import Asked, ClientLeft, Scope
from tercel.api.background import Followed
from tercel.api.dependencies import BEFORE
from tercel.api.errors import failed, problem
from tercel.api.files import FileResponse, SentFile
from tercel.api.response import Response
from tercel.api.route import Route
from tercel.api.streams import Receive, Send, Stream

if TYPE_CHECKING:
    from tercel.api.app import App

__all__ = ["Answer", "Portable", "authenticate", "send_answer"]

# (status, headers, body), as the engine makes answers.
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Portable:
    """Answers the requests of one application."""

    def __init__(self, app: App) -> None:
        self._app = app
        # For each thread: what is worked on is part of an instance.
        self._threads = threading.local()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; its scope is of the type `http`."""
        self._app._threads.enter()
        cors = self._app._cors
        if cors is not None:
            if preflight := cors._preflight(scope):
                return await send_answer(preflight, send)
            # Where tercel serves it, the engine finds the fields there, and adds none.
            send = cors._sender(scope, send)
        asked = Asked(scope, receive)
        raised: Exception | None = None
        succeeded = True
        try:
            made = await self._make(asked)
            mounted = self._app._mounts.find(scope) if made is None else None
            answer = await self._answer_unrouted(asked) if made is None and not mounted else made
        except ClientLeft:
            return
        except Exception as error:
            succeeded = False
            answer, raised = await self._recover(asked, error)
        if answer is None:
            # What it raises is its own affair, and the server's.
            assert mounted is not None
            return await mounted(asked.receive, send)
        if asked.after or self._app._hooks.response:
            try:
                answer = await self._finish(asked, answer, succeeded)
            except Exception as error:
                answer, raised = await self._recover(asked, error)
        if isinstance(answer, Stream):
            await answer.send_through(receive, send, scope["method"] == "HEAD")
        else:
            await send_answer(answer, send)
        if raised is not None:
            raise raised  # For the server's log.

    def _instance(self) -> _api.Instance:
        instance: _api.Instance | None = getattr(self._threads, "instance", None)
        if instance is None:
            instance = self._threads.instance = _api.Instance(self._app)
        return instance

    async def _make(self, asked: Asked) -> Answer | Stream | None:
        """Returns the answer. None: no route has the path."""
        app, instance = self._app, self._instance()
        if app._hooks.request:
            result = await hooks.call(app._hooks.request, asked.request)
            if result is not None:
                return self._encode(asked, result, 200)
        if app._hooks.are_around_requests:
            number = instance.find(asked.method.decode("latin-1"), asked.path.decode("latin-1"))
            if number is not None:
                asked.request.route = app._routes[number].path
                result = await hooks.call(app._hooks.pre_validation, asked.request)
                if result is not None:
                    return self._encode(asked, result, 200)
        body = await asked.body_so_far()
        begun = asked.begin(instance, body, again=False)
        if begun is True:
            begun = asked.begin(instance, await asked.read_body(), again=True)
        if begun is None:
            return None
        if len(begun) == 1:
            inspect.unwrap(begun[0])()  # What it raises, _recover() has answered.
        if len(begun) == 3:
            return _with_files(asked, begun, None)
        number, values = begun
        if number < 0:
            return self._encode(asked, await authenticate(app._routes[-1 - number], values), 200)
        route = app._routes[number]
        return await self._call(asked, route, dict(zip(route.plan.names, values, strict=True)))

    async def _call(self, asked: Asked, route: Route, arguments: dict[str, Any]) -> Answer | Stream:
        if route.after:
            asked.after, asked.request.route = route.after, route.path
        if route.plan.request is not None:
            # The handler's is that of the hooks, with the body.
            arguments[route.plan.request].state = asked.request.state
            arguments[route.plan.request].route = route.path
        result = None
        if self._app._hooks.pre_handler:
            before = functools.partial(hooks.call, self._app._hooks.pre_handler, asked.request)
            if route.plan.steps:
                arguments[BEFORE] = before
            else:
                hidden = {name: arguments.pop(name) for name in [*arguments] if name[0] == ":"}
                result = await before(arguments)
                arguments |= hidden
        if result is None:
            result = route.endpoint(**arguments)
            if inspect.isawaitable(result):
                result = await result
        return self._encode(asked, result, route.status)

    def _encode(self, asked: Asked, result: Any, status: int) -> Answer | Stream:
        if isinstance(result, Stream):
            return result
        method = asked.method.decode("latin-1")
        answer = self._app._encoder.answer(result, status, method, asked.headers, asked.path)
        path = result.path if isinstance(result, FileResponse) else None
        return _with_files(asked, answer, path)

    async def _answer_unrouted(self, asked: Asked) -> Answer | Stream:
        request = asked.request
        sink = self._app._sinks.find(request)
        if sink is None:
            return self._encode(asked, problem(404, instance=asked.text), 404)
        request.body = await asked.read_body()
        result = sink(request)
        if inspect.isawaitable(result):
            result = await result
        return self._encode(asked, result, 200)

    async def _recover(
        self, asked: Asked, error: Exception
    ) -> tuple[Answer | Stream, Exception | None]:
        """Returns what answers an exception, and what of it is for the log.

        As the engine does it (python/api/endpoint.cc).
        """
        try:
            answered = await hooks.call(self._app._hooks.error, asked.request, error)
            if answered is None:
                answered = await self._app._error_handlers.answer_later(error, asked.text)
            if answered is not None:
                return self._encode(asked, answered, 500), None
        except Exception as second:
            error = second
        return self._encode(asked, failed(asked.text), 500), error

    async def _finish(
        self, asked: Asked, answer: Answer | Stream, succeeded: bool
    ) -> Answer | Stream:
        """Shows the answer to the hooks, which change it, or return another."""
        # What a handler returned stays as it is: it may return it again.
        shown = answer.copy() if isinstance(answer, Stream) else Response.of(*answer)
        for hook in (*asked.after, *self._app._hooks.response):
            result = await hooks.call([hook], asked.request, shown, succeeded)
            if isinstance(result, (Response, Stream)):
                shown = result
            elif result is not None:
                made = self._encode(asked, result, shown.status)
                shown = made if isinstance(made, Stream) else Response.of(*made)
        if isinstance(answer, Followed) and not isinstance(shown, Followed):
            # Who asked for the work asked for it whatever the answer looks like.
            return answer.instead(shown)
        return self._encode(asked, shown, shown.status)


async def authenticate(route: Route, values: tuple[Any, ...]) -> Any:
    """Returns what refuses a request of a route, or raises what says who may not know."""
    assert route.authenticator is not None
    names = route.authenticator.names
    return await route.authenticator.endpoint(**dict(zip(names, values, strict=True)))


def _with_files(asked: Asked, answer: tuple[int, Any, Any], path: str | None) -> Answer | Stream:
    """Returns an answer of the engine, which may be with files; `path`: of the only one."""
    if isinstance(answer[2], bytes):
        return answer
    return SentFile(answer, path, asked.extensions)


async def send_answer(answer: Answer, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Sends an answer as messages of ASGI."""
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
