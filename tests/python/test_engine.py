"""The engine as a selector of the standard library, and nested in another event loop.

Source: the documentation of `selectors`.
"""

import asyncio
import contextlib
import errno
import gc
import os
import select
import selectors
import signal
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest

from tercel import _core
from tercel.selector import EngineSelector

pytestmark = pytest.mark.sanitize

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def selector() -> Iterator[EngineSelector]:
    with EngineSelector(_core.Engine()) as selector:
        yield selector


@pytest.fixture
def pair() -> Iterator[Pair]:
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        yield left, right


def ready(selector: EngineSelector, timeout: float | None = 0) -> list[tuple[object, int]]:
    return [(key.fileobj, events) for key, events in selector.select(timeout)]


# --- registering


def test_register_returns_the_key_that_select_reports(selector: EngineSelector, pair: Pair):
    key = selector.register(pair[0], EVENT_WRITE, "data")
    assert key == selectors.SelectorKey(pair[0], pair[0].fileno(), EVENT_WRITE, "data")
    assert selector.select(0) == [(key, EVENT_WRITE)]
    assert selector.get_key(pair[0]) == key
    assert selector.get_key(pair[0].fileno()) == key


@pytest.mark.parametrize("events", [0, 4, EVENT_READ | 8])
def test_unknown_events_are_refused(selector: EngineSelector, pair: Pair, events: int):
    with pytest.raises(ValueError, match="Invalid events"):
        selector.register(pair[0], events)
    assert dict(selector.get_map()) == {}


def test_a_descriptor_is_registered_once(selector: EngineSelector, pair: Pair):
    selector.register(pair[0], EVENT_READ)
    with pytest.raises(KeyError, match="already registered"):
        selector.register(pair[0].fileno(), EVENT_READ)


def test_unknown_descriptors_are_key_errors(selector: EngineSelector, pair: Pair):
    for use in (selector.unregister, selector.get_key, lambda fd: selector.modify(fd, EVENT_READ)):
        with pytest.raises(KeyError, match="not registered"):
            use(pair[0].fileno())


def test_objects_without_a_descriptor_are_value_errors(selector: EngineSelector):
    for thing in (object(), -1, "0"):
        with pytest.raises(ValueError, match="Invalid file object"):
            selector.register(thing, EVENT_READ)


def test_what_the_kernel_refuses_is_an_os_error_and_not_registered(selector: EngineSelector):
    with open(__file__) as regular_file:
        with pytest.raises(PermissionError):
            selector.register(regular_file, EVENT_READ)
        closed = os.dup(regular_file.fileno())
    os.close(closed)
    with pytest.raises(OSError, match="Bad file descriptor") as raised:
        selector.register(closed, EVENT_READ)
    assert raised.value.errno == errno.EBADF
    assert dict(selector.get_map()) == {}


def test_modify_changes_events_and_data(selector: EngineSelector, pair: Pair):
    selector.register(pair[0], EVENT_READ, "old")
    assert ready(selector) == []
    key = selector.modify(pair[0], EVENT_WRITE, "new")
    assert key.data == "new"
    assert selector.select(0) == [(key, EVENT_WRITE)]
    key = selector.modify(pair[0], EVENT_WRITE, "newer")
    assert selector.select(0) == [(key, EVENT_WRITE)]


def test_the_map_finds_keys_by_file_and_by_descriptor(selector: EngineSelector, pair: Pair):
    key = selector.register(pair[0], EVENT_READ)
    keys = selector.get_map()
    assert len(keys) == 1
    assert list(keys) == [pair[0].fileno()]
    assert keys[pair[0]] is keys[pair[0].fileno()] is key
    assert keys.get(pair[1].fileno()) is None


# --- descriptors that somebody else closed


def test_a_closed_descriptor_can_be_unregistered(selector: EngineSelector, pair: Pair):
    fd = pair[0].fileno()
    key = selector.register(pair[0], EVENT_READ)
    pair[0].close()
    assert selector.unregister(fd) == key
    assert dict(selector.get_map()) == {}


def test_a_closed_file_object_is_found_by_identity(selector: EngineSelector, pair: Pair):
    key = selector.register(pair[0], EVENT_READ)
    pair[0].close()
    assert selector.unregister(pair[0]) == key


def test_a_closed_descriptor_is_no_event(selector: EngineSelector, pair: Pair):
    selector.register(pair[0], EVENT_READ)
    pair[1].send(b"x")
    pair[0].close()
    assert ready(selector) == []


def test_modifying_a_closed_descriptor_fails_and_forgets_it(selector: EngineSelector, pair: Pair):
    fd = pair[0].fileno()
    selector.register(fd, EVENT_READ)
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        selector.modify(fd, EVENT_WRITE)
    with pytest.raises(KeyError):
        selector.get_key(fd)


def test_a_number_that_was_closed_can_be_used_again(selector: EngineSelector, pair: Pair):
    fd = pair[0].fileno()
    selector.register(fd, EVENT_READ)
    os.dup2(pair[1].fileno(), fd)  # Another file under the same number.
    selector.unregister(fd)
    selector.register(fd, EVENT_WRITE)
    assert ready(selector) == [(fd, EVENT_WRITE)]


# --- what is ready


def test_only_the_events_asked_for_are_reported(selector: EngineSelector, pair: Pair):
    selector.register(pair[0], EVENT_READ)
    assert ready(selector) == []
    pair[1].send(b"x")
    assert ready(selector) == [(pair[0], EVENT_READ)]
    selector.modify(pair[0], EVENT_READ | EVENT_WRITE)
    assert ready(selector) == [(pair[0], EVENT_READ | EVENT_WRITE)]


def test_readiness_is_reported_until_it_is_used(selector: EngineSelector, pair: Pair):
    selector.register(pair[0], EVENT_READ)
    pair[1].send(b"x")
    assert ready(selector) == ready(selector) == [(pair[0], EVENT_READ)]
    pair[0].recv(1)
    assert ready(selector) == []


@pytest.mark.parametrize("events", [EVENT_READ, EVENT_WRITE, EVENT_READ | EVENT_WRITE])
def test_a_hang_up_wakes_readers_and_writers(selector: EngineSelector, events: int):
    reading, writing = os.pipe()
    selector.register(writing, events)
    os.close(reading)
    assert ready(selector) == [(writing, events)]
    os.close(writing)


def test_more_descriptors_than_one_turn_takes_are_all_reported(selector: EngineSelector):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            left, right = socket.socketpair()
            stack.enter_context(left)
            stack.enter_context(right)
            selector.register(left, EVENT_WRITE)
        seen: set[object] = set()
        for _ in range(3):
            seen.update(fileobj for fileobj, _ in ready(selector))
        assert len(seen) == 300


# --- time


def test_a_timeout_is_waited_out_and_not_less(selector: EngineSelector):
    for seconds in (0.0, 0.0003, 0.0021, 0.03):
        start = time.monotonic()
        assert selector.select(seconds) == []
        assert seconds <= time.monotonic() - start < seconds + 0.5


@pytest.mark.parametrize("timeout", [-1, -0.0, float("nan"), 0])
def test_timeouts_that_are_not_positive_only_look(selector: EngineSelector, timeout: float):
    start = time.monotonic()
    assert selector.select(timeout) == []
    assert time.monotonic() - start < 0.5


def test_a_timeout_is_a_number(selector: EngineSelector):
    with pytest.raises(TypeError):
        selector.select("1")


def test_other_threads_run_while_select_waits(selector: EngineSelector):
    waited = []

    def wake() -> None:
        waited.append(True)
        selector.engine.wake()

    for timeout in (None, 30, float("inf")):
        threading.Timer(0.02, wake).start()
        assert selector.select(timeout) == []
    assert len(waited) == 3


def test_wake_before_select_ends_the_next_one(selector: EngineSelector):
    selector.engine.wake()
    assert selector.select(30) == []


def test_what_a_signal_handler_raises_leaves_select(selector: EngineSelector):
    def interrupt(*_: object) -> None:
        raise InterruptedError("from the handler")

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(InterruptedError, match="from the handler"):
            selector.select(30)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert selector.select(0) == []


def test_signal_handlers_run_between_turns_that_run_no_bytecode(selector: EngineSelector):
    """map() and list() call select() from C, so nothing but select() itself can see the signal."""

    def interrupt(*_: object) -> None:
        raise InterruptedError("from the handler")

    before = signal.signal(signal.SIGALRM, interrupt)
    start = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(InterruptedError, match="from the handler"):
            list(map(selector.engine.select, [5, 5]))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 4


# --- life


def test_a_closed_engine_refuses_everything(pair: Pair):
    selector = EngineSelector(_core.Engine())
    selector.register(pair[0], EVENT_READ)
    selector.close()
    selector.close()
    assert selector.engine.closed
    assert selector.get_map() is None
    with pytest.raises(RuntimeError, match="closed"):
        selector.select(0)
    with pytest.raises(RuntimeError, match="closed"):
        selector.register(pair[1], EVENT_READ)
    with pytest.raises(RuntimeError, match="closed"):
        selector.get_key(pair[0])


def test_an_engine_that_was_not_initialised_is_refused():
    engine = _core.Engine.__new__(_core.Engine)
    for use in (engine.select, engine.on_ready):
        with pytest.raises(RuntimeError, match="__init__"):
            use()


def test_engines_give_their_descriptors_back():
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_descriptors()
    for _ in range(50):
        engine = _core.Engine()
        engine.set_nested(True)
        del engine
    assert open_descriptors() == before


def test_an_engine_that_its_keys_refer_to_is_collected(pair: Pair):
    engine = _core.Engine()
    EngineSelector(engine).register(pair[0], EVENT_READ, data=engine)
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None


def test_a_forked_child_cannot_take_descriptors_from_its_parent(
    selector: EngineSelector, pair: Pair
):
    selector.register(pair[0], EVENT_WRITE)
    child = os.fork()
    if child == 0:
        selector.unregister(pair[0])
        selector.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert ready(selector) == [(pair[0], EVENT_WRITE)]


def test_running_out_of_descriptors_is_an_os_error():
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, hard)
    )
    try:
        with pytest.raises(OSError, match="Too many open files"):
            [_core.Engine() for _ in range(1000)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- nested in another event loop


def is_readable(engine: _core.Engine) -> bool:
    poll = select.poll()
    poll.register(engine.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def test_the_descriptor_tells_of_events_and_on_ready_takes_them():
    engine = _core.Engine()
    engine.set_nested(True)
    assert not is_readable(engine)
    engine.wake()
    assert is_readable(engine)
    engine.on_ready()
    assert not is_readable(engine)


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_a_foreign_loop_drives_the_engine(loop_name: str):
    factory = pytest.importorskip(loop_name).new_event_loop

    async def main() -> int:
        engine = _core.Engine()
        engine.set_nested(True)
        turns = 0
        done = asyncio.Event()

        def on_ready() -> None:
            nonlocal turns
            engine.on_ready()
            turns += 1
            done.set()

        loop = asyncio.get_running_loop()
        loop.add_reader(engine.fileno(), on_ready)
        threading.Timer(0.01, engine.wake).start()
        async with asyncio.timeout(30):
            await done.wait()
        await asyncio.sleep(0.01)
        loop.remove_reader(engine.fileno())
        return turns

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(main()) == 1
