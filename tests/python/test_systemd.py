"""What a service manager is told, what it hands over, and the unit files of examples/deploy.

The tests stand in for systemd: a datagram socket that listens for the service, and a shell that
makes the variables of the process that it becomes.
"""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fixtures import ServeProcess
from support.server import APPS
from tercel.cli.options import parse
from tercel.server import systemd
from tercel.settings import load

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Manager:
    """Receives what a service says. `address` is what NOTIFY_SOCKET holds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(20)

    def heard(self) -> str:
        """Returns the next message."""
        return self._socket.recv(4096).decode()

    def heard_within(self, seconds: float) -> list[str]:
        """Returns every message of the next `seconds`."""
        messages = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                messages.append(self.heard())
        self._socket.settimeout(20)
        return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    one = Manager(path if request.param == "path" else f"@tercel-test-{os.getpid()}-{id(request)}")
    yield one
    one.close()


class TestNotify:
    def test_the_start_and_the_end_are_told(self, serve: ServeProcess, manager: Manager):
        server = serve("process:app", env={"NOTIFY_SOCKET": manager.address})
        assert manager.heard() == "READY=1"
        assert server.request().status == 200
        assert server.stop() == 0
        assert manager.heard_within(0.1) == ["STOPPING=1"]

    def test_a_start_that_fails_is_not_told(self, manager: Manager):
        done = subprocess.run(
            [sys.executable, "-m", "tercel", "serve", "process:failing_start", "--port", "0"],
            cwd=APPS,
            env={**os.environ, "NOTIFY_SOCKET": manager.address},
            capture_output=True,
            timeout=30,
        )
        assert done.returncode == 3
        assert manager.heard_within(0.1) == []

    def test_a_start_that_takes_time_is_told_when_it_is_over(self, manager: Manager):
        words = ["serve", "process:slow_start", "--port", "0", "--timeout-lifespan-startup", "0.5"]
        done = subprocess.run(
            [sys.executable, "-m", "tercel", *words],
            cwd=APPS,
            env={**os.environ, "NOTIFY_SOCKET": manager.address},
            capture_output=True,
            timeout=30,
        )
        assert done.returncode == 3
        assert manager.heard_within(0.1) == []

    @pytest.mark.parametrize("address", ["", "/nowhere/socket", "@nobody", "vsock:2:1", "relative"])
    def test_nobody_to_tell_is_no_failure(self, address: str):
        assert systemd.notify("READY=1", {"NOTIFY_SOCKET": address}) is False
        assert systemd.notify("READY=1", {}) is False


class TestWatchdog:
    def test_a_loop_that_turns_says_so_until_the_end(self, serve: ServeProcess, manager: Manager):
        env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
        server = serve("process:app", env=env)
        assert manager.heard() == "READY=1"
        assert 4 <= manager.heard_within(1).count("WATCHDOG=1") <= 12
        with server.connect() as client:
            client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            server.send_signal(signal.SIGTERM)
            assert client.response().status == 200
        assert server.wait() == 0
        told = manager.heard_within(0.1)
        # Also while it drains.
        assert told[told.index("STOPPING=1") :].count("WATCHDOG=1") >= 2

    def test_a_loop_that_is_blocked_is_silent(self, serve: ServeProcess, manager: Manager):
        env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
        server = serve("process:app", env=env)
        with server.connect() as client:
            client.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            manager.heard_within(0.2)
            assert manager.heard_within(0.6) == []

    def test_only_the_process_that_is_watched_speaks(self):
        own = str(os.getpid())
        assert systemd.watchdog_interval({}) is None
        assert systemd.watchdog_interval({"WATCHDOG_USEC": "30000000"}) == 15
        assert systemd.watchdog_interval({"WATCHDOG_USEC": "1", "WATCHDOG_PID": own}) == 5e-7
        assert systemd.watchdog_interval({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}) is None
        for text in ("", "0", "-1", "1s", "²", "1" * 30):
            assert systemd.watchdog_interval({"WATCHDOG_USEC": text}) is None, text

    def test_nothing_is_scheduled_unless_it_is_asked_for(self):
        async def count() -> int:
            loop = asyncio.get_running_loop()
            with systemd.watchdog(loop):
                return len(getattr(loop, "_scheduled", ()))

        assert asyncio.run(count()) == 0


class TestInheritedSockets:
    def test_they_are_for_the_process_that_is_named(self):
        own = str(os.getpid())
        given = {"LISTEN_PID": own, "LISTEN_FDS": "2"}
        assert systemd.inherited_binds(given) == ["fd://3", "fd://4"]
        assert systemd.inherited_binds({}) == []
        assert systemd.inherited_binds({**given, "LISTEN_PID": "1"}) == []
        for text in ("", "0", "-1", "two", "²", "1" * 30):
            assert systemd.inherited_binds({**given, "LISTEN_FDS": text}) == [], text

    def test_they_are_listened_on_when_nothing_else_is_asked_for(self):
        assert load(inherited=["fd://3", "fd://4"]).binds() == ["fd://3", "fd://4"]
        assert load().binds() == ["127.0.0.1:8000"]

    @pytest.mark.parametrize(
        ("name", "value", "binds"),
        [
            ("port", 8000, ["127.0.0.1:8000"]),
            ("host", "127.0.0.1", ["127.0.0.1:8000"]),
            ("bind", ["[::1]:80"], ["[::1]:80"]),
            ("uds", "/run/x", ["unix:/run/x"]),
            ("fd", "7", ["fd://7"]),
        ],
    )
    def test_an_address_from_any_source_is_stronger(self, name, value, binds, tmp_path: Path):
        inherited = ["fd://3"]
        assert load(keywords={name: value}, inherited=inherited).binds() == binds
        text = str(value[0] if isinstance(value, list) else value)
        variable = {f"TERCEL_{name.upper()}": text}
        assert load(environ=variable, inherited=inherited).binds() == binds
        file = tmp_path / "t.toml"
        file.write_text(f"{name} = {value!r}")
        assert load(file=file, inherited=inherited).binds() == binds

    def start(
        self, listening: list[socket.socket], *words: str, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts tercel as systemd does: these sockets from 3 on, and variables with its pid."""
        moves = " ".join(f"{3 + i}<&{one.fileno()}" for i, one in enumerate(listening))
        command = f'LISTEN_FDS={len(listening)} LISTEN_PID=$$ exec "$@" {moves}'
        return subprocess.Popen(
            ["bash", "-c", command, "bash", sys.executable, "-m", "tercel", *words],
            cwd=APPS,
            pass_fds=[one.fileno() for one in listening],
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )

    def test_a_process_serves_on_every_socket_that_it_was_given(self, tmp_path: Path):
        path = str(tmp_path / "s")
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(path)
            unix.listen()
            # With numbers that are not in the way of those that they become.
            given = [
                stack.enter_context(socket.socket(fileno=os.dup2(one.fileno(), number)))
                for one, number in ((tcp, 60), (unix, 61))
            ]
            process = self.start(given, "serve", "process:app")
            try:
                for family, address in (
                    (socket.AF_INET, tcp.getsockname()),
                    (socket.AF_UNIX, path),
                ):
                    with socket.socket(family) as client:
                        client.settimeout(20)
                        client.connect(address)
                        client.sendall(REQUEST)
                        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            finally:
                process.terminate()
                assert process.wait(20) == 0
        assert os.path.exists(path)  # It belongs to the service manager.

    def test_check_says_so(self):
        with socket.create_server(("127.0.0.1", 0)) as one:
            process = self.start([one], "check", stdout=subprocess.PIPE)
            assert process.communicate(timeout=20)[0].endswith(b"it would listen on fd://3.\n")
            assert process.returncode == 0


class TestUnits:
    """The files that docs/guide/systemd.md shows."""

    def service(self) -> configparser.SectionProxy:
        parser = configparser.RawConfigParser(strict=False)
        parser.read(DEPLOY / "app.service")
        return parser["Service"]

    def test_the_command_is_one_that_tercel_understands(self):
        words = shlex.split(self.service()["ExecStart"])
        assert words[0].endswith("/tercel")
        assert words[1:3] == ["serve", "main:app"]
        load(command_line=parse(words[3:], "tercel serve").settings)

    def test_the_service_waits_longer_than_the_server(self):
        settings = load()
        limits = settings.timeout_graceful_shutdown + settings.timeout_lifespan_shutdown
        assert float(self.service()["TimeoutStopSec"]) > limits
        assert self.service()["Type"] == "notify"

    def test_systemd_finds_no_fault(self, tmp_path: Path):
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            pytest.skip("systemd is not installed")
        units = [tmp_path / name for name in ("app.service", "app.socket")]
        for unit in units:
            text = (DEPLOY / unit.name).read_text()
            unit.write_text(text.replace("/srv/app/.venv/bin/tercel", sys.executable))
        done = subprocess.run(
            [analyze, "verify", "--man=no", *map(str, units)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        faults = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
        assert faults == [], done.stderr
