"""`tercel gateway`: mistakes in its file, what it serves, and what SIGHUP brings."""

from __future__ import annotations

import gc
import inspect
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from support.s3_gateway import file_server
from support.server import ServerProcess
from tercel.cli import main
from tercel.problems import SettingError
from tercel.s3 import (
    ApiKey,
    Backend,
    Bearer,
    Cors,
    FrontKey,
    Gateway,
    Hmac,
    Limit,
    Redis,
    presign,
)
from tercel.s3.file import FileGateway, read_file
from tercel.s3.file_tables import KEYS
from tercel.s3.rules import Rule

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "s3.md"
BUCKET = '[buckets."*"]\nendpoint = "http://h"\ntoken = { env = "T" }\n'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("T", "SECRET-T")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NONE", raising=False)
    return tmp_path / "s3.toml"


def test_values(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET-F\n")
    (tmp_path / "redis").write_text("k" * 32)
    secret = f'{{ file = "{tmp_path}/secret" }}'
    path.write_text(
        f"""
        [server]
        port = 9000
        [gateway]
        domains = "s3.test"
        allow_ttl = 7.5
        [buckets.archive]
        endpoint = "https://h:9"
        region = "eu-de"
        style = "virtual"
        bucket = "b"
        verify = false
        trailers = false
        access_key = "AK"
        secret_key = {secret}
        session_token = {{ env = "T" }}
        [buckets."b-*"]
        endpoint = ["http://h", "http://i:9"]
        spread = true
        connect_timeout = 1.5
        response_timeout = 900
        progress_timeout = 30
        idle_timeout = 20
        retries = 0
        check = "connect"
        check_interval = 5
        api_key = {{ env = "T" }}
        token_url = "http://iam"
        [[buckets."b-*".cors]]
        origins = ["https://a.example", "https://b.example"]
        methods = ["GET", "PUT"]
        headers = "x-amz-*"
        expose = "ETag"
        max_age = 5
        credentials = true
        private_network = true
        [[buckets."b-*".cors]]
        origins = "*"
        {BUCKET}
        [buckets."*".cors]
        origins = "*"
        [identities.alice]
        secret = {{ env = "T" }}
        [identities.bob]
        access_key = "BOB"
        secret = {secret}
        session_token = {{ env = "T" }}
        [[policies]]
        allow = true
        identity = "alice"
        bucket = ["a", "b-*"]
        prefix = "x/"
        operations = "ListObjectsV2"
        cidr = "10.0.0.0/8"
        [[policies]]
        allow = false
        access = ["list"]
        [[limits]]
        per = "pair"
        rate = 0.5
        burst = 3
        concurrent = 4
        bandwidth = 100_000
        identity = ["alice", "b*", ""]
        bucket = "archive"
        [[limits]]
        rate = 9
        [redis]
        url = "rediss://h:7/1"
        key = {{ file = "{tmp_path}/redis" }}
        share = "tokens"
        prefix = "p:"
        timeout = 0.5
        ca = "{tmp_path}/secret"
        """
    )
    said = read_file(str(path))
    assert said.server == {"port": 9000}
    assert said.options == {"domains": ["s3.test"], "allow_ttl": 7.5}
    assert said.buckets == {
        "archive": Backend(
            "https://h:9",
            region="eu-de",
            style="virtual",
            bucket="b",
            verify=False,
            trailers=False,
            creds=Hmac("AK", "SECRET-F", "SECRET-T"),
        ),
        "b-*": Backend(
            ("http://h", "http://i:9"),
            creds=ApiKey("SECRET-T", "http://iam"),
            spread=True,
            connect_timeout=1.5,
            response_timeout=900,
            progress_timeout=30,
            idle_timeout=20,
            retries=0,
            check="connect",
            check_interval=5,
            cors=[
                Cors(
                    origins=["https://a.example", "https://b.example"],
                    methods=["GET", "PUT"],
                    headers=["x-amz-*"],
                    expose=["ETag"],
                    max_age=5,
                    credentials=True,
                    private_network=True,
                ),
                Cors(origins=["*"]),
            ],
        ),
        "*": Backend("http://h", creds=Bearer("SECRET-T"), cors=Cors(origins=["*"])),
    }
    assert said.limits == (
        Limit(
            per="pair",
            rate=0.5,
            burst=3,
            concurrent=4,
            bandwidth=100_000,
            identity=["alice", "b*", ""],
            bucket="archive",
        ),
        Limit(rate=9),
    )
    assert said.keys == {
        "alice": FrontKey("SECRET-T", identity="alice"),
        "BOB": FrontKey("SECRET-F", "SECRET-T", identity="bob"),
    }
    first, second = said.rules
    assert (first.allow, first.identity, first.bucket) == (True, ["alice"], ["a", "b-*"])
    assert (first.prefix, first.operations) == (["x/"], {"ListObjectsV2"})
    assert [str(one) for one in first.cidr] == ["10.0.0.0/8"]
    assert second == Rule(False, operations=second.operations)
    assert {"ListObjects", "ListParts", "HeadBucket"} <= second.operations
    assert "GetObject" not in second.operations
    assert said.redis == Redis(
        "rediss://h:7/1",
        key="k" * 32,
        share=["tokens"],
        prefix="p:",
        timeout=0.5,
        ca=str(tmp_path / "secret"),
    )
    FileGateway(str(path))


@pytest.mark.parametrize(("key", "share"), [(False, ("limits",)), (True, ("tokens", "limits"))])
def test_what_a_file_shares(path: Path, key: bool, share: tuple[str, ...]) -> None:
    (path.parent / "redis").write_text("k" * 32)
    (path.parent / "url").write_text("redis://u:SECRET@h\n")
    text = f'[redis]\nurl = {{ file = "{path.parent}/url" }}\n'
    if key:
        text += f'key = {{ file = "{path.parent}/redis" }}'
    path.write_text(BUCKET + text)
    redis = read_file(str(path)).redis
    assert redis is not None
    assert (redis.url, redis.share) == ("redis://u:SECRET@h", share)


def test_a_file_with_a_secret_is_ascii(path: Path) -> None:
    secret = path.parent / "secret"
    path.write_text(BUCKET + f'[identities.a]\nsecret = {{ file = "{secret}" }}')
    secret.write_bytes(b"SECRET\xe4\n")
    with pytest.raises(SettingError, match=r"secret of .* in the file .*, which is not ASCII, in"):
        read_file(str(path))


def test_a_file_with_a_secret_is_read_whole_or_not_at_all(path: Path) -> None:
    secret = path.parent / "secret"
    path.write_text(BUCKET + f'[identities.a]\nsecret = {{ file = "{secret}" }}')
    secret.write_text("s" * 65_535 + "\n")
    assert read_file(str(path)).keys["a"].secret == "s" * 65_535
    secret.write_text("s" * 65_536 + "\n")
    with pytest.raises(
        SettingError, match=r"secret of .* in the file .*, which has more than 64 K"
    ):
        read_file(str(path))


RULE = "[[policies]]\n"
ALICE = '[identities.alice]\nsecret = { env = "T" }\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[bucket.a]", "[bucket] is no table of a gateway (did you mean buckets?) in"),
        ("policies = 1", "policies has to be [[policies]], a list of tables"),
        ("server = 1", "server has to be [server], a table in"),
        ("", 'There is no [buckets.NAME]: name one, "*" for all, in'),
        ("[buckets]\na = 1", "[buckets.a] is a table in"),
        ("[buckets.a]\nendpoit = 1", "'endpoit' is no key of [buckets.a] (did you mean endpoint?)"),
        ("[buckets.a]", "[buckets.a] has no endpoint in"),
        ('[buckets.a]\nendpoint = "h"', "[buckets.a] has either access_key and secret_key"),
        (BUCKET + 'access_key = "A"', "[buckets.*] has either access_key and secret_key"),
        (BUCKET.replace("http://h", "h"), "[buckets.*]: the endpoint of Backend is an http(s) URL"),
        (BUCKET + "verify = 1", "verify of [buckets.*] is true or false in"),
        (BUCKET + "region = 1", "region of [buckets.*] is a text in"),
        (BUCKET.replace('{ env = "T" }', '"SECRET"'), 'is { env = "NAME" } or { file = "PATH" }'),
        (BUCKET.replace('"T"', '"NONE"'), "is in the variable NONE, which is not set, in"),
        (BUCKET.replace('"T"', '"EMPTY"'), "is in the variable EMPTY, which is empty, in"),
        (
            BUCKET.replace('env = "T"', 'file = "/none"'),
            "in the file /none, which cannot be read (No such file or directory), in",
        ),
        (BUCKET.replace('env = "T"', 'file = "/"'), "/, which cannot be read (Is a directory)"),
        (
            BUCKET.replace('env = "T"', 'file = "/dev/null"'),
            "token of [buckets.*] is in the file /dev/null, which is empty, in",
        ),
        (BUCKET.replace('env = "T"', 'file = "\\u0000"'), "whose name no file has, '\\x00',"),
        (BUCKET + "[gateway]\nallow_ttl = 'a'", "allow_ttl of [gateway] is a number in"),
        (
            BUCKET + "[gateway]\nallow_ttl = -1",
            "makes no gateway: the ttl of a Gateway, allow_ttl,",
        ),
        (BUCKET + "[gateway]\ndomains = [1]", "domains of [gateway] is a text or a list of texts"),
        (BUCKET + "[identities.a]", "[identities.a] has no secret in"),
        (
            BUCKET
            + '[identities.a]\nsecret = { env = "T" }\n'
            + '[identities.b]\naccess_key = "a"\nsecret = { env = "T" }',
            "The access_key of [identities.b] is another identity's in",
        ),
        (BUCKET + RULE, "[[policies]] number 1 has no allow in"),
        (BUCKET + RULE + "allow = 1", "allow of [[policies]] number 1 is true or false in"),
        (
            BUCKET + RULE + "allow = true\nprefix = []",
            "list: name one or leave it out, which is for all,",
        ),
        (
            BUCKET.replace('"http://h"', "[]"),
            "endpoint of [buckets.*] is an empty list: name one, in",
        ),
        (BUCKET + "[gateway]\ndomains = []", "is an empty list: name one or leave it out, in"),
        (BUCKET + "a = " + "[" * 50_000, "has values in values in values: no key takes so many."),
        (
            BUCKET + "[gateway]\nregion = 'a/b'",
            "the region of Gateway is a name, as eu-de, without",
        ),
        (BUCKET + "[gateway]\nregion = 'a\u2028'", "the region of Gateway has bytes that are not"),
        (BUCKET + f"[gateway]\nregion = '{'a' * 65}'", "the region of Gateway has at most 64"),
        (BUCKET + "[gateway]\nkey_ttl = nan", "the ttl of a Gateway, key_ttl, in seconds, is from"),
        (
            BUCKET + "[identities.a]\naccess_key = ''\nsecret = { env = 'T' }",
            "access_key of [identities.a] is empty in",
        ),
        (
            BUCKET + "[identities.a]\naccess_key = '\u00e4'\nsecret = { env = 'T' }",
            "access_key of [identities.a] has bytes that are not printable ASCII in",
        ),
        (
            BUCKET + "[identities.'\u00e4']\nsecret = { env = 'T' }",
            "access_key of [identities.\u00e4], its name, has bytes that are not printable",
        ),
        (
            BUCKET.replace("http://h", "http://h:65536"),
            "endpoint of Backend has a port that is none",
        ),
        (BUCKET + "bucket = 'a/b'", "[buckets.*]: the bucket of Backend is a name: 1 to 255"),
        (BUCKET + "ca = '/none'", "[buckets.*]: a Backend has a ca for an endpoint that is https"),
        (BUCKET + RULE + 'allow = true\nprefix = ""', "none of them empty in"),
        (
            BUCKET + RULE + 'allow = false\nprefix = "/private/"',
            "[[policies]] number 1: a prefix is what keys begin with, as private/, without a /",
        ),
        (BUCKET + RULE + 'allow = true\nbucket = "[a]"', "has patterns of * and ?, without [ in"),
        (BUCKET + RULE + 'allow = true\ncidr = "10.0.0.1/8"', "is no network: 10.0.0.1/8 has host"),
        (BUCKET + RULE + 'allow = true\naccess = "all"', "has read, write and list, not 'all' in"),
        (
            BUCKET + RULE + 'allow = true\noperations = "GetObjekt"',
            "operations of [[policies]] number 1 has 'GetObjekt' (did you mean GetObject?) in",
        ),
        (
            BUCKET + ALICE + RULE + 'allow = true\nidentity = ["al*", "alcie"]',
            "identity of [[policies]] number 1 has 'alcie', which is none of [identities.NAME] (did"
            " you mean alice?) in",
        ),
        (BUCKET + RULE + 'allow = true\nidentity = "bob"', "none of [identities.NAME] in"),
        (
            BUCKET.replace("*", "archive") + RULE + 'allow = true\nbucket = ["x*", "archiv"]',
            "bucket of [[policies]] number 1 has 'archiv', which no [buckets.NAME] is for (did you"
            " mean archive?) in",
        ),
        (BUCKET + "cors = 1", "cors of [buckets.*] is a table or a list of tables in"),
        (BUCKET + "[buckets.'*'.cors]", "cors of [buckets.*] has no origins in"),
        (
            BUCKET + "[buckets.'*'.cors]\norigins = 'a.example'",
            "cors of [buckets.*]: The origin 'a.example' of CORS has no scheme",
        ),
        (
            BUCKET + "[buckets.'*'.cors]\norigin = 'a.example'",
            "'origin' is no key of cors of [buckets.*] (did you mean origins?) in",
        ),
        ("[limits]", "limits has to be [[limits]], a list of tables in"),
        (BUCKET + "[[limits]]\nrate = 0", "[[limits]] number 1: the rate of Limit, in requests"),
        (BUCKET + "[[limits]]\nrates = 1", "is no key of [[limits]] number 1 (did you mean rate?)"),
        (BUCKET + "[[limits]]\n[[limits]]", "makes no gateway: two limits are of the same kind"),
        (BUCKET + "[redis]", "[redis] has no url in"),
        (BUCKET + "[redis]\nurl = 1", 'url of [redis] is { env = "NAME" } or { file = "PATH" }'),
        (BUCKET + '[redis]\nurl = "redis://:SECRET@h"', "url of [redis] has a password: it is {"),
        (BUCKET + '[redis]\nurl = "h"', "[redis]: the url of Redis begins with redis://"),
        (BUCKET + '[redis]\nurl = "redis://h"\nkey = "SECRET"', "key of [redis] is { env ="),
        (
            BUCKET + '[redis]\nurl = "redis://h"\nkey = { env = "T" }',
            "[redis]: the key of Redis has 32 characters or more, at random",
        ),
        (
            BUCKET + '[redis]\nurl = "redis://h"\nshare = "decisions"',
            "share of [redis] has tokens and limits, not 'decisions' in",
        ),
        (
            BUCKET + '[redis]\nurl = "redis://h"\nshare = "tokens"',
            "[redis]: Redis shares tokens only with a key",
        ),
        (
            BUCKET + '[redis]\nurl = "redis://h"\n[gateway]\npolicy_timeout = 0.1',
            "makes no gateway: the timeout of Redis, 0.25 s, is longer than policy_timeout",
        ),
        ("a = ", "is not TOML: Invalid value"),
    ],
)
def test_mistakes(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        FileGateway(str(path))
    said = str(caught.value)
    assert sentence in said
    assert str(path) in said
    assert "SECRET" not in said
    assert re.fullmatch(r"[^\n]*\.", said)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name the file of the gateway: tercel gateway s3.toml."),
        (["/none.toml"], "The gateway's file /none.toml cannot be read: No such file"),
        (["/none.toml", "--config", "a"], "in [server] of its file, without --config."),
        (["/none.toml", "--prot"], "--prot is not an option of tercel gateway"),
        (["FILE"], "'prot' is not a setting: did you mean port? ([server] is in"),
    ],
)
def test_mistakes_of_the_command(
    path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    path.write_text(BUCKET + "[server]\nprot = 1")
    assert main(["gateway", *(str(path) if word == "FILE" else word for word in words)]) == 2
    assert sentence in capsys.readouterr().err


def test_settings_of_the_server(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("tercel.run.run", lambda app, *said, **_: seen.extend((app(), *said)) or 0)
    path.write_text(BUCKET + "[server]\nport = 9001\nbacklog = 10\ntimeout_keep_alive = 7")
    monkeypatch.setenv("TERCEL_TIMEOUT_KEEP_ALIVE", "8")
    assert main(["gateway", str(path), "--backlog", "11"]) == 0
    gateway, settings, reread = seen
    assert isinstance(gateway, FileGateway)
    assert settings.binds() == ["127.0.0.1:9001"]
    assert (settings.backlog, settings.timeout_keep_alive) == (11, 8)
    path.write_text(BUCKET + '[server]\nlimit_request_body = "1MiB"')
    assert reread().limit_request_body == 1 << 20
    path.write_text(BUCKET + "[server]\nfactory = false")
    with pytest.raises(SettingError, match=r"factory in \[server\] of .* is not for a gateway"):
        reread()


@pytest.mark.parametrize("more", ["", '[redis]\nurl = "redis://127.0.0.1:1"'])
def test_what_is_read_again_leaves_no_memory_behind(path: Path, more: str) -> None:
    path.write_text(BUCKET + more)
    gateway = FileGateway(str(path))
    gateway.__tercel_reload__()
    gc.collect()
    made = [one for one in gc.get_objects() if isinstance(one, FileGateway)]
    assert [one for one in made if one._path == str(path)] == [gateway]


@pytest.mark.parametrize("place", ["file", "option"])
def test_a_secret_may_be_in_the_env_file(
    path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    env_file = path.parent / "secrets.env"
    env_file.write_text("ONLY_THERE=token\n")
    bucket = '[buckets."*"]\nendpoint = "http://h"\ntoken = { env = "ONLY_THERE" }\n'
    server = f'[server]\nenv_file = "{env_file}"\n' if place == "file" else ""
    words = ["--env-file", str(env_file)] if place == "option" else []
    path.write_text(server + bucket + "[[policies]]\nallow = true\n")
    assert main(["check", str(path), *words]) == 0


def test_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = path.parent / "log"
    path.write_text(BUCKET + f'[server]\nport = 9001\n[gateway]\naudit_log = "{log}"')
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"The file is right, {path} is an S3 gateway, it would listen on 127.0.0.1:9001.\n"
    )
    assert not log.exists()
    assert main(["check", str(path), "--bind", "127.0.0.1:5"]) == 0
    assert "listen on 127.0.0.1:5." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words", "status", "sentence"),
    [
        ("[buckets.a]", [], 2, "[buckets.a] has no endpoint in"),
        ("[server]\nprot = 1", [], 2, "'prot' is not a setting: did you mean port?"),
        ('[server]\nport = "http"', [], 2, "([server] is in"),
        ('[server]\nssl_certfile = "/none"', [], 2, "/none"),
        ('[server]\nuds = "/none/a"', [], 1, "Cannot listen on unix:/none/a: there is no folder"),
        ('[server]\naccess_log_file = "/none/a"', [], 1, "access-log-file /none/a cannot be"),
        ("[gateway]\nkey_ttl = -1", [], 2, "makes no gateway: the ttl of a Gateway, key_ttl"),
        ('[gateway]\naudit_log = "/none/a"', [], 1, "cannot be written to /none/a: No such"),
        ("", ["--config", "a"], 2, "in [server] of its file, without --config."),
    ],
)
def test_mistakes_that_check_finds(
    path: Path,
    capsys: pytest.CaptureFixture[str],
    more: str,
    words: list[str],
    status: int,
    sentence: str,
) -> None:
    path.write_text(BUCKET + RULE + "allow = true\n" + more)
    assert main(["check", str(path), *words]) == status
    said = capsys.readouterr().err
    assert sentence in said
    assert re.fullmatch(r"tercel: [^\n]*\.\n", said)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", "--help"]) == 0
    said = capsys.readouterr().out
    assert "usage: tercel gateway s3.toml" in said
    assert "`tercel check s3.toml`" in said


def test_names_and_patterns_of_policies_that_fit(path: Path) -> None:
    names = 'identity = ["alice", "b*"]\nbucket = ["archive", "tmp-1", "none-*"]'
    buckets = BUCKET.replace("*", "archive") + BUCKET.replace("*", "tmp-?")
    path.write_text(buckets + ALICE + RULE + "allow = true\n" + names)
    (rule,) = read_file(str(path)).rules
    assert rule.bucket == ["archive", "tmp-1", "none-*"]


def test_a_file_without_policies_is_told_of(
    path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    said = f"There are no [[policies]] in {path}: every request is denied."
    path.write_text(BUCKET)
    assert main(["check", str(path)]) == 0
    assert caplog.messages.count(said) + capsys.readouterr().err.count(said) == 1
    with file_server(path, "--port=0") as server:
        server.wait_for("There are no .*: every request is denied")
        assert server.output.count("There are no [[policies]]") == 1
        path.write_text(BUCKET + RULE + "allow = true")
        server.send_signal(signal.SIGHUP)
        server.wait_for("Read .* again")
        assert server.output.count("There are no [[policies]]") == 1
        path.write_text(BUCKET)
        server.send_signal(signal.SIGHUP)
        server.wait_for(r"(?s)Read .* again.*Read .* again.*every request is denied")


def test_the_guide_has_the_defaults_of_a_gateway() -> None:
    said = dict(re.findall(r"^\| `(\w+)` \| (\d+) \| ", GUIDE.read_text(), re.MULTILINE))
    defaults = {
        name: str(parameter.default)
        for name, parameter in inspect.signature(Gateway).parameters.items()
        if name.endswith("_ttl") or name == "policy_timeout"
    }
    assert len(defaults) == 9
    assert {name: said.get(name) for name in defaults} == defaults


def test_guide_names_every_key() -> None:
    text = GUIDE.read_text()
    for table, keys in KEYS.items():
        rows = re.search(rf"^\| `\[+{table}[^\n]*\]+` [^\n]*$", text, re.MULTILINE)
        assert rows, table
        assert re.findall(r"`([a-z_]+)`", rows[0].split("|")[2]) == list(keys)


# --- served


class Storage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.server.server_port} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def storages() -> Iterator[tuple[int, int]]:
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Storage) for _ in range(2)]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    yield tuple(server.server_port for server in servers)
    for server in servers:
        server.shutdown()
        server.server_close()


def file_for(port: int, prefix: str) -> str:
    return f"""
        [server]
        port = 0
        [buckets."*"]
        endpoint = "http://127.0.0.1:{port}"
        style = "path"
        access_key = "AK"
        secret_key = {{ env = "T" }}
        [identities.alice]
        secret = {{ env = "T" }}
        [[policies]]
        allow = true
        identity = "alice"
        access = "read"
        prefix = "{prefix}"
        [[limits]]
        identity = "nobody"
        rate = 1
        """


def get(server: ServerProcess, key: str, secret: str = "SECRET-T") -> tuple[int, str]:
    link = presign("GET", f"{server.url}/bkt/{key}", credentials=Hmac("alice", secret))
    try:
        with urllib.request.urlopen(link, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("workers", [1, 2])
def test_served_and_read_again(path: Path, storages: tuple[int, int], workers: int) -> None:
    first, second = storages
    path.write_text(file_for(first, "a/"))
    with file_server(path, f"--workers={workers}") as server:
        assert f"Serving {path} on http://127.0.0.1:" in server.output
        assert get(server, "a/k")[0] == 200
        assert get(server, "a/k")[1].startswith(f"{first} /bkt/a/k")
        assert get(server, "b/k")[0] == 403
        assert get(server, "a/k", "wrong")[0] == 403

        path.write_text("[buckets]")
        server.send_signal(signal.SIGHUP)
        server.wait_for(r"There is no \[buckets.NAME\]")
        assert get(server, "a/k")[1].startswith(f"{first} ")

        path.write_text(file_for(second, "b/"))
        server.send_signal(signal.SIGHUP)
        ends = time.monotonic() + 20
        while get(server, "b/k")[0] != 200 or get(server, "a/k")[0] != 403:
            assert time.monotonic() < ends, server.output
            time.sleep(0.05)
        assert get(server, "b/k")[1].startswith(f"{second} /bkt/b/k")

        path.write_text(file_for(second, "b/") + "[[limits]]\nrate = 0.001\nburst = 1")
        server.send_signal(signal.SIGHUP)
        ends = time.monotonic() + 20
        while "<Code>SlowDown</Code>" not in get(server, "b/k")[1]:
            assert time.monotonic() < ends, server.output
            time.sleep(0.05)
        assert "SECRET" not in server.output


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("[server]\nport = 0\nprot = 1", r"'prot' is not a setting: did you mean port"),
        ('[server]\nport = "http"', r"port must be .*\(\[server\] is in "),
        ('[server]\napp = "a:b"', r"app in \[server\] of .* is not for a gateway"),
        ('[server]\nssl_certfile = "/none"', r"/none"),
        ('[server]\naccess_log_file = "/none/a"', r"access-log-file /none/a cannot be written"),
        ("[gateway]\nkey_ttl = -1", r"makes no gateway: the ttl of a Gateway, key_ttl"),
        ('[gateway]\naudit_log = "/none/a"', r"The audit log cannot be written to /none/a: No"),
    ],
)
def test_what_no_start_would_take_is_not_read_again(
    path: Path, storages: tuple[int, int], more: str, sentence: str
) -> None:
    first, second = storages
    path.write_text(file_for(first, "a/"))
    with file_server(path) as server:
        path.write_text(file_for(second, "b/").replace("[server]\n        port = 0", "") + more)
        server.send_signal(signal.SIGHUP)
        server.wait_for(r"The gateway stays as it was\. .*" + sentence)
        assert get(server, "a/k")[1].startswith(f"{first} ")
        assert get(server, "b/k")[0] == 403
        path.write_text(file_for(second, "b/") + f'[gateway]\naudit_log = "{path.parent}/log"')
        server.send_signal(signal.SIGHUP)
        server.wait_for(r"Read .* again")
        assert get(server, "b/k")[1].startswith(f"{second} ")
        assert not (path.parent / "log").exists()
