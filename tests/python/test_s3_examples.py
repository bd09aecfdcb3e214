"""The examples of docs/guide/s3.md, in front of a storage that says what reached it."""

from __future__ import annotations

import itertools
import json
import re
import runpy
import sqlite3
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from support.redis_server import RedisServer
from support.s3_shared import client_of
from support.server import ServerProcess
from tercel.s3 import Hmac, presign
from tercel.s3.file import FileGateway

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "s3"


class Storage(BaseHTTPRequestHandler):
    """Says the credential and the path of each request."""

    def do_GET(self) -> None:
        credential = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        token = self.headers["x-amz-security-token"]
        body = " ".join(filter(None, (credential, token, self.path))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def storage() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def example(name: str, storage: str, **env: str) -> ServerProcess:
    env = {"S3_ENDPOINT": storage, "S3_KEY": "BACK", "S3_SECRET": "SK"} | env
    return ServerProcess(f"{name}:gateway", app_dir=EXAMPLES, env=env)


def ask(
    server: ServerProcess, path: str, access_key: str, secret: str, method: str = "GET"
) -> tuple[int, str]:
    link = presign(method, f"{server.url}{path}", credentials=Hmac(access_key, secret))
    try:
        request = urllib.request.Request(link, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_minimal(storage: str) -> None:
    with example("minimal", storage) as server:
        alice = ("alice", "alice-and-nobody-else")
        assert ask(server, "/reports/a%20b", *alice) == (200, "BACK /reports/a%20b")
        assert ask(server, "/other/a", *alice)[0] in (403, 404)
        assert ask(server, "/reports/a", "alice", "wrong")[0] == 403
        assert "<Name>reports</Name>" in ask(server, "/", *alice)[1]


def test_folders(storage: str) -> None:
    with example("folders", storage) as server:
        alice, bob = ("alice", "secret-of-alice"), ("bob", "secret-of-bob")
        assert ask(server, "/team-a/k", *alice) == (200, "BACK /shared/teams/a/k")
        assert ask(server, "/team-b/k", *bob) == (200, "BACK /shared/teams/b/k")
        assert ask(server, "/team-b/k", *alice)[0] == 403
        assert ask(server, "/team-a/..%2Fb%2Fk", *alice)[0] == 400
        assert ask(server, "/public/k", *bob) == (200, "BACK /shared/public/k")
        assert ask(server, "/public/k", *bob, "PUT")[0] == 403
        with urllib.request.urlopen(f"{server.url}/public/k", timeout=10) as response:
            assert response.read() == b"BACK /shared/public/k"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{server.url}/team-a/k", timeout=10)


def test_backends(storage: str) -> None:
    with example("backends", storage, S3_COLD=storage, S3_HOT=storage) as server:
        alice, bob = ("alice", "secret-of-alice"), ("bob", "secret-of-bob")
        assert ask(server, "/archive/k", *alice) == (200, "cold-key /prod-archive/k")
        assert ask(server, "/tmp-1/k", *alice) == (200, "hot-key /tmp-1/k")
        assert ask(server, "/other/k", *alice, "PUT") == (200, "hot-key /other/k")
        assert ask(server, "/other/k", *bob) == (200, "hot-key /other/k")
        for key in ("private/k", "x/..%2Fprivate/k", "%2Fprivate/k", "x/.."):
            assert ask(server, f"/other/{key}", *bob)[0] == 403
        assert ask(server, "/other?list-type=2", *bob)[0] == 403
        assert ask(server, "/other/k", *bob, "PUT")[0] == 403


def test_resolver(storage: str, tmp_path: Path) -> None:
    path = tmp_path / "buckets.db"
    with sqlite3.connect(path) as table:
        table.execute("CREATE TABLE buckets (name TEXT PRIMARY KEY, region TEXT)")
        table.execute("INSERT INTO buckets VALUES ('logs', 'de'), ('photos', 'us')")
    where = {"S3_COLD": storage, "S3_HOT": storage, "BUCKETS": str(path)}
    with example("resolver", storage, **where) as server:
        alice = ("alice", "secret-of-alice")
        assert ask(server, "/logs/k", *alice) == (200, "cold-key /logs/k")
        assert ask(server, "/photos/k", *alice) == (200, "hot-key /photos/k")
        assert ask(server, "/other/k", *alice)[0] == 404


def test_endpoints(storage: str) -> None:
    gone = "http://127.0.0.1:9"
    with example("endpoints", storage, S3_FIRST=gone, S3_SECOND=storage) as server:
        for _ in range(5):
            assert ask(server, "/photos/k", "alice", "secret-of-alice") == (200, "key /photos/k")


def test_limits(storage: str) -> None:
    with example("limits", storage) as server:
        alice, backup = ("alice", "secret-of-alice"), ("backup", "secret-of-backup")
        assert [ask(server, "/archive/k", *backup)[0] for _ in range(7)].count(503) >= 1
        assert {ask(server, "/photos/k", *backup)[0] for _ in range(150)} == {200}
        assert ask(server, "/photos/k", *alice)[0] == 200

        def preflight(method: str, origin: str) -> Any:
            fields = {"Origin": origin, "Access-Control-Request-Method": method}
            url = f"{server.url}/photos/k"
            request = urllib.request.Request(url, headers=fields, method="OPTIONS")
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.headers["Access-Control-Allow-Origin"]

        assert preflight("PUT", "https://admin.example.com") == "https://admin.example.com"
        assert preflight("GET", "https://other.example") == "*"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            preflight("PUT", "https://other.example")


def test_tokens(storage: str) -> None:
    jwt = pytest.importorskip("jwt")
    key = "k" * 32
    claims = {"sub": "alice", "aud": "s3", "exp": time.time() + 60, "groups": ["team"]}
    with example("tokens", storage, TOKEN_KEY=key) as server:
        token = jwt.encode(claims, key, "HS256")
        assert ask(server, "/team/k", token, "token") == (200, "BACK /team/k")
        assert ask(server, "/other/k", token, "token")[0] == 403
        late = jwt.encode(claims | {"exp": time.time() - 1}, key, "HS256")
        assert "InvalidAccessKeyId" in ask(server, "/team/k", late, "token")[1]
        forged = jwt.encode(claims, "f" * 32, "HS256")
        assert "InvalidAccessKeyId" in ask(server, "/team/k", forged, "token")[1]


class Role(BaseHTTPRequestHandler):
    """Gives credentials with an end, as the agent of a container does: others each time."""

    keys = itertools.count(1)

    def do_GET(self) -> None:
        end = datetime.now(UTC) + timedelta(minutes=5)  # Less than what botocore renews ahead.
        key = f"ROLE{next(self.keys)}"
        body = {"AccessKeyId": key, "SecretAccessKey": "s", "Token": f"token of {key}"}
        text = json.dumps(body | {"Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None: ...


def test_role(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    alice = ("alice", "secret-of-alice")
    with ThreadingHTTPServer(("127.0.0.1", 0), Role) as agent:
        Thread(target=agent.serve_forever, daemon=True).start()
        where = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{agent.server_port}/"}
        env = {"S3_ENDPOINT": storage, **nothing, **where}
        with ServerProcess("role:gateway", app_dir=EXAMPLES, env=env, io_threads=1) as server:
            found = [ask(server, "/photos/k", *alice) for _ in range(2)]
            assert found[0][0] == 200
            assert re.fullmatch(r"ROLE\d+ token of ROLE\d+ /photos/k", found[0][1])
            assert found[1] == found[0]  # Kept: botocore would have gone for others.
        agent.shutdown()
    with example("role", storage, **nothing, AWS_EC2_METADATA_DISABLED="true") as server:
        assert "InternalError" in ask(server, "/photos/k", *alice)[1]
        server.wait_for("AWS knows no credentials here")


def test_sandbox(storage: str, tmp_path: Path) -> None:
    # Whoever starts sandboxes lives in the gateway's process: here it writes down one that is open
    # and one that is closed again.
    (tmp_path / "started.py").write_text(
        "import sandbox\n"
        "gateway = sandbox.gateway\n"
        "open_ = sandbox.open_sandbox('work', 'run-7/')\n"
        "closed = sandbox.open_sandbox('work', 'run-7/')\n"
        "sandbox.close_sandbox(closed[0])\n"
        "print('KEYS', *open_, *closed, flush=True)\n"
    )
    env = {"S3_ENDPOINT": storage, "S3_KEY": "BACK", "S3_SECRET": "SK"}
    env["PYTHONPATH"] = str(EXAMPLES)
    with ServerProcess("started:gateway", app_dir=tmp_path, env=env) as server:
        words = server.wait_for(r"KEYS (\S+) (\S+) (\S+) (\S+)").groups()
        inside, closed = words[:2], words[2:]
        assert ask(server, "/work/run-7/k", *inside) == (200, "BACK /work/run-7/k")
        assert ask(server, "/work/run-7/k", *inside, "PUT")[0] == 200
        assert ask(server, "/work/run-8/k", *inside)[0] == 403
        assert ask(server, "/work/run-7/..%2Frun-8/k", *inside)[0] == 403
        assert ask(server, "/other/run-7/k", *inside)[0] == 403
        assert ask(server, "/work?list-type=2&prefix=run-", *inside)[0] == 403
        assert ask(server, "/work/run-7/k", *closed)[0] == 403


def test_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (EXAMPLES / "s3.toml").read_text()
    for name in ("ibm-key", "alice"):
        (tmp_path / name).write_text("secret")
    path = tmp_path / "s3.toml"
    path.write_text(text.replace("/run/secrets", str(tmp_path)))
    monkeypatch.setenv("S3_SECRET", "a")
    monkeypatch.setenv("BATCH_SECRET", "b")
    FileGateway(str(path))
    assert tomllib.loads(text)["server"] == {"port": 9000}


def test_link(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "link.py"))
    link = capsys.readouterr().out
    assert link.startswith("https://s3.example.com/reports/2026.csv?X-Amz-Algorithm=AWS4")
    assert "&X-Amz-Expires=600&" in link


def test_shared(storage: str, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        env = {"REDIS_URL": redis.url, "REDIS_KEY": "k" * 44}
        with example("shared", storage, **env) as one, example("shared", storage, **env) as other:
            alice = ("alice", "alice-and-nobody-else")
            statuses = [ask(one, "/reports/a", *alice)[0] for _ in range(60)]
            statuses += [ask(other, "/reports/a", *alice)[0] for _ in range(20)]
            assert statuses == [200] * 80
            assert ask(other, "/other/a", *alice)[0] == 403
            assert client_of(redis).keys("tercel:limit:*")
