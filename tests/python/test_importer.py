"""From a target to an application, and every way in which there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tercel.problems import ImportFailed, SettingError, TargetError
from tercel.server.env_file import load_env_file
from tercel.server.import_mistakes import application_traceback
from tercel.server.importer import load_application


@pytest.fixture
def project(tmp_path: Path, monkeypatch):
    """A folder whose modules are forgotten again; returns a function that writes one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(folder: Path, target: str, *, factory: bool = False):
    return load_application(target, app_dir=str(folder), factory=factory)


def problem(folder: Path, target: str, *, factory: bool = False) -> str:
    with pytest.raises(TargetError) as caught:
        load(folder, target, factory=factory)
    return str(caught.value)


def test_a_target_is_an_attribute_of_a_module(project):
    folder = project("conf_main.py", "app = 'the app'\n")
    assert load(folder, "conf_main:app") == "the app"
    assert sys.path[0] == str(folder)


def test_modules_and_attributes_may_be_dotted(project):
    project("conf_pkg/__init__.py", "")
    folder = project("conf_pkg/web.py", "class site:\n    app = 'deep'\n")
    assert load(folder, "conf_pkg.web:site.app") == "deep"


def test_a_factory_is_called(project):
    folder = project("conf_main.py", "def create():\n    return 'made'\n")
    assert load(folder, "conf_main:create", factory=True) == "made"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("conf_main", "'conf_main' names no application: write module:attribute, for example"
                      " conf_main:app."),
        (":app", "':app' names no application: write module:attribute, for example main:app."),
        ("conf_main:", "'conf_main:' names no application: write module:attribute, for example"
                       " conf_main:app."),
        ("conf_main.py:app", "'conf_main.py' is the path of a file: write conf_main:app."),
        ("./a/b.py:app", "'./a/b.py' is the path of a file: write a.b:app."),
        ("/srv/x/main.py:app", "'/srv/x/main.py' is the path of a file: write --app-dir /srv/x"
                               " main:app."),
        ("../x/y.py:app", "'../x/y.py' is the path of a file: write --app-dir ../x y:app."),
        ("/main:app", "'/main' is the path of a file: write --app-dir / main:app."),
        ("conf_main:ap", "conf_main has no attribute 'ap': did you mean app?"),
        ("conf_main:zzz", "conf_main has no attribute 'zzz': it may be app."),
        ("conf_main:app.zzz", "conf_main has no attribute 'zzz': name the variable that holds the"
                              " application."),
    ],
)  # fmt: skip
def test_a_wrong_target_is_one_sentence(project, target: str, sentence: str):
    folder = project(
        "conf_main.py", "class App:\n    def __call__(self): pass\napp = App()\nname = 'x'\n"
    )
    assert problem(folder, target) == sentence


def test_a_missing_module_names_the_close_match(project):
    folder = project("conf_main.py", "")
    assert problem(folder, "conf_mian:app") == (
        f"There is no module 'conf_mian' in {folder}: did you mean conf_main?"
    )
    assert problem(folder, "qqq:app") == (
        f"There is no module 'qqq' in {folder}: change the target 'qqq', or give the folder of the"
        " application with --app-dir."
    )


def test_a_missing_module_of_a_package_names_the_close_match(project):
    project("conf_pkg/__init__.py", "")
    folder = project("conf_pkg/web.py", "")
    assert problem(folder, "conf_pkg.wev:app") == (
        f"There is no module 'conf_pkg.wev' in {folder}/conf_pkg: did you mean conf_pkg.web?"
    )


def test_a_missing_folder(project, tmp_path: Path):
    folder = tmp_path / "none"
    with pytest.raises(SettingError) as caught:
        load(folder, "main:app")
    assert str(caught.value) == f"app-dir must be a folder that exists, not '{folder}'."


def test_what_cannot_be_called_is_no_factory(project):
    folder = project("conf_main.py", "app = 1\n")
    assert problem(folder, "conf_main:app", factory=True) == (
        "conf_main:app, of type int, cannot be called: remove --factory."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("async def made(scope, receive, send): ...",
         "is an async function: a factory must be a plain function; if it is the application,"
         " remove --factory."),
        ("def made(scope, receive, send): ...",
         "takes 3 arguments, and a factory none: remove --factory."),
        ("class App:\n    def __init__(self, name): ...\nmade = App",
         "takes 1 argument, and a factory none: remove --factory."),
        ("class App:\n    async def __call__(self, scope, receive, send): ...\nmade = App()",
         "is an async function: a factory must be a plain function; if it is the application,"
         " remove --factory."),
    ],
)  # fmt: skip
def test_what_needs_arguments_or_a_loop_is_no_factory(project, text: str, sentence: str):
    folder = project("conf_main.py", f"{text}\n")
    assert problem(folder, "conf_main:made", factory=True).endswith(f", {sentence}")


def test_a_factory_that_returns_a_coroutine_is_none(project, recwarn):
    folder = project("conf_main.py", "async def f(): ...\ndef made():\n    return f()\n")
    assert problem(folder, "conf_main:made", factory=True) == (
        "conf_main:made returned a coroutine: a factory must be a plain function."
    )
    assert not recwarn.list


class TestWhatTheApplicationRaises:
    def failure(self, folder: Path, target: str, *, factory: bool = False) -> ImportFailed:
        with pytest.raises(ImportFailed) as caught:
            load(folder, target, factory=factory)
        assert caught.value.__cause__ is not None
        return caught.value

    def test_at_import_is_kept_with_the_frames_of_the_application_only(self, project):
        folder = project("conf_main.py", "def work():\n    return 1 / 0\n\nwork()\n")
        failure = self.failure(folder, "conf_main:app")
        assert str(failure) == "conf_main could not be imported: it raised ZeroDivisionError."
        trace = application_traceback(failure.__cause__)
        assert trace.splitlines()[0] == "Traceback (most recent call last):"
        assert f'File "{folder}/conf_main.py", line 4' in trace.splitlines()[1]
        assert "return 1 / 0" in trace
        assert trace.splitlines()[-1] == "ZeroDivisionError: division by zero"
        assert "importlib" not in trace
        assert "tercel" not in trace

    def test_a_module_that_the_application_lacks_is_the_applications_failure(self, project):
        folder = project("conf_main.py", "import conf_nowhere\n")
        failure = self.failure(folder, "conf_main:app")
        assert str(failure) == "conf_main could not be imported: it raised ModuleNotFoundError."
        assert "No module named 'conf_nowhere'" in application_traceback(failure.__cause__)

    def test_a_syntax_error_shows_its_line(self, project):
        folder = project("conf_main.py", "def (:\n")
        trace = application_traceback(self.failure(folder, "conf_main:app").__cause__)
        assert "def (:" in trace
        assert trace.splitlines()[-1].startswith("SyntaxError")

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("import sys; sys.exit(5)", "SystemExit (5)"),
            ("class Own(BaseException): pass\nraise Own", "Own"),
        ],
    )
    def test_at_import_may_be_no_exception(self, project, text: str, name: str):
        folder = project("conf_main.py", f"{text}\n")
        failure = self.failure(folder, "conf_main:app")
        assert str(failure) == f"conf_main could not be imported: it raised {name}."
        assert "tercel" not in application_traceback(failure.__cause__)

    def test_an_interruption_stays_one(self, project):
        folder = project("conf_main.py", "raise KeyboardInterrupt\n")
        with pytest.raises(KeyboardInterrupt):
            load(folder, "conf_main:app")

    def test_in_a_factory(self, project):
        folder = project("conf_main.py", "def create():\n    raise ValueError('no')\n")
        failure = self.failure(folder, "conf_main:create", factory=True)
        assert str(failure) == "conf_main:create failed: it raised ValueError."
        assert application_traceback(failure.__cause__).endswith("ValueError: no\n")


class TestEnvFile:
    @pytest.fixture(autouse=True)
    def environ(self, monkeypatch):
        self.environ = {"CONF_SET": "before"}
        monkeypatch.setattr(os, "environ", self.environ)

    def load(self, tmp_path: Path, text: str) -> None:
        (tmp_path / ".env").write_text(text)
        load_env_file(str(tmp_path / ".env"))

    def test_lines_become_variables_that_are_not_set_yet(self, tmp_path: Path):
        self.load(
            tmp_path,
            "# comment\n\nCONF_A=1\n export CONF_B = two words \nCONF_C='  quoted # '\n"
            'CONF_D="x=y"\nCONF_E=\nCONF_SET=after\n',
        )
        assert {n: v for n, v in self.environ.items() if n.startswith("CONF")} == {
            "CONF_SET": "before",
            "CONF_A": "1",
            "CONF_B": "two words",
            "CONF_C": "  quoted # ",
            "CONF_D": "x=y",
            "CONF_E": "",
        }

    @pytest.mark.parametrize("line", ["CONF", "CONF A=1", "=1", "1A=1"])
    def test_any_other_line_is_named(self, tmp_path: Path, line: str):
        with pytest.raises(SettingError, match=r"^Line 2 of env-file .* must be NAME=value\.$"):
            self.load(tmp_path, f"A=1\n{line}\n")

    def test_a_file_that_cannot_be_read(self, tmp_path: Path):
        with pytest.raises(SettingError, match="cannot be read: No such file or directory"):
            load_env_file(str(tmp_path / "none"))
        (tmp_path / ".env").write_bytes(b"A=\xff\n")
        with pytest.raises(SettingError, match="it is not UTF-8"):
            load_env_file(str(tmp_path / ".env"))
