"""`tercel openapi` and `tercel routes`, in process."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tercel.cli import main

MODULE = """\
import tercel
import elsewhere

app = tercel.App(title="Made")


@app.get("/things/{number:int}")
async def get_thing(number: int) -> str:
    "Returns one."


app.post("/made", name="made elsewhere")(elsewhere.handler)


def make():
    return app


other = [app]
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder with apiapp.py in it, as the working directory."""
    (tmp_path / "apiapp.py").write_text(MODULE)
    (tmp_path / "elsewhere.py").write_text("\n\ndef handler() -> int:\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("TERCEL_CONFIG", "TERCEL_APP", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    for name in ("apiapp", "elsewhere"):
        sys.modules.pop(name, None)


class TestOpenapi:
    def test_it_is_printed(self, capsys):
        assert main(["openapi", "apiapp:app"]) == 0
        printed = capsys.readouterr().out
        document = json.loads(printed)
        assert document["info"]["title"] == "Made"
        assert list(document["paths"]) == ["/things/{number}", "/made"]
        assert printed == json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @pytest.mark.parametrize("option", [["-o", "a.json"], ["--output", "a.json"],
                                        ["--output=a.json"]])  # fmt: skip
    def test_it_is_written_into_a_file(self, project, capsys, option: list[str]):
        assert main(["openapi", *option, "apiapp:app"]) == 0
        assert json.loads((project / "a.json").read_text())["openapi"] == "3.1.0"
        assert capsys.readouterr().out == ""

    def test_a_dash_is_standard_output(self, project, capsys):
        assert main(["openapi", "apiapp:app", "-o", "-"]) == 0
        assert json.loads(capsys.readouterr().out)
        assert not (project / "-").exists()

    def test_the_application_may_come_from_a_factory_and_from_settings(self, project, capsys):
        assert main(["openapi", "apiapp:make", "--factory"]) == 0
        (project / "t.toml").write_text('app = "apiapp:app"\n')
        assert main(["openapi", "--config", "t.toml"]) == 0
        first, second = capsys.readouterr().out.split("\n}\n", 1)
        assert first + "\n}\n" == second


class TestRoutes:
    TABLE = """\
GET   /things/{number:int}        get_thing                  apiapp.py:7
POST  /made                       made elsewhere             elsewhere.py:3
GET   /openapi.json               openapi                    tercel
GET   /docs                       docs                       tercel
GET   /docs/swagger-ui.css        docs swagger-ui.css        tercel
GET   /docs/swagger-ui-bundle.js  docs swagger-ui-bundle.js  tercel
"""

    def test_they_are_a_table(self, capsys):
        assert main(["routes", "apiapp:app"]) == 0
        assert capsys.readouterr().out == self.TABLE

    def test_they_are_coloured_on_a_terminal(self, capsys, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        def printed(*options: str) -> str:
            monkeypatch.setattr(sys, "stdout", terminal := Terminal())
            assert main(["routes", "apiapp:app", *options]) == 0
            return terminal.getvalue()

        assert printed().startswith("\33[1mGET\33[0m   /things")
        assert "\33" not in printed("--no-use-colors")
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\33" not in printed()
        assert "\33" in printed("--use-colors")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["openapi"], 2, "Name the application: tercel openapi main:app."),
        (["routes"], 2, "Name the application: tercel routes main:app."),
        (["routes", "apiapp:ap"], 1, "apiapp has no attribute 'ap': did you mean app?"),
        (["openapi", "apiapp:other"], 1,
         "apiapp:other, of type list, is not a tercel.App: tercel does not know its routes."),
        (["openapi", "apiapp:app", "-o"], 2, "-o needs a value."),
        (["openapi", "apiapp:app", "--output="], 2, "--output needs a value."),
        (["openapi", "apiapp:app", "-o", "none/a"], 1,
         "none/a cannot be written: No such file or directory."),
        (["routes", "apiapp:app", "-o", "a"], 2,
         "-o is not an option of tercel routes: `tercel routes --help` lists them."),
        (["rutes"], 2, "'rutes' is not a command: did you mean routes?"),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_sentence(capsys, words: list[str], status: int, sentence: str):
    assert main(words) == status
    printed = capsys.readouterr()
    assert printed.err == f"tercel: {sentence}\n"
    assert printed.out == ""


@pytest.mark.parametrize("command", ["openapi", "routes"])
def test_help_says_how_it_is_used(capsys, command: str):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: tercel {command} main:app [options]\n")
    assert ("--output FILE" in out) is (command == "openapi")
