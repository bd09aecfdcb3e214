"""Applications that look at what a dispatcher could do differently: the current task, contexts, the
order of things. Each returns something to compare; what differs by nature (numbers of tasks,
addresses) is left out.
"""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import contextvars
import copy
import inspect
import re
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import sniffio

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Observation = Callable[[Receive, Send], Awaitable[Any]]

OBSERVATIONS: dict[str, Observation] = {}
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def observation(function: Observation) -> Observation:
    OBSERVATIONS[function.__name__] = function
    return function


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


# --- asyncio


@observation
async def nothing(receive: Receive, send: Send) -> Any:
    return "nothing"


@observation
async def sleep_zero(receive: Receive, send: Send) -> Any:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return "slept"


@observation
async def sleep(receive: Receive, send: Send) -> Any:
    await asyncio.sleep(0.001)
    return "slept"


@observation
async def future(receive: Receive, send: Send) -> Any:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    loop.call_soon(waited.set_result, "result")
    return await waited


@observation
async def resolved_future(receive: Receive, send: Send) -> Any:
    waited = asyncio.get_running_loop().create_future()
    waited.set_result("result")
    return await waited


@observation
async def future_that_fails(receive: Receive, send: Send) -> Any:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    loop.call_soon(waited.set_exception, ValueError("failed"))
    try:
        await waited
    except ValueError as error:
        return repr(error)


@observation
async def future_that_is_cancelled(receive: Receive, send: Send) -> Any:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    loop.call_soon(waited.cancel, "message")
    try:
        await waited
    except asyncio.CancelledError as error:
        return repr(error), current().cancelling()


@observation
async def timeout(receive: Receive, send: Send) -> Any:
    task = current()
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError:
        return "timeout", current() is task, task.cancelling()


@observation
async def timeout_without_suspension(receive: Receive, send: Send) -> Any:
    async with asyncio.timeout(10) as limit:  # noqa: ASYNC100
        return limit.expired()


@observation
async def timeout_that_is_over_at_once(receive: Receive, send: Send) -> Any:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(10)
    except TimeoutError:
        return "timeout"


@observation
async def wait_for(receive: Receive, send: Send) -> Any:
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.001)
    except TimeoutError:
        return "timeout"


@observation
async def gather(receive: Receive, send: Send) -> Any:
    return await asyncio.gather(
        asyncio.sleep(0.001, "a"), asyncio.to_thread(time.sleep, 0.001), asyncio.sleep(0, "b")
    )


@observation
async def task_group(receive: Receive, send: Send) -> Any:
    async def add(to: list[str], item: str) -> None:
        await asyncio.sleep(0)
        to.append(item)

    items: list[str] = []
    async with asyncio.TaskGroup() as group:
        for item in "abc":
            group.create_task(add(items, item))
    return items


@observation
async def task_group_that_fails(receive: Receive, send: Send) -> Any:
    async def fail() -> None:
        raise ValueError("failed")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(10)
    except ExceptionGroup as errors:
        return repr(errors), current().cancelling()


@observation
async def to_thread(receive: Receive, send: Send) -> Any:
    variable.set("mine")
    here = threading.get_ident()
    return await asyncio.to_thread(lambda: (variable.get(), threading.get_ident() != here))


@observation
async def streams(receive: Receive, send: Send) -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
    return data.decode()


@observation
async def subprocesses(receive: Receive, send: Send) -> Any:
    process = await asyncio.create_subprocess_exec("echo", "hi", stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode(), process.returncode


@observation
async def synchronisation(receive: Receive, send: Send) -> Any:
    order: list[str] = []
    lock, event = asyncio.Lock(), asyncio.Event()

    async def other() -> None:
        async with lock:
            order.append("other")
            event.set()

    async with lock:
        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        order.append("mine")
    await event.wait()
    await task
    return order


# --- cancellation


@observation
async def cancels_itself(receive: Receive, send: Send) -> Any:
    current().cancel("message")
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as error:
        return repr(error), current().cancelling(), current().uncancel()


@observation
async def cancels_itself_before_a_bare_yield(receive: Receive, send: Send) -> Any:
    current().cancel()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return "cancelled", current().uncancel()


@observation
async def cancels_itself_by_the_type(receive: Receive, send: Send) -> Any:
    asyncio.Task.cancel(current(), "message")
    waited = asyncio.get_running_loop().create_future()
    try:
        await waited
    except asyncio.CancelledError as error:
        return repr(error), waited.cancelled(), current().cancelling(), current().uncancel()


@observation
async def cancels_itself_by_super(receive: Receive, send: Send) -> Any:
    task = current()
    super(asyncio.Task, task)  # Of a base: has no cancel of its own.
    object.__getattribute__(task, "cancel")()
    try:
        await asyncio.sleep(0.001)
    except asyncio.CancelledError:
        return task.uncancel()


@observation
async def is_cancelled_while_it_awaits_a_shared_future(receive: Receive, send: Send) -> Any:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    task = current()
    loop.call_soon(task.cancel)
    try:
        await waited
    except asyncio.CancelledError:
        return waited.cancelled(), task.uncancel()


@observation
async def is_cancelled_while_it_awaits_a_task(receive: Receive, send: Send) -> Any:
    inner = asyncio.create_task(asyncio.sleep(10))
    current().get_name()
    asyncio.get_running_loop().call_soon(current().cancel)
    try:
        await inner
    except asyncio.CancelledError:
        return inner.cancelled(), current().uncancel()


@observation
async def shields(receive: Receive, send: Send) -> Any:
    inner = asyncio.create_task(asyncio.sleep(0.001, "inner"))
    asyncio.get_running_loop().call_soon(current().cancel)
    try:
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        return await inner, current().uncancel()


@observation
async def a_future_awaited_by_two(receive: Receive, send: Send) -> Any:
    waited = asyncio.get_running_loop().create_future()

    async def other() -> Any:
        return await waited

    task = asyncio.create_task(other())
    asyncio.get_running_loop().call_later(0.001, waited.set_result, "both")
    return await waited, await task


# --- what a task tells about itself


@observation
async def task_facts(receive: Receive, send: Send) -> Any:
    task = current()
    return {
        "is a Task": isinstance(task, asyncio.Task),
        "is a Future": asyncio.isfuture(task),
        "name": re.sub(r"\d+", "N", task.get_name()),
        "done": task.done(),
        "cancelled": task.cancelled(),
        "cancelling": task.cancelling(),
        "loop": task.get_loop() is asyncio.get_running_loop(),
        "coroutine": isinstance(task.get_coro(), collections.abc.Coroutine),
        "in all_tasks": task in asyncio.all_tasks(),
        "same": asyncio.current_task() is task,
    }


@observation
async def all_tasks_before_anything_else(receive: Receive, send: Send) -> Any:
    return current() in asyncio.all_tasks(), len(asyncio.all_tasks())


@observation
async def all_tasks_of_another_loop(receive: Receive, send: Send) -> Any:
    other = asyncio.new_event_loop()
    try:
        return len(asyncio.all_tasks(other))
    finally:
        other.close()


@observation
async def type_after_a_touch(receive: Receive, send: Send) -> Any:
    current().get_name()
    return type(current()) is asyncio.Task


@observation
async def class_of_the_task(receive: Receive, send: Send) -> Any:
    return current().__class__ is asyncio.Task, type(current()).__name__


@observation
async def name_is_kept(receive: Receive, send: Send) -> Any:
    current().set_name("mine")
    await asyncio.sleep(0)
    return current().get_name()


@observation
async def representation(receive: Receive, send: Send) -> Any:
    text = repr(current())
    return text.startswith("<Task pending name='Task-"), "observer.py" in text


@observation
async def attributes_of_its_own(receive: Receive, send: Send) -> Any:
    current().mine = 1  # type: ignore[attr-defined]
    await asyncio.sleep(0.001)
    return current().mine, hasattr(current(), "__dict__")  # type: ignore[attr-defined]


@observation
async def unset_attribute(receive: Receive, send: Send) -> Any:
    return getattr(current(), "no_such_thing", "missing")


@observation
async def stack(receive: Receive, send: Send) -> Any:
    task = current()
    await asyncio.sleep(0)

    async def look() -> list[str]:
        return [frame.f_code.co_name for frame in task.get_stack()]

    return await asyncio.create_task(look())


@observation
async def identity_across_a_suspension(receive: Receive, send: Send) -> Any:
    task = current()
    key = {task: "value"}
    await asyncio.sleep(0.001)
    return current() is task, key[current()], hash(task) == hash(current()), task == current()


@observation
async def weak_reference_across_a_suspension(receive: Receive, send: Send) -> Any:
    reference = weakref.ref(current())
    await asyncio.sleep(0.001)
    return reference() is current()


@observation
async def weak_key(receive: Receive, send: Send) -> Any:
    table: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
    table[current()] = "value"
    return table[current()], len(table)


@observation
async def unbound_methods(receive: Receive, send: Send) -> Any:
    task = current()
    found: dict[str, Any] = {}
    for name in ("done", "cancelled", "cancelling", "get_stack"):
        found[name] = getattr(asyncio.Task, name)(task)
    for name in ("result", "exception"):
        with contextlib.suppress(asyncio.InvalidStateError):
            found[name] = getattr(asyncio.Task, name)(task)
    for name in ("set_result", "set_exception"):
        try:
            getattr(asyncio.Task, name)(task, None)
        except RuntimeError as error:
            found[name] = str(error)
    found["coroutine"] = asyncio.Task.get_coro(task) is not None
    found["name"] = isinstance(asyncio.Task.get_name(task), str)
    if sys.version_info >= (3, 12):
        found["context"] = type(asyncio.Task.get_context(task)).__name__
    del found["get_stack"]  # Of the moment.
    await asyncio.sleep(0)
    return found


@observation
async def unbound_attributes(receive: Receive, send: Send) -> Any:
    task = current()
    found: dict[str, Any] = {}
    for cls in asyncio.Task.__mro__:
        for name, member in vars(cls).items():
            if inspect.isgetsetdescriptor(member) and name not in found:
                try:
                    found[name] = type(member.__get__(task)).__name__
                except (AttributeError, RuntimeError) as error:
                    found[name] = repr(error)
    # By nature: the dict is made when it is asked for; the loop and the coroutine may be others.
    for name in ("__dict__", "_loop", "_coro", "_fut_waiter", "_log_destroy_pending"):
        found.pop(name, None)
    await asyncio.sleep(0)
    return found


@observation
async def a_copy_of_the_task(receive: Receive, send: Send) -> Any:
    try:
        copy.copy(current())
    except Exception as error:
        return type(error).__name__


@observation
async def awaits_itself(receive: Receive, send: Send) -> Any:
    try:
        await current()
    except RuntimeError as error:
        return re.sub(r"<Task .*>", "TASK", str(error))


@observation
async def iterates_itself(receive: Receive, send: Send) -> Any:
    return type(iter(current())).__name__  # type: ignore[call-overload]


@observation
async def is_awaited_by_another(receive: Receive, send: Send) -> Any:
    task = current()

    async def wait() -> str:
        done, _ = await asyncio.wait({task}, timeout=0.001)
        return f"{len(done)} done"

    return await asyncio.create_task(wait())


# --- contexts


@observation
async def variables_do_not_leak(receive: Receive, send: Send) -> Any:
    before = variable.get()
    variable.set("mine")
    await asyncio.sleep(0.001)
    return before, variable.get()


@observation
async def variables_do_not_leak_without_suspension(receive: Receive, send: Send) -> Any:
    before = variable.get()
    variable.set("mine")
    return before, variable.get()


@observation
async def token_resets_across_a_suspension(receive: Receive, send: Send) -> Any:
    token = variable.set("mine")
    await asyncio.sleep(0)
    variable.reset(token)
    return variable.get()


@observation
async def context_of_children(receive: Receive, send: Send) -> Any:
    variable.set("parent")

    async def child() -> str:
        seen = variable.get()
        variable.set("child")
        return seen

    seen = await asyncio.create_task(child())
    return seen, variable.get()


@observation
async def context_of_callbacks(receive: Receive, send: Send) -> Any:
    variable.set("mine")
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    loop.call_soon(lambda: waited.set_result(variable.get()))
    return await waited


# --- anyio and sniffio


@observation
async def sniff(receive: Receive, send: Send) -> Any:
    return sniffio.current_async_library()


@observation
async def anyio_task_info(receive: Receive, send: Send) -> Any:
    info = anyio.get_current_task()
    return re.sub(r"\d+", "N", info.name or ""), info.id == id(current())


@observation
async def anyio_task_group(receive: Receive, send: Send) -> Any:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.001)
        group.start_soon(anyio.sleep, 0)
    return "done"


@observation
async def anyio_cancelled_group(receive: Receive, send: Send) -> Any:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 10)
        group.cancel_scope.cancel()
    return group.cancel_scope.cancelled_caught


@observation
async def anyio_move_on(receive: Receive, send: Send) -> Any:
    with anyio.move_on_after(0.001) as scope:
        await anyio.sleep(10)
    return scope.cancelled_caught


@observation
async def anyio_scope_without_suspension(receive: Receive, send: Send) -> Any:
    with anyio.CancelScope() as scope:  # noqa: ASYNC100
        pass
    return scope.cancelled_caught


@observation
async def anyio_cancelled_before_the_first_wait(receive: Receive, send: Send) -> Any:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep(10)
    return scope.cancelled_caught


@observation
async def anyio_fail_after(receive: Receive, send: Send) -> Any:
    try:
        with anyio.fail_after(0.001):
            await anyio.sleep(10)
    except TimeoutError:
        return "timeout"


@observation
async def anyio_to_thread(receive: Receive, send: Send) -> Any:
    def work() -> str:
        return anyio.from_thread.run_sync(variable.get)

    variable.set("mine")
    return await anyio.to_thread.run_sync(work)


@observation
async def anyio_memory_stream(receive: Receive, send: Send) -> Any:
    sender, receiver = anyio.create_memory_object_stream[str](1)
    async with sender, receiver, anyio.create_task_group() as group:
        group.start_soon(sender.send, "item")
        return await receiver.receive()


# --- receive and send in tasks


@observation
async def receive_in_a_task(receive: Receive, send: Send) -> Any:
    first = await asyncio.create_task(receive())  # type: ignore[arg-type]
    waiting = asyncio.create_task(receive())  # type: ignore[arg-type]
    done, pending = await asyncio.wait({waiting}, timeout=0.001)
    waiting.cancel()
    return first, len(done), len(pending)


@observation
async def listens_for_the_disconnect_beside_its_work(receive: Receive, send: Send) -> Any:
    await receive()

    async def listen() -> str:
        return str((await receive())["type"])

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0.001)
    listener.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listener
    return listener.cancelled()


# --- callbacks, after the end of the application

ENDED: list[Any] = []


@observation
async def done_callback(receive: Receive, send: Send) -> Any:
    current().add_done_callback(lambda task: ENDED.append((task.done(), task.result())))
    await asyncio.sleep(0.001)
    return "registered"


@observation
async def done_callback_without_suspension(receive: Receive, send: Send) -> Any:
    current().add_done_callback(lambda task: ENDED.append((task.done(), task.result())))
    return "registered"


@observation
async def done_callback_by_the_type(receive: Receive, send: Send) -> Any:
    variable.set("mine")
    callback = lambda task: ENDED.append((task.done(), variable.get()))  # noqa: E731
    asyncio.Task.add_done_callback(current(), callback)
    return "registered"


@observation
async def removed_done_callback(receive: Receive, send: Send) -> Any:
    task = current()
    task.add_done_callback(ENDED.append)
    return task.remove_done_callback(ENDED.append)


@observation
async def keeps_its_task_without_looking(receive: Receive, send: Send) -> Any:
    task = current()
    asyncio.get_running_loop().call_later(
        0.002, lambda: ENDED.append((task.done(), task.cancelled(), type(task) is asyncio.Task))
    )
    return "kept"


@observation
async def keeps_its_task_and_is_cancelled(receive: Receive, send: Send) -> Any:
    task = current()
    asyncio.get_running_loop().call_later(0.002, lambda: ENDED.append(task.cancelled()))
    # Nothing is awaited after this that would notice: the task ends as cancelled.
    asyncio.get_running_loop().call_soon(lambda: None)
    return "kept"


@observation
async def what_happened_later(receive: Receive, send: Send) -> Any:
    await asyncio.sleep(0.006)
    happened, ENDED[:] = list(ENDED), []
    return happened


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answers the observation that the path names, as text."""
    result = await OBSERVATIONS[scope["path"][1:]](receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(result).encode()})
