"""Responses whose body is made while it is sent."""

from __future__ import annotations

import asyncio
import copy
import functools
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from tercel.api.cookies import SetsCookies
from tercel.api.threads import release, submit
from tercel.options import pairs_of

__all__ = ["Event", "EventStream", "Stream", "StreamingResponse"]

_LINE_ENDS = re.compile(r"[\r\n\0]")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Stream(SetsCookies):
    """What both have in common: a head, and parts that follow it.

    A client that reads slowly holds them up, and one that leaves ends them: the iterator is closed
    where it stands.
    """

    # Whether the head is sent at once, and not with the first part, which may be long in coming.
    begins_with_head = False

    def __init__(
        self,
        *,
        status: int,
        media_type: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]],
    ) -> None:
        self.status = status
        self.headers = pairs_of(headers)
        if all(name.lower() != "content-type" for name, _ in self.headers):
            self.headers.insert(0, ("content-type", media_type))

    def copy(self) -> Self:
        """Returns one of the same body, whose status and headers may be changed."""
        made = copy.copy(self)
        made.headers = list(self.headers)
        return made

    def start(self) -> dict[str, Any]:
        """Returns the message with the head.

        Raises:
            ValueError: a header field would end before its value does. Not every server looks.
        """
        for name, value in self.headers:
            if _LINE_ENDS.search(name + value):
                raise ValueError(
                    f"the header field {name!r} of a stream is one line, not {value!r}"
                )
        headers = [(name.encode(), value.encode()) for name, value in self.headers]
        return {"type": "http.response.start", "status": self.status, "headers": headers}

    def parts(self, receive: Receive) -> AsyncGenerator[bytes, None]:
        """Makes the body. `receive` tells when the client has left, or the server ends."""
        raise NotImplementedError

    async def send_through(self, receive: Receive, send: Send, head: bool = False) -> None:
        """Sends the whole response as messages of ASGI.

        Args:
            head: the request was HEAD: nothing is made of what nobody reads.
        """
        await send(self.start())
        if head:
            return await send({"type": "http.response.body", "body": b""})
        if self.begins_with_head:
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        async with aclosing(self.parts(receive)) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class StreamingResponse(Stream):
    """A body that an iterator makes.

    Args:
        content: gives bytes, or str that are sent in UTF-8. A plain iterator may wait: it is asked
            on a thread.
        status: from 200 to 599.
        media_type: the Content-Type.
        headers: more header fields; several of one name as pairs. With a Content-Length, as much
            has to come.
    """

    def __init__(
        self,
        content: AsyncIterable[bytes | str] | Iterable[bytes | str],
        *,
        status: int = 200,
        media_type: str = "application/octet-stream",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status=status, media_type=media_type, headers=headers)
        self._content = content

    async def parts(self, receive: Receive) -> AsyncGenerator[bytes, None]:
        """Hands on what the iterator gives, without empty parts."""
        if isinstance(self._content, AsyncIterable):
            content = aiter(self._content)
        else:
            content = _on_thread(self._content)
        try:
            async for part in content:
                if part:
                    yield part.encode() if isinstance(part, str) else part
        finally:
            await _close(content)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event.

    Args:
        data: a str as it is, anything else as JSON.
        event: its type; browsers call it `message` when there is none.
        id: what a client that comes back sends as `Last-Event-ID`.
        retry_ms: after how many milliseconds a client that lost us should come back.
    """

    data: Any = ""
    event: str | None = None
    id: str | None = None
    retry_ms: int | None = None

    def encode(self) -> bytes:
        """Returns the event as it is sent.

        Raises:
            ValueError: `event` or `id` has a line end, or `id` a NUL.
        """
        lines = []
        for name, value in (("event", self.event), ("id", self.id)):
            if value is None:
                continue
            if "\n" in value or "\r" in value or "\0" in value:
                raise ValueError(f"the {name} of an event is one line, not {value!r}")
            lines.append(f"{name}: {value}")
        if self.retry_ms is not None:
            lines.append(f"retry: {int(self.retry_ms)}")
        data = self.data
        text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
        # A CR or LF within would end the line.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines += [f"data: {line}" for line in text.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


class EventStream(Stream):
    """Server-sent events, which a browser reads with `EventSource`.

    It ends when the iterator does, when the client leaves, and when the server shuts down.

    Args:
        events: gives `Event`s, or their data.
        keep_alive: after so many seconds without an event, a comment is sent: proxies close what is
            silent, and a client that vanished is noticed.
        headers: more header fields.

    Source: HTML, "Server-sent events".
    """

    begins_with_head = True

    def __init__(
        self,
        events: AsyncIterable[Any],
        *,
        keep_alive: float = 15.0,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status=200, media_type="text/event-stream", headers=headers)
        # Neither stores nor holds back: X-Accel-Buffering is nginx's.
        self.headers += [("cache-control", "no-store"), ("x-accel-buffering", "no")]
        self._events = events
        self._keep_alive = keep_alive

    async def parts(self, receive: Receive) -> AsyncGenerator[bytes, None]:
        """Encodes the events, and comments while there are none."""
        # One task for all steps of the iterator: what it sets, and where it waits, stays with it.
        queue: asyncio.Queue[Any] = asyncio.Queue(1)
        maker = asyncio.ensure_future(_make(self._events, queue))
        gone = asyncio.ensure_future(_wait_gone(receive))
        try:
            while not gone.done():
                if not queue.empty():
                    event = queue.get_nowait()
                elif maker.done():
                    maker.result()  # Raises what the iterator raised.
                    return
                else:
                    event = await self._next(queue, maker, gone)
                if event is _SILENCE:
                    yield b":\n\n"
                elif event is not _CHANGE:
                    yield (event if isinstance(event, Event) else Event(event)).encode()
        finally:
            gone.cancel()
            maker.cancel()
            await asyncio.wait({maker})

    async def _next(self, queue: asyncio.Queue[Any], *others: asyncio.Future[None]) -> Any:
        """Waits for an event. _CHANGE: one of `others` is done; _SILENCE: it takes too long."""
        getter = asyncio.ensure_future(queue.get())
        done, _ = await asyncio.wait(
            {getter, *others}, timeout=self._keep_alive, return_when=asyncio.FIRST_COMPLETED
        )
        if getter not in done:
            getter.cancel()
            await asyncio.wait({getter})
            if getter.cancelled():
                return _CHANGE if done else _SILENCE
        return getter.result()


_CHANGE, _SILENCE = object(), object()


async def _make(events: AsyncIterable[Any], queue: asyncio.Queue[Any]) -> None:
    iterator = aiter(events)
    try:
        async for event in iterator:
            await queue.put(event)
    finally:
        await _close(iterator)


async def _wait_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _on_thread(content: Iterable[bytes | str]) -> AsyncIterator[bytes | str]:
    iterator = iter(content)
    end = object()
    step: asyncio.Future[Any] | None = None
    try:
        while True:
            step = submit(next, iterator, end)
            part = await asyncio.shield(step)
            if part is end:
                return
            yield part
    finally:
        if step is not None and not step.done():
            # A thread is in it: it is closed when that comes back.
            step.add_done_callback(functools.partial(_close_behind, iterator))
        else:
            await release(_close_plain, iterator)


def _close_behind(iterator: Any, step: asyncio.Future[Any]) -> None:
    if not step.cancelled():
        step.exception()  # Nobody hears of it: the client has left.
    release(_close_plain, iterator)


def _close_plain(iterator: Any) -> None:
    if hasattr(iterator, "close"):
        iterator.close()


async def _close(iterator: Any) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
