"""Worker processes: how they start, what becomes of one that dies, and how they are replaced and
end. That nothing is lost meanwhile: test_workers_load.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.crew import Site, children, runs, serve_from_shell
from support.http1 import RawClient
from support.processes import SANITIZED, cpu_seconds, open_files
from support.server import APPS, ServerProcess
from support.waiting import wait_until
from support.websocket import WebSocketClient
from tercel import _core
from tercel.workers.line import make_line, read_messages, tell


def served_by(server: ServerProcess, count: int = 40) -> set[int]:
    """The workers that answer, each on its turn."""
    return {int(server.request("GET", "/").body) for _ in range(count)}


def pids(server: ServerProcess) -> list[int]:
    return children(server.pid)


def all_serve(server: ServerProcess, count: int) -> list[int]:
    return Site(server).all_serve(count)


def read_until(client: RawClient, text: bytes) -> None:
    got = b""
    while text not in got:
        got += client.read_some()


@pytest.fixture
def crew(serve: Any) -> Callable[..., ServerProcess]:
    def start(**settings: Any) -> ServerProcess:
        settings.setdefault("workers", 2)
        return serve("crew:app", access_log=False, **settings)

    return start


# --- what a worker says


def test_the_reason_of_a_failure_arrives_as_it_was_told() -> None:
    ours, theirs = make_line()
    # As of a path that is no UTF-8.
    reason = "Cannot read  'caf\udce9':\nno such file."
    with ours, theirs:
        tell(theirs, "failed", reason, 3)
        tell(theirs, "alive")
        assert read_messages(ours) == ([("failed", reason, 3), ("alive", "", 0)], True)
        theirs.close()
        assert read_messages(ours) == ([], False)


# --- the start


def test_the_platform_tells_their_number(serve: Any) -> None:
    server = serve("crew:app", access_log=False, env={"WEB_CONCURRENCY": "2"})
    assert len(all_serve(server, 2)) == 2


def test_workers_share_the_socket_and_the_import(crew: Any) -> None:
    server = crew(workers=3)
    workers = pids(server)
    assert len(workers) == 3
    assert server.pid not in workers
    wait_until(lambda: served_by(server) == set(workers), "each of them serves")
    imported = {int(server.request("GET", "/imported").body) for _ in range(20)}
    assert imported == {server.pid}
    assert "3 worker(s)" in server.output
    assert server.stop() == 0
    assert sorted(map(int, re.findall(r"^ended (\d+)", server.output, re.MULTILINE))) == workers


def test_without_preload_each_worker_imports(crew: Any) -> None:
    server = crew(preload=False)
    workers = set(pids(server))
    wait_until(
        lambda: {int(server.request("GET", "/imported").body) for _ in range(20)} == workers,
        "each has imported the application",
    )


def test_zero_is_one_for_each_processor(crew: Any) -> None:
    assert len(pids(crew(workers=0))) == _core.processors()


def test_a_processor_that_is_not_ours_does_not_count(crew: Any) -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        server = crew(workers=0)
    finally:
        os.sched_setaffinity(0, before)
    assert len(pids(server)) == 1


def test_one_is_this_process(crew: Any) -> None:
    server = crew(workers=1)
    assert served_by(server, 2) == {server.pid}
    assert pids(server) == []


def test_a_thread_of_the_import_is_warned_of(crew: Any) -> None:
    server = crew(env={"CREW_THREAD": "1"})
    assert "started 1 thread(s) (imported), which the workers do not have" in server.output


@pytest.mark.parametrize("preload", [True, False])
@pytest.mark.parametrize(
    ("failure", "status", "sentence"),
    [
        ("import", 1, "crew could not be imported: it raised RuntimeError."),
        ("startup", 3, "The application failed to start up: it was to fail."),
        ("exit", 41, "ended with status 41 before it served."),
    ],
)
def test_a_worker_that_cannot_start_stops_the_server(
    failure: str, status: int, sentence: str, preload: bool
) -> None:
    server = ServerProcess(
        "crew:app", workers=4, preload=preload, env={"CREW_FAILS": failure}, access_log=False
    )
    try:
        server.start()
        assert server.wait() == status
        assert server.output.count(sentence) == 1
        assert ("the import was to fail" in server.output) == (failure == "import")
    finally:
        server.kill()


def test_python_code_behind_serve_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import atexit, os, tercel\n"
        "async def app(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        "atexit.register(lambda: os.write(1, b'exit of %d\\n' % os.getpid()))\n"
        "try:\n"
        "    tercel.serve(app, port=0, workers=2)\n"
        "finally:\n"
        "    os.write(1, b'behind %d\\n' % os.getpid())\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Serving" in line:
            process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert [line for line in lines if line.startswith("behind")] == [f"behind {process.pid}\n"]
    # What is registered with atexit runs in each of them.
    assert len([line for line in lines if line.startswith("exit of")]) == 3


def test_only_the_main_thread_has_workers() -> None:
    program = (
        "import threading, tercel\n"
        "def run():\n"
        "    try: tercel.serve('crew:app', workers=2)\n"
        "    except tercel.SettingError as error: print(error)\n"
        "thread = threading.Thread(target=run); thread.start(); thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "workers needs the main thread, which is where signals are heard.\n"


# --- a worker that dies


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/exit?7", r"Worker (\d+) ended with status 7; another one takes its place"),
        pytest.param(
            "/crash",
            r"Worker (\d+) was killed by SIGSEGV; another one takes its place",
            marks=pytest.mark.skipif(SANITIZED, reason="the sanitizer catches it"),
        ),
    ],
)
def test_a_worker_that_dies_is_replaced(crew: Any, target: str, said: str) -> None:
    server = crew(workers=2)
    before = all_serve(server, 2)
    time.sleep(1.1)  # Else it is taken for a loop of crashes, and waited for.
    with server.connect() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert client.read_to_close() == b""
    died = int(server.wait_for(said)[1])
    after = all_serve(server, 2)
    assert set(before) - set(after) == {died}
    wait_until(lambda: served_by(server) == set(after), "both serve")
    if target == "/crash":
        assert "Fatal Python error: Segmentation fault" in server.output
        assert "in app" in server.output


def test_a_killed_worker_is_replaced_at_once(crew: Any) -> None:
    server = crew(workers=2)
    all_serve(server, 2)
    time.sleep(1.1)
    victim = pids(server)[0]
    begin = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(pids(server)) == 2 and victim not in pids(server), "another one")
    assert time.monotonic() - begin < (2.0 if SANITIZED else 0.5)
    server.wait_for(rf"Worker {victim} was killed by SIGKILL")


def test_a_loop_of_crashes_backs_off(crew: Any, tmp_path: Path) -> None:
    wish = tmp_path / "wish"
    wish.write_text("")
    server = crew(workers=2, env={"CREW_FAILS": str(wish)}, preload=False)
    all_serve(server, 2)
    time.sleep(1.1)
    wish.write_text("exit")
    os.kill(pids(server)[0], signal.SIGKILL)
    server.wait_for(r"before it served\. Trying again in 1 s", timeout=20)
    server.wait_for(r"before it served\. Trying again in 2 s", timeout=20)
    assert server.request("GET", "/").status == 200  # The other one serves.
    wish.write_text("")
    all_serve(server, 2)


def test_when_no_worker_is_left_and_none_can_start_the_server_ends(
    crew: Any, tmp_path: Path
) -> None:
    wish = tmp_path / "wish"
    wish.write_text("")
    server = crew(workers=2, env={"CREW_FAILS": str(wish)})
    all_serve(server, 2)
    wish.write_text("startup")
    for pid in pids(server):
        os.kill(pid, signal.SIGKILL)
    assert server.wait() == 3
    assert "The application failed to start up: it was to fail." in server.output


def test_a_worker_that_stands_still_shows_its_stacks_and_is_replaced(crew: Any) -> None:
    server = crew(workers=2, timeout_worker=1)
    before = all_serve(server, 2)
    with server.connect() as client:
        client.send(b"GET /block HTTP/1.1\r\nHost: a\r\n\r\n")
        said = server.wait_for(r"Worker (\d+) stood still for 1 s \(timeout-worker\)")
        assert client.read_to_close() == b""
    # The others serve meanwhile, and its place is taken.
    wait_until(lambda: int(said[1]) not in pids(server), "it has ended")
    after = all_serve(server, 2)
    assert set(before) - set(after) == {int(said[1])}
    assert "crew.py" in server.output
    assert "in app" in server.output


def test_workers_end_without_their_supervisor(crew: Any) -> None:
    server = crew(workers=2)
    workers = all_serve(server, 2)
    with server.connect() as client:
        client.send(b"GET /sleep?0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 0.3")
        os.kill(server.pid, signal.SIGKILL)
        assert b"200 OK" in client.read_to_close()
    gone = lambda: not any(runs(pid) for pid in workers)  # noqa: E731
    wait_until(gone, "the workers have ended")
    with pytest.raises(ConnectionRefusedError), server.connect():
        pass


# --- SIGHUP


def test_hup_replaces_the_workers_one_at_a_time(crew: Any) -> None:
    server = crew(workers=2)
    before = all_serve(server, 2)
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: not set(before) & set(pids(server)), "others")
    after = all_serve(server, 2)
    lines = [line for line in server.output.splitlines() if re.match("(started|ended) ", line)]
    words = [line.split()[0] for line in lines[2:]]
    # A new one is ready before an old one ends.
    assert words == ["started", "ended", "started", "ended"] or words == [
        "started",
        "started",
        "ended",
        "ended",
    ]
    wait_until(lambda: served_by(server) == set(after), "the new ones serve")


def test_hup_reads_the_settings_again(serve: Any, tmp_path: Path) -> None:
    config = tmp_path / "tercel.toml"
    config.write_text('workers = 1\nlimit_worker_lifetime = "1h"\nheader = ["x-version: 1"]\n')
    server = serve("crew:app", access_log=False, config=config)
    assert server.request("GET", "/").get("x-version") == "1"
    config.write_text('workers = 2\nheader = ["x-version: 2"]\n')
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: server.request("GET", "/").get("x-version") == "2", "the new setting")
    all_serve(server, 2)
    config.write_text("workers = 2\nnonsense = 1\n")
    server.send_signal(signal.SIGHUP)
    server.wait_for(r"The workers stay as they were\. 'nonsense' in \S+ is not a setting")
    assert len(pids(server)) == 2


def test_hup_with_new_code_that_does_not_start_keeps_the_old(crew: Any, tmp_path: Path) -> None:
    wish = tmp_path / "wish"
    wish.write_text("")
    server = crew(workers=2, preload=False, env={"CREW_FAILS": str(wish)})
    before = all_serve(server, 2)
    wish.write_text("import")
    server.send_signal(signal.SIGHUP)
    server.wait_for(r"it raised RuntimeError\. The workers stay as they were\.")
    assert pids(server) == before
    # And again, once it does.
    wish.write_text("")
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: not set(before) & set(pids(server)), "others")
    all_serve(server, 2)


def test_hup_lets_a_long_request_finish(crew: Any) -> None:
    server = crew(workers=1, limit_worker_lifetime=3600)
    with server.connect() as client:
        client.send(b"GET /sleep?0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 0.3")
        (old,) = pids(server)
        server.send_signal(signal.SIGHUP)
        answer = client.read_to_close()
        assert answer.endswith(str(old).encode())
        assert b"\r\nconnection: close\r\n" in answer.lower()
    wait_until(lambda: pids(server) != [old] and len(pids(server)) == 1, "another one")


# --- how many


def test_ttin_and_ttou_change_their_number(crew: Any) -> None:
    server = crew(workers=1, limit_worker_lifetime=3600)
    server.send_signal(signal.SIGTTIN)
    all_serve(server, 2)
    server.send_signal(signal.SIGTTOU)
    all_serve(server, 1)
    server.send_signal(signal.SIGTTOU)  # One is the least.
    server.wait_for(r"1 worker\(s\) from now on", count=2)
    assert server.request("GET", "/").status == 200


# --- recycling


def test_a_worker_is_replaced_after_its_time(crew: Any) -> None:
    server = crew(workers=1, limit_worker_lifetime=1, recycle_jitter=0)
    (first,) = pids(server)
    server.wait_for(rf"Worker {first} is to be replaced \(limit-worker-lifetime\)")
    wait_until(lambda: first not in pids(server), "another one")
    assert server.request("GET", "/").status == 200


@pytest.mark.skipif(SANITIZED, reason="its memory is the sanitizer's")
def test_a_worker_is_replaced_for_its_memory(crew: Any) -> None:
    server = crew(workers=1, limit_worker_memory="300MiB", recycle_jitter=0)
    (first,) = pids(server)
    assert server.request("GET", "/grow?1").status == 200
    time.sleep(0.6)  # It is looked at twice.
    assert pids(server) == [first]
    assert server.request("GET", f"/grow?{300 << 20}").status == 200
    server.wait_for(rf"Worker {first} is to be replaced \(limit-worker-memory\)")
    wait_until(lambda: first not in pids(server), "another one")


def test_a_worker_is_replaced_after_its_requests(crew: Any) -> None:
    server = crew(workers=1, limit_max_requests=20, recycle_jitter=0)
    (first,) = pids(server)
    assert served_by(server, 19) == {first}
    time.sleep(0.6)
    assert pids(server) == [first]
    served_by(server, 1)
    server.wait_for(rf"Worker {first} is to be replaced \(limit-max-requests\)")
    wait_until(lambda: first not in pids(server), "another one")
    assert server.request("GET", "/").status == 200


# --- what is counted


def state(server: ServerProcess) -> Any:
    """Sends SIGUSR1 and returns what the server shows."""
    shown = server.output.count("State: ")
    server.send_signal(signal.SIGUSR1)
    return json.loads(server.wait_for(r"State: (.*)$", count=shown + 1)[1])


def state_after(server: ServerProcess, requests: int) -> Any:
    """What it shows once it has counted so many: a client has its answer a moment before."""

    def shown() -> Any:
        now = state(server)
        return now if now["total"]["requests"] == requests else None

    return wait_until(shown, f"{requests} requests are counted")


@pytest.mark.parametrize("workers", [1, 2])
def test_usr1_shows_the_state(crew: Any, workers: int) -> None:
    server = crew(workers=workers)
    served_by(server, 30)
    server.request("GET", "/sleep?x")  # Which fails.
    with server.connect() as client:
        client.send(b"GET /sleep?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 1000")
        shown = state_after(server, 31)
    assert shown["pid"] == server.pid
    assert shown["urls"] == [server.url]
    total = shown["total"]
    assert (total["requests"], total["status_2xx"], total["status_5xx"]) == (31, 30, 1)
    assert (total["active"], total["connections"], total["accepted"]) == (1, 1, 32)
    assert total["body_bytes"] > 30
    if workers > 1:
        assert [one["pid"] for one in shown["workers"]] == pids(server)
        assert {one["state"] for one in shown["workers"]} == {"serving"}
        assert sum(one["requests"] for one in shown["workers"]) == 31


@pytest.mark.skipif(SANITIZED, reason="a sanitizer ends the process otherwise")
def test_what_a_worker_counted_outlives_it(crew: Any) -> None:
    server = crew(workers=2)
    all_serve(server, 2)
    served_by(server, 20)
    time.sleep(1.1)
    state_after(server, 20)
    for pid in pids(server):
        os.kill(pid, signal.SIGKILL)
    all_serve(server, 2)
    served_by(server, 5)
    state_after(server, 25)
    server.send_signal(signal.SIGHUP)
    server.wait_for(r"^ended \d+", count=2)
    all_serve(server, 2)
    state_after(server, 25)


# --- the end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_finish(crew: Any, number: signal.Signals) -> None:
    server = crew(workers=2)
    with server.connect() as client:
        client.send(b"GET /sleep?0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 0.3")
        server.send_signal(number)
        assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0
    assert server.output.count("\nended ") == 2


def test_ctrl_c_comes_to_all_of_them_and_counts_once(crew: Any) -> None:
    server = crew(workers=2)
    with server.connect() as client:
        client.send(b"GET /sleep?0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 0.3")
        os.killpg(server.pid, signal.SIGINT)
        assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0


def test_a_second_signal_cuts_requests_off(crew: Any) -> None:
    server = crew(workers=2)
    with server.connect() as client:
        client.send(b"GET /sleep?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 1000")
        server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert client.read_to_close() == b""
    assert server.wait() == 128 + signal.SIGTERM
    assert "\nended " in server.output


def test_a_third_signal_kills(crew: Any) -> None:
    server = crew(workers=1, limit_worker_lifetime=3600, env={"CREW_ENDS_IN": "1000"})
    for _ in range(3):
        server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert server.wait(10) == 128 + signal.SIGTERM


def test_a_worker_that_does_not_end_is_killed(crew: Any) -> None:
    server = crew(
        workers=1,
        limit_worker_lifetime=3600,
        timeout_graceful_shutdown=0.1,
        timeout_lifespan_shutdown=0.1,
        timeout_worker=0,
    )
    with server.connect() as client:
        client.send(b"GET /block HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        assert client.read_to_close() == b""
    assert server.wait() == 0
    assert "has not ended in time: killed." in server.output


def test_streams_and_websockets_hear_of_the_end(crew: Any) -> None:
    server = crew(workers=2, timeout_stream_grace=0.3, timeout_graceful_shutdown=10)
    begin = time.monotonic()
    with server.connect() as client, WebSocketClient(server.address, "/") as websocket:
        client.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(client, b"data: begin\n\n")
        server.send_signal(signal.SIGTERM)
        assert b"data: end\n\n" in client.read_to_close()
        assert websocket.read_close().code == 1012
    assert server.wait() == 0
    assert time.monotonic() - begin < 10


# --- another program in place of this one


def successor_of(server: ServerProcess) -> int:
    return int(server.wait_for(r"Process (\d+) serves: this one ends")[1])


@pytest.mark.parametrize("unix", [False, True])
def test_usr2_hands_the_sockets_to_a_new_program(crew: Any, tmp_path: Path, unix: bool) -> None:
    path = tmp_path / "socket"
    server = crew(**({"port": None, "uds": path} if unix else {}))
    old = all_serve(server, 2)
    with server.connect() as client:
        client.send(b"GET /sleep?1 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 1")
        server.send_signal(signal.SIGUSR2)
        successor = successor_of(server)
        wait_until(lambda: served_by(server, 10).isdisjoint(old), "only the new one serves")
        assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0
    try:
        assert not any(runs(pid) for pid in old)
        assert served_by(server, 4)
        assert path.is_socket() == unix
    finally:
        os.kill(successor, signal.SIGTERM)
        wait_until(lambda: not runs(successor), "the new one has ended")
    assert not path.exists()


def test_usr2_with_a_program_that_does_not_start_changes_nothing(crew: Any, tmp_path: Path) -> None:
    wish = tmp_path / "wish"
    wish.write_text("")
    server = crew(workers=2, env={"CREW_FAILS": str(wish)})
    before = all_serve(server, 2)
    wish.write_text("import")
    server.send_signal(signal.SIGUSR2)
    server.wait_for(r"Process \d+ ended with status 1 before it served: this one goes on")
    assert pids(server) == before
    assert served_by(server, 10) <= set(before)
    # And the next time it does.
    wish.write_text("")
    server.send_signal(signal.SIGUSR2)
    successor = successor_of(server)
    assert server.wait() == 0
    os.kill(successor, signal.SIGTERM)
    wait_until(lambda: not runs(successor), "the new one has ended")


def test_a_failed_upgrade_leaves_the_path_of_a_unix_socket(crew: Any, tmp_path: Path) -> None:
    wish, path = tmp_path / "wish", tmp_path / "socket"
    wish.write_text("")
    server = crew(port=None, uds=path, env={"CREW_FAILS": str(wish)})
    wish.write_text("import")
    server.send_signal(signal.SIGUSR2)
    server.wait_for("before it served: this one goes on")
    assert path.is_socket()
    assert server.request("GET", "/").status == 200
    assert server.stop() == 0
    assert not path.exists()


def test_the_end_during_an_upgrade_is_that_of_both(crew: Any) -> None:
    server = crew(workers=2, preload=False, env={"CREW_SLOW_IMPORT": "0.3"})
    server.send_signal(signal.SIGUSR2)
    successor = int(server.wait_for(r"Process (\d+) is to take over")[1])
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    wait_until(lambda: not runs(successor), "the new one has ended")
    with pytest.raises(ConnectionRefusedError), server.connect():
        pass


def test_a_death_and_an_upgrade_at_once(crew: Any) -> None:
    """Descriptors of the dead worker are closed, and the upgrade opens new ones."""
    server = crew(workers=2)
    victim = all_serve(server, 2)[0]
    time.sleep(1.1)
    server.send_signal(signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    time.sleep(0.1)
    server.send_signal(signal.SIGUSR2)
    server.send_signal(signal.SIGCONT)
    successor = successor_of(server)
    assert server.wait() == 0
    os.kill(successor, signal.SIGTERM)
    wait_until(lambda: not runs(successor), "the new one has ended")


# --- signals at other times


@pytest.mark.parametrize("pause", [None, 0.0, 0.01])
def test_a_signal_to_all_processes_of_the_service_cuts_nothing_off(
    crew: Any, pause: float | None
) -> None:
    """As systemd and platforms may send it: each worker gets one, beside the supervisor's."""
    server = crew()
    workers = all_serve(server, 2)
    with server.connect() as client:
        client.send(b"GET /sleep?0.5 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 0.5")
        if pause is None:
            os.killpg(server.pid, signal.SIGTERM)
        else:
            server.send_signal(signal.SIGTERM)
            time.sleep(pause)
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):  # The idle one may be gone.
                    os.kill(pid, signal.SIGTERM)
        assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 0), (signal.SIGUSR1, 0)],
)
def test_a_signal_during_the_import(number: signal.Signals, status: int) -> None:
    server = ServerProcess("crew:app", workers=2, access_log=False, env={"CREW_SLOW_IMPORT": "0.7"})
    try:
        server.start()
        server.wait_for("importing")
        server.send_signal(number)
        if not status:  # It has its effect once there are workers.
            server.wait_for("Serving")
            server.send_signal(signal.SIGTERM)
        assert server.wait() == status
    finally:
        server.kill()


def test_children_that_are_not_waited_for() -> None:
    """A shell may have left SIGCHLD ignored, and then there is nothing to wait for."""
    process = serve_from_shell(
        "trap '' CHLD", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "Serving" in line:
                os.kill(children(process.pid)[0], signal.SIGKILL)
            if "another one takes its place" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_wsgi_application_in_a_worker_answers_more_than_once(serve: Any) -> None:
    server = serve("crew:wsgi", workers=2, access_log=False)
    workers = pids(server)
    bodies = {bytes(server.request("GET", "/").body).decode() for _ in range(20)}
    assert bodies <= {f"{pid} True" for pid in workers}
    assert pids(server) == workers


# --- what is left


def test_replaced_workers_leave_no_descriptor_behind(crew: Any) -> None:
    server = crew(workers=2)
    all_serve(server, 2)
    before = open_files(server.pid)
    for _ in range(5):
        old = pids(server)
        server.send_signal(signal.SIGHUP)
        wait_until(lambda old=old: not set(old) & set(pids(server)), "others")
        all_serve(server, 2)
    assert open_files(server.pid) == before
    files = {open_files(pid) for pid in pids(server)}
    assert max(files) - min(files) <= 1


def test_logs_are_opened_again_by_all(crew: Any, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    server = crew(workers=2, arguments=["--access-log"], access_log_file=log)
    workers = set(all_serve(server, 2))
    wait_until(lambda: served_by(server) == workers, "both serve")
    log.rename(tmp_path / "old.log")
    server.send_signal(signal.SIGUSR1)
    wait_until(log.exists, "a new file")
    time.sleep(0.2)
    before = (tmp_path / "old.log").read_text().count("\n")
    wait_until(lambda: served_by(server) == workers, "both serve again")
    time.sleep(0.2)
    assert (tmp_path / "old.log").read_text().count("\n") == before


def test_systemd_is_told_by_the_supervisor(crew: Any, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(20)
        server = crew(workers=2, env={"NOTIFY_SOCKET": address})
        assert manager.recv(1000) == b"READY=1"
        assert len(pids(server)) == 2
        server.stop()
        assert manager.recv(1000) == b"STOPPING=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(1000)


# --- development


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    write(tmp_path / "site" / "code.py", "one")
    return tmp_path / "site"


def write(path: Path, text: str) -> None:
    path.write_text(
        "async def app(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        f"    await send({{'type': 'http.response.body', 'body': b'{text}'}})\n"
    )


def body(server: ServerProcess) -> bytes:
    return bytes(server.request("GET", "/").body)


def test_reload_serves_what_was_written(serve: Any, project: Path) -> None:
    server = serve("code:app", app_dir=project, reload=True)
    assert body(server) == b"one"
    for text in ("second", "3"):
        write(project / "code.py", text)
        server.wait_for(r"Restarting: \S*code.py changed", count=1)
        wait_until(lambda text=text: body(server) == text.encode(), "the new code")


def test_reload_waits_for_the_next_edit_after_a_mistake(serve: Any, project: Path) -> None:
    server = serve("code:app", app_dir=project, reload=True)
    (project / "code.py").write_text("this is no Python\n")
    server.wait_for(r"it raised SyntaxError\. Waiting for a file to change")
    assert "SyntaxError" in server.output
    with server.connect() as client:
        # It waits in the backlog until somebody serves again.
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        write(project / "code.py", "mended")
        assert client.response().body == b"mended"


def test_reload_knows_which_files_matter(serve: Any, project: Path) -> None:
    (project / "node_modules").mkdir()
    (project / "made").mkdir()
    server = serve(
        "code:app",
        app_dir=project,
        reload=True,
        reload_include=["*.py", "*.toml"],
        reload_exclude=["made", "*_test.py"],
    )
    for name in ("node_modules/a.py", "made/b.py", "c_test.py", "notes.txt"):
        (project / name).write_text("")
    time.sleep(1.5)
    assert "Restarting" not in server.output
    (project / "new").mkdir()
    (project / "new" / "d.toml").write_text("")
    server.wait_for(r"Restarting: \S*new/d.toml changed")


def test_reload_cuts_a_stream_off_soon(serve: Any, project: Path) -> None:
    server = serve("crew:app", reload=True, reload_dir=[project])
    with server.connect() as client:
        client.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(client, b"data: begin\n\n")
        begin = time.monotonic()
        write(project / "code.py", "other")
        client.read_to_close()
        assert time.monotonic() - begin < 4
    assert server.request("GET", "/").status == 200


def test_the_end_while_reloading_costs_nothing(serve: Any, project: Path) -> None:
    server = serve("crew:app", reload=True, reload_dir=[project])
    with server.connect() as client:
        client.send(b"GET /sleep?2 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("sleeping 2")
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        before = cpu_seconds(server.pid)
        time.sleep(1.3)  # Past the next look at the files.
        assert cpu_seconds(server.pid) - before < 0.3
        assert b"200 OK" in client.read_to_close()
    assert server.wait() == 0


def test_a_folder_that_is_none_is_refused() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tercel",
            "serve",
            "crew:app",
            "--reload",
            "--reload-dir",
            "nowhere",
        ],
        cwd=APPS,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == "tercel: reload-dir must be a folder that exists, not 'nowhere'.\n"


def test_a_client_is_served_while_it_reads_slowly_and_its_worker_is_replaced(crew: Any) -> None:
    """A request that was not sent whole when its worker is to end is still answered by it."""
    server = crew(workers=2)
    with server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        server.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        client.send(b"Host: a\r\n\r\n")
        assert b"200 OK" in client.read_to_close()
