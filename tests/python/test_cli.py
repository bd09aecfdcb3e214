"""The command line in process: how words become settings, and what is said when they do not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tercel import _core
from tercel.cli import main
from tercel.cli.mistakes import _CALLED_HERE
from tercel.cli.options import UsageError, parse
from tercel.table import rows

ROWS = rows()


def read(*words: str):
    return parse(words, "tercel serve")


class TestParse:
    def test_options_and_the_target_come_in_any_order(self):
        line = read("--port", "1", "main:app", "--host=::1", "--factory")
        assert line.target == "main:app"
        assert line.settings == {"port": ["1"], "host": ["::1"], "factory": ["true"]}
        assert not line.help

    def test_flags_have_an_opposite_and_may_have_a_value(self):
        assert read("--no-access-log").settings == {"access-log": ["false"]}
        assert read("--access-log=off").settings == {"access-log": ["off"]}
        assert read("--use-colors").settings == {"use-colors": ["true"]}
        assert read("--no-use-colors").settings == {"use-colors": ["false"]}

    def test_the_last_of_several_wins_but_a_list_collects_them(self):
        line = read("--port", "1", "--port", "2", "--bind", "a", "--bind=b")
        assert line.settings == {"port": ["2"], "bind": ["a", "b"]}

    def test_a_value_may_begin_with_one_dash_and_be_anything_after_an_equals_sign(self):
        line = read("--access-log-file", "-", "--header=--x: y=z")
        assert line.settings == {"access-log-file": ["-"], "header": ["--x: y=z"]}

    def test_config_is_a_file_and_no_setting(self):
        assert read("--config", "a.toml").config == "a.toml"
        assert read("--config=b.toml").settings == {}

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
    def test_every_row_is_an_option(self, row):
        if row.name == "app":
            pytest.skip("it is written without a name")
        given = [f"--{row.name}"] if row.kind in ("flag", "toggle") else [f"--{row.name}", "x"]
        assert list(read(*given).settings) == [row.name]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--prot", "1"], "--prot is not an option of tercel serve: did you mean --port?"),
            (["--prot=1"], "--prot is not an option of tercel serve: did you mean --port?"),
            (
                ["--no-acess-log"],
                "--no-acess-log is not an option of tercel serve: did you mean --no-access-log?",
            ),
            (
                ["--no-port"],
                "--no-port is not an option of tercel serve: did you mean --port?",
            ),
            (["-p", "1"], "-p is not an option of tercel serve: `tercel serve --help` lists them."),
            (["--max-requests=4"], "--max-requests is not an option of tercel serve: it is called"
                                   " --limit-max-requests here."),
            (["--app", "x:y"], "--app is not an option of tercel serve: did you mean --app-dir?"),
            (["--port"], "--port needs a value."),
            (["--port", "--factory"], "--port needs a value."),
            (["--config"], "--config needs a value."),
            (["a:b", "c:d"], "tercel serve takes one application, not a:b and c:d."),
        ],
    )  # fmt: skip
    def test_what_cannot_be_understood_is_one_sentence(self, words: list[str], sentence: str):
        with pytest.raises(UsageError) as caught:
            read(*words)
        assert str(caught.value) == sentence


def test_what_is_called_otherwise_here_is_named_by_an_option():
    names = {row.name for row in ROWS}
    assert not names & _CALLED_HERE.keys()
    assert names >= set(_CALLED_HERE.values())


@pytest.fixture
def project(tmp_path: Path, monkeypatch):
    """A folder with conf_cli.py in it, as the working directory."""
    (tmp_path / "conf_cli.py").write_text("async def app(scope, receive, send): ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("TERCEL_CONFIG", "TERCEL_PORT", "TERCEL_APP"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    sys.modules.pop("conf_cli", None)


class TestMain:
    @pytest.mark.parametrize(
        ("words", "status", "sentence"),
        [
            (["serv", "a:b"], 2, "'serv' is not a command: did you mean serve?"),
            (["a:b"], 2, "'a:b' is not a command: write tercel serve a:b."),
            (["zzz"], 2, "'zzz' is not a command: `tercel --help` lists them."),
            (["serve"], 2, "Name the application to serve: tercel serve main:app."),
            (["serve", "a:b", "--port", "x"], 2,
             '--port must be a whole number from 0 to 65535, not "x".'),
            (["check", "conf_cli:ap"], 1, "conf_cli has no attribute 'ap': did you mean app?"),
            (["check", "--app-dir", "none", "a:b"], 2,
             "app-dir must be a folder that exists, not '{folder}/none'."),
            (["check", "--env-file", "none"], 2,
             "env-file none cannot be read: No such file or directory."),
            (["check", "--log-config", "none"], 2,
             "log-config none cannot be read: No such file or directory."),
            (["check", "--config", ""], 2,
             "The path of the settings file (--config, TERCEL_CONFIG) must not be empty."),
            (["check", "--uds", ""], 2, '--uds must be a path of 1 to 107 bytes, not "".'),
            (["check", "--env-file", ""], 2,
             '--env-file must be a text that is not empty, not "".'),
            (["check", "--access-log-file", "none/a"], 1,
             "access-log-file none/a cannot be written: No such file or directory."),
            (["check", "--access-log-file", "."], 1,
             "access-log-file . cannot be written: Is a directory."),
            (["check", "--uds", "none/s"], 1,
             "Cannot listen on unix:none/s: there is no folder none: make it, or choose another"
             " path."),
            (["check", "--fd", "987"], 1,
             "Cannot listen on fd://987: the process has no descriptor 987: whoever starts it has"
             " to pass it on."),
            (["check", "--config", "none.toml"], 2,
             "The settings file none.toml cannot be read: No such file or directory."),
        ],
    )  # fmt: skip
    def test_mistakes_end_in_one_sentence(self, project, capsys, words, status, sentence):
        assert main(words) == status
        printed = capsys.readouterr()
        assert printed.err == f"tercel: {sentence.replace('{folder}', str(project))}\n"
        assert printed.out == ""

    def test_version(self, capsys):
        assert main(["--version"]) == 0
        assert capsys.readouterr().out.startswith(f"tercel {_core.__version__} (CPython 3.")

    @pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
    def test_help_shows_the_commands(self, capsys, words: list[str]):
        assert main(words) == 0
        assert "tercel serve main:app" in capsys.readouterr().out

    @pytest.mark.parametrize("words", [["serve", "--help"], ["check", "-h"], ["settings"]])
    def test_help_of_a_command_lists_every_setting(self, capsys, words: list[str]):
        assert main(words) == 0
        out = capsys.readouterr().out
        for row in ROWS:
            assert row.name == "app" or f"--{row.name}" in out
        assert all(len(line) <= 100 for line in out.splitlines())

    def test_check_says_what_would_be_served(self, project, capsys):
        assert main(["check", "conf_cli:app", "--bind", "[::1]:1", "--bind", "unix:x"]) == 0
        assert capsys.readouterr().out == (
            "The settings are right, conf_cli:app is an ASGI application, it would listen on"
            " [::1]:1 and unix:x.\n"
        )

    def test_check_knows_the_interface(self, project, capsys):
        (project / "conf_wsgi.py").write_text("def app(environ, start_response): ...\n")
        assert main(["check", "conf_wsgi:app"]) == 0
        assert "conf_wsgi:app is a WSGI application" in capsys.readouterr().out

    def test_check_without_an_application_looks_at_the_settings(self, project, capsys, monkeypatch):
        monkeypatch.setenv("TERCEL_PORT", "9")
        assert main(["check"]) == 0
        assert capsys.readouterr().out == (
            "The settings are right, it would listen on 127.0.0.1:9.\n"
        )

    def test_check_takes_the_application_from_the_file(self, project, capsys):
        (project / "t.toml").write_text('app = "conf_cli:app"\n')
        assert main(["check", "--config", "t.toml"]) == 0
        assert "conf_cli:app is an ASGI application" in capsys.readouterr().out

    def test_check_tells_of_a_misspelt_variable(self, project, capsys, monkeypatch):
        monkeypatch.setenv("TERCEL_PROT", "1")
        assert main(["check"]) == 0
        assert "The variable TERCEL_PROT is not a setting: did you mean" in capsys.readouterr().err

    def test_check_makes_no_access_log(self, project):
        assert main(["check", "--access-log-file", "a.log"]) == 0
        assert not (project / "a.log").exists()

    def test_a_default_that_is_punctuation_is_in_quotes(self, capsys):
        main(["settings"])
        text = " ".join(capsys.readouterr().out.split())
        assert 'put first on the import path. Default: ".".' in text
        assert "Default: 127.0.0.1." in text

    def test_check_reads_the_env_file_before_the_import(self, project, capsys, monkeypatch):
        monkeypatch.delenv("CONF_CLI", raising=False)
        (project / ".env").write_text("CONF_CLI=yes\n")
        (project / "conf_env.py").write_text(
            "import os\nassert os.environ['CONF_CLI'] == 'yes'\nasync def app(s, r, d): ...\n"
        )
        assert main(["check", "conf_env:app", "--env-file", ".env"]) == 0

    def test_check_imports_in_a_running_loop_as_serving_does(self, project):
        (project / "conf_loop.py").write_text(
            "import asyncio\nasyncio.get_running_loop()\nasync def app(s, r, d): ...\n"
        )
        assert main(["check", "conf_loop:app"]) == 0

    def test_an_import_that_fails_shows_its_own_traceback_first(self, project, capsys):
        (project / "conf_bad.py").write_text("def f():\n    raise ValueError('boom')\nf()\n")
        assert main(["check", "conf_bad:app"]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[1].startswith(f'  File "{project}/conf_bad.py", line 3')
        assert lines[-2:] == [
            "ValueError: boom",
            "tercel: conf_bad could not be imported: it raised ValueError.",
        ]

    def test_a_loop_that_is_not_installed_is_named(self, project, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "uvloop", None)
        assert main(["check", "conf_cli:app", "--loop", "uvloop"]) == 2
        assert capsys.readouterr().err == (
            "tercel: loop is uvloop, which is not installed: pip install uvloop, or choose auto.\n"
        )
