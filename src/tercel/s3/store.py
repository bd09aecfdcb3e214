"""A Redis that may be slow, or away: asked within a time, and left alone for a while after that.

    found = await store.run(lambda client: client.get("name"))   # None: there is no answer.

Whoever asks waits for `timeout` at most. After a failure nobody asks any more until a task of the
store's own has been answered, which asks after a second, and then at longer intervals, up to eight.
So a Redis that hangs costs the requests that are under way one timeout, and the others nothing.
One that answers that, and then fails again, is asked as seldom.

Thread: that of one loop. Tested by tests/python/test_s3_redis.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

from tercel.extras import load
from tercel.s3.redis import COMMANDS_MAX, Redis, client_of, place_of

__all__ = ["Store", "end"]

Value = TypeVar("Value")

_log = logging.getLogger("tercel.s3")

_REST_S, _REST_MOST_S = 1.0, 8.0
# For so long it has to answer before it is well again.
_WELL_S = 60.0
# Of the question whether it is there again, for which no request waits.
_PROBE_TIMEOUT_S = 2.0
_CLOSE_TIMEOUT_S = 1.0


class Store:
    """Commands to a Redis.

    Args:
        changed: called with True when it rests, and with False when it answers again.
    """

    def __init__(self, options: Redis, changed: Callable[[bool], None]) -> None:
        self.client: Any = client_of(options)
        self.resting = False
        self._places = asyncio.Semaphore(COMMANDS_MAX)
        self._options = options
        self._changed = changed
        redis = load("redis", "redis", "tercel.s3.Redis", "redis")
        self._failures = (redis.RedisError, OSError, TimeoutError)
        self._probe: asyncio.Task[None] | None = None
        self._pause = _REST_S
        self._answered_at = 0.0

    async def run(self, command: Callable[[Any], Awaitable[Value]]) -> Value | None:
        """Returns what a command does; None: Redis rests, or begins to, or is too busy with us."""
        if self.resting:
            return None
        # That others wait for a place says nothing of Redis: those who have one will see.
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._places.acquire()
        except TimeoutError:
            return None
        try:
            if self.resting:
                return None
            async with asyncio.timeout(self._options.timeout):
                return await command(self.client)
        except self._failures as error:
            self._rest(error)
        except Exception as error:  # What the client makes of an answer that is none.
            self._log_nonsense()
            self._rest(error)
        finally:
            self._places.release()
        return None

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Ends a block that asks Redis where that fails: what is to go on tries again."""
        try:
            yield
        except self._failures:
            pass
        except Exception:
            self._log_nonsense()

    def _log_nonsense(self) -> None:
        _log.exception("Redis at %s answered nonsense", place_of(self._options))

    def _rest(self, error: Exception) -> None:
        if self.resting:
            return
        self.resting = True
        said = str(error) or f"no answer in {self._options.timeout:g} s"
        _log.warning(
            "Redis at %s: %s. This process goes on by itself until it answers.",
            place_of(self._options),
            said,
        )
        self._changed(True)
        loop = asyncio.get_running_loop()
        if loop.time() - self._answered_at > _WELL_S:
            self._pause = _REST_S
        self._probe = loop.create_task(self._wait_for_it())

    async def _wait_for_it(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _REST_MOST_S)
            with self.failing():
                async with asyncio.timeout(max(self._options.timeout, _PROBE_TIMEOUT_S)):
                    # Connections of before may be half closed.
                    await self.client.connection_pool.disconnect(inuse_connections=False)
                    await self.client.ping()
                break
        self.resting = False
        self._answered_at = asyncio.get_running_loop().time()
        _log.warning("Redis at %s answers again.", place_of(self._options))
        self._changed(False)

    async def close(self) -> None:
        if self._probe is not None:
            await end([self._probe])
        with contextlib.suppress(*self._failures):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.client.aclose()
                await self.client.connection_pool.disconnect()


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Ends tasks, and waits no longer for them than a server that stops may."""
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    if cancelled:
        await asyncio.wait(cancelled, timeout=_CLOSE_TIMEOUT_S)
