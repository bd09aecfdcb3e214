"""A tercel server to test against: in a process of its own, or in a thread of this one.

Both are context managers, listen on a free port of 127.0.0.1, and are gone when the block ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.http1 import Address, RawClient, Response
from support.options import io_threads_for

APPS = Path(__file__).resolve().parent.parent / "apps"
# The banner ends in the address to open.
# Where the application is; not the metrics.
BANNER = re.compile(
    r"(?<!Metrics: )(?<!the backend )(?:https?://(127\.0\.0\.1|\[::1\]):(\d+)|unix:(/\S+))"
)
# Sanitised builds start several times more slowly.
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def flags(settings: dict[str, Any]) -> list[str]:
    """Returns `settings` as the command line takes them: `a_b=1` is `--a-b 1`.

    True is the flag alone, False its `--no-` form; a list repeats the flag.
    """
    words = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is False:
            words.append("--no-" + flag[2:])
        else:
            for one in value if isinstance(value, list) else [value]:
                words += [flag, str(one)]
    return words


class ServerProcess:
    """`python -m tercel serve TARGET --port 0 ...` and everything it prints.

    Args:
        target: `module:application`; modules of tests/python/apps are importable.
        port: 0 for a free one, None to leave `--port` out.
        env: added to the environment of the server.
        limit_files: the most descriptors it may have open (RLIMIT_NOFILE).
        settings: the settings of the server, as keyword arguments.

    Attributes:
        address: what a client connects to.
    """

    def __init__(
        self,
        target: str,
        *,
        port: int | None = 0,
        env: dict[str, str] | None = None,
        limit_files: int | None = None,
        arguments: Iterable[str] = (),
        **settings: Any,
    ) -> None:
        settings.setdefault("app_dir", APPS)
        if threads := io_threads_for(settings):
            settings["io_threads"] = threads
        if port is not None:
            settings["port"] = port
        self.command = [
            *(["prlimit", f"--nofile={limit_files}:{limit_files}"] if limit_files else []),
            *[sys.executable, "-m", "tercel", "serve", target],
            *flags(settings),
            *arguments,
        ]
        self.command_line = " ".join(self.command)
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._env.pop("WEB_CONCURRENCY", None)  # Of whoever runs the tests.
        self._env.update(env or {})
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self.address: Address = ("", 0)

    def __enter__(self) -> Self:
        self.start()
        try:
            self._await_banner()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Starts the process without waiting for it to listen."""
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._env,
            # Ctrl-C at the terminal is for pytest, which then kills the server by its pid.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    # --- output

    def _collect(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.decode("utf-8", "backslashreplace"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def output(self) -> str:
        """What the server printed so far, standard output and error in one."""
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, pattern: str, *, timeout: float = 10.0, count: int = 1) -> re.Match[str]:
        """Waits until `pattern` was printed `count` times, and returns its last match.

        Raises:
            AssertionError: the process ended, or the time ran out, before that.
        """
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                found = list(re.finditer(pattern, "".join(self._lines), re.MULTILINE))
                if len(found) >= count:
                    return found[-1]
                over = self._process.poll() is not None and not self._reader.is_alive()
                if over or time.monotonic() > end:
                    raise AssertionError(
                        f"{pattern!r} was printed {len(found)} times, not {count}, "
                        f"by a server that {'ended' if over else 'runs'}:\n{''.join(self._lines)}"
                    )
                self._changed.wait(0.05)

    def _await_banner(self) -> None:
        match = self.wait_for(BANNER.pattern, timeout=START_SECONDS)
        self.address = match[3] or (match[1].strip("[]"), int(match[2]))

    # --- the process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """Waits until the process ended, and returns its exit status (negative: the signal)."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server still runs after {timeout} s") from None
        self._read_the_rest()
        return status

    def _read_the_rest(self) -> None:
        """Waits for what is in the pipe. Its end may be far: a successor writes there, too."""
        end = time.monotonic() + 5
        ready = select.poll()  # Not select(), whose descriptors end at 1024.
        ready.register(self._process.stdout, select.POLLIN)
        while self._reader.is_alive() and time.monotonic() < end:
            empty = not ready.poll(0)
            self._reader.join(0.05)
            if empty:
                return

    def stop(
        self, number: signal.Signals = signal.SIGTERM, *, timeout: float = STOP_SECONDS
    ) -> int:
        """Asks the server to end with a signal and returns its exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def kill(self) -> None:
        """Ends the process now, if it still runs, and children that it left behind."""
        if self.running:
            self._process.kill()
        # Its session is its own: see start().
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._read_the_rest()

    # --- clients

    @property
    def port(self) -> int:
        assert isinstance(self.address, tuple)
        return self.address[1]

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end."""
        assert isinstance(self.address, tuple)
        return f"http://{self.address[0]}:{self.address[1]}"

    def connect(
        self, *, timeout: float = 10.0, receive_buffer: int = 0, source: str | None = None
    ) -> RawClient:
        """Connects, from the address `source` if it is given: all of 127.0.0.0/8 are ours."""
        return RawClient(
            self.address, timeout=timeout, receive_buffer=receive_buffer, source=source
        )

    def request(self, method: str = "GET", target: str = "/", **parts: Any) -> Response:
        """Sends one request on a connection of its own."""
        with self.connect() as client:
            return client.request(method, target, **parts)

    def assert_serves(self) -> None:
        """Asserts that the server still answers a new client."""
        assert self.running, f"the server ended:\n{self.output}"
        assert self.request("GET", "/alive").status < 500


class ServerThread:
    """`tercel.Server(app)` on a loop in a thread of this process.

    For tests that look at the application's objects, or hand over a loop of their own.

    Args:
        app: the application object.
        loop_factory: makes the loop; None for the one that `asyncio.run` makes.
    """

    def __init__(self, app: Any, *, loop_factory: Any = None, **settings: Any) -> None:
        import tercel

        settings["io_threads"] = io_threads_for(settings)
        if not settings.keys() & {"fd", "bind", "uds"}:
            settings["port"] = 0
        self.server = tercel.Server(app, **settings)
        self._loop_factory = loop_factory
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.address: Address = ("", 0)

    def _run(self) -> None:
        loop = self._loop_factory() if self._loop_factory else asyncio.new_event_loop()
        try:
            self._loop = loop
            loop.run_until_complete(self.server.serve())
        except BaseException as error:
            self._error = error
        finally:
            loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self.server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise AssertionError(f"the server did not start: {self._error!r}")
            time.sleep(0.005)
        self.address = self.server.addresses[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.server.shutdown)
            self._thread.join(STOP_SECONDS)
        if error is None:
            assert not self._thread.is_alive(), f"the server did not stop: {self._what_it_does()}"
            if self._error is not None:
                raise self._error

    def _what_it_does(self) -> str:
        native = self.server._native
        left = native and f"{native.active} requests, {native.connections} connections"
        tasks = [str(task) for task in asyncio.all_tasks(self._loop)]
        assert self._thread.ident is not None
        frame = sys._current_frames().get(self._thread.ident)
        return "\n".join([f"{left}", *tasks, *traceback.format_stack(frame)])

    def connect(self, *, timeout: float = 10.0) -> RawClient:
        return RawClient(self.address, timeout=timeout)

    def request(self, method: str = "GET", target: str = "/", **parts: Any) -> Response:
        """Sends one request on a connection of its own."""
        with self.connect() as client:
            return client.request(method, target, **parts)
