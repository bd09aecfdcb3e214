"""tercel.EventLoop: that it behaves as asyncio's loop, in its fast form and in its fall-back form.

CPython's own tests run on it too (test_asyncio_suite.py). Here is what those cannot know: when the
C++ methods stand in for the inherited ones, and that both do the same at the edges.
"""

import asyncio
import contextlib
import contextvars
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

import tercel
import tercel.loop
from tercel import _core

pytestmark = pytest.mark.sanitize

FORMS = ["fast", "fallback"]


@pytest.fixture(params=FORMS)
def fast(request: pytest.FixtureRequest) -> bool:
    return request.param == "fast"


@pytest.fixture
def loop(fast: bool) -> Iterator[tercel.EventLoop]:
    loop = tercel.EventLoop(fast=fast)
    assert loop.fast == fast
    yield loop
    loop.close()


@pytest.fixture
def fast_loop() -> Iterator[tercel.EventLoop]:
    loop = tercel.EventLoop()
    yield loop
    loop.close()


def turn(loop: asyncio.AbstractEventLoop, times: int = 1) -> None:
    """Runs exactly `times` turns of the loop: what is queued now, then what that queued ..."""
    for _ in range(times):
        loop.call_soon(loop.stop)
        loop.run_forever()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# --- which form is used


def test_the_fast_form_is_the_default_and_an_asyncio_loop(fast_loop: tercel.EventLoop):
    assert fast_loop.fast
    assert isinstance(fast_loop, asyncio.SelectorEventLoop)


def test_runner_and_run_use_it_as_a_factory():
    async def which() -> type[asyncio.AbstractEventLoop]:
        return type(asyncio.get_running_loop())

    with asyncio.Runner(loop_factory=tercel.EventLoop) as runner:
        assert runner.run(which()) is tercel.EventLoop
    if sys.version_info >= (3, 12):
        assert asyncio.run(which(), loop_factory=tercel.EventLoop) is tercel.EventLoop


def test_debug_mode_is_left_to_asyncio_and_back(fast_loop: tercel.EventLoop):
    fast_loop.set_debug(True)
    assert not fast_loop.fast
    assert fast_loop.get_debug() is True
    fast_loop.set_debug(False)
    assert fast_loop.fast
    assert fast_loop.get_debug() is False


@pytest.mark.parametrize(
    "name", ["_call_soon", "_check_closed", "_add_callback", "_process_events"]
)
def test_a_subclass_that_replaces_what_is_bypassed_gets_asyncio_and_its_own(name: str):
    calls = []

    def replacement(self: Any, *args: Any) -> Any:
        calls.append(name)
        return getattr(super(replaced, self), name)(*args)

    replaced = type("Replaced", (tercel.EventLoop,), {name: replacement})
    with contextlib.closing(replaced()) as loop:
        assert not loop.fast
        loop.call_soon_threadsafe(lambda: None)
        turn(loop)
    assert calls


def test_a_subclass_that_extends_call_soon_sees_every_call():
    seen = []

    class Extended(tercel.EventLoop):
        def call_soon(self, callback, *args, context=None):
            seen.append(callback)
            return super().call_soon(callback, *args, context=context)

    async def main() -> None:
        await asyncio.sleep(0)

    with contextlib.closing(Extended()) as loop:
        assert loop.fast
        loop.run_until_complete(main())
        loop.call_soon(print)
    assert seen[-1] is print
    assert len(seen) >= 4  # Two steps of the task, its done callback, print.


@pytest.mark.parametrize("name", tercel.loop._REPLACED)
def test_a_mixin_below_is_not_passed_over(name: str):
    calls = []

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return getattr(super(mixin, self), name)(*args, **kwargs)

    mixin = type("Mixin", (asyncio.SelectorEventLoop,), {name: method})
    mixed = type("Mixed", (tercel.EventLoop, mixin), {})
    with contextlib.closing(mixed()) as loop:
        assert not loop.fast
        if name in ("call_soon", "_run_once"):
            turn(loop)
            assert calls


@pytest.mark.parametrize("name", ["call_soon", "_run_once"])
def test_a_patched_asyncio_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, name: str):
    original = getattr(asyncio.BaseEventLoop, name)
    calls = []

    def patched(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(*args, **kwargs)

    monkeypatch.setattr(asyncio.BaseEventLoop, name, patched)
    with contextlib.closing(tercel.EventLoop()) as loop:
        turn(loop)
    assert calls


def test_a_patched_handle_runs_patched_at_once(
    fast_loop: tercel.EventLoop, monkeypatch: pytest.MonkeyPatch
):
    original = asyncio.Handle._run
    ran = []
    monkeypatch.setattr(asyncio.Handle, "_run", lambda handle: (ran.append(1), original(handle)))
    turn(fast_loop)
    assert ran == [1]


def test_a_loop_that_changes_its_class_is_left_to_asyncio(fast_loop: tercel.EventLoop):
    class Other(tercel.EventLoop):
        def _process_events(self, event_list):
            raise AssertionError("reached")

    fast_loop.__class__ = Other
    assert not fast_loop.fast
    with pytest.raises(AssertionError, match="reached"):
        turn(fast_loop)
    fast_loop.__class__ = tercel.EventLoop


@pytest.mark.parametrize("form", FORMS)
def test_a_clock_of_ones_own_decides_when_timers_fire(form: str):
    now = 1000.0

    class Clock(tercel.EventLoop):
        def time(self) -> float:
            return now

    fired = []
    with contextlib.closing(Clock(fast=form == "fast")) as loop:
        loop.call_later(5, fired.append, "class")
        turn(loop)
        assert not fired
        now = 1005.0
        turn(loop)
        assert fired == ["class"]

    with contextlib.closing(tercel.EventLoop(fast=form == "fast")) as loop:
        loop.time = lambda: now
        loop.call_later(5, fired.append, "instance")
        turn(loop)
        now = 1010.0
        turn(loop)
        assert fired == ["class", "instance"]


# --- call_soon


def test_callbacks_run_in_order_and_those_they_add_a_turn_later(loop: tercel.EventLoop):
    ran: list[Any] = []
    loop.call_soon(ran.append, 1)
    loop.call_soon(lambda: loop.call_soon(ran.append, 3))
    loop.call_soon(lambda *args: ran.append(args), "a", "b", "c")
    turn(loop)
    assert ran == [1, ("a", "b", "c")]
    turn(loop)
    assert ran == [1, ("a", "b", "c"), 3]


def test_a_handle_is_asyncios_and_can_be_cancelled(loop: tercel.EventLoop):
    ran: list[int] = []
    handle = loop.call_soon(ran.append, 1)
    assert type(handle) is asyncio.Handle
    assert "append" in repr(handle)
    handle.cancel()
    assert handle.cancelled()
    weakref.ref(handle)
    turn(loop)
    assert ran == []


def test_a_callback_may_cancel_one_that_is_queued_behind_it(loop: tercel.EventLoop):
    ran: list[int] = []
    loop.call_soon(lambda: second.cancel())
    second = loop.call_soon(ran.append, 1)
    turn(loop)
    assert ran == []


def test_callbacks_run_in_the_context_of_the_call_or_the_one_given(loop: tercel.EventLoop):
    variable = contextvars.ContextVar("variable", default="outside")
    seen = []
    own = contextvars.copy_context()
    own.run(variable.set, "own")
    variable.set("caller")
    loop.call_soon(lambda: seen.append(variable.get()))
    loop.call_soon(lambda: seen.append(variable.get()), context=None)
    loop.call_soon(lambda: seen.append(variable.get()), context=own)
    loop.call_soon(lambda: variable.set("inside"))
    loop.call_soon(lambda: variable.set("inside own"), context=own)
    variable.set("caller, later")
    turn(loop)
    assert seen == ["caller", "caller", "own"]
    assert variable.get() == "caller, later"
    assert own[variable] == "inside own"


def test_wrong_arguments_are_type_errors(loop: tercel.EventLoop):
    for wrong in (
        lambda: loop.call_soon(),
        lambda: loop.call_soon(print, contexts=None),
        lambda: loop.call_soon(print, context=None, other=1),
    ):
        with pytest.raises(TypeError):
            wrong()
    handle = loop.call_soon(callback=print)  # A keyword in asyncio, so also here.
    handle.cancel()


def test_a_context_that_is_none_fails_as_in_asyncio(loop: tercel.EventLoop):
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, report: reports.append(report))
    loop.call_soon(print, context="not a context")
    turn(loop)
    assert [type(report["exception"]) for report in reports] == [AttributeError]


def test_a_closed_loop_refuses_callbacks(loop: tercel.EventLoop):
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_soon(print)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_forever()


def test_an_unfinished_loop_is_no_crash():
    loop = tercel.EventLoop.__new__(tercel.EventLoop)
    loop._closed = True  # For __del__.
    for use in (loop._run_once, lambda: loop.call_soon(print), _core.LoopCore()._run_once):
        with pytest.raises((AttributeError, RuntimeError)):
            use()
    assert loop.engine is None
    with pytest.raises(TypeError, match="engine"):
        loop._attach(object(), True)


@pytest.mark.parametrize("queue", [[], (), None, object()])
def test_a_queue_of_another_type_is_no_crash(queue: object):
    loop = tercel.EventLoop()
    before = loop._ready
    loop._ready = queue
    with pytest.raises((TypeError, AttributeError)):
        loop.call_soon(print)
    loop._stopping = True  # So that the turn does not wait.
    with contextlib.suppress(TypeError, AttributeError):
        loop._run_once()
    loop._stopping = False
    loop._ready = before
    loop.close()


# --- what callbacks raise


def reports_of(loop: asyncio.AbstractEventLoop, error: BaseException) -> list[dict[str, Any]]:
    def fail() -> None:
        raise error

    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, report: reports.append(report))
    loop.call_soon(fail)
    turn(loop)
    return reports


@pytest.mark.parametrize("error", [ValueError("x"), asyncio.CancelledError(), GeneratorExit()])
def test_exceptions_are_reported_as_asyncio_does(loop: tercel.EventLoop, error: BaseException):
    [report] = reports_of(loop, error)
    with contextlib.closing(asyncio.SelectorEventLoop()) as stock:
        [expected] = reports_of(stock, error)
    assert report.keys() == expected.keys()
    assert report["exception"] is error
    assert report["message"] == expected["message"]
    assert type(report["handle"]) is asyncio.Handle


@pytest.mark.parametrize("error", [KeyboardInterrupt("x"), SystemExit(3)])
def test_exceptions_that_end_the_program_leave_the_loop(
    loop: tercel.EventLoop, error: BaseException
):
    ran: list[int] = []

    def fail() -> None:
        raise error

    loop.call_soon(ran.append, 1)
    loop.call_soon(fail)
    loop.call_soon(ran.append, 2)
    with pytest.raises(type(error)) as raised:
        loop.run_forever()
    assert raised.value is error
    assert ran == [1]
    assert not loop.is_running()
    turn(loop)
    assert ran == [1, 2]


def test_an_exception_handler_that_ends_the_program_leaves_the_loop(loop: tercel.EventLoop):
    def exit_on_error(*_: object) -> None:
        raise SystemExit(4)

    loop.set_exception_handler(exit_on_error)
    loop.call_soon(lambda: 1 / 0)
    with pytest.raises(SystemExit):
        loop.run_forever()


def test_a_context_that_is_entered_already_is_reported(
    loop: tercel.EventLoop, caplog: pytest.LogCaptureFixture
):
    context = contextvars.copy_context()
    ran: list[int] = []
    loop.call_soon(ran.append, 1, context=context)
    context.run(turn, loop)
    assert "is already entered" in caplog.text
    assert ran == []


# --- timers


def test_a_thousand_timers_fire_in_order_and_never_early(loop: tercel.EventLoop):
    fired: list[tuple[int, float]] = []
    start = loop.time()
    for i in range(1000):
        milliseconds = i * 7919 % 50  # Every delay below 50 ms, out of order.
        due = start + milliseconds / 1000
        loop.call_at(due, lambda due=due, n=milliseconds: fired.append((n, loop.time() - due)))
    loop.call_at(start + 0.06, loop.stop)
    loop.run_forever()
    assert [n for n, _ in fired] == sorted(n for n, _ in fired)
    assert len(fired) == 1000
    assert min(late for _, late in fired) >= -time.get_clock_info("monotonic").resolution


def test_timers_take_integers_and_the_past(loop: tercel.EventLoop):
    fired: list[int] = []
    loop.call_at(0, fired.append, 1)
    loop.call_later(-5, fired.append, 2)
    loop.call_later(0, fired.append, 3)
    turn(loop, 2)
    assert sorted(fired) == [1, 2, 3]


def test_a_timer_is_asyncios_and_can_be_cancelled(loop: tercel.EventLoop):
    context = contextvars.copy_context()
    fired: list[int] = []
    timer = loop.call_later(3600, fired.append, 1, context=context)
    assert type(timer) is asyncio.TimerHandle
    assert 3590 < timer.when() - loop.time() <= 3600
    assert timer._scheduled is True
    assert "append" in repr(timer)
    timer.cancel()
    timer.cancel()
    assert loop._timer_cancelled_count == 1
    due = loop.call_at(loop.time(), fired.append, 2)
    turn(loop, 2)
    assert fired == [2]
    assert due._scheduled is False
    due.cancel()
    assert loop._timer_cancelled_count == 0


def test_wrong_timers_are_type_errors_as_in_asyncio(loop: tercel.EventLoop):
    for wrong in (
        lambda: loop.call_later(None, print),
        lambda: loop.call_at(None, print),
        lambda: loop.call_later("1", print),
        lambda: loop.call_later(1),
        lambda: loop.call_at(1.0),
        lambda: loop.call_at(1.0, print, contexts=None),
    ):
        with pytest.raises(TypeError):
            wrong()
    loop.call_later(delay=1, callback=print).cancel()
    loop.call_at(when=1.0, callback=print).cancel()
    assert len(loop._scheduled) == 2


def test_a_subclass_that_extends_call_at_sees_call_later(fast: bool):
    seen: list[float] = []

    class Extended(tercel.EventLoop):
        def call_at(self, when, callback, *args, context=None):
            seen.append(when)
            return super().call_at(when, callback, *args, context=context)

    with contextlib.closing(Extended(fast=fast)) as loop:
        loop.call_later(1, print).cancel()
        loop.run_until_complete(asyncio.sleep(0.001))
    assert len(seen) == 2


class ClockLoop(tercel.EventLoop):
    """A loop whose time stands still until it is moved."""

    now = 0.0

    def time(self) -> float:
        return self.now


def times_for_heap(kind: str, seed: int) -> Iterator[Any]:
    """Times in an order without order; many are equal."""
    number = seed
    while True:
        number = number * 6364136223846793005 % 2**64
        when = (number >> 33) % 50 + 1
        if kind == "mixed" and when % 3 == 0:
            yield Fraction(when, 2)
        else:
            yield when / 2 if kind == "float" or when % 3 == 1 else when


@pytest.mark.parametrize("kind", ["float", "mixed"])
@pytest.mark.parametrize("seed", range(20))
def test_the_heap_of_timers_is_the_one_that_heapq_makes(kind: str, seed: int):
    times = times_for_heap(kind, 2 * seed + 1)
    fired: list[list[int]] = [[], []]
    loops = [ClockLoop(), ClockLoop(fast=False)]

    def heaps_are_equal() -> bool:
        heaps = [[timer._args for timer in loop._scheduled] for loop in loops]
        return heaps[0] == heaps[1]

    for number in range(60):
        when = next(times)
        timers = [
            loop.call_at(when, list_.append, number)
            for loop, list_ in zip(loops, fired, strict=True)
        ]
        assert heaps_are_equal()
        if number % 7 == seed % 7:
            for timer in timers:
                timer.cancel()
    for step in range(52):
        for loop in loops:
            loop.now = float(step)
            turn(loop, 2)
        assert heaps_are_equal()
        assert fired[0] == fired[1]
    assert len(fired[0]) > 40
    assert [loop._scheduled for loop in loops] == [[], []]
    for loop in loops:
        loop.close()


def test_a_timer_that_is_no_number_raises_as_in_asyncio(loop: tercel.EventLoop):
    loop._scheduled.append(asyncio.TimerHandle("soon", print, (), loop))
    with pytest.raises(TypeError):
        loop._run_once()
    loop._scheduled.clear()


def test_objects_that_are_no_timers_are_left_to_asyncio(loop: tercel.EventLoop):
    class Timer(asyncio.TimerHandle):
        pass

    fired: list[int] = []
    loop._scheduled.append(Timer(0, fired.append, (1,), loop))
    turn(loop, 2)
    assert fired == [1]
    loop._scheduled.append(object())
    with pytest.raises(AttributeError):
        loop._run_once()
    loop._scheduled.clear()


def test_cancelled_timers_are_purged(loop: tercel.EventLoop):
    def memory_is_bounded() -> bool:
        return len(loop._scheduled) <= 200

    keep = [loop.call_later(3600, print) for _ in range(60)]
    for _ in range(50):
        for handle in [loop.call_later(3600 + i, print) for i in range(100)]:
            handle.cancel()
        turn(loop)
        assert memory_is_bounded()
    assert all(handle in loop._scheduled for handle in keep)
    assert loop._timer_cancelled_count <= 100


def test_a_cancelled_timer_in_front_does_not_wake_the_loop(loop: tercel.EventLoop):
    loop.call_later(0.001, print).cancel()
    assert loop._timer_cancelled_count == 1
    start = loop.time()
    loop.call_later(0.03, loop.stop)
    loop.run_forever()
    assert loop.time() - start >= 0.03
    assert loop._timer_cancelled_count == 0
    assert loop._scheduled == []


def test_time_is_the_monotonic_clock(loop: tercel.EventLoop):
    before = time.monotonic()
    assert before <= loop.time() <= time.monotonic()


# --- descriptors


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        yield left, right


def test_readers_and_writers_of_one_descriptor(loop: tercel.EventLoop, pair: Any):
    events: list[str] = []
    loop.add_reader(pair[0], lambda: (events.append("read"), pair[0].recv(10)))
    loop.add_writer(pair[0], lambda: (events.append("write"), loop.remove_writer(pair[0])))
    turn(loop, 2)
    assert events == ["write"]
    pair[1].send(b"x")
    turn(loop, 2)
    assert events == ["write", "read"]
    assert loop.remove_reader(pair[0]) is True
    assert loop.remove_reader(pair[0]) is False


def test_a_cancelled_reader_is_removed(loop: tercel.EventLoop, pair: Any):
    loop._add_reader(pair[0].fileno(), print).cancel()
    loop._add_writer(pair[0].fileno(), print).cancel()
    pair[1].send(b"x")
    turn(loop, 2)
    assert pair[0].fileno() not in loop._selector.get_map()


def test_a_reader_may_remove_others_that_are_ready(loop: tercel.EventLoop):
    pairs = [socket.socketpair() for _ in range(20)]
    called: list[int] = []

    def remove_all(which: int) -> None:
        called.append(which)
        for left, _ in pairs:
            loop.remove_reader(left)

    for i, (left, right) in enumerate(pairs):
        loop.add_reader(left, remove_all, i)
        right.send(b"x")
    turn(loop, 3)
    assert len(called) == 1
    for left, right in pairs:
        left.close()
        right.close()


def test_a_reader_on_a_closed_descriptor_is_an_os_error(loop: tercel.EventLoop, pair: Any):
    fd = os.dup(pair[0].fileno())
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.add_reader(fd, print)
    assert loop.remove_reader(fd) is False


def test_a_descriptor_closed_behind_the_loop_is_forgotten(loop: tercel.EventLoop, pair: Any):
    fd = os.dup(pair[0].fileno())
    loop.add_reader(fd, print)
    os.close(fd)
    pair[1].send(b"x")
    turn(loop, 2)
    assert loop.remove_reader(fd) is True


def test_foreign_data_in_the_selector_fails_as_in_asyncio(loop: tercel.EventLoop, pair: Any):
    loop._selector.register(pair[0], 2, "no handles")
    with pytest.raises((TypeError, ValueError, AttributeError)):
        turn(loop)
    loop._selector.unregister(pair[0])


# --- futures


def test_create_future_makes_asyncios_futures(loop: tercel.EventLoop):
    future = loop.create_future()
    assert type(future) is asyncio.Future
    assert future.get_loop() is loop
    future.cancel()


# --- fairness


def test_a_callback_that_queues_itself_starves_nobody(loop: tercel.EventLoop, pair: Any):
    read: list[bytes] = []

    def again() -> None:
        loop.call_soon(again)

    def on_readable() -> None:
        read.append(pair[0].recv(1))
        loop.stop()

    loop.call_soon(again)
    loop.add_reader(pair[0], on_readable)
    loop.call_later(0.01, pair[1].send, b"x")
    loop.call_later(60, loop.stop)
    loop.run_forever()
    assert read == [b"x"]


def test_a_descriptor_that_is_always_ready_starves_nobody(loop: tercel.EventLoop, pair: Any):
    turns: list[int] = []
    loop.add_writer(pair[0], turns.append, 1)
    loop.call_later(0.02, loop.call_soon_threadsafe, loop.stop)
    loop.run_forever()
    assert turns


def test_other_threads_run_while_the_loop_is_busy(loop: tercel.EventLoop):
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not done:
            ticks += 1
            time.sleep(0)

    done = False
    thread = threading.Thread(target=tick)
    thread.start()

    def again() -> None:
        loop.call_soon(again)

    loop.call_soon(again)
    loop.call_later(0.2, loop.stop)
    loop.run_forever()
    done = True
    thread.join()
    assert ticks > 3


# --- threads


def test_no_call_from_another_thread_is_lost(loop: tercel.EventLoop):
    threads, calls = 4, 2000
    counts = [0] * threads

    def count(which: int) -> None:
        counts[which] += 1
        if sum(counts) == threads * calls:
            loop.stop()

    def call(which: int) -> None:
        for i in range(calls):
            loop.call_soon_threadsafe(count, which)
            if i % 100 == 0:
                time.sleep(0.001)  # Lets the loop fall asleep.

    workers = [threading.Thread(target=call, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    loop.call_later(60, loop.stop)
    loop.run_forever()
    for worker in workers:
        worker.join()
    assert counts == [calls] * threads


def test_a_call_from_another_thread_runs_while_the_loop_waits(loop: tercel.EventLoop):
    """Each is made when the loop sleeps, so a wake-up that gets lost makes this test hang."""
    left = 50

    def answer() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()
        else:
            threading.Timer(0.002, loop.call_soon_threadsafe, (answer,)).start()

    threading.Timer(0.002, loop.call_soon_threadsafe, (answer,)).start()
    loop.run_forever()
    assert left == 0


def test_calls_from_a_signal_handler_are_not_lost(loop: tercel.EventLoop):
    """A handler of the signal module runs on the loop's own thread, at any of its bytecodes."""
    left = 20

    def answer() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()
        else:
            signal.setitimer(signal.ITIMER_REAL, 0.002)

    before = signal.signal(signal.SIGALRM, lambda *_: loop.call_soon_threadsafe(answer))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        loop.run_forever()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert left == 0


def test_a_subclass_with_a_wake_up_of_its_own_is_not_passed_over():
    woken: list[int] = []

    class Extended(tercel.EventLoop):
        def _write_to_self(self) -> None:
            woken.append(1)
            super()._write_to_self()

    with contextlib.closing(Extended()) as loop:
        loop.call_soon_threadsafe(loop.stop)
        loop.run_forever()
    assert woken == [1]


def test_loops_of_several_threads_do_not_meet(fast: bool):
    async def main(number: int) -> int:
        total = 0
        for i in range(200):
            total += await asyncio.to_thread(lambda i=i: i) if i % 50 == 0 else i
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        return total + number

    results: dict[int, int] = {}

    def run(number: int) -> None:
        with asyncio.Runner(loop_factory=lambda: tercel.EventLoop(fast=fast)) as runner:
            results[number] = runner.run(main(number))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: sum(range(200)) + i for i in range(4)}


# --- signals and processes


def test_ctrl_c_leaves_run_forever_and_the_loop_goes_on(loop: tercel.EventLoop):
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    ran: list[int] = []
    loop.call_soon(ran.append, 1)
    turn(loop)
    assert ran == [1]


def test_ctrl_c_cancels_the_main_task_of_a_runner(fast: bool):
    cancelled = []

    async def main() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with (
        asyncio.Runner(loop_factory=lambda: tercel.EventLoop(fast=fast)) as runner,
        pytest.raises(KeyboardInterrupt),
    ):
        runner.run(main())
    assert cancelled == [True]


@pytest.mark.parametrize("busy", [False, True])
def test_signal_handlers_run_on_an_idle_and_on_a_busy_loop(loop: tercel.EventLoop, busy: bool):
    caught: list[int] = []

    def on_signal() -> None:
        caught.append(1)
        if len(caught) == 3:
            loop.stop()
        else:
            loop.call_later(0.01, os.kill, os.getpid(), signal.SIGUSR1)

    def again() -> None:
        loop.call_soon(again)

    loop.add_signal_handler(signal.SIGUSR1, on_signal)
    loop.call_later(0.01, os.kill, os.getpid(), signal.SIGUSR1)
    if busy:
        loop.call_soon(again)
    loop.call_later(60, loop.stop)
    loop.run_forever()
    assert loop.remove_signal_handler(signal.SIGUSR1)
    assert len(caught) == 3


def test_subprocesses(loop: tercel.EventLoop):
    async def run(number: int) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", f"cat; exit {number}", stdin=-1, stdout=-1
        )
        output, _ = await process.communicate(b"to the child")
        return process.returncode, output

    async def main() -> list[tuple[int | None, bytes]]:
        return await asyncio.gather(*(run(number) for number in range(5)))

    asyncio.set_event_loop(loop)  # For the child watcher of 3.11.
    try:
        results = loop.run_until_complete(main())
    finally:
        asyncio.set_event_loop(None)
    assert results == [(number, b"to the child") for number in range(5)]


def test_a_forked_child_that_closes_the_loop_leaves_the_parents_whole(
    loop: tercel.EventLoop, pair: Any
):
    read: list[bytes] = []
    loop.add_reader(pair[0], lambda: read.append(pair[0].recv(10)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads.
        child = os.fork()
    if child == 0:
        loop.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    pair[1].send(b"x")
    turn(loop, 2)
    assert read == [b"x"]
    loop.call_soon_threadsafe(loop.stop)
    loop.run_forever()


# --- debug mode


def test_slow_callbacks_are_warned_about_in_debug_mode(
    loop: tercel.EventLoop, caplog: pytest.LogCaptureFixture
):
    loop.slow_callback_duration = 0.01
    loop.set_debug(True)
    loop.call_soon(time.sleep, 0.02)
    with caplog.at_level(logging.WARNING, "asyncio"):
        turn(loop)
    assert "Executing <Handle" in caplog.text


def test_debug_mode_can_be_switched_while_running(loop: tercel.EventLoop, fast: bool):
    seen: list[bool] = []

    async def main() -> None:
        for debug in (True, False, True, False):
            loop.set_debug(debug)
            await asyncio.sleep(0)
            seen.append(loop.fast)
            handle = loop.call_soon(print)
            assert bool(handle._source_traceback) is debug
            handle.cancel()

    loop.run_until_complete(main())
    assert seen == [False, fast, False, fast]


def test_call_soon_from_another_thread_is_refused_in_debug_mode(loop: tercel.EventLoop):
    loop.set_debug(True)

    def call() -> None:
        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            loop.call_soon(print)

    loop.run_until_complete(asyncio.to_thread(call))


# --- life


def test_a_loop_gives_back_all_its_descriptors(fast: bool):
    before = open_descriptors()
    for _ in range(50):
        loop = tercel.EventLoop(fast=fast)
        turn(loop)
        loop.close()
        loop.close()
        assert loop.engine is None
    assert open_descriptors() == before


def test_a_running_loop_cannot_be_closed(loop: tercel.EventLoop):
    async def close() -> None:
        loop.close()

    with pytest.raises(RuntimeError, match="running"):
        loop.run_until_complete(close())


def test_a_loop_that_is_not_closed_warns(fast: bool):
    loop = tercel.EventLoop(fast=fast)
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        loop.__del__()
    assert loop.is_closed()


def test_a_closed_loop_with_callbacks_left_is_collected(fast: bool):
    loop = tercel.EventLoop(fast=fast)
    loop.call_soon(loop.close)
    loop.call_later(3600, loop.close)
    loop.close()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


def test_callbacks_arguments_and_contexts_are_released(loop: tercel.EventLoop):
    class Payload:
        def __call__(self, *_: object) -> None: ...

    def use(thing: Callable[..., None], failing: bool) -> None:
        loop.set_exception_handler(lambda *_: None)
        loop.call_soon(thing, thing, context=contextvars.copy_context())
        loop.call_later(0, thing, thing)
        loop.call_soon(thing).cancel()
        if failing:
            loop.call_soon(lambda: [thing, 1 / 0])
        turn(loop, 2)

    thing = Payload()
    for failing in (False, True):
        before = sys.getrefcount(thing)
        for _ in range(10):
            use(thing, failing)
        gc.collect()
        assert sys.getrefcount(thing) == before


def test_a_steady_loop_allocates_nothing_that_stays(fast_loop: tercel.EventLoop):
    async def sleep(times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(0)

    fast_loop.run_until_complete(sleep(1000))
    gc.collect()
    before = sys.getallocatedblocks()
    fast_loop.run_until_complete(sleep(20_000))
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


# --- the first step of a task, taken out of the loop (python/loop_core.h, CallSoonCapture)


async def two_steps(steps: list[int]) -> None:
    steps.append(1)
    await asyncio.sleep(0)
    steps.append(2)


def make_task(loop: asyncio.AbstractEventLoop, steps: list[int]) -> tuple[Any, Callable[[], None]]:
    task = asyncio.Task.__new__(asyncio.Task)
    return task, lambda: task.__init__(two_steps(steps), loop=loop)


def test_the_first_step_of_a_task_is_captured_and_runs_at_once(fast_loop: tercel.EventLoop):
    steps: list[int] = []
    task, start = make_task(fast_loop, steps)
    step = _core.capture_for_test(fast_loop, task, start)
    assert step is not None
    assert len(fast_loop._ready) == 0

    async def run_step() -> None:
        current = asyncio.current_task()
        asyncio.tasks._leave_task(fast_loop, current)
        step()
        asyncio.tasks._enter_task(fast_loop, current)
        assert steps == [1]
        await task

    fast_loop.run_until_complete(run_step())
    assert steps == [1, 2]


def test_other_calls_are_queued_meanwhile(fast_loop: tercel.EventLoop):
    steps: list[int] = []
    ran: list[int] = []
    task, start = make_task(fast_loop, steps)
    other: list[asyncio.Task[None]] = []

    def start_both() -> None:
        other.append(fast_loop.create_task(two_steps([])))
        fast_loop.call_soon(ran.append, 1)
        start()
        fast_loop.call_soon(ran.append, 2)

    step = _core.capture_for_test(fast_loop, task, start_both)
    assert step is not None
    turn(fast_loop)
    assert ran == [1, 2]
    assert steps == []
    fast_loop.call_soon(step)
    fast_loop.run_until_complete(asyncio.wait([task, *other]))
    assert steps == [1, 2]


def test_nothing_is_captured_where_the_loop_is_not_ours(fast: bool):
    class Extended(tercel.EventLoop):
        def call_soon(self, callback, *args, context=None):
            return super().call_soon(callback, *args, context=context)

    debug = tercel.EventLoop()
    debug.set_debug(True)
    for loop in (asyncio.SelectorEventLoop(), tercel.EventLoop(fast=False), debug, Extended()):
        steps: list[int] = []
        task, start = make_task(loop, steps)
        assert _core.capture_for_test(loop, task, start) is None
        loop.run_until_complete(task)
        assert steps == [1, 2]
        loop.close()


def test_a_capture_that_fails_leaves_the_loop_as_it_was(fast_loop: tercel.EventLoop):
    steps: list[int] = []
    task, start = make_task(fast_loop, steps)

    def start_and_fail() -> None:
        start()
        raise ValueError("after the start")

    with pytest.raises(ValueError, match="after the start"):
        _core.capture_for_test(fast_loop, task, start_and_fail)
    ran: list[int] = []
    fast_loop.call_soon(ran.append, 1)
    turn(fast_loop)
    assert ran == [1]
    task.get_coro().close()
