"""Applications that do what an application must not do: one for each path.

"before" is before the response has started, "after" is after its start message, and "between" is
after a part of the body was sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
SIZED = {**START, "headers": [(b"content-length", b"100")]}
PART: Message = {"type": "http.response.body", "body": b"part", "more_body": True}
END: Message = {"type": "http.response.body", "body": b"end"}


class Odd(BaseException):
    """Neither an Exception nor anything that Python itself raises."""


RAISED: dict[str, type[BaseException]] = {
    "value-error": ValueError,
    "os-error": OSError,
    "base-exception": Odd,
    "cancelled": asyncio.CancelledError,
    "generator-exit": GeneratorExit,
    "stop-iteration": StopAsyncIteration,
    "memory-error": MemoryError,
    "system-exit": SystemExit,
    "keyboard-interrupt": KeyboardInterrupt,
}


def recurse() -> None:
    recurse()


async def raise_in_receive(receive: Receive, send: Send) -> None:
    """Fails in a coroutine that waits for the body."""

    async def read() -> None:
        await receive()
        raise ValueError("while reading")

    await asyncio.gather(read())


async def raise_in_thread(receive: Receive, send: Send) -> None:
    def work() -> None:
        raise ValueError("in a thread")

    await asyncio.to_thread(work)


async def raise_in_background(receive: Receive, send: Send) -> None:
    """Answers, while a task of its own fails."""

    async def work() -> None:
        raise ValueError("in the background")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await send(START)
    await send(END)
    del task


async def raise_at_the_end(receive: Receive, send: Send) -> None:
    """Fails when the response is complete: a background task of Starlette does."""
    await send(START)
    await send(END)
    raise ValueError("after the response")


async def cancel_itself(receive: Receive, send: Send) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


async def recursion(receive: Receive, send: Send) -> None:
    recurse()


async def return_at_once(receive: Receive, send: Send) -> None:
    pass


async def return_after_start(receive: Receive, send: Send) -> None:
    await send(START)


async def return_between(receive: Receive, send: Send) -> None:
    await send(START)
    await send(PART)


async def too_short(receive: Receive, send: Send) -> None:
    await send(SIZED)
    await send(END)


async def too_long(receive: Receive, send: Send) -> None:
    await send({**START, "headers": [(b"content-length", b"2")]})
    await send(END)


def sends(*messages: Any) -> Callable[[Receive, Send], Awaitable[None]]:
    """Returns an application that sends `messages`, and lets what send() raises escape."""

    async def misbehave(receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return misbehave


def header(name: Any, value: Any) -> Message:
    return {**START, "headers": [(name, value)]}


FAULTS: dict[str, Callable[[Receive, Send], Awaitable[None]]] = {
    "raise-in-receive": raise_in_receive,
    "raise-in-thread": raise_in_thread,
    "raise-in-background": raise_in_background,
    "raise-at-the-end": raise_at_the_end,
    "cancel-itself": cancel_itself,
    "recursion": recursion,
    "return-at-once": return_at_once,
    "return-after-start": return_after_start,
    "return-between": return_between,
    "too-short": too_short,
    "too-long": too_long,
    "body-first": sends(END),
    "start-twice": sends(START, START),
    "start-between": sends(START, PART, START),
    "end-twice": sends(START, END, END),
    "unknown-type": sends({"type": "http.response.finish"}),
    "no-type": sends({"status": 200}),
    "not-a-message": sends("http.response.start"),
    "nothing": sends(None),
    "no-status": sends({"type": "http.response.start", "headers": []}),
    "status-text": sends({**START, "status": "200"}),
    "status-small": sends({**START, "status": 99}),
    "status-large": sends({**START, "status": 1000}),
    "status-interim": sends({**START, "status": 101}),
    "headers-text": sends({**START, "headers": "a: b"}),
    "header-name-text": sends(header("name", b"value")),
    "header-value-text": sends(header(b"name", "value")),
    "header-name-empty": sends(header(b"", b"value")),
    "header-name-space": sends(header(b"na me", b"value")),
    "header-name-colon": sends(header(b"na:me", b"value")),
    "header-name-crlf": sends(header(b"a\r\nb", b"value")),
    "header-value-crlf": sends(header(b"a", b"value\r\nset-cookie: stolen=1")),
    "header-value-lf": sends(header(b"a", b"value\nset-cookie: stolen=1")),
    "header-value-nul": sends(header(b"a", b"val\0ue")),
    "header-single": sends({**START, "headers": [(b"name",)]}),
    "length-not-a-number": sends(header(b"content-length", b"ten")),
    "length-twice": sends(
        {**START, "headers": [(b"content-length", b"3"), (b"content-length", b"4")]}
    ),
    "body-text": sends(START, {"type": "http.response.body", "body": "text"}),
}


async def raise_somewhere(where: str, what: str, send: Send) -> None:
    if where != "before":
        await send(START)
    if where == "between":
        await send(PART)
    raise RAISED[what]("on purpose")


async def app(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    path = scope["path"].strip("/")
    where, _, what = path.partition("/")
    if what in RAISED:
        await raise_somewhere(where, what, send)
    elif path in FAULTS:
        await FAULTS[path](receive, send)
    else:
        await send(START)
        await send(END)


def not_awaitable(scope: Message, receive: Receive, send: Send) -> None:
    """Takes the arguments of an application, and is none."""


def raises_when_called(scope: Message, receive: Receive, send: Send) -> None:
    raise ValueError("before there is anything to await")


# --- lifespan


async def fails_to_start(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database today"})


async def raises_at_start(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        raise ValueError("start-up went wrong")
    await app(scope, receive, send)


async def fails_to_stop(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        await app(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "could not say goodbye"})


async def raises_at_stop(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        await app(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    raise ValueError("shutdown went wrong")


async def leaves_lifespan(scope: Message, receive: Receive, send: Send) -> None:
    """Returns from lifespan right after start-up, instead of waiting for the shutdown."""
    if scope["type"] != "lifespan":
        await app(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
