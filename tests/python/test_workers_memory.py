"""What an idle worker has for itself, and that its start is rehearsed before the fork."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import statistics
from pathlib import Path
from typing import Any

import pytest

from support.crew import children
from support.processes import SANITIZED, open_files, private_bytes
from support.waiting import wait_until
from tercel.loop import EventLoop
from tercel.workers.rehearsal import rehearse

MEBIBYTE = 1 << 20
# So many that the first, which is alone for a while and hears the test's connection, does not
# decide.
WORKERS = 4
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
# The application is imported before the rehearsal.
REPLACED = "import tercel.workers.generation as g\ng.rehearse = lambda make_loop: {}\n"
UNREHEARSED = REPLACED.format("None") + FASTAPI
TELLS = REPLACED.format("print('rehearsed', flush=True)") + FASTAPI
THREAD = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
)


def serve_text(serve: Any, folder: Path, text: str, **settings: Any) -> Any:
    (folder / "written.py").write_text(text)
    settings.setdefault("workers", WORKERS)
    server = serve("written:app", app_dir=folder, access_log=False, **settings)
    server.wait_for("stops it")
    return server


def idle_worker_bytes(serve: Any, folder: Path, text: str) -> float:
    server = serve_text(serve, folder, text)
    workers = wait_until(
        lambda: len(found := children(server.pid)) == WORKERS and found, "all are there"
    )
    sizes = [private_bytes(pid) for pid in workers]
    server.kill()
    return statistics.median(sizes)


@pytest.mark.skipif(SANITIZED, reason="ASan keeps freed memory back")
class TestMemoryOfAnIdleWorker:
    def test_is_small_beside_that_of_the_application(self, serve: Any, tmp_path: Path):
        pytest.importorskip("fastapi")
        assert idle_worker_bytes(serve, tmp_path, FASTAPI) < 5 * MEBIBYTE

    def test_is_less_for_the_rehearsal(self, serve: Any, tmp_path: Path):
        pytest.importorskip("fastapi")
        unrehearsed = idle_worker_bytes(serve, tmp_path, UNREHEARSED)
        rehearsed = idle_worker_bytes(serve, tmp_path, FASTAPI)
        assert unrehearsed - rehearsed > MEBIBYTE / 10


class TestRehearsal:
    def test_leaves_nothing_behind(self, caplog: pytest.LogCaptureFixture):
        rehearse(EventLoop)  # Modules and pools are there from now on.
        caplog.set_level(logging.DEBUG)
        caplog.clear()
        files = open_files(os.getpid())
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        rehearse(EventLoop)
        assert open_files(os.getpid()) == files
        assert handlers == {number: signal.getsignal(number) for number in handlers}
        assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []

    def test_goes_through_the_whole_start(self, caplog: pytest.LogCaptureFixture):
        caplog.set_level(logging.DEBUG, logger="tercel")
        loops: list[EventLoop] = []

        class Loop(EventLoop):
            def __init__(self) -> None:
                super().__init__()
                loops.append(self)
                self.read: list[int] = []

            def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
                self.read.append(fd)
                super().add_reader(fd, callback, *args)

        rehearse(Loop)
        (loop,) = loops
        assert loop.read
        assert loop.is_closed()
        assert caplog.records == []

    def test_that_fails_is_no_reason_not_to_fork(self, caplog: pytest.LogCaptureFixture):
        caplog.set_level(logging.DEBUG, logger="tercel")

        def no_loop() -> asyncio.AbstractEventLoop:
            raise OSError("no descriptor left")

        rehearse(no_loop)
        assert caplog.messages == ["The start of a worker cannot be rehearsed."]

    def test_is_once_for_all_workers(self, serve: Any, tmp_path: Path):
        pytest.importorskip("fastapi")
        assert serve_text(serve, tmp_path, TELLS).output.count("rehearsed") == 1

    def test_is_not_for_loops_that_hold_more_than_descriptors(self, serve: Any, tmp_path: Path):
        pytest.importorskip("fastapi")
        pytest.importorskip("uvloop")
        assert "rehearsed" not in serve_text(serve, tmp_path, TELLS, loop="uvloop").output

    def test_is_not_where_the_import_started_threads(self, serve: Any, tmp_path: Path):
        pytest.importorskip("fastapi")
        assert "rehearsed" not in serve_text(serve, tmp_path, TELLS + THREAD).output
