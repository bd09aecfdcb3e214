"""What an App of 500 routes costs, beside its functions: below 2 MiB.

In a process of its own, with the memory that only it has: what the interpreter and the package take
is there before.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.processes import SANITIZED, environment_of_tests

BYTES_MAX = 2 << 20

PROGRAM = """
import gc, os
import tercel
from support.processes import private_bytes
from tercel import _api

def functions(count):
    made = []
    for number in range(count):
        scope = {}
        text = "async def f%d(thing_id: int, verbose: bool = False) -> dict[str, int]: ..." % number
        exec(compile(text, "functions", "exec"), scope)
        made.append(scope["f%d" % number])
    return made

def app_of(some):
    app = tercel.App(openapi_url=None)
    for number, function in enumerate(some):
        app.get(f"/group{number % 25}/things{number}/{{thing_id}}")(function)
    return app, _api.Instance(app)

some = functions(500)
first = app_of(some[:20])
gc.collect()
before = private_bytes(os.getpid())
second = app_of(some)
gc.collect()
print(private_bytes(os.getpid()) - before)
"""


@pytest.mark.skipif(SANITIZED, reason="the sanitizer has memory of its own for each block")
def test_500_routes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment_of_tests(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    taken = int(done.stdout)
    print(f"\n500 routes: {taken >> 10} KiB")
    assert 0 < taken < BYTES_MAX
