"""A clock of the day that jumps: what depends on it follows and comes back, what does not goes on.

Row 13 of the faults. Gateway, backend and client are in a process of their own whose clock is moved
(support/clock.c): by an hour, by ten years, there and back, and in steps of a millisecond.
"""

from __future__ import annotations

import email.utils
import mmap
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.processes import SANITIZED, environment_of_tests

HOUR, YEAR = 3600, 365 * 86400
SHIFTS = [HOUR, -HOUR, 10 * YEAR, -10 * YEAR, 0, 30 * YEAR, 0]
KEPT = b"what is kept"


@pytest.mark.skipif(SANITIZED, reason="two libraries that have to come first")
def test_gateway_under_a_clock_that_jumps(tmp_path: Path) -> None:
    library = tmp_path / "clock.so"
    source = Path(__file__).parent / "support" / "clock.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"],
        check=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    file = tmp_path / "shift"
    file.write_bytes(bytes(8))
    done = subprocess.run(
        [sys.executable, __file__],
        env={**environment_of_tests(), "LD_PRELOAD": str(library), "CLOCK_FILE": str(file)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "all steps done"


class Clock:
    """The clock of this process."""

    def __init__(self) -> None:
        with Path(os.environ["CLOCK_FILE"]).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)
        self.shifted_s = 0.0

    def shift(self, seconds: float) -> None:
        """Has it be wrong by that much."""
        before = time.time() - self.shifted_s
        self._memory[:] = struct.pack("=q", int(seconds * 1e9))
        self.shifted_s = seconds
        assert abs(time.time() - seconds - before) < 5, "the clock does not move"


def main() -> None:
    from support.s3_gateway import Front, backend
    from support.s3_origin import Origin

    clock = Clock()
    with Origin() as origin:
        origin.objects["/back/key"] = KEPT
        with Front({"*": backend(origin)}, key_ttl=300, allow_ttl=300) as front:
            jumps(clock, origin, front)
            small_steps(clock, front)
            links(clock, front)
            what_waits(clock, origin, front)
    with Origin() as origin:
        origin.objects["/back/key"] = KEPT
        with Front({"*": backend(origin)}, key_ttl=0.5, allow_ttl=300) as front:
            what_is_kept_ends(clock, front)
    print("all steps done")


def jumps(clock, origin, front) -> None:
    """No answer of a function and no connection ends with the clock, and skew is judged by it."""
    from support.s3_gateway import error_code

    assert front.send("GET", "/back/key").body == KEPT
    for seconds in SHIFTS:
        clock.shift(seconds)
        response = front.send("GET", "/back/key")
        assert response.body == KEPT, (seconds, response)
        told = email.utils.parsedate_to_datetime(response.get("date")).timestamp()
        assert abs(told - time.time()) < 3, (seconds, response)
        by_others = front.send("GET", "/back/key", at=time.time() - seconds)
        if seconds == 0:
            assert by_others.body == KEPT
        else:
            assert error_code(by_others) == "RequestTimeTooSkewed", seconds
    assert origin.connections == 1
    assert front.keys_asked == ["alice"]
    assert len(front.asked) == 1


def small_steps(clock, front) -> None:
    for number in range(100):
        clock.shift(number / 1000)
        assert front.send("GET", "/back/key").body == KEPT
    for number in range(100, 0, -1):
        clock.shift(number / 1000)
        assert front.send("GET", "/back/key").body == KEPT
    clock.shift(0)


def links(clock, front) -> None:
    """A link ends with its time, and lives again when the clock was wrong."""
    from support.s3_gateway import error_code

    for seconds in (120, HOUR, 10 * YEAR):
        made_at = time.time()
        assert front.send_presigned("GET", "/back/key", expires=60, at=made_at).body == KEPT
        clock.shift(seconds)
        late = front.send_presigned("GET", "/back/key", expires=60, at=made_at)
        assert error_code(late) == "AccessDenied"
        assert b"Request has expired." in late.body
        clock.shift(-HOUR)
        early = front.send_presigned("GET", "/back/key", expires=60, at=made_at)
        assert b"Request is not valid yet." in early.body
        clock.shift(0)
        assert front.send_presigned("GET", "/back/key", expires=60, at=made_at).body == KEPT


def what_waits(clock, origin, front) -> None:
    """No time limit of what is under way ends when the clock jumps."""
    for seconds in (10 * YEAR, -10 * YEAR):
        origin.fail("answer", "stall")
        answers = []
        ask = threading.Thread(target=ask_for, args=(front, answers))
        ask.start()
        while origin.stalled == 0:
            time.sleep(0.01)
        clock.shift(seconds)
        time.sleep(0.3)
        assert not answers
        origin.release()
        ask.join(10)
        assert answers[0].body == KEPT
        clock.shift(0)


def ask_for(front, answers) -> None:
    answers.append(front.send("GET", "/back/key"))


def what_is_kept_ends(clock, front) -> None:
    """However far back the clock goes."""
    for number, seconds in enumerate((0, -10 * YEAR, 10 * YEAR), 1):
        clock.shift(seconds)
        assert front.send("GET", "/back/key").body == KEPT
        assert len(front.keys_asked) == number
        time.sleep(0.7)
    clock.shift(0)


if __name__ == "__main__":
    main()
