"""`TestClient.events`: server-sent events, one after the other.

Source: HTML, "Server-sent events".
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

__all__ = ["EventSession", "ServerSentEvent"]

# CR LF is one end; a CR that is the last character so far may be the first half of that.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event, as a browser has it.

    Args:
        data: its lines, with LF between them.
        event: its type.
        id: of the last event that had one.
        retry_ms: what the stream has last said of it.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry_ms: int | None = None

    def json(self) -> Any:
        """Returns the data, read as JSON."""
        return json.loads(self.data)


class EventSession:
    """A stream of events; made by `TestClient.events`.

    ::

        with client.events("/ticks") as events:
            assert next(events).json() == {"tick": 0}

    The application works while `next()` waits, and at the end of the block, which is to it that the
    client has left.

    Attributes:
        response: the head of the answer.
    """

    def __init__(self, request: AbstractContextManager[httpx.Response]) -> None:
        self._request = request
        self._decoder = Decoder()

    def __enter__(self) -> Self:
        """Asks.

        Raises:
            httpx.HTTPStatusError: the answer is a refusal, whose body has been read.
            ValueError: it is no stream of events.
        """
        self.response = self._request.__enter__()
        try:
            if not self.response.is_success:
                self.response.read()
                self.response.raise_for_status()
            kind = self.response.headers.get("content-type", "nothing")
            if kind.partition(";")[0].strip() != "text/event-stream":
                raise ValueError(f"{self.response.url} answers {kind}, not text/event-stream")
        except BaseException:
            self._request.__exit__(None, None, None)
            raise
        self._parts = self.response.iter_bytes()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._request.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[ServerSentEvent]:
        return self

    def __next__(self) -> ServerSentEvent:
        """Waits for an event.

        Raises:
            StopIteration: the stream has ended.
            httpx.ReadTimeout: nothing comes.
        """
        while not self._decoder.events:
            self._decoder.feed(next(self._parts))
        return self._decoder.events.popleft()


class Decoder:
    """From bytes to events.

    Attributes:
        events: that are complete, and nobody took yet.
    """

    def __init__(self) -> None:
        self.events: deque[ServerSentEvent] = deque()
        self._text = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._retry_ms: int | None = None

    def feed(self, part: bytes) -> None:
        """Takes the next bytes of the body."""
        *lines, self._rest = _LINE_END.split(self._rest + self._text.decode(part))
        for line in lines:
            self._take(line)

    def _take(self, line: str) -> None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._retry_ms = int(value)

    def _dispatch(self) -> None:
        if self._data:
            event = self._event or "message"
            data = "\n".join(self._data)
            self.events.append(ServerSentEvent(data, event, self._id, self._retry_ms))
        self._data, self._event = [], ""
