"""What one process shares with others through a Redis: the one thing that a Policy sees of it.

Its tasks begin with the first question, or with the server, and belong to the loop that is running
then. Tested by tests/python/test_s3_redis.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from tercel.s3.redis import Redis, Share, is_shared
from tercel.s3.sealing import Sealer
from tercel.s3.shared_answers import Look, SharedAnswers
from tercel.s3.shared_changes import SharedChanges, Unsaid
from tercel.s3.shared_limits import SharedLimits, Shares, plain_name
from tercel.s3.store import Store
from tercel.s3.values import ApiKey, Bearer

__all__ = ["Sharing"]


class Engine(Shares, Protocol):
    """The gateway in C++."""

    def set_alone(self, alone: bool) -> None: ...


class Sharing:
    """What is shared by a gateway.

    Args:
        purpose: what differs here shares no answers: for how long they hold, for one.
    """

    def __init__(self, options: Redis, purpose: str) -> None:
        self.options = options
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sealer: Sealer | None = None
        if options.key is not None:
            self._sealer = Sealer(options.key, f"{options.policy}\n{purpose}")
        self._unsaid = Unsaid()
        self._ended_on: asyncio.AbstractEventLoop | None = None
        self._answers: SharedAnswers | None = None
        self._changes: SharedChanges | None = None
        self._limits: SharedLimits | None = None

    def join(self, engine: Engine, forget: Callable[[str, str, str], None]) -> None:
        """Is the sharing of this gateway.

        Args:
            forget: called with what another gateway says: access key, identity and bucket.
        """
        self._engine = engine
        self._forget = forget

    # --- from start to end

    def start(self) -> None:
        """Begins, unless it has begun, or ended, on the running loop."""
        loop = asyncio.get_running_loop()
        if loop in (self._loop, self._ended_on):
            return
        assert self._engine is not None
        self._loop = loop
        prefix = self.options.prefix
        self._store = Store(self.options, self._rests)
        if is_shared(self.options, "limits"):
            self._engine.set_alone(False)
            key = self.options.key
            name = plain_name if key is None else Sealer(key, "limits").name
            self._limits = SharedLimits(self._store, prefix, name)
        if self._sealer is not None and self.options.key is not None:
            self._answers = SharedAnswers(self._store, self._sealer, prefix)
            self._changes = SharedChanges(
                self._store,
                Sealer(self.options.key, "changes"),
                prefix,
                self._answers.epoch_name,
                self._unsaid,
                self._forget,
            )
            self._changes.start()

    async def close(self) -> None:
        """Ends what runs on the loop."""
        if self._loop is not asyncio.get_running_loop():
            return
        self._ended_on, self._loop = self._loop, None
        ending = (self._changes, self._answers, self._limits, self._store)
        self._answers = self._changes = self._limits = None
        for one in ending:
            if one is not None:
                await one.close()

    async def __aenter__(self) -> Self:
        self._ended_on = None
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _rests(self, resting: bool) -> None:
        if is_shared(self.options, "limits") and self._engine is not None:
            self._engine.set_alone(resting)

    def update(self) -> None:
        """Limits may have other numbers. Thread: any."""
        if self._loop is not None and self._limits is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended.
                self._loop.call_soon_threadsafe(self._limits.forget_rates)

    # --- what is asked

    async def look(self, what: Share, *keys: bytes) -> Look | None:
        """Returns what others were answered; None: what is asked now is nobody else's to know."""
        self.start()
        if self._answers is None or self._changes is None or self._changes.pending:
            return None
        return await self._answers.look(what, keys)

    async def token(self, api_key: ApiKey) -> tuple[Bearer | None, Look | None]:
        """Returns a token that another gateway got for an API key, unless it is to be renewed."""
        if not is_shared(self.options, "tokens"):
            return None, None
        look = await self.look("tokens", key_of_token(api_key))
        if look is None or look.value is None:
            return None, look
        return Bearer(*look.value), look

    async def grant(self, question: tuple[Any, ...]) -> None:
        """Has requests of a budget pass."""
        self.start()
        assert self._engine is not None
        if self._limits is not None:
            await self._limits.ask(question, self._engine)
        else:  # It has ended.
            self._engine.set_alone(True)

    def announce(self, access_key: str, identity: str, bucket: str) -> None:
        """Has the other gateways forget, too. Thread: any."""
        if self._sealer is None:
            return
        self._unsaid.add((access_key, identity, bucket))
        if (changes := self._changes) is not None:
            changes.wake()


def key_of_token(api_key: ApiKey) -> bytes:
    return f"{api_key.token_url}\n{api_key.api_key}".encode()
