"""`--static PATH=FOLDER`: what real clients get of a folder, beside an application.

What decides is tested in tests/cpp/edge/file_handler_test.cc and file_answer_test.cc.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.clients import curl
from support.fixtures import ServeProcess
from support.server import APPS, ServerProcess
from support.tls import Transport
from tercel.problems import SettingError
from tercel.server.check import check
from tercel.settings import load

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

BYTES = bytes(range(256)) * 8192  # 2 MiB: more than a socket takes at once.
SCRIPT = b"let answer = 42;\n" * 100
OLD = 1_700_000_000


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static") / "dist"
    (folder / "docs").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>root</h1>")
    (folder / "docs" / "index.html").write_text("<h1>docs</h1>")
    (folder / "bytes.bin").write_bytes(BYTES)
    (folder / "app.js").write_bytes(SCRIPT)
    (folder / "app.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / ".env").write_text("key")
    (folder / "up").symlink_to("..")
    (folder.parent / "secret.txt").write_text("secret")
    os.mkfifo(folder / "fifo")
    for path in (folder / "bytes.bin", folder / "app.js", folder / "app.js.gz"):
        os.utime(path, (OLD, OLD))
    return folder


@pytest.fixture(params=["live:app", "wsgi_apps.live:app"])
def target(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def server(serve_shared: Any, transport: Transport, target: str, dist: Path) -> ServerProcess:
    return serve_shared(
        target, static=[f"/assets={dist}", f"/nested/more={dist}"], **transport.settings
    )


@pytest.fixture
def trust(transport: Transport) -> tuple[str, ...]:
    return ("--cacert", transport.authority.ca) if transport.authority else ()


@pytest.fixture
def url(server: ServerProcess, transport: Transport) -> str:
    return transport.url(server)


class TestClients:
    def test_httpx_reads_and_asks_again(self, url: str, transport: Transport):
        verify = transport.authority.client_context() if transport.authority else True
        with httpx.Client(base_url=url, verify=verify) as client:
            first = client.get("/assets/app.js")
            assert first.content == SCRIPT  # Of app.js.gz.
            assert first.headers["content-encoding"] == "gzip"
            assert first.headers["vary"] == "accept-encoding"
            assert first.headers["content-type"] == "text/javascript; charset=utf-8"
            again = client.get("/assets/app.js", headers={"if-none-match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            plain = client.get("/assets/app.js", headers={"accept-encoding": "identity"})
            assert plain.content == SCRIPT
            assert plain.headers["etag"] != first.headers["etag"]
            assert client.get("/nested/more/app.js").content == SCRIPT
            assert client.head("/assets/bytes.bin").headers["content-length"] == str(len(BYTES))

    def test_httpx_follows_from_a_folder_to_its_index(self, url: str, transport: Transport):
        verify = transport.authority.client_context() if transport.authority else True
        with httpx.Client(base_url=url, verify=verify) as client:
            assert client.get("/assets/docs").headers["location"] == "./docs/"
            answer = client.get("/assets/docs?a=b", follow_redirects=True)
            assert str(answer.url) == f"{url}/assets/docs/?a=b"
            assert answer.text == "<h1>docs</h1>"

    @pytest.mark.parametrize("version", ["--http1.1", "--http2"])
    def test_curl_goes_on_where_it_stopped(
        self, url: str, trust: Any, transport: Transport, version: str, tmp_path: Path
    ):
        if version == "--http2" and not transport.authority:
            version = "--http2-prior-knowledge"
        part = tmp_path / "part"
        part.write_bytes(BYTES[:1_000_000])
        status = curl(
            version, *trust, "-C", "-", "-o", part, "-w", "%{http_code} %{size_download}",
            f"{url}/assets/bytes.bin",
        )  # fmt: skip
        assert status == f"206 {len(BYTES) - 1_000_000}"
        assert part.read_bytes() == BYTES
        whole = tmp_path / "whole"
        curl(version, *trust, "-o", whole, f"{url}/assets/bytes.bin")
        assert whole.read_bytes() == BYTES

    @pytest.mark.parametrize("version", ["--http1.1", "--http2"])
    def test_curl_reads_ranges(
        self, url: str, trust: Any, transport: Transport, version: str, tmp_path: Path
    ):
        if version == "--http2" and not transport.authority:
            version = "--http2-prior-knowledge"
        out = tmp_path / "out"
        words = (version, *trust, "-o", out, "-w", "%{http_code} %{content_type}")
        target = f"{url}/assets/bytes.bin"
        assert curl(*words, "--range", "10-19", target) == "206 application/octet-stream"
        assert out.read_bytes() == BYTES[10:20]
        assert curl(*words, "--range", "-3", target) == "206 application/octet-stream"
        assert out.read_bytes() == BYTES[-3:]
        several = curl(*words, "--range", "0-9,1000000-1300000,-5", target)
        kind = "206 multipart/byteranges; boundary="
        assert several.startswith(kind)
        boundary = b"\r\n--" + several.removeprefix(kind).encode()
        parts = out.read_bytes().split(boundary)
        assert (parts[0], parts[-1]) == (b"", b"--\r\n")
        bodies = [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]]
        assert bodies == [BYTES[:10], BYTES[1_000_000:1_300_001], BYTES[-5:]]
        assert curl(*words, "--range", "99999999-", target).startswith("416 ")

    def test_the_application_has_the_rest(self, url: str, trust: Any, target: str):
        assert curl(*trust, f"{url}/hello?id=7").startswith("hello")
        # Over HTTP/2 this curl minds an answer that comes before it has sent its body.
        post = curl(*trust, "--http1.1", "-d", "x", "-w", " %{http_code}", f"{url}/assets/app.js")
        assert post == "the method is not allowed at this path\n 405"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/up/secret.txt",
        "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/assets//etc/passwd",
        "/assets/.env",
        "/assets/%2eenv",
        "/assets/fifo",
        "/assets/app.js%00",
        "/assets/nothing",
        "/assets/" + "x" * 5000,
    ],
)
def test_nothing_else_is_served(serve_shared: Any, dist: Path, path: str):
    server = serve_shared("live:app", static=[f"/assets={dist}"])
    answer = server.request("GET", path)
    assert answer.status == 404
    assert answer.body == b"nothing is found at this path\n"


def test_below_everything_the_application_is_asked_for_what_is_missing(
    serve: ServeProcess, dist: Path
):
    server = serve("live:app", static=[f"/={dist}"])
    assert server.request("GET", "/").body == b"<h1>root</h1>"
    assert server.request("GET", "/hello?id=7").body == b"hello 7"


def test_slow_clients_and_many_files_leave_nothing_open(serve: ServeProcess, dist: Path):
    server = serve("live:app", static=[f"/assets={dist}"])
    files = Path(f"/proc/{server.pid}/fd")
    before = len(list(files.iterdir()))
    for _ in range(20):
        with socket.create_connection(server.address) as client:
            client.sendall(
                b"GET /assets/bytes.bin HTTP/1.1\r\nhost: a\r\n"
                b"range: bytes=0-9,100-1000000,-9\r\n\r\n"
            )
            client.recv(100)  # And leaves, in the middle.
    assert server.request("GET", "/hello?id=1").body == b"hello 1"
    deadline = time.monotonic() + 10
    while len(list(files.iterdir())) > before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


class TestMistakes:
    def test_a_folder_that_is_not_there_ends_the_start(self, tmp_path: Path):
        (tmp_path / "file").touch()
        for name, why in (("dist", "No such file or directory"), ("file", "Not a directory")):
            mount = f"/assets={tmp_path}/{name}"
            sentence = f"Cannot serve the folder of --static {mount}: {tmp_path}/{name}: {why}."
            settings = load(keywords={"static": [mount]})
            with pytest.raises(SettingError, match=re.escape(sentence)):
                check("", settings)
            command = [sys.executable, "-m", "tercel", "serve", "live:app", "--static", mount]
            failed = subprocess.run(
                [*command, "--port", "0", "--app-dir", APPS], capture_output=True, text=True
            )
            assert failed.returncode != 0
            assert sentence in failed.stderr

    @pytest.mark.parametrize("value", ["dist", "/assets", "/assets/=dist", "assets=dist", "/a="])
    def test_what_is_no_mount_is_refused(self, value: str):
        with pytest.raises(SettingError, match=r"static must be path=folder, as /assets=\./dist"):
            load(keywords={"static": [value]})

    def test_a_relative_folder_is_that_of_the_start(self, dist: Path, monkeypatch: Any):
        settings = load(keywords={"static": ["/assets=./dist"]})
        monkeypatch.chdir(dist.parent)
        check("", settings)
        monkeypatch.chdir(dist)
        with pytest.raises(SettingError, match="No such file"):
            check("", settings)
