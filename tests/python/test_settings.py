"""The table of settings as Python sees it: every row, every source, and which source wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tercel.problems import SettingError
from tercel.settings import Settings, load, misspelt_variables
from tercel.table import Row, closest, rows

ROWS = {row.name: row for row in rows()}

# A good value of each kind as a keyword, and the same as text.
GOOD: dict[str, tuple[Any, str]] = {
    "flag": (True, "true"),
    "toggle": (True, "on"),
    "count": (7, "7"),
    "bytes": (4096, "4KiB"),
    "seconds": (0.5, "500ms"),
    "mode": (0o600, "0600"),
    "text": ("/x", "/x"),
    "list": (["unix:/x"], "unix:/x"),
}
SPECIAL = {
    "host": ("::1", "::1"),
    "fd": ("7", "7"),
    "header": (["a: b"], "a: b"),
    "static": (["/a=b"], "/a=b"),
    "access-log-format": ("%h", "%h"),
    "metrics-bind": ("unix:/x", "unix:/x"),
    "forwarded-allow-ips": (["10.0.0.0/8"], "10.0.0.0/8"),
    "forwarded-headers": (["forwarded"], "forwarded"),
    "min-rate-request-head": (7, "7"),
    "tcp-keepalive": (2, "2s"),
    "limit-connection-age": (1.25, "1250ms"),
    "limit-rate-clients": (8, "8"),
    "ws-message-min-rate": (7, "7"),
    "ws-deflate-window-bits": (9, "9"),
    "cors-origin": (["https://a"], "https://a"),
    "cors-method": (["PURGE"], "PURGE"),
    "cors-header": (["x-key"], "x-key"),
    "cors-expose-header": (["x-key"], "x-key"),
}


def good(row: Row) -> tuple[Any, str]:
    if row.kind == "choice":
        return row.choices[-1], row.choices[-1]
    if row.default is True:
        return False, "no"
    return SPECIAL.get(row.name) or GOOD[row.kind]


# Settings that have no effect, and are refused, without others.
NEEDED = {
    "ssl-keyfile": {"ssl_certfile": ["/c"]},
    "ssl-keyfile-password": {"ssl_certfile": ["/c"]},
    "ssl-cert-reqs": {"ssl_certfile": ["/c"], "ssl_ca_certs": "/ca"},
    "ssl-ca-certs": {"ssl_certfile": ["/c"], "ssl_cert_reqs": "optional"},
    "ssl-crlfile": {"ssl_certfile": ["/c"], "ssl_ca_certs": "/ca", "ssl_cert_reqs": "optional"},
    "cors-header": {"cors_origin": ["*"]},
    "cors-expose-header": {"cors_origin": ["*"]},
    "cors-credentials": {"cors_origin": ["https://a"]},
    "cors-private-network": {"cors_origin": ["*"]},
}


def value_of(settings: Settings, row: Row) -> Any:
    return getattr(settings, row.keyword)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
class TestEveryRow:
    def test_the_default_is_what_the_table_says(self, row: Row):
        assert value_of(load(), row) == row.default

    def test_a_keyword_sets_it(self, row: Row):
        value, _ = good(row)
        settings = load(keywords={**NEEDED.get(row.name, {}), row.keyword: value})
        assert value_of(settings, row) == value
        assert value_of(settings, row) != row.default

    def test_the_command_line_a_variable_and_a_file_set_it_as_text(self, row: Row, tmp_path: Path):
        value, text = good(row)
        file = tmp_path / "t.toml"
        file.write_text(f'{row.keyword} = "{text}"\n')
        needed = NEEDED.get(row.name, {})
        for settings in (
            load(command_line={row.name: [text]}, keywords=needed),
            load(environ={row.variable: text}, keywords=needed),
            load(file=file, keywords=needed),
        ):
            assert value_of(settings, row) == value

    def test_a_value_of_the_wrong_type_is_refused_by_name(self, row: Row):
        with pytest.raises(SettingError, match=rf"^{row.keyword} "):
            load(keywords={row.keyword: object()})

    def test_none_as_a_keyword_leaves_it_alone(self, row: Row):
        assert value_of(load(keywords={row.keyword: None}), row) == row.default

    def test_the_default_as_text_is_the_default(self, row: Row):
        if row.kind == "list" or (row.kind == "text" and not row.default_text):
            pytest.skip("what is not set is not written")
        settings = load(command_line={row.name: [row.default_text]})
        assert value_of(settings, row) == row.default


class TestPrecedence:
    def test_each_source_beats_the_next(self, tmp_path: Path):
        file = tmp_path / "t.toml"
        file.write_text("port = 1\n")
        sources: dict[str, Any] = {"file": file}
        assert load(**sources).port == 1
        sources["environ"] = {"TERCEL_PORT": "2"}
        assert load(**sources).port == 2
        sources["keywords"] = {"port": 3}
        assert load(**sources).port == 3
        sources["command_line"] = {"port": ["4"]}
        assert load(**sources).port == 4

    def test_a_list_of_a_stronger_source_replaces_the_whole_list(self, tmp_path: Path):
        file = tmp_path / "t.toml"
        file.write_text('bind = ["127.0.0.1:1", "127.0.0.1:2"]\n')
        settings = load(file=file, environ={"TERCEL_BIND": "127.0.0.1:3"})
        assert settings.bind == ["127.0.0.1:3"]

    def test_settings_of_different_sources_add_up(self, tmp_path: Path):
        file = tmp_path / "t.toml"
        file.write_text("backlog = 5\n")
        settings = load(file=file, environ={"TERCEL_PORT": "0"}, keywords={"host": "::1"})
        assert (settings.backlog, settings.port, settings.host) == (5, 0, "::1")

    def test_the_variable_names_a_file_unless_one_is_given(self, tmp_path: Path):
        (tmp_path / "a.toml").write_text("port = 1\n")
        (tmp_path / "b.toml").write_text("port = 2\n")
        environ = {"TERCEL_CONFIG": str(tmp_path / "a.toml")}
        assert load(environ=environ).port == 1
        assert load(environ=environ, file=tmp_path / "b.toml").port == 2

    def test_the_platform_s_number_of_workers_is_the_weakest(self, tmp_path: Path):
        file = tmp_path / "t.toml"
        file.write_text("workers = 2\n")
        platform = {"WEB_CONCURRENCY": "3"}
        assert load(platform=platform).workers == 3
        assert load(platform={"WEB_CONCURRENCY": " "}).workers == 1
        assert load(platform=platform, file=file).workers == 2
        assert load(platform=platform, environ={"TERCEL_WORKERS": "4"}).workers == 4
        with pytest.raises(SettingError, match=r"^WEB_CONCURRENCY must be a whole number"):
            load(platform={"WEB_CONCURRENCY": "many"})

    def test_a_program_is_not_told_by_the_platform(self):
        assert load(environ={"WEB_CONCURRENCY": "3"}).workers == 1

    def test_a_weaker_source_must_be_right_too(self):
        with pytest.raises(SettingError, match=r"^TERCEL_PORT must be a whole number"):
            load(environ={"TERCEL_PORT": "x"}, command_line={"port": ["1"]})

    def test_nothing_is_read_from_the_process_unless_it_is_given(self, monkeypatch):
        monkeypatch.setenv("TERCEL_PORT", "1")
        assert load().port == 8000


class TestKeywords:
    def test_an_unknown_one_names_the_close_match(self):
        with pytest.raises(TypeError, match=r"^'prot' is not a setting: did you mean port\?$"):
            load(keywords={"prot": 1})

    def test_one_without_a_close_match(self):
        with pytest.raises(TypeError, match=r"^'qqqq' is not a setting\.$"):
            load(keywords={"qqqq": 1})

    def test_paths_numbers_and_single_texts_are_understood(self, tmp_path: Path):
        settings = load(keywords={"app_dir": tmp_path, "fd": 3, "header": "a: b"})
        assert settings.app_dir == str(tmp_path)
        assert settings.fd == "3"
        assert settings.header == ["a: b"]

    @pytest.mark.parametrize(
        ("keywords", "sentence"),
        [
            ({"port": True}, 'port must be a whole number from 0 to 65535, not "true".'),
            ({"port": 1.5}, 'port must be a whole number from 0 to 65535, not "1.5".'),
            ({"port": [1, 2]}, "port takes one value, not 2."),
            ({"factory": 2}, 'factory must be true or false, not "2".'),
            (
                {"timeout_write": 1e-7},
                "timeout_write must be a time in seconds such as 30, 0.5, 500ms or 5min, from 0.001"
                ' to 86400, or 0 for no limit, not "1e-07".',
            ),
            (
                {"host": {"a": 1}},
                "host must be a text, a number, true or false, or a list of texts, not dict.",
            ),
            (
                {"access_log_format": "%Z"},
                'access-log-format has an unknown atom "%Z": the atoms are listed in the reference'
                " of the access log.",
            ),
            (
                {"bind": ["127.0.0.1:1", "127.0.0.1:1"]},
                'bind names "127.0.0.1:1" twice: remove one of them.',
            ),
        ],
    )
    def test_a_bad_value_is_one_sentence(self, keywords: dict[str, Any], sentence: str):
        with pytest.raises(SettingError) as caught:
            load(keywords=keywords)
        assert str(caught.value) == sentence

    def test_off_is_zero_where_zero_is_special(self):
        assert load(keywords={"timeout_write": "off"}).timeout_write == 0
        with pytest.raises(SettingError):
            load(keywords={"timeout_keep_alive": "off"})

    @pytest.mark.parametrize("mode", [0o660, "0660", "660", "0o660"])
    def test_permissions_are_octal_however_they_are_written(self, mode: int | str):
        assert load(keywords={"uds_mode": mode}).uds_mode == 0o660

    def test_permissions_in_decimal_are_refused(self):
        with pytest.raises(SettingError, match="must be octal permissions such as 0660"):
            load(keywords={"uds_mode": 660})


class TestVariables:
    def test_lists_are_separated_by_commas_but_headers_by_lines(self):
        environ = {"TERCEL_BIND": "127.0.0.1:1, unix:/x", "TERCEL_HEADER": "a: b, c\nd: e\n"}
        settings = load(environ=environ)
        assert settings.bind == ["127.0.0.1:1", "unix:/x"]
        assert settings.header == ["a: b, c", "d: e"]

    def test_what_kubernetes_sets_for_a_service_is_explained(self):
        with pytest.raises(SettingError, match="Kubernetes sets this variable"):
            load(environ={"TERCEL_PORT": "tcp://10.0.0.1:8000"})

    @pytest.mark.parametrize("name", ["TERCEL_UDS", "TERCEL_BIND", "TERCEL_CONFIG"])
    def test_an_empty_one_is_no_wish_for_the_default(self, name: str):
        with pytest.raises(SettingError, match=name):
            load(environ={name: ""})

    def test_unknown_ones_are_ignored_and_misspelt_ones_are_told(self):
        environ = {"TERCEL_HOME": "/x", "TERCEL_PROT": "1", "PORT": "1"}
        assert load(environ=environ).port == 8000
        assert misspelt_variables(environ) == [
            "The variable TERCEL_PROT is not a setting: did you mean TERCEL_PORT?"
        ]


class TestFile:
    def read(self, tmp_path: Path, text: str) -> Settings:
        (tmp_path / "t.toml").write_text(text)
        return load(file=tmp_path / "t.toml")

    def test_values_have_their_toml_types(self, tmp_path: Path):
        settings = self.read(
            tmp_path,
            'app = "main:app"\nport = 9000\ntimeout_keep_alive = 2.5\naccess-log = false\n'
            'bind = []\nlimit_request_body = "1MiB"\n',
        )
        assert settings.app == "main:app"
        assert settings.port == 9000
        assert settings.timeout_keep_alive == 2.5
        assert settings.access_log is False
        assert settings.limit_request_body == 1 << 20

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("prot = 1\n", r"'prot' in .*t\.toml is not a setting: did you mean port\?"),
            (
                "[tercel]\nport = 1\n",
                r"\[tercel\] in .*t\.toml is a table, and settings stand in none: move them"
                r" to the top of a file of their own, for example port = 8000\.",
            ),
            ("[tool.tercel]\nport = 1\n", r"\[tool\] in .*t\.toml is a table, .*"),
            ("port = 70000\n", r"port in .*t\.toml must be a whole number from 0 to 65535, not .*"),
            ("port = 2026-01-01\n", r"port in .*t\.toml must be a text, a number, .* not date\."),
            ("[port]\na = 1\n", r"port in .*t\.toml must be a text, a number, .* not dict\."),
            ("port = \n", r"The settings file .*t\.toml is not TOML: .*line 1.*\."),
        ],
    )
    def test_mistakes_are_one_sentence(self, tmp_path: Path, text: str, sentence: str):
        with pytest.raises(SettingError, match=rf"^{sentence}$"):
            self.read(tmp_path, text)

    def test_files_that_cannot_be_read(self, tmp_path: Path):
        with pytest.raises(SettingError, match="cannot be read: No such file or directory"):
            load(file=tmp_path / "none.toml")
        (tmp_path / "latin.toml").write_bytes(b'app = "\xe9"\n')
        with pytest.raises(SettingError, match="is not TOML"):
            load(file=tmp_path / "latin.toml")


class TestPortBesideBind:
    @pytest.mark.parametrize("other", ["bind", "uds", "fd"])
    @pytest.mark.parametrize("name", ["host", "port"])
    def test_is_refused_in_one_source(self, name: str, other: str):
        texts = {"host": "::1", "port": "1", "bind": "127.0.0.1:1", "uds": "/x", "fd": "3"}
        with pytest.raises(SettingError, match=f"^--{other} replaces --{name}: remove one"):
            load(command_line={name: [texts[name]], other: [texts[other]]})

    def test_of_a_weaker_source_gives_way(self):
        settings = load(environ={"TERCEL_PORT": "1"}, command_line={"bind": ["127.0.0.1:2"]})
        assert settings.binds() == ["127.0.0.1:2"]


def test_settings_cannot_be_asked_for_what_is_not_in_the_table():
    with pytest.raises(AttributeError, match='"prot" is not a setting'):
        _ = load().prot


def test_closest_finds_nothing_rather_than_something_far():
    assert closest("timeout-keepalive", ROWS) == "timeout-keep-alive"
    assert closest("xyzzy", ROWS) is None
