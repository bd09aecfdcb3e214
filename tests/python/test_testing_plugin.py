"""The fixtures that pytest has where tercel is installed: what they give, cost, and give way to.

Each test runs a pytest of its own on files in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

APP = """
    import pytest, tercel

    application = tercel.App()

    @application.get("/")
    async def hello() -> str:
        return "hello"

    @pytest.fixture
    def app():
        return application
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the tests in files with these texts; returns what pytest printed."""

    def run_pytest(*options: str, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options]
        # Nothing of the run that this one is in.
        environ = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
        return ran.stdout + ran.stderr

    return run_pytest

    return run


def test_a_client_and_a_server_of_the_fixture_app(run: Run) -> None:
    shown = run(
        "-W",
        "error",
        conftest=APP,
        test_it="""
            import urllib.request

            def test_client(client, tercel_client):
                assert client is tercel_client
                assert client.get("/").text == "hello"

            def test_server(server, tercel_server):
                assert server is tercel_server
                assert urllib.request.urlopen(server.url).read() == b"hello"

            def test_factories(app, tercel_client_factory, tercel_server_factory):
                client = tercel_client_factory(app, base_url="https://a", headers={"x-a": "b"})
                assert client.get("/").text == "hello"
                other = tercel_server_factory(app, root_path="/v1")
                assert urllib.request.urlopen(other.url).read() == b"hello"
        """,
    )
    assert "3 passed" in shown, shown


def test_short_names_give_way(run: Run) -> None:
    # As pytest-django and pytest-flask have it, in a plugin that is loaded after ours.
    shown = run(
        other="import pytest\n@pytest.fixture\ndef client(): return 'theirs'",
        conftest=APP
        + """
    pytest_plugins = ["other"]
        """,
        test_it="""
            def test_client(client, server):
                assert client == "theirs"
                assert server.url.startswith("http://127.0.0.1:")
        """,
    )
    assert "1 passed" in shown, shown


def test_a_run_without_them_loads_nothing(run: Run) -> None:
    shown = run(
        conftest="",
        test_it="""
            import sys

            def test_modules():
                ours = {name for name in sys.modules if name.partition(".")[0] == "tercel"}
                assert ours == {"tercel", "tercel.testing", "tercel.testing.plugin"}

            def test_without_an_app(client):
                pass
        """,
    )
    assert "fixture 'app' not found" in shown
    assert "1 passed, 1 error" in shown, shown
