"""What an event loop itself costs: tercel's two forms beside asyncio's and uvloop's.

    python bench/python/loop_bench.py [--runs 5] [--cases turn,future] [--instructions] [--out FILE]

Question: is the C++ in `tercel.EventLoop` (call_soon, _run_once) worth its lines, and does an
application that suspends much lose anything against uvloop? Each number is the CPU time of the
process per operation of the case, user and system, median and MAD of interleaved runs in fresh
processes. `--instructions` counts user-space instructions with callgrind instead: exact to 0.1%,
blind to the kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPS = ["tercel", "tercel-fallback", "asyncio", "uvloop"]
WARMUP = 2_000


async def turn(times: int) -> None:
    """A callback that queues itself: one call_soon() and one turn of the loop an operation."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = times

    def again() -> None:
        nonlocal left
        left -= 1
        if left > 0:
            loop.call_soon(again)
        else:
            done.set_result(None)

    loop.call_soon(again)
    await done


async def batch(times: int) -> None:
    """Callbacks, a hundred a turn: what call_soon() and calling cost without the turn."""
    loop = asyncio.get_running_loop()

    def nothing(_: int) -> None: ...

    for _ in range(times // 100):
        for _ in range(100):
            loop.call_soon(nothing, 1)
        await asyncio.sleep(0)


async def sleep0(times: int) -> None:
    """await asyncio.sleep(0)."""
    for _ in range(times):
        await asyncio.sleep(0)


async def future(times: int) -> None:
    """A future that a callback resolves: the answer of a driver, without its input and output."""
    loop = asyncio.get_running_loop()
    for _ in range(times):
        answer = loop.create_future()
        loop.call_soon(answer.set_result, None)
        await answer


async def task(times: int) -> None:
    """A task that does nothing, awaited."""

    async def nothing() -> None: ...

    for _ in range(times):
        await asyncio.create_task(nothing())


async def timeout(times: int) -> None:
    """A time limit that does not pass: one call_at(), cancelled."""
    for _ in range(times):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)


async def timer(times: int) -> None:
    """Timers that fire, a hundred at a time."""
    loop = asyncio.get_running_loop()

    def nothing(_: int) -> None: ...

    for _ in range(times // 100):
        for _ in range(100):
            loop.call_later(0, nothing, 1)
        await asyncio.sleep(0)


async def threadsafe(times: int) -> None:
    """call_soon_threadsafe(), from the loop's own thread."""
    loop = asyncio.get_running_loop()
    for _ in range(times):
        answer = loop.create_future()
        loop.call_soon_threadsafe(answer.set_result, None)
        await answer


async def stream(times: int) -> None:
    """One byte there and back between two transports on a socket pair."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1):
            writer.write(data)
        writer.close()

    left, right = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=left)
    answering = asyncio.create_task(answer(*await asyncio.open_connection(sock=right)))
    for _ in range(times):
        writer.write(b"x")
        await reader.readexactly(1)
    writer.close()
    await answering


async def sock(times: int) -> None:
    """One byte there and back with sock_recv() and sock_sendall() on a socket pair."""
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)

    async def answer() -> None:
        while data := await loop.sock_recv(right, 1):
            await loop.sock_sendall(right, data)

    answering = asyncio.create_task(answer())
    for _ in range(times):
        await loop.sock_sendall(left, b"x")
        await loop.sock_recv(left, 1)
    left.close()
    await answering
    right.close()


CASES: dict[str, tuple[Callable[[int], Awaitable[None]], int]] = {
    "turn": (turn, 300_000),
    "batch": (batch, 500_000),
    "sleep0": (sleep0, 300_000),
    "future": (future, 200_000),
    "task": (task, 100_000),
    "timeout": (timeout, 50_000),
    "timer": (timer, 100_000),
    "threadsafe": (threadsafe, 50_000),
    "stream": (stream, 20_000),
    "sock": (sock, 20_000),
}


def make_loop(name: str) -> asyncio.AbstractEventLoop:
    if name == "asyncio":
        return asyncio.SelectorEventLoop()
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    import tercel

    return tercel.EventLoop(fast=name == "tercel")


def run_case(loop_name: str, case: str, times: int) -> float:
    """CPU nanoseconds of one operation, after a warm-up."""

    async def measure() -> float:
        function = CASES[case][0]
        await function(WARMUP)
        began = time.process_time_ns()
        await function(times)
        return (time.process_time_ns() - began) / times

    with asyncio.Runner(loop_factory=lambda: make_loop(loop_name)) as runner:
        return runner.run(measure())


def child(loop: str, case: str, times: int, *before: str) -> float:
    command = [*before, sys.executable, __file__, "--one", loop, case, str(times)]
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout)


def instructions(loop: str, case: str) -> float:
    """Instructions of one operation: the difference of a long and a short run."""

    def total(times: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            child(loop, case, times, "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
            found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1])

    few, many = WARMUP, 3 * WARMUP
    return (total(many) - total(few)) / (many - few)


def measure_all(options: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    runs: dict[str, dict[str, list[float]]] = {}
    for case in options.cases.split(","):
        results = runs[case] = {loop: [] for loop in options.loops.split(",")}
        for _ in range(1 if options.instructions else options.runs):
            for loop, values in results.items():
                if options.instructions:
                    values.append(instructions(loop, case))
                else:
                    values.append(child(loop, case, CASES[case][1]))
        print(case, {loop: round(sorted(v)[len(v) // 2]) for loop, v in results.items()})
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--loops", default=",".join(LOOPS))
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("LOOP", "CASE", "TIMES"))
    options = parser.parse_args()
    if options.one:
        loop, case, times = options.one
        print(run_case(loop, case, int(times)))
        return
    runs = measure_all(options)
    if options.out is None:
        return
    sys.path.insert(0, str(ROOT / "bench"))
    from harness import machine, stats

    unit = "instructions" if options.instructions else "cpu_ns"
    result = {
        "question": "what an event loop costs per operation",
        "unit": f"{unit} per operation",
        "command": ["python", "bench/python/loop_bench.py", *sys.argv[1:]],
        "commit": machine.commit(ROOT),
        "machine": machine.describe(),
        "load_average": os.getloadavg(),
        "versions": machine.versions(sys.executable),
        "cases": {
            name: " ".join((case.__doc__ or "").split()) for name, (case, _) in CASES.items()
        },
        "runs": runs,
        "median": {case: stats.summarise(rows(values))[0] for case, values in runs.items()},
        "mad": {case: stats.summarise(rows(values))[1] for case, values in runs.items()},
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def rows(values: dict[str, list[float]]) -> list[dict[str, float]]:
    """Turns {loop: [runs]} into [{loop: value}]."""
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


if __name__ == "__main__":
    main()
