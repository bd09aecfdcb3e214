"""A client that asks politely while another attacks, in a process of its own: what the attacker
does to the process of the test must not look like what it does to the server.

    python -m support.victim HOST PORT

asks 50 times a second on one connection of HTTP/2. For each line that it reads it prints as JSON
what it saw since the last; the end of its input ends it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

from support.closing import Closing
from support.http1 import Address
from support.http2 import H2Client
from support.processes import cpu_seconds, environment_of_tests
from support.server import ServerProcess

PERIOD_S = 0.02
PATH = "/hello?id=v"


@dataclass(frozen=True)
class Seen:
    """What the victim saw in a time: how long its requests took, in seconds, and what failed."""

    count: int = 0
    median_s: float = math.inf
    p99_s: float = math.inf
    errors: list[str] = field(default_factory=list)


class Victim(Closing):
    """The parent's side.

    Attributes:
        idle: what it saw while nobody attacked.
        idle_share: of a core, what the server needed to serve it.
    """

    def __init__(self, server: ServerProcess) -> None:
        host, port = server.address
        self.idle = Seen()
        self.idle_share = 0.0
        self._server = server
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.victim", host, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment_of_tests(),
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def seen(self) -> Seen:
        """What it saw since it was asked last."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the victim ended with status {self._process.poll()}"
        return Seen(**json.loads(line))

    def settle(self, seconds: float) -> None:
        """Lets it ask while nobody attacks, and notes what it sees."""
        end = time.monotonic() + 10
        while not self.seen().count:  # It starts, and the first request warms the server.
            assert time.monotonic() < end, "the victim does not begin"
            time.sleep(0.05)
        cpu, begin = cpu_seconds(self._server.pid), time.monotonic()
        time.sleep(seconds)
        spent = cpu_seconds(self._server.pid) - cpu
        self.idle_share = spent / (time.monotonic() - begin)
        self.idle = self.seen()


# --- the process


class _Asking:
    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = H2Client(address)
        self._stream = 1
        self._times: list[float] = []
        self._errors: list[str] = []
        self._last_end = 0.0

    def ask(self, due: float) -> None:
        """Asks once. What is late because the last answer was is late since it was due; how late
        this process woke up is its own fault."""
        begin = due if self._last_end > due else time.monotonic()
        try:
            self._client.get(self._stream, PATH)
            response = self._client.response(self._stream)
            assert (response.status, response.body) == (200, b"hello v"), response
            del self._client.streams[self._stream]
            self._stream += 2
        except (OSError, AssertionError) as error:
            self._errors.append(repr(error))
            self._client.socket.close()
            self._client, self._stream = H2Client(self._address), 1
        self._last_end = time.monotonic()
        self._times.append(self._last_end - begin)

    def report(self) -> None:
        times = sorted(self._times)
        seen = Seen(errors=self._errors)
        if times:
            p99 = times[math.ceil(0.99 * len(times)) - 1]
            seen = Seen(len(times), statistics.median(times), p99, self._errors)
        print(json.dumps(asdict(seen)), flush=True)
        self._times, self._errors = [], []


def _ask_until_the_end_of_input(host: str, port: str) -> None:
    asking = _Asking((host, int(port)))
    due = time.monotonic()
    while True:
        due += PERIOD_S
        while select.select([0], [], [], max(0.0, due - time.monotonic()))[0]:
            if not os.read(0, 1):
                return
            asking.report()
        asking.ask(due)


if __name__ == "__main__":
    _ask_until_the_end_of_input(*sys.argv[1:])
