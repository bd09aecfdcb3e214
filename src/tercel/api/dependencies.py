"""What handlers depend on: functions that are called before them, and whose results they are given.

::

    async def database() -> AsyncIterator[Connection]:
        async with pool.acquire() as connection:
            yield connection

    @app.get("/things")
    async def things(db: Annotated[Connection, Depends(database)]) -> list[Thing]: ...

The arguments of such a function are taken from the request, as those of a handler are, or depend on
other functions. In one request each is called once, whoever asks for it. A generator goes on behind
its `yield` when the handler is done, in the reverse order, and sees what it raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from tercel.api.background import BackgroundTasks
from tercel.api.response_headers import ResponseHeaders
from tercel.api.threads import release, to_thread

__all__ = ["BEFORE", "Depends", "Singletons", "Step", "caller"]

# The function that @contextmanager and @asynccontextmanager put around a generator.
_OF_CONTEXT_MANAGERS = ("helper", contextlib.contextmanager.__code__.co_filename)
# Where a caller() finds what is called before the handler. No argument has such a name.
BEFORE = ":before"


@dataclass(frozen=True, slots=True)
class Depends:
    """Marks an argument that is what a function returns, or yields.

    Args:
        function: plain or a coroutine function, or a generator of either kind that yields once.
        scope: `request`: called in each request that needs it; `app`: once, for all of them, until
            the application shuts down. What all share cannot depend on a request.
        blocking: of a plain function: it may wait, so it runs on a thread.
    """

    function: Callable[..., Any]
    scope: str = "request"
    blocking: bool = True

    def __post_init__(self) -> None:
        if self.scope not in ("request", "app"):
            raise ValueError(f"the scope of Depends is 'request' or 'app', not {self.scope!r}")
        function = self.function
        if not callable(function):
            raise TypeError(f"Depends takes a function, not {function!r}")
        if type(function).__hash__ is None:
            raise TypeError(
                f"Depends takes what has a hash, to be called once in a request, not {function!r}"
            )
        code = getattr(function, "__code__", None)
        if (code is not None) and (code.co_name, code.co_filename) == _OF_CONTEXT_MANAGERS:
            raise TypeError(
                f"Depends takes a generator as it is: leave out the @contextmanager of"
                f" {_name(function)}()"
            )


@dataclass(frozen=True, slots=True)
class Step:
    """One function to be called, with where its arguments come from.

    Attributes:
        values: by argument, the key of a value that the engine took from the request.
        results: by argument, the number of the step whose result it is.
    """

    depends: Depends
    values: dict[str, str]
    results: dict[str, int]


class Singletons:
    """What is made once for an application: by function, until `close()`."""

    def __init__(self) -> None:
        self._made: dict[Callable[..., Any], Any] = {}
        self._locks: dict[Callable[..., Any], asyncio.Lock] = {}
        self._stack = AsyncExitStack()

    async def get(self, depends: Depends, arguments: dict[str, Any]) -> Any:
        """Returns what `depends` made, or makes it; others wait for that."""
        function = depends.function
        if function in self._made:
            return self._made[function]
        async with self._locks.setdefault(function, asyncio.Lock()):
            if function not in self._made:
                self._made[function] = await _enter(depends, arguments, self._stack)
        return self._made[function]

    async def close(self) -> None:
        """Lets the generators go on, in the reverse order, and forgets what was made."""
        self._made.clear()
        self._locks.clear()
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()


def caller(
    steps: list[Step],
    singletons: Singletons,
    overrides: Mapping[Callable[..., Any], Callable[..., Any]],
    finish: Callable[[Any, BackgroundTasks | None, ResponseHeaders | None], Any],
) -> Callable[..., Awaitable[Any]]:
    """Returns what calls the functions of `steps` in their order; the last one is the handler.

    It is called with the values of the request, and perhaps with one more, BEFORE: what is called
    with the arguments of the handler; if that returns something, it is the answer.

    Args:
        overrides: functions to call in the place of others, without arguments.
        finish: called with what the handler returned, when all is done that stands behind a
            `yield`, and with the background tasks and the header fields of the request, each None
            if no function takes them; returns the answer.
    """
    *_, last = steps
    functions = [step.depends.function for step in steps]
    tasks = functions.index(BackgroundTasks) if BackgroundTasks in functions else None
    headers = functions.index(ResponseHeaders) if ResponseHeaders in functions else None

    async def call(**values: Any) -> Any:
        before = values.pop(BEFORE, None)
        made: list[Any] = []
        done = False
        async with AsyncExitStack() as stack:
            for step in steps:
                if step.depends.function in overrides:
                    instead = Depends(overrides[step.depends.function])
                    made.append(await _enter(instead, {}, stack))
                    continue
                arguments = {name: values[key] for name, key in step.values.items()}
                arguments |= {name: made[number] for name, number in step.results.items()}
                if step is last and before is not None:
                    result = await before(arguments)
                    if result is not None:
                        return result
                if step.depends.scope == "app":
                    made.append(await singletons.get(step.depends, arguments))
                else:
                    made.append(await _enter(step.depends, arguments, stack))
            done = True
        if done:
            return finish(
                made[-1],
                None if tasks is None else made[tasks],
                None if headers is None else made[headers],
            )
        raise RuntimeError(
            f"a dependency of {_name(last.depends.function)}() kept what it raised to itself:"
            " a generator raises it again behind its yield, or another exception"
        )

    return call


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


async def _enter(depends: Depends, arguments: dict[str, Any], stack: AsyncExitStack) -> Any:
    """Calls a function; `stack` gets what is to be done when its result is needed no more."""
    function = depends.function
    # A class is called as a function; an object as its class says.
    called = function
    if not isinstance(function, type) and not inspect.isroutine(function):
        called = type(function).__call__
    if inspect.isasyncgenfunction(called):
        context = contextlib.asynccontextmanager(function)(**arguments)
        return await stack.enter_async_context(context)
    if inspect.isgeneratorfunction(called) and not depends.blocking:
        return stack.enter_context(contextlib.contextmanager(function)(**arguments))
    if inspect.isgeneratorfunction(called):
        return await stack.enter_async_context(
            _OnThread(contextlib.contextmanager(function)(**arguments))
        )
    if inspect.iscoroutinefunction(called):
        return await function(**arguments)
    if depends.blocking:
        return await to_thread(function, **arguments)
    return function(**arguments)


class _OnThread:
    """A context manager that may wait when it is entered, and left.

    To be left, it needs no thread of those that others wait on to enter it.
    """

    def __init__(self, context: contextlib.AbstractContextManager[Any]) -> None:
        self._context = context

    async def __aenter__(self) -> Any:
        return await to_thread(self._context.__enter__)

    async def __aexit__(self, *raised: Any) -> bool | None:
        return await release(self._context.__exit__, *raised)
