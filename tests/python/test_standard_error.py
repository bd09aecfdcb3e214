"""Messages to a standard error that is a pipe or a socket: whose reader is slow, or that the
application closes or connects to something else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tercel.server.standard_error import PatientHandler


class Stream:
    """The two ends of what stands for standard error."""

    def __init__(self, kind: str) -> None:
        if kind == "pipe":
            self.reader, self.number = os.pipe()
        else:
            self.reader, self.number = (one.detach() for one in socket.socketpair())
        os.set_blocking(self.reader, False)
        self.handler = PatientHandler(self.number)

    def say(self, text: str) -> None:
        self.handler.emit(logging.LogRecord("tercel", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        self.handler.close()
        for number in (self.reader, self.number):
            with contextlib.suppress(OSError):
                os.close(number)


def read(reader: int) -> str:
    """What is there."""
    data = b""
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(reader, 1 << 16):
            data += piece
    return data.decode()


@pytest.fixture(params=["pipe", "socket"])
def stream(request: pytest.FixtureRequest) -> Iterator[Stream]:
    made = Stream(request.param)
    yield made
    made.close()


@pytest.fixture
def client() -> Iterator[tuple[int, int]]:
    """A connection, both ends."""
    near, far = socket.socketpair()
    far.setblocking(False)
    with near, far:
        yield near.fileno(), far.fileno()


def writers(pipe: int, but: int) -> list[int]:
    """All descriptors that write to it, but one."""
    found = []
    for other in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            flags = int(Path(f"/proc/self/fdinfo/{other}").read_text().split()[3], 8)
            same = os.path.samestat(os.fstat(other), os.fstat(pipe))
            if same and flags & os.O_WRONLY and other != but:
                found.append(other)
    return found


def test_its_own_descriptor_that_is_a_clients_by_now_is_left_alone(client: tuple[int, int]) -> None:
    stream = Stream("pipe")
    [own] = writers(stream.reader, stream.number)
    os.dup2(client[0], own)
    stream.say("of another client")
    assert read(client[1]) == ""
    assert read(stream.reader) == "of another client\n"  # It has another one.
    os.close(stream.number)
    [own] = writers(stream.reader, stream.number)
    os.dup2(client[0], own)
    stream.say("lost")
    stream.close()
    assert read(client[1]) == ""
    os.fstat(own)  # Nor has it been closed.
    os.close(own)


def test_a_standard_stream_that_is_closed_costs_messages_or_nothing(stream: Stream) -> None:
    os.close(stream.number)
    stream.say("one")
    said = read(stream.reader)
    assert said in ("one\n", "")  # A pipe has been opened a second time.


def test_it_follows_the_application(stream: Stream, client: tuple[int, int]) -> None:
    stream.say("one")
    os.dup2(client[0], stream.number)
    stream.say("two")
    assert read(stream.reader) == "one\n"
    assert read(client[1]) == "two\n"


def test_it_closes_what_it_opened() -> None:
    before = len(os.listdir("/proc/self/fd"))
    stream = Stream("pipe")
    stream.handler.close()
    assert len(os.listdir("/proc/self/fd")) == before + 2
    stream.say("after it")
    assert read(stream.reader) == "after it\n"
    stream.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_default_timeout_of_the_application_changes_no_descriptor(stream: Stream) -> None:
    socket.setdefaulttimeout(10)
    try:
        again = PatientHandler(stream.number)
        again.emit(logging.LogRecord("tercel", logging.INFO, "", 0, "text", None, None))
        again.close()
    finally:
        socket.setdefaulttimeout(None)
    assert os.get_blocking(stream.number)
    assert read(stream.reader) == "text\n"


def test_a_slow_reader_is_waited_for_a_tenth_of_a_second_in_all(stream: Stream) -> None:
    for _ in range(2000):  # Whatever fits.
        stream.say("x" * 1000)
    begin = time.monotonic()
    for _ in range(10):
        os.read(stream.reader, 4096)  # It reads a little, time and again.
        stream.say("x" * 20_000)
    assert time.monotonic() - begin < 0.5  # A second, if each waited.
    read(stream.reader)
    stream.say("again")
    assert "message(s) lost: their reader was slow)\nagain\n" in read(stream.reader)


def test_a_reader_that_is_slow_for_a_moment_costs_nothing(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Also where the other thread does not run for long.
    monkeypatch.setattr("tercel.server.standard_error._PATIENCE_S", 5.0)
    os.set_blocking(stream.number, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(stream.number, b"x" * 4096)
    os.set_blocking(stream.number, True)
    reading = threading.Timer(0.02, read, [stream.reader])
    reading.start()
    stream.say("done")
    reading.join()
    assert read(stream.reader) in ("done\n", "")  # Or the timer has read it.
    stream.say("more")
    assert read(stream.reader) == "more\n"
