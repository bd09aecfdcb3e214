"""Threads that fetch the calls that wait (tercel.api.pool)."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from tercel.api.pool import Full, Pool

WAIT_S = 20


def hung(pool: Pool, number: int) -> tuple[threading.Event, list[Future[Any]]]:
    """Keeps threads busy until the event is set."""
    proceed, began = threading.Event(), threading.Semaphore(0)

    def hang() -> bool:
        began.release()
        return proceed.wait(WAIT_S)

    futures = [pool.submit(hang) for _ in range(number)]
    for _ in range(number):
        assert began.acquire(timeout=WAIT_S)
    return proceed, futures


def test_calls_are_made_in_their_order_on_as_many_threads() -> None:
    pool = Pool(2, "pool-test")
    proceed, hanging = hung(pool, 2)
    made: list[int] = []
    later = [pool.submit(lambda number=number: made.append(number)) for number in range(50)]
    assert not made
    proceed.set()
    for future in hanging + later:
        future.result(WAIT_S)
    assert sorted(made) == list(range(50))
    assert len(pool.executor._threads) == 2
    pool.executor.shutdown()


def test_one_thread_keeps_the_order() -> None:
    pool = Pool(1, "pool-test")
    proceed, _ = hung(pool, 1)
    made: list[int] = []
    later = [pool.submit(lambda number=number: made.append(number)) for number in range(50)]
    proceed.set()
    later[-1].result(WAIT_S)
    assert made == list(range(50))
    pool.executor.shutdown()


def test_what_is_raised_is_that_of_the_future() -> None:
    pool = Pool(1, "pool-test")
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(WAIT_S)
    assert pool.submit(lambda: 7).result(WAIT_S) == 7
    pool.executor.shutdown()


def test_as_many_wait_as_may_and_who_left_is_not_counted() -> None:
    pool = Pool(2, "pool-test")
    proceed, _ = hung(pool, 2)
    first, second = (pool.submit(lambda: 1, 2) for _ in range(2))
    with pytest.raises(Full):
        pool.submit(lambda: 1, 2)
    unbounded = pool.submit(lambda: 3)
    for one in (first, unbounded):
        assert one.cancel()
    third = pool.submit(lambda: 1, 2)
    with pytest.raises(Full):
        pool.submit(lambda: 1, 2)
    proceed.set()
    assert second.result(WAIT_S) == third.result(WAIT_S) == 1
    pool.executor.shutdown()


def test_a_thread_that_the_system_does_not_give_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Pool(1, "pool-test")
    called = threading.Event()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                pool.submit(called.set)
    assert pool.submit(lambda: 7).result(WAIT_S) == 7
    assert not called.is_set()
    # One more than there are threads waits.
    proceed, _ = hung(pool, 1)
    pool.submit(lambda: 1, 1)
    with pytest.raises(Full):
        pool.submit(lambda: 1, 1)
    proceed.set()
    pool.executor.shutdown()


def test_those_that_wait_can_be_cancelled() -> None:
    pool = Pool(1, "pool-test")
    proceed, hanging = hung(pool, 1)
    waiting = [pool.submit(lambda: 1) for _ in range(3)]
    pool.cancel_waiting()
    assert all(one.cancelled() for one in waiting)
    proceed.set()
    assert hanging[0].result(WAIT_S)
    pool.executor.shutdown()
