"""The event loop: asyncio's own, with the engine as its selector and its two hot methods in C++."""

from __future__ import annotations

import asyncio
from asyncio import base_events, events, format_helpers, selector_events
from types import FunctionType
from typing import Any

from tercel import _core
from tercel.selector import EngineSelector

__all__ = ["EventLoop"]


class EventLoop(_core.LoopCore, asyncio.SelectorEventLoop):
    """An asyncio event loop that also runs tercel's engine, on the same thread and the same epoll.

    Use it as any other loop::

        with asyncio.Runner(loop_factory=tercel.EventLoop) as runner:
            runner.run(main())

    Everything asyncio can do works, because it is asyncio: transports, subprocesses, signals,
    executors and debug mode are inherited from `asyncio.SelectorEventLoop`. `call_soon()` and the
    turn of the loop are C++ (the attribute `fast` says whether now). They are left to asyncio in
    debug mode, on a version of CPython that was not tested, and in a subclass that replaces a
    method which they stand in for.

    After a fork, only the parent may use or close a loop, as with every epoll-based one.

    Args:
        fast: False leaves everything but the selector to asyncio. For comparison and tests.
    """

    def __init__(self, *, fast: bool = True) -> None:
        engine = _core.Engine()
        super().__init__(EngineSelector(engine))
        self._attach(engine, fast and _is_asyncio_below(type(self)))

    def close(self) -> None:
        super().close()
        self._detach()


# The methods of asyncio whose work the C++ methods do themselves, with the module that has them.
_STOOD_IN_FOR = {
    "_call_soon": base_events,
    "_check_closed": base_events,
    "_add_callback": base_events,
    "_process_events": selector_events,
}
# The methods that C++ replaces: those that follow LoopCore's own in the order of inheritance.
_REPLACED = {
    "call_soon": base_events,
    "call_soon_threadsafe": base_events,
    "call_at": base_events,
    "call_later": base_events,
    "create_future": base_events,
    "get_debug": base_events,
    "time": base_events,
    "_run_once": base_events,
    "_timer_handle_cancelled": base_events,
    "_write_to_self": selector_events,
}


def _is_asyncio_below(cls: type[EventLoop]) -> bool:
    """True when no mixin, subclass or patch changes a method that the C++ methods bypass."""
    order = cls.__mro__
    bases = order[order.index(_core.LoopCore) + 1 :]
    own_wake = _first("_write_to_self", order) is vars(_core.LoopCore)["_write_to_self"]
    return (
        own_wake
        and all(_is_function_of(home, _first(name, order)) for name, home in _STOOD_IN_FOR.items())
        and all(_is_function_of(home, _first(name, bases)) for name, home in _REPLACED.items())
    )


def _first(name: str, classes: tuple[type, ...]) -> Any:
    return next((vars(cls)[name] for cls in classes if name in vars(cls)), None)


def _is_function_of(module: Any, value: Any) -> bool:
    return isinstance(value, FunctionType) and value.__globals__ is vars(module)


def report_callback_error(handle: events.Handle, error: BaseException) -> None:
    """Reports what a callback raised, as `asyncio.Handle._run()` does. Called from C++."""
    loop: asyncio.AbstractEventLoop = handle._loop  # type: ignore[attr-defined]
    callback = format_helpers._format_callback_source(handle._callback, handle._args)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "message": f"Exception in callback {callback}",
        "exception": error,
        "handle": handle,
    }
    if handle._source_traceback:  # type: ignore[attr-defined]
        context["source_traceback"] = handle._source_traceback  # type: ignore[attr-defined]
    loop.call_exception_handler(context)
