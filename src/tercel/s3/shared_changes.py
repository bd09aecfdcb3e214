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

from tercel.s3.sealing import Sealer
from tercel.s3.shared_answers import new_epoch
from tercel.s3.store import Store, end

__all__ = ["Forget", "SharedChanges", "Unsaid"]

# Access key, identity and bucket; empty texts are any.
Forget = tuple[str, str, str]

_ALL: Forget = ("", "", "")
_ANNOUNCED_MAX = 64  # More than these are one: all.
_ASK_EVERY_S = 1.0
_ALIVE_S = 3.0
_PAUSE_S = 0.5


class Unsaid:
    """What is to be forgotten and nobody was told yet: bounded. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forgets: list[Forget] = []

    def __bool__(self) -> bool:
        return bool(self._forgets)

    def add(self, forget: Forget) -> None:
        with self._lock:
            if forget in self._forgets:
                return
            full = len(self._forgets) >= _ANNOUNCED_MAX
            self._forgets = [_ALL] if full else [*self._forgets, forget]

    def take(self) -> list[Forget]:
        """Returns all of it, which is somebody else's to say now."""
        with self._lock:
            taken, self._forgets = self._forgets, []
        return taken


class SharedChanges:
    """Says and hears what is to be forgotten.

    Args:
        unsaid: where it is put; `wake()` says that there is some. What nobody could be told of
            stays there.
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
        unsaid: Unsaid,
        forget: Callable[..., None],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._channel = f"{prefix}changes"
        self._epoch_name = epoch_name
        self._forget = forget
        self._unsaid = unsaid
        # What is announced while the same is being said is said once more: somebody may have asked
        # between the two.
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
        if self.pending:
            await self._say_all()
        for forget in self._being_said:
            self._unsaid.add(forget)

    def wake(self) -> None:
        """There is something to say. Thread: any."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # It has ended.
                self._loop.call_soon_threadsafe(self._news.set)

    async def _say(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self.pending:
                if not await self._say_all():
                    await asyncio.sleep(_PAUSE_S)

    async def _say_all(self) -> bool:
        """Tells the others; False: Redis does not answer."""
        self._being_said += [one for one in self._unsaid.take() if one not in self._being_said]
        if len(self._being_said) > _ANNOUNCED_MAX:
            self._being_said = [_ALL]
        if await self._store.run(self._publish) is None:
            return False
        self._being_said = []
        return True

    async def _publish(self, client: Any) -> Any:
        said = json.dumps([self._me, self._being_said])
        text = self._sealer.seal(self._channel, said.encode())
        commands = client.pipeline(transaction=True)
        commands.set(self._epoch_name, new_epoch())
        commands.publish(self._channel, text)
        return await commands.execute()

    async def _listen(self) -> None:
        while True:
            with self._store.failing():
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
