"""What one gateway forgets, and all others with it.

Who invalidates begins a new epoch (shared_answers.py) and says, in the same transaction, what is to
be forgotten, to all who listen. Until that is done it neither reads nor keeps what is in Redis, and
asks its functions. A listener that lost its connection forgets everything as soon as it has another
one, since it may have missed something: each second it asks whether the connection is alive.

What is said is sealed. Tested by tests/python/test_s3_redis.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Callable
from typing import Any

from tercel.s3.extra import load
from tercel.s3.sealing import Sealer
from tercel.s3.shared_answers import new_epoch
from tercel.s3.store import Store, end

__all__ = ["Forget", "SharedChanges"]

# Access key, identity and bucket; empty texts are any.
Forget = tuple[str, str, str]

_ALL: Forget = ("", "", "")
_ANNOUNCED_MAX = 64  # More than these are one: all.
_ASK_EVERY_S = 1.0
_ALIVE_S = 3.0
_PAUSE_S = 0.5


class SharedChanges:
    """Says and hears what is to be forgotten.

    Args:
        forget: called with what others say, on the loop.

    Attributes:
        listening: it hears what others say.
    """

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        prefix: str,
        epoch_name: str,
        forget: Callable[..., None],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._channel = f"{prefix}changes"
        self._epoch_name = epoch_name
        self._forget = forget
        self._failures = (load("redis", "redis").RedisError, OSError, TimeoutError)
        self._lock = threading.Lock()
        self._unsaid: list[Forget] = []
        self._being_said: list[Forget] = []
        self.listening = False
        self._me = os.urandom(8).hex()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pending(self) -> bool:
        """Whether the others do not know of something yet."""
        return bool(self._unsaid or self._being_said)

    def start(self) -> None:
        """Listens from now on, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [self._loop.create_task(one) for one in (self._listen(), self._say())]
        self._news.set()

    async def close(self) -> None:
        await end(self._tasks)

    def announce(self, forget: Forget) -> None:
        """Says it to all. Thread: any."""
        with self._lock:
            if len(self._unsaid) >= _ANNOUNCED_MAX:
                self._unsaid = [_ALL]
            elif forget not in self._unsaid:
                self._unsaid.append(forget)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # It has ended.
                self._loop.call_soon_threadsafe(self._news.set)

    async def _say(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._take_unsaid():
                if await self._store.run(lambda client: self._publish(client)) is None:
                    await asyncio.sleep(_PAUSE_S)
                else:
                    self._being_said = []

    def _take_unsaid(self) -> bool:
        """Returns whether there is something to say: what is not said yet, and what came since.

        What is announced while the same is being said is said once more: somebody may have asked
        between the two.
        """
        with self._lock:
            more = [one for one in self._unsaid if one not in self._being_said]
            self._being_said = self._being_said + more
            self._unsaid = []
        if len(self._being_said) > _ANNOUNCED_MAX:
            self._being_said = [_ALL]
        return bool(self._being_said)

    async def _publish(self, client: Any) -> Any:
        said = json.dumps([self._me, self._being_said])
        text = self._sealer.seal(self._channel, said.encode())
        commands = client.pipeline(transaction=True)
        commands.set(self._epoch_name, new_epoch())
        commands.publish(self._channel, text)
        return await commands.execute()

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*self._failures):
                async with self._store.client.pubsub() as pubsub:
                    async with asyncio.timeout(_ALIVE_S):
                        await pubsub.subscribe(self._channel)
                    await self._hear(pubsub)
            self.listening = False
            await asyncio.sleep(_PAUSE_S)

    async def _hear(self, pubsub: Any) -> None:
        """Ends when the connection does, or is silent."""
        loop = asyncio.get_running_loop()
        alive = asked = loop.time()
        while loop.time() - alive < _ALIVE_S:
            message = await pubsub.get_message(timeout=_ASK_EVERY_S)
            if message is not None:
                alive = loop.time()
                if message["type"] == "subscribe":
                    self._forget(*_ALL)  # Whatever was said before.
                    self.listening = True
                elif message["type"] == "message":
                    self._take(message["data"])
            if loop.time() - asked >= _ASK_EVERY_S:
                asked = loop.time()
                await pubsub.ping()

    def _take(self, sealed: bytes) -> None:
        text = self._sealer.open(self._channel, sealed)
        if text is None:
            return
        sender, said = json.loads(text)
        if sender != self._me:
            for forget in said:
                self._forget(*forget)
