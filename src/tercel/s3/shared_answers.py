"""Answers of policies that several gateways know together, in a Redis that is not trusted.

    look = await answers.look("decisions", keys)     # Of the narrowest key that is known.
    if look.value is None:
        look.keep(keys[0], value, seconds)           # For the others, in the background.

What lies there is sealed with the operator's key, under names that tell nothing (sealing.py), with
its end and with the epoch in which the question was asked. An epoch is a text at random in Redis:
whoever invalidates anything begins another one, and what was answered in one of before is asked
again. The epoch is read together with the answers, so an answer that comes late does not outlive
the change that it missed.

Who can write there without the key can make answers be forgotten, and take an epoch back: an answer
counts until its own end at most. Tested by tests/python/test_s3_redis.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from tercel.s3.sealing import Sealer
from tercel.s3.store import Store, end

__all__ = ["Look", "SharedAnswers"]

_EPOCH_BYTES_MAX = 64
_ENTRY_BYTES_MAX = 16 * 1024
_KEEPING_MAX = 256
# Shorter ones are not worth the way.
_SECONDS_MIN = 1.0


class Look:
    """What was found.

    Attributes:
        index: of the key that is known.
        value: of it; None: nothing is known.
        seconds: for which it holds, from now on.
    """

    def __init__(self, answers: SharedAnswers, what: str, epoch: str) -> None:
        self.index = 0
        self.value: Any = None
        self.seconds = 0.0
        self._answers = answers
        self._what = what
        self._epoch = epoch

    def keep(self, key: bytes, value: Any, seconds: float) -> None:
        """Tells the other gateways, later, of an answer that holds for so long."""
        self._answers.keep(self._what, self._epoch, key, value, seconds)


class SharedAnswers:
    """The answers in one Redis.

    Args:
        prefix: of all keys there.
    """

    def __init__(self, store: Store, sealer: Sealer, prefix: str) -> None:
        self._store = store
        self._sealer = sealer
        self._prefix = prefix
        self._keeping: set[asyncio.Task[Any]] = set()
        self.epoch_name = f"{prefix}epoch"

    async def look(self, what: str, keys: Sequence[bytes]) -> Look | None:
        """Returns what is known of the first of some keys; None: there is no answer from Redis."""
        names = [self._sealer.name(what.encode(), key) for key in keys]
        drawn = new_epoch()

        async def read(client: Any) -> list[Any]:
            commands = client.pipeline(transaction=False)
            # Begins the first one, and the next where it was lost: nothing of before counts.
            commands.set(self.epoch_name, drawn, nx=True)
            commands.getrange(self.epoch_name, 0, _EPOCH_BYTES_MAX - 1)
            for name in names:
                commands.getrange(self._prefix + name, 0, _ENTRY_BYTES_MAX - 1)
            found: list[Any] = await commands.execute(raise_on_error=False)
            _, epoch, *entries = found
            if not isinstance(epoch, bytes):
                raise epoch
            # What is of another type, somebody else has put there.
            return [epoch, *(one if isinstance(one, bytes) else b"" for one in entries)]

        found = await self._store.run(read)
        if found is None or not found[0]:
            return None
        look = Look(self, what, found[0].hex())
        for index, (name, sealed) in enumerate(zip(names, found[1:], strict=True)):
            value, seconds = self._opened(name, sealed, look._epoch)
            if value is not None:
                look.index, look.value, look.seconds = index, value, seconds
                break
        return look

    def _opened(self, name: str, sealed: bytes, epoch: str) -> tuple[Any, float]:
        text = self._sealer.open(name, sealed)
        if text is None:
            return None, 0.0
        of_epoch, end, lasts, value = json.loads(text)
        seconds = min(end - time.time(), lasts)  # The clocks of two gateways may differ.
        if of_epoch != epoch or seconds <= 0:
            return None, 0.0
        return value, seconds

    def keep(self, what: str, epoch: str, key: bytes, value: Any, seconds: float) -> None:
        """Stores an answer in the background; or not, if too many are under way."""
        if seconds < _SECONDS_MIN or len(self._keeping) >= _KEEPING_MAX:
            return
        text = json.dumps([epoch, time.time() + seconds, seconds, value]).encode()
        name = self._sealer.name(what.encode(), key)
        sealed = self._sealer.seal(name, text)
        if len(sealed) > _ENTRY_BYTES_MAX:
            return
        command = self._store.run(
            lambda client: client.set(self._prefix + name, sealed, px=int(seconds * 1000))
        )
        task = asyncio.get_running_loop().create_task(command)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def close(self) -> None:
        await end(self._keeping)


def new_epoch() -> bytes:
    return os.urandom(16)
