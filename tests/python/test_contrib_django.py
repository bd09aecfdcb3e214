"""`tercel.contrib.django`: `manage.py runserver` of examples/django_site, as a person runs it.

Each test has the project in a folder of its own, where it may edit it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("django")

from support.clients import curl
from support.crew import children, runs
from support.http1 import Closed, Response
from support.server import ServerProcess
from support.tls import Authority
from support.waiting import wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "django_site"
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
MISTAKE = "SyntaxError: '(' was never closed"
# Views that only tests need.
VIEWS = """
import time

def echo(request):
    return HttpResponse(request.body)

def fail(request):
    raise RuntimeError("nobody handles this")

def sleep(request):
    print("sleeps", flush=True)
    time.sleep(float(request.GET["s"]))
    return HttpResponse("slept")

def kind(request):
    return HttpResponse(f"{type(request).__name__} {request.META['wsgi.multithread']}")
"""
URLS = """
urlpatterns += [
    path("echo", views.echo),
    path("fail", views.fail),
    path("sleep", views.sleep),
    path("kind", views.kind),
]
"""
LIFESPAN = """
django_application = application

async def application(scope, receive, send):
    if scope["type"] != "lifespan":
        return await django_application(scope, receive, send)
    for step in ("startup", "shutdown"):
        await receive()
        print(step, flush=True)
        await send({"type": f"lifespan.{step}.complete"})
"""
# The reloader looks for edits once a second. LOGGING adds a line for each record of its server.
SETTINGS = """
from django.utils import autoreload

autoreload.StatReloader.SLEEP_TIME = 0.1
ALLOWED_HOSTS = ["*"]
LOGGING = {
    "version": 1,
    "formatters": {"plain": {"format": "record %(levelname)s %(status_code)s %(args)s"}},
    "handlers": {"plain": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"django.server": {"handlers": ["plain"], "level": "INFO", "propagate": False}},
}
"""


class Runserver(ServerProcess):
    """`manage.py runserver ...` and everything it prints."""

    def __init__(self, manage: Path, *arguments: str, env: dict[str, str]) -> None:
        super().__init__("", env=env)
        self.command = [sys.executable, str(manage), "runserver", *arguments]
        self.command_line = " ".join(self.command)

    @property
    def starts(self) -> int:
        """How often it began to serve."""
        return self.output.count("Starting development server at")

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to each process. Returns the exit status."""
        os.killpg(self.pid, signal.SIGINT)
        return self.wait()


class Project:
    """A copy of the example that is served."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.folder = folder
        self._stack = stack
        for name, text in (("views", VIEWS), ("urls", URLS), ("settings", SETTINGS)):
            self.add(f"mysite/{name}.py", text)

    def add(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def change(self, name: str, old: str, new: str, done: Callable[[], Any]) -> None:
        """Edits a file, and waits until `done`.

        The reloader does not notice an edit before it has seen the file once: so it is touched
        again, as a person would save it again.
        """
        self.edit(name, old, new)

        def is_done() -> Any:
            os.utime(self.folder / name)
            time.sleep(0.1)
            return done()

        wait_until(is_done, f"what follows from {new!r} in {name}")

    def runserver(
        self, *options: str, address: str = "0", env: dict[str, str] | None = None
    ) -> Runserver:
        """Starts it on a free port, and waits until it listens."""
        arguments = [*options, address]
        server = Runserver(self.folder / "manage.py", *arguments, env=ENVIRONMENT | (env or {}))
        return self._stack.enter_context(server)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command that ends by itself."""
        return subprocess.run(
            [sys.executable, str(self.folder / "manage.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            env={**os.environ, **ENVIRONMENT},
            check=False,
        )


def page(server: Runserver) -> bytes:
    """Returns the page: on a busy machine an edit may cut one off, but none is refused."""

    def answer() -> Response | None:
        with suppress(Closed):
            return server.request("GET", "/")
        return None

    response: Response = wait_until(answer, "a page that is not cut off")
    return response.body


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with ExitStack() as stack:
        yield Project(tmp_path / "site", stack)


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def interface(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(interface: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runserver]:
    """One for the tests that change nothing."""
    with ExitStack() as stack:
        project = Project(tmp_path_factory.mktemp("shared") / "site", stack)
        env = {"TERCEL_LIMIT_REQUEST_BODY": "1000"}
        yield project.runserver("--noreload", f"--interface={interface}", env=env)


class TestServing:
    def test_the_banner_is_django_s_and_says_what_serves(
        self, server: Runserver, interface: str
    ) -> None:
        import django

        import tercel

        server.wait_for("^In production")
        said = server.output[server.output.index("Django version") :].splitlines()
        assert said[:6] == [
            f"Django version {django.get_version()}, using settings 'mysite.settings'",
            f"tercel version {tercel.__version__}, serving the {interface.upper()} application"
            f" 'mysite.{interface}.application'",
            f"Starting development server at http://127.0.0.1:{server.port}/",
            "Quit the server with CONTROL-C.",
            "WARNING: This command is for development: it watches files and serves static ones.",
            f"In production, use: tercel serve mysite.{interface}:application",
        ]

    def test_pages(self, server: Runserver, interface: str) -> None:
        response = server.request("GET", "/")
        assert response.get("server") == "tercel"
        assert b'href="/static/mysite/hello.css"' in response.body
        assert server.request("POST", "/echo", body=b"some").body == b"some"
        kind = f"{interface.upper()}Request True".encode()
        assert server.request("GET", "/kind").body == kind

    def test_a_stream_comes_in_its_parts(self, server: Runserver, interface: str) -> None:
        response = server.request("GET", "/count")
        # Django collects what an async view streams, for WSGI.
        assert response.body == b"0\n1\n2\n"
        if interface == "asgi":
            assert response.chunks == [b"0\n", b"1\n", b"2\n"]

    def test_a_setting_of_tercel_s_comes_from_its_variable(self, server: Runserver) -> None:
        assert server.request("POST", "/echo", body=b"x" * 1001).status == 413

    def test_each_request_is_a_record_of_django_s_logger(self, server: Runserver) -> None:
        assert server.request("GET", "/echo?a=%25s").status == 200
        assert server.request("GET", "/none").status == 404
        assert server.request("GET", "/fail").status == 500
        server.wait_for(r"^record INFO 200 \('GET /echo\?a=%25s HTTP/1.1', '200', '0'\)$")
        server.wait_for(r"^record WARNING 404 \('GET /none HTTP/1.1', '404', '\d+'\)$")
        server.wait_for(r"^record ERROR 500 \('GET /fail HTTP/1.1', '500', '\d+'\)$")

    def test_a_client_that_left_is_no_warning(self, server: Runserver) -> None:
        with server.connect() as client:
            client.send("GET /sleep?s=0.1&left HTTP/1.1\r\nHost: localhost\r\n\r\n")
            server.wait_for("^sleeps$")
            client.reset()
        server.wait_for(r"^record INFO 499 \('GET /sleep\?s=0.1&left HTTP/1.1', '499', '0'\)$")

    def test_a_handler_for_the_access_log_gets_the_lines_instead(self, project: Project) -> None:
        project.add(
            "mysite/settings.py",
            'LOGGING["handlers"]["own"] = {"class": "logging.StreamHandler"}\n'
            'LOGGING["loggers"]["tercel.access"] = {"handlers": ["own"], "level": "INFO"}\n',
        )
        server = project.runserver("--noreload")
        assert server.request("GET", "/").status == 200
        server.wait_for(r'^127.0.0.1 - - \[.*\] "GET / HTTP/1.1" 200 \d+')
        assert "record" not in server.output

    def test_with_a_certificate_it_is_https(self, project: Project, tmp_path: Path) -> None:
        certificate, key = Authority(tmp_path).issue("127.0.0.1", file="server")
        env = {"TERCEL_SSL_CERTFILE": str(certificate), "TERCEL_SSL_KEYFILE": str(key)}
        server = project.runserver("--noreload", env=env)
        url = f"https://127.0.0.1:{server.port}/"
        assert f"Starting development server at {url}\n" in server.output
        assert "Hello" in curl("--insecure", url)


class TestStaticFiles:
    FILE = "/static/mysite/hello.css"
    # Not the length: for HEAD, some versions of Django leave it out.
    SAME = ("content-type", "last-modified", "etag", "content-disposition")

    def test_they_are_served_as_django_s_own_server_does(
        self, server: Runserver, project: Project
    ) -> None:
        project.edit("mysite/settings.py", '"tercel.contrib.django",', "")
        original = server.command[1]
        for file in Path(original).parent.rglob("*.css"):
            times = file.stat().st_atime_ns, file.stat().st_mtime_ns
            os.utime(project.folder / file.relative_to(Path(original).parent), ns=times)
        own = project.runserver("--noreload")

        def answers(one: ServerProcess) -> list[Any]:
            first = one.request("GET", self.FILE)
            date = first.get("last-modified")
            headers = [("If-Modified-Since", date)]
            responses = [
                first,
                one.request("HEAD", self.FILE),
                one.request("GET", self.FILE, headers=headers),
                one.request("GET", "/static/mysite/none.css"),
            ]
            return [self.facts(response) for response in responses]

        ours = answers(server)
        assert ours == answers(own)
        assert [facts[0] for facts in ours] == [200, 200, 304, 404]
        assert ours[0][1] == "text/css"
        assert own.request("GET", "/").get("server") != "tercel"

    def facts(self, response: Response) -> list[Any]:
        found = response.status == 200
        body = response.body if found else None
        return [response.status, *[response.get(name) for name in self.SAME if found], body]

    @pytest.mark.parametrize(
        ("debug", "options", "status"),
        [
            (True, ["--nostatic"], 404),
            (False, [], 404),
            (False, ["--insecure"], 200),
        ],
    )
    def test_the_options_that_django_has_for_them(
        self, project: Project, debug: bool, options: list[str], status: int
    ) -> None:
        project.edit("mysite/settings.py", "DEBUG = True", f"DEBUG = {debug}")
        server = project.runserver("--noreload", *options)
        assert server.request("GET", self.FILE).status == status
        assert server.request("GET", "/").status == 200

    def test_without_their_application_there_are_none(self, project: Project) -> None:
        project.edit("mysite/settings.py", '"django.contrib.staticfiles",', "")
        server = project.runserver("--noreload")
        assert server.request("GET", self.FILE).status == 404
        assert server.request("GET", "/").status == 200


class TestInterface:
    def test_without_the_setting_it_is_wsgi(self, project: Project) -> None:
        project.edit("mysite/settings.py", "ASGI_APPLICATION =", "OTHER =")
        server = project.runserver("--noreload")
        assert server.request("GET", "/kind").body == b"WSGIRequest True"

    def test_asgi_without_the_setting_is_django_s_own(self, project: Project) -> None:
        project.edit("mysite/settings.py", "ASGI_APPLICATION =", "OTHER =")
        server = project.runserver("--noreload", "--interface", "asgi")
        assert server.request("GET", "/kind").body == b"ASGIRequest True"
        assert "serving the ASGI default application\n" in server.output

    def test_without_threading_it_is_wsgi_one_at_a_time(self, project: Project) -> None:
        server = project.runserver("--noreload", "--nothreading")
        assert server.request("GET", "/kind").body == b"WSGIRequest False"

    def test_asgi_without_threading_is_refused(self, project: Project) -> None:
        done = project.manage("runserver", "0", "--nothreading", "--interface=asgi")
        assert done.returncode == 1
        assert "--nothreading is for WSGI: remove it, or --interface=asgi." in done.stdout

    def test_an_application_that_cannot_be_imported(self, project: Project) -> None:
        project.edit("mysite/settings.py", "mysite.asgi.application", "mysite.none.application")
        done = project.manage("runserver", "0", "--noreload")
        assert done.returncode == 1
        assert "ASGI application 'mysite.none.application' could not be loaded" in done.stdout

    def test_an_application_that_is_none(self, project: Project) -> None:
        project.add("mysite/asgi.py", "application = 1\n")
        done = project.manage("runserver", "0", "--noreload", "--nostatic")
        assert done.returncode == 1
        assert "CommandError: The application, of type int, is not an application" in done.stdout


class TestReloading:
    def test_the_next_request_shows_new_code_and_none_is_refused(self, project: Project) -> None:
        project.add("mysite/asgi.py", LIFESPAN)
        server = project.runserver()
        seen, stop = [], threading.Event()
        ends = re.compile(r"^startup\n(.*\n)*shutdown\n(.*\n)*startup$", re.MULTILINE)

        def ask() -> None:
            while not stop.wait(0.01):
                seen.append(page(server))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            wait_until(lambda: len(seen) > 5, "answers of the old code")
            before = "Hello"
            # An edit leaves the application a second to end, which a busy machine may use up.
            for after in ("Now 1", "Now 2", "Now 3"):
                done = f"<h1>{after}".encode()
                project.change(
                    "mysite/views.py",
                    f"<h1>{before}",
                    f"<h1>{after}",
                    lambda done=done: done in seen[-1],
                )
                if ends.search(server.output):
                    break
                before = after
        finally:
            stop.set()
            asking.join(30)
        titles = [re.findall(rb"<h1>(Hello|Now \d)", body) for body in seen]
        assert titles == sorted(titles)  # Never the old code again.
        assert ends.search(server.output)
        assert server.output.count(f"at http://127.0.0.1:{server.port}/\n") == server.starts > 1
        assert server.interrupt() == 0
        assert "Traceback" not in server.output

    @pytest.mark.parametrize("file", ["views", "models"])
    def test_after_a_mistake_it_waits_for_the_next_edit(self, project: Project, file: str) -> None:
        """One that stops a check, and one that stops Django before it knows of our command."""
        project.add("mysite/models.py", "# mistake\n")
        project.edit("mysite/views.py", '"""A page', '# mistake\n"""A page')
        server = project.runserver("--interface", "wsgi")
        name = f"mysite/{file}.py"
        project.change(name, "# mistake", "mistake = (", lambda: MISTAKE in server.output)
        project.change(name, "mistake = (", "mistake = ()", lambda: server.starts > 1)
        assert server.request("GET", "/kind").body == b"WSGIRequest True"
        assert server.interrupt() == 0

    def test_a_project_that_begins_with_a_mistake_is_served_once_it_is_mended(
        self, project: Project
    ) -> None:
        project.add("mysite/models.py", "mistake = (\n")
        server = Runserver(project.folder / "manage.py", "0", env=ENVIRONMENT)
        server.start()
        try:
            server.wait_for(re.escape(MISTAKE))
            project.change("mysite/models.py", "mistake = (", "mistake = ()", lambda: server.starts)
            server._await_banner()
            assert server.request("GET", "/").get("server") == "tercel"
        finally:
            server.kill()

    def test_a_view_that_hangs_does_not_hold_an_edit_up(
        self, project: Project, interface: str
    ) -> None:
        server = project.runserver(f"--interface={interface}")
        with server.connect() as hanging:
            hanging.send("GET /sleep?s=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert server.request("GET", "/").status == 200
            begun = time.monotonic()
            project.change(
                "mysite/views.py",
                "<h1>Hello",
                "<h1>Edited",
                lambda: b"Edited" in page(server),
            )
            assert time.monotonic() - begun < 10

    def test_processes_end_with_the_command(self, project: Project) -> None:
        server = project.runserver()
        (child,) = children(server.pid)
        assert server.stop(signal.SIGTERM) == 0
        wait_until(lambda: not runs(child), "the end of the other process")
        with pytest.raises(ConnectionRefusedError):
            server.connect()


class TestTheEnd:
    @pytest.mark.parametrize(
        ("interface", "number"), [("asgi", signal.SIGINT), ("wsgi", signal.SIGTERM)]
    )
    def test_requests_under_way_are_finished(
        self, project: Project, interface: str, number: signal.Signals
    ) -> None:
        """They have less than 0.2 s, which a busy machine may use up."""

        def is_finished() -> bool:
            server = project.runserver("--noreload", f"--interface={interface}")
            with server.connect() as client:
                client.send("GET /sleep?s=0.03 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                server.wait_for("^sleeps$")
                server.send_signal(number)
                if b"\r\n\r\nslept" not in client.read_to_close():
                    return False
            assert server.wait() == 0
            assert "Traceback" not in server.output
            return True

        assert any(is_finished() for _ in range(3))

    def test_testserver_says_what_it_was_told_to(self, project: Project) -> None:
        """It calls runserver, without threads, and with what to say after Ctrl-C."""
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        project.add("mysite/settings.py", f'DATABASES = {{"default": {database}}}\n')
        server = Runserver(project.folder / "manage.py", env=ENVIRONMENT)
        fixture = project.folder / "nothing.json"
        fixture.write_text("[]")
        server.command[2:] = ["testserver", "--addrport", "0", str(fixture)]
        with server:
            assert server.request("GET", "/kind").body == b"WSGIRequest False"
            assert server.interrupt() == 0
            assert "Server stopped." in server.output


class TestTheAddress:
    @pytest.mark.parametrize("options", [[], ["--noreload"]])
    def test_one_in_use(self, project: Project, options: list[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            done = project.manage("runserver", port, *options)
        assert done.returncode == 1
        assert done.stdout.endswith("Error: That port is already in use.\n")

    def test_ipv6(self, project: Project) -> None:
        server = project.runserver(address="[::1]:0")
        assert f"Starting development server at http://[::1]:{server.port}/\n" in server.output
        assert server.request("GET", "/").status == 200

    def test_a_wrong_variable_of_tercel_s(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERCEL_BACKLOG", "many")
        done = project.manage("runserver", "0")
        assert done.returncode == 1
        assert re.match(r"CommandError: TERCEL_BACKLOG must be .*\n\Z", done.stdout)


class TestTheCheck:
    SENTENCE = (
        "?: (tercel.W001) runserver is that of 'django.contrib.staticfiles', not tercel's:"
        " put 'tercel.contrib.django' before it in INSTALLED_APPS.\n"
    )

    def test_the_right_order_is_silent(self, project: Project) -> None:
        assert project.manage("check").stdout == (
            "System check identified no issues (0 silenced).\n"
        )

    def test_another_runserver_in_front_is_told(self, project: Project) -> None:
        project.edit("mysite/settings.py", '"tercel.contrib.django",', "")
        project.edit("mysite/settings.py", '"mysite",\n', '"mysite",\n"tercel.contrib.django",\n')
        assert self.SENTENCE in project.manage("check").stdout

    def test_one_in_front_that_extends_ours_is_fine(self, project: Project) -> None:
        """As `whitenoise.runserver_nostatic` does."""
        commands = project.folder / "extends" / "management" / "commands"
        commands.mkdir(parents=True)
        (project.folder / "extends" / "__init__.py").touch()
        (commands / "runserver.py").write_text(
            "from tercel.contrib.django.management.commands.runserver import Command\n"
        )
        project.edit("mysite/settings.py", '"tercel.c', '"extends",\n"tercel.c')
        assert "no issues" in project.manage("check").stdout


class TestWithoutDjango:
    def test_importing_it_ends_in_one_sentence(self) -> None:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; sys.modules['django'] = None\nimport tercel.contrib.django",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr.splitlines()[-1] == (
            "ModuleNotFoundError: tercel.contrib.django needs Django, which is not installed:"
            " pip install django."
        )

    def test_nothing_else_imports_it(self) -> None:
        probe = (
            "import sys, tercel.cli, tercel.server, tercel.run, tercel.contrib\n"
            "print([name for name in sys.modules if 'django' in name])"
        )
        command = [sys.executable, "-c", probe]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"[]\n"
