"""`tercel serve` as a process: what it says, and with which status it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.fixtures import ServeProcess
from support.http1 import RawClient
from support.server import APPS, ServerProcess

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def start(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs `tercel WORDS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tercel", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **env},
        cwd=APPS,
    )


@pytest.fixture
def unready(request):
    """Starts servers that do not get so far as to listen."""
    started: list[ServerProcess] = []

    def begin(target: str, **settings) -> ServerProcess:
        server = ServerProcess(target, **settings)
        server.start()
        started.append(server)
        return server

    yield begin
    for server in started:
        server.kill()


class TestBanner:
    def test_says_what_is_served_where_and_how_to_stop_it(self, serve: ServeProcess):
        server = serve("process:app")
        server.wait_for(r"stops it")
        assert re.search(
            rf"INFO     tercel \d+\.\d+\.\d+ on CPython 3\.\d+\.\d+, tercel event loop, pid"
            rf" {server.pid}\n",
            server.output,
        )
        assert re.search(
            rf"INFO     Serving process:app on {re.escape(server.url)} \(kill {server.pid} stops"
            r" it\)\n",
            server.output,
        )

    def test_has_colour_only_where_it_is_asked_for(self, serve: ServeProcess):
        assert "\33[" not in serve("process:app").output
        assert "\33[1mhttp://" in serve("process:app", use_colors=True).output

    def test_of_every_address_names_one_that_can_be_opened(self, serve: ServeProcess):
        server = serve("process:app", host="0.0.0.0")
        assert f"Serving process:app on {server.url} (every address)" in server.output
        assert server.request().status == 200

    @pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
    def test_names_the_loop_that_runs(self, serve: ServeProcess, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        server = serve("process:app", loop=loop)
        assert f", {loop} event loop, " in server.output
        assert server.request().body == b"text"


class TestAddresses:
    def test_several_binds(self, serve: ServeProcess, tmp_path: Path):
        path = str(tmp_path / "s")
        server = serve("process:app", port=None, bind=["127.0.0.1:0", "[::1]:0", f"unix:{path}"])
        server.wait_for("stops it")
        urls = re.search(r"on (\S+) and (\S+) and (\S+) \(", server.output)
        assert urls is not None
        assert urls[3] == f"unix:{path}"
        assert server.request().status == 200
        for address in (("::1", int(urls[2].rpartition(":")[2])), path):
            server.address = address
            assert server.request().status == 200

    def test_the_unix_socket_has_its_mode_and_goes_with_the_server(
        self, serve: ServeProcess, tmp_path: Path
    ):
        path = tmp_path / "s"
        server = serve("process:app", port=None, uds=path, uds_mode="0600")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert server.request().status == 200
        assert server.stop() == 0
        assert not path.exists()

    def test_a_descriptor_that_listens_already(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            number = listening.fileno()
            process = subprocess.Popen(
                [sys.executable, "-m", "tercel", "serve", "process:app", "--fd", str(number)],
                cwd=APPS,
                pass_fds=[number],
                stderr=subprocess.PIPE,
            )
            try:
                host, port = listening.getsockname()
                with socket.create_connection((host, port), timeout=20) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            finally:
                process.terminate()
                assert process.wait(20) == 0
                process.stderr.close()

    def test_a_port_in_use_is_one_sentence(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = start("serve", "process:app", "--bind", address)
        assert done.returncode == 1
        assert done.stderr == (
            f"tercel: Cannot listen on {address}: another process listens there: stop it, or"
            " choose another address.\n"
        )
        assert "startup" not in done.stdout

    def test_an_address_of_another_machine_is_one_sentence(self):
        done = start("serve", "process:app", "--host", "192.0.2.1")
        assert done.returncode == 1
        assert done.stderr.startswith("tercel: Cannot listen on 192.0.2.1:8000: this machine has")

    def test_a_name_that_nobody_knows_is_one_sentence(self):
        done = start("serve", "process:app", "--host", "no-such-host.invalid", "--port", "0")
        assert done.returncode == 1
        assert done.stderr.startswith("tercel: Cannot listen on no-such-host.invalid:0: ")
        # Without a network, the resolver may say that it cannot tell.
        assert re.search(r" an address of this machine( in place of the name)?\.$", done.stderr)
        assert done.stderr.count("\n") == 1

    def test_a_descriptor_that_does_not_listen_is_one_sentence(self):
        done = start("serve", "process:app", "--fd", "0")
        assert done.returncode == 1
        assert done.stderr.startswith("tercel: Cannot listen on fd://0: ")
        assert done.stderr.count("\n") == 1


class TestSources:
    def test_variables_and_a_file_reach_the_server(self, serve: ServeProcess, tmp_path: Path):
        file = tmp_path / "t.toml"
        file.write_text('header = ["x-from: file"]\nserver_header = false\n')
        server = serve(
            "process:app", env={"TERCEL_CONFIG": str(file), "TERCEL_HEADER": "x-from: variable"}
        )
        answer = server.request()
        assert answer.get("x-from") == "variable"
        assert answer.get("server") is None
        assert answer.get("date") is not None

    def test_a_field_of_the_settings_replaces_that_of_the_server(self, serve: ServeProcess):
        server = serve("process:app", header=["Server: mine", "DATE: today"])
        answer = server.request()
        assert [value for name, value in answer.headers if name.lower() in ("server", "date")] == [
            "mine",
            "today",
        ]

    def test_a_misspelt_variable_is_told(self, serve: ServeProcess):
        server = serve("process:app", env={"TERCEL_PROT": "1"})
        server.wait_for(
            r"WARNING  The variable TERCEL_PROT is not a setting: did you mean TERCEL_PORT\?"
        )

    def test_an_env_file_is_there_for_the_application(self, serve: ServeProcess, tmp_path: Path):
        (tmp_path / "env").write_text("CONF_TEXT=from the file\n")
        server = serve("process:app", env_file=tmp_path / "env")
        assert server.request().body == b"from the file"

    def test_a_factory_is_called_once(self, serve: ServeProcess):
        server = serve("process:make", factory=True)
        assert server.request().body == b"text"
        assert server.output.count("made by") == 1

    def test_the_folder_it_is_started_in_is_importable(self):
        assert start("check", "process:app", "--app-dir", ".").returncode == 0
        assert start("check", "process:app").returncode == 0


class TestEnd:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_shuts_down_and_the_status_is_0(self, serve: ServeProcess, number):
        server = serve("process:app")
        assert server.request().status == 200
        assert server.stop(number) == 0
        assert "shutdown\n" in server.output

    @pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
    def test_a_request_may_finish(self, serve: ServeProcess, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        server = serve("process:app", loop=loop)
        with server.connect() as client:
            client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            server.send_signal(signal.SIGTERM)
            assert client.response().status == 200
        assert server.wait() == 0

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_second_signal_cuts_requests_off(self, serve: ServeProcess, number):
        server = serve("process:app")
        with server.connect() as client:
            client.send("GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            server.send_signal(number)
            server.wait_for(r"Shutting down: 1 open request")
            server.send_signal(number)
            assert server.wait(10) == 128 + number
        assert "Cutting off 1 request(s)." in server.output
        assert "shutdown\n" in server.output

    def test_a_third_signal_ends_a_process_that_does_not_listen(self, serve: ServeProcess):
        server = serve("process:app")
        with server.connect() as client:
            client.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            for _ in range(3):
                server.send_signal(signal.SIGINT)
                time.sleep(0.2)
            assert server.wait(5) == 130

    def test_the_deadline_cuts_requests_off_and_the_status_is_0(self, serve: ServeProcess):
        server = serve("process:app", timeout_graceful_shutdown=0.2)
        with server.connect() as client:
            client.send("GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            assert server.stop() == 0

    def test_a_second_signal_ends_the_lifespan_shutdown(self, serve: ServeProcess):
        server = serve("process:slow_shutdown")
        server.send_signal(signal.SIGINT)
        server.wait_for("shutting down")
        server.send_signal(signal.SIGINT)
        assert server.wait(8) == 130
        assert "shutdown ended" in server.output
        assert "Cutting the application's shutdown short." in server.output

    def test_a_shutdown_that_ignores_its_time_limit_is_left(self, serve: ServeProcess):
        server = serve("process:stubborn_shutdown", timeout_lifespan_shutdown=0.2)
        assert server.stop(timeout=12) == 3
        assert "still runs after 1 s: it ignores CancelledError." in server.output
        assert "Leaving 1 task(s) behind that ignore their cancellation: lifespan." in server.output
        assert "did not shut down within 0.2 s" in server.output
        assert "Traceback" not in server.output

    @pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
    def test_a_request_that_ignores_its_cancellation_is_left(self, serve: ServeProcess, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        server = serve("process:app", timeout_graceful_shutdown=0.2, loop=loop)
        with server.connect() as client:
            client.send("GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            assert server.stop(timeout=12) == 0
        assert "Leaving 1 task(s) behind" in server.output
        assert "Traceback" not in server.output

    @pytest.mark.parametrize("loop", ["tercel", "asyncio"])
    def test_a_thread_that_does_not_return_is_left(self, serve: ServeProcess, loop: str):
        server = serve("process:app", timeout_graceful_shutdown=0.2, loop=loop)
        with server.connect() as client:
            client.send("GET /thread HTTP/1.1\r\nHost: x\r\n\r\n")
            server.wait_for("begun")
            assert server.stop(timeout=12) == 0
        assert "Leaving 1 thread(s) behind whose function does not return" in server.output
        assert "Traceback" not in server.output

    def test_a_failed_shutdown_is_status_3(self, serve: ServeProcess):
        server = serve("process:failing_shutdown")
        assert server.stop() == 3
        assert server.output.endswith("tercel: The application failed to shut down: stuck.\n")


class TestClosedStreams:
    @pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&- >&-", "2>&-"])
    def test_are_the_null_device(self, tmp_path: Path, closed: str):
        path = str(tmp_path / "s")
        words = [sys.executable, "-m", "tercel", "serve", "process:app", "--uds", path]
        process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" {closed}', "sh", *words],
            cwd=APPS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + 20
            while not os.path.exists(path) and time.monotonic() < end:
                time.sleep(0.02)
            with RawClient(path) as client:
                assert client.request().status == 200
            for number in range(3):
                assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
        finally:
            process.terminate()
            assert process.wait(20) == 0

    def test_do_not_keep_a_library_user_from_serving(self):
        done = TestFromPython().run(
            "import sys; sys.stderr = None\n"
            "import os, signal, threading, tercel, process\n"
            "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "tercel.serve(process.app, port=0)\n"
        )
        assert done.returncode == 0
        assert done.stdout == "startup\nshutdown\n"


class TestStart:
    def test_a_failed_start_up_is_status_3(self):
        done = start("serve", "process:failing_start", "--port", "0")
        assert done.returncode == 3
        assert done.stderr == "tercel: The application failed to start up: no database.\n"

    def test_a_start_up_that_takes_too_long_is_status_3(self):
        words = ["serve", "process:slow_start", "--port", "0"]
        done = start(*words, "--timeout-lifespan-startup", "0.2")
        assert done.returncode == 3
        assert done.stderr == (
            "tercel: The application did not start up within 0.2 s: raise timeout-lifespan-startup"
            " if it needs longer.\n"
        )
        assert "start-up ended" in done.stdout

    def test_a_start_up_that_ignores_its_time_limit_is_left(self, unready):
        server = unready("process:stubborn_start", timeout_lifespan_startup=0.2)
        assert server.wait(20) == 3
        assert "still runs after 1 s: it ignores CancelledError." in server.output
        assert "did not start up within 0.2 s" in server.output

    def test_a_signal_ends_a_start_up_that_ignores_it(self, unready):
        server = unready("process:stubborn_start")
        server.wait_for("starting")
        assert server.stop(signal.SIGINT, timeout=12) == 130

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_the_start_up(self, unready, number):
        server = unready("process:slow_start")
        server.wait_for("starting")
        assert server.stop(number) == 128 + number
        assert "start-up ended" in server.output
        assert "Traceback" not in server.output

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_the_import(self, unready, number):
        server = unready("slow_import:app")
        server.wait_for("importing")
        assert server.stop(number) == 128 + number
        assert "Traceback" not in server.output

    def test_sigusr1_does_not_end_a_process_that_starts(self, unready):
        server = unready("slow_import:app")
        server.wait_for("importing")
        server.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        assert server.running
        assert server.stop() == 128 + signal.SIGTERM
        assert "Traceback" not in server.output

    def test_an_import_that_exits_says_so(self, tmp_path: Path):
        (tmp_path / "conf_exits.py").write_text("import sys\nsys.exit(5)\n")
        done = start("serve", "conf_exits:app", "--app-dir", str(tmp_path))
        assert done.returncode == 1
        # Newer Pythons point at the place.
        assert re.sub(r" +~*\^+\n", "", done.stderr) == (
            "Traceback (most recent call last):\n"
            f'  File "{tmp_path}/conf_exits.py", line 2, in <module>\n'
            "    sys.exit(5)\n"
            "SystemExit: 5\n"
            "tercel: conf_exits could not be imported: it raised SystemExit (5).\n"
        )

    def test_a_failing_import_shows_the_applications_traceback(self, tmp_path: Path):
        (tmp_path / "conf_broken.py").write_text("import conf_missing_module\n")
        done = start("serve", "conf_broken:app", "--app-dir", str(tmp_path))
        assert done.returncode == 1
        assert done.stderr == (
            "Traceback (most recent call last):\n"
            f'  File "{tmp_path}/conf_broken.py", line 1, in <module>\n'
            "    import conf_missing_module\n"
            "ModuleNotFoundError: No module named 'conf_missing_module'\n"
            "tercel: conf_broken could not be imported: it raised ModuleNotFoundError.\n"
        )


class TestLogConfig:
    def config(self, tmp_path: Path) -> dict:
        return {
            "version": 1,
            "formatters": {"own": {"format": "OWN %(name)s %(message)s"}},
            "handlers": {
                "file": {
                    "class": "logging.FileHandler",
                    "filename": str(tmp_path / "log"),
                    "formatter": "own",
                }
            },
            "loggers": {
                "tercel": {"handlers": ["file"], "level": "INFO"},
                "tercel.access": {"handlers": ["file"], "propagate": False},
            },
        }

    def serve_with(self, serve: ServeProcess, tmp_path: Path, path: Path) -> str:
        # The banner goes to the file, so the address is one that is known.
        socket_path = str(tmp_path / "s")
        server = ServerProcess("process:app", port=None, uds=socket_path, log_config=path)
        server.start()
        try:
            end = time.monotonic() + 20
            while not os.path.exists(socket_path) and time.monotonic() < end:
                time.sleep(0.02)
            server.address = socket_path
            assert server.request("GET", "/x").status == 200
            assert server.stop() == 0
        finally:
            server.kill()
        assert "INFO" not in server.output
        return (tmp_path / "log").read_text()

    def test_a_json_file_decides_where_messages_and_the_access_log_go(
        self, serve: ServeProcess, tmp_path: Path
    ):
        path = tmp_path / "log.json"
        path.write_text(json.dumps(self.config(tmp_path)))
        log = self.serve_with(serve, tmp_path, path)
        assert "OWN tercel Serving process:app on unix:" in log
        assert re.search(r'^OWN tercel\.access unix: - - .* "GET /x HTTP/1\.1" 200 4', log, re.M)

    def test_an_ini_file(self, serve: ServeProcess, tmp_path: Path):
        path = tmp_path / "log.ini"
        path.write_text(
            "[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=own\n"
            "[logger_root]\nlevel=INFO\nhandlers=file\n"
            f"[handler_file]\nclass=FileHandler\nargs=('{tmp_path / 'log'}',)\nformatter=own\n"
            "[formatter_own]\nformat=OWN %(name)s %(message)s\n"
        )
        assert "OWN tercel Serving process:app" in self.serve_with(serve, tmp_path, path)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.json", "{"),
            ("a.json", "[]"),
            ("a.json", "{}"),
            ("a.toml", "version ="),
            ("a.toml", 'version = 1\n[handlers.x]\nclass = "no.such.Class"\n'),
            ("a.ini", "nonsense"),
            ("a.ini", "[loggers]\nkeys=root\n"),
        ],
    )
    def test_a_wrong_file_is_one_sentence(self, tmp_path: Path, name: str, text: str):
        (tmp_path / name).write_text(text)
        done = start("serve", "process:app", "--log-config", str(tmp_path / name))
        assert done.returncode == 2
        assert done.stderr.startswith(f"tercel: log-config {tmp_path / name} is not a logging")
        assert done.stderr.count("\n") == 1

    def test_a_missing_file_is_one_sentence(self):
        done = start("serve", "process:app", "--log-config", "/nowhere.ini")
        assert done.returncode == 2
        assert done.stderr == (
            "tercel: log-config /nowhere.ini cannot be read: No such file or directory.\n"
        )

    def test_the_level_hides_what_is_below_it(self, unready, tmp_path: Path):
        path = str(tmp_path / "s")
        server = unready("process:app", port=None, uds=path, log_level="error")
        server.wait_for("startup")
        server.stop()
        assert "INFO" not in server.output

    def test_an_application_that_configures_logging_does_not_silence_the_server(
        self, serve: ServeProcess, tmp_path: Path
    ):
        """dictConfig() disables the loggers it does not name, and Django calls it when imported."""
        (tmp_path / "configures.py").write_text(
            "import logging.config\n"
            "def app(environ, start_response):\n"
            "    raise ValueError('told')\n"
            "logging.config.dictConfig({'version': 1})\n"
        )
        server = serve("configures:app", app_dir=tmp_path)
        assert server.request("GET", "/").status == 500
        server.wait_for("^ValueError: told$")


class TestFromPython:
    def run(self, text: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", text],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=APPS,
            env={**os.environ, **env},
        )

    def test_serve_returns_after_a_signal_and_puts_handlers_back(self):
        done = self.run(
            "import os, signal, threading, tercel, process\n"
            "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "tercel.serve(process.app, port=0)\n"
            "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
            "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
            "assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL\n"
            "print('returned')\n"
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "startup\nshutdown\nreturned\n"

    def test_serve_raises_what_keeps_it_from_starting(self):
        done = self.run(
            "import tercel\n"
            "for call in (\n"
            "    lambda: tercel.serve('process:ap'),\n"
            "    lambda: tercel.serve('process:app', port='x'),\n"
            "    lambda: tercel.serve('process:app', prot=1),\n"
            "):\n"
            "    try: call()\n"
            "    except Exception as error: print(type(error).__name__, error)\n"
        )
        assert done.stdout.splitlines() == [
            "TargetError process has no attribute 'ap': did you mean app?",
            'SettingError port must be a whole number from 0 to 65535, not "x".',
            "TypeError 'prot' is not a setting: did you mean port?",
        ], done.stderr

    def test_serve_inside_a_running_loop_says_what_to_use(self):
        done = self.run(
            "import asyncio, tercel, process\n"
            "async def main(): tercel.serve(process.app, port=0)\n"
            "try: asyncio.run(main())\n"
            "except RuntimeError as error: print(error)\n"
        )
        assert done.stdout == (
            "tercel.serve() makes an event loop of its own, and one is running in this thread"
            " already: use `await tercel.Server(app).serve()`.\n"
        )
        assert done.stderr == ""

    def test_a_thread_is_not_told_of_signals(self):
        done = self.run(
            "import os, threading, time, tercel, process\n"
            "serve = lambda: tercel.serve(process.app, port=0)\n"
            "threading.Thread(target=serve, daemon=True).start()\n"
            "time.sleep(2)\n"
            "os._exit(0)\n"
        )
        assert re.search(r"Serving process:app on http://127\.0\.0\.1:\d+\n", done.stderr)

    def test_keywords_beat_variables(self):
        done = self.run(
            "import tercel\n"
            "try: tercel.serve('process:app', host='192.0.2.1', port=1)\n"
            "except tercel.StartError as error: print(error)\n",
            TERCEL_PORT="2",
            TERCEL_HOST="192.0.2.2",
        )
        assert done.stdout.startswith("Cannot listen on 192.0.2.1:1: "), done.stderr


def test_as_many_descriptors_as_the_system_permits(serve: ServeProcess):
    server = serve("process:app")
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    soft, hard = re.search(r"^Max open files +(\d+) +(\d+)", limits, re.MULTILINE).groups()
    assert soft == hard


def test_threads_are_not_needed_for_an_idle_server(serve: ServeProcess):
    server = serve("process:app", io_threads=0)
    assert server.request().status == 200
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1
