"""tercel as process 1 of a container, and the Containerfile of examples/deploy.

Namespaces stand for the container (support/containers.py). The file is read and its command and
health check are run; no image is built here.
"""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import subprocess
import sys
import time

import pytest

from support.containers import ContainerProcess
from support.proxies import DEPLOY
from support.waiting import wait_until
from tercel.cli.options import parse
from tercel.settings import load

FOLDER = DEPLOY / "container"
ROOT = DEPLOY.parents[1]
COUNTS = pytest.mark.parametrize("workers", [1, 2])


class TestProcessOne:
    @COUNTS
    def test_it_serves_and_ends_in_order(self, workers: int):
        with ContainerProcess("crew:app", workers=workers) as server:
            server.wait_for("pid 1$")
            with server.connect() as client:
                client.send("GET /sleep?0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
                server.wait_for("sleeping 0.3")
                begin = time.monotonic()
                server.send_signal(signal.SIGTERM)
                assert client.response().status == 200
            assert server.wait() == 0
            assert time.monotonic() - begin < 5
            assert len(re.findall("^ended ", server.output, re.MULTILINE)) == workers

    @COUNTS
    def test_nothing_has_to_be_written(self, workers: int):
        with ContainerProcess("crew:app", workers=workers, read_only=True) as server:
            response = server.request("GET", "/write")
            assert response.body == b"Read-only file system"
            assert server.stop() == 0
        assert "Traceback" not in server.output

    def test_a_supervisor_waits_for_orphans_and_leaves_other_children_alone(self):
        with ContainerProcess("crew:app", workers=2) as server:
            for _ in range(3):
                pid, code = server.request("GET", "/orphan").body.decode().split()
                assert code == "7"
                wait_until(lambda pid=pid: self.is_gone(server, pid), f"{pid} is waited for", 5)
            assert server.stop() == 0

    def is_gone(self, server: ContainerProcess, pid: str) -> bool:
        return server.request("GET", f"/exists?{pid}").body == b"False"

    def test_orphans_do_not_hide_a_worker_that_dies(self):
        with ContainerProcess("crew:app", workers=2) as server:
            server.request("GET", "/orphan")
            with server.connect() as client:
                client.send("GET /exit?41 HTTP/1.1\r\nHost: a\r\n\r\n")
                server.wait_for("ended with status 41; another one takes its place")
            server.wait_for("^started", count=3)
            assert server.stop() == 0

    def test_what_is_somebodys_is_not_waited_for(self):
        code = """
import os
from tercel.workers.orphans import wait_for_orphans
first, second = (os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {}) for _ in range(2))
for pid in (first, second):
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
wait_for_orphans({first, second})
print(os.waitpid(first, 0)[1] >> 8)
wait_for_orphans({first})
try:
    os.waitpid(second, 0)
except ChildProcessError:
    wait_for_orphans(set())
    print("gone")
"""
        # In a process of its own: it waits for any child.
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20)
        assert done.stdout == b"3\ngone\n", done.stderr

    def test_workers_are_replaced(self):
        with ContainerProcess("crew:app", workers=2) as server:
            server.wait_for("^started", count=2)
            server.send_signal(signal.SIGHUP)
            server.wait_for("^started", count=4)
            assert server.stop() == 0


def instructions() -> list[tuple[str, str]]:
    """The lines of the Containerfile, those that go on in the next one joined."""
    text = re.sub(r"\\\n\s*", "", (FOLDER / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def only(name: str) -> str:
    """What the last stage says for an instruction that may be there once."""
    (value,) = [value for word, value in instructions() if word == name]
    return value


class TestContainerfile:
    def test_the_command_is_tercels_own_process(self):
        # Brackets: no shell, which would be process 1 and keep the signals to itself.
        words = json.loads(only("CMD"))
        assert words[:3] == ["tercel", "serve", "main:app"]
        settings = load(command_line=parse(words[3:], "tercel serve").settings)
        assert settings.binds() == [f"0.0.0.0:{only('EXPOSE')}"]
        assert only("STOPSIGNAL") == "SIGTERM"

    def test_the_user_is_a_number_and_not_root(self):
        # Kubernetes cannot tell of a name whether it is root's (runAsNonRoot).
        assert int(only("USER")) > 0

    def test_what_it_copies_is_there_and_is_all_that_a_build_reads(self):
        copied: set[str] = set()
        for word, value in instructions():
            if word == "COPY" and value.startswith("--from=tercel "):
                copied.update(value.split()[1:-1])
        assert all((ROOT / name).exists() for name in copied)
        cmake = (ROOT / "CMakeLists.txt").read_text()
        layers = {name.split("/")[0] for name in re.findall(r"add_subdirectory\(([\w/]+)", cmake)}
        developers = {"tests", "bench", "examples"}
        assert layers - developers <= copied
        assert {
            "CMakeLists.txt",
            "pyproject.toml",
            "README.md",
            "LICENSE",
            "cmake",
            "src",
        } <= copied

    def test_the_health_check_tells_a_server_that_answers(self):
        if importlib.util.find_spec("fastapi") is None:
            pytest.skip("fastapi is not installed")
        words = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
        assert words[0] == "python"

        def health(port: int) -> int:
            code = words[2].replace(":8000/", f":{port}/")
            assert code != words[2]
            command = [sys.executable, words[1], code]
            return subprocess.run(command, capture_output=True, timeout=20).returncode

        with ContainerProcess("main:app", app_dir=FOLDER, host="0.0.0.0") as server:
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)", server.output)[1])
            assert health(port) == 0
            assert server.stop() == 0
            assert health(port) == 1
