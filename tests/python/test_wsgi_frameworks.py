"""Unmodified WSGI applications of four frameworks, for real clients: httpx, curl and raw sockets.

The same questions to the same application in each framework (apps/wsgi_apps), as it is, and in
wsgiref's checks of both sides.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.fixtures import ServeProcess
from support.questions import BLOB, LINES, SHA, SameQuestions
from support.server import ServerProcess
from support.tls import Transport

FRAMEWORKS = ["flask", "django", "bottle", "falcon"]
SMALL = BLOB[:20_000]


def summary(body: bytes) -> dict[str, Any]:
    return {"size": len(body), "sha": hashlib.sha256(body).hexdigest()}


def in_parts(body: bytes, size: int = 5_000) -> Any:
    return (body[start : start + size] for start in range(0, len(body), size))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "blob.bin"
    path.write_bytes(BLOB)
    return path


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["plain", "validated"])
def target(request: pytest.FixtureRequest, framework: str) -> str:
    if request.param == "plain":
        return f"wsgi_apps.{framework}_app:app"
    return f"wsgi_apps.validated:{framework}"


@pytest.fixture
def server(serve_shared: ServeProcess, target: str, file: Path) -> ServerProcess:
    return serve_shared(target, env={"WSGI_FILE": str(file)})


@pytest.fixture
def client(server: ServerProcess) -> Any:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


class TestEachFramework(SameQuestions):
    pytestmark = pytest.mark.sanitize

    def test_file(self, client: httpx.Client) -> None:
        response = client.get("/file")
        assert hashlib.sha256(response.content).hexdigest() == SHA
        assert response.headers["content-length"] == str(len(BLOB))

    def test_body_of_unknown_length(self, client: httpx.Client) -> None:
        assert client.post("/raw", content=in_parts(SMALL)).json() == summary(SMALL)

    def test_upload(self, client: httpx.Client) -> None:
        response = client.post("/upload", files={"file": ("name.bin", BLOB)})
        assert response.json() == {"filename": "name.bin", "size": len(BLOB), "sha": SHA}

    def test_errors_are_in_the_log_of_the_server(
        self, server: ServerProcess, client: httpx.Client
    ) -> None:
        before = server.output.count("a line of the log")
        assert client.get("/log").text == "logged"
        server.wait_for(r"^\S+ \S+ ERROR .*\n?.*a line of the log$", count=before + 1)

    def test_head(self, client: httpx.Client) -> None:
        response = client.head("/json")
        assert response.content == b""
        assert response.status_code in (200, 405)

    def test_pipelined_requests(self, server: ServerProcess) -> None:
        with server.connect() as client:
            client.send(
                b"GET /json HTTP/1.1\r\nHost: t\r\n\r\nGET /stream HTTP/1.1\r\nHost: t\r\n\r\n"
            )
            assert b"hello" in client.response().body
            assert client.response().body == LINES.encode()

    def test_curl(self, server: ServerProcess, file: Path) -> None:
        # Expect: 100-continue is what curl sends with a large upload.
        command = ["curl", "-sS", "-H", "Expect: 100-continue", "-F", f"file=@{file}"]
        command.append(f"{server.url}/upload")
        for options in ([], ["--http1.0"], ["--http2-prior-knowledge"]):
            command += ["--next", "-sS", *options, f"{server.url}/stream"]
        result = subprocess.run(
            command,
            capture_output=True,
            timeout=30,
            check=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        output = result.stdout.decode()
        assert SHA in output
        assert output.endswith(LINES * 3)


@pytest.mark.parametrize("framework", ["flask", "falcon"], indirect=True)
def test_a_long_body_of_unknown_length(client: httpx.Client) -> None:
    """Flask knows wsgi.input_terminated, Falcon's stream does without a length; others do not."""
    response = client.post("/raw", content=in_parts(BLOB, 50_000))
    assert response.json() == {"size": len(BLOB), "sha": SHA}


@pytest.mark.parametrize("body", [SMALL, BLOB], ids=["small", "large"])
def test_an_async_view_of_django_reads_the_body(serve: ServeProcess, body: bytes) -> None:
    server = serve("wsgi_apps.django_app:app")
    assert httpx.post(f"{server.url}/async", content=body, timeout=20).json() == summary(body)


@pytest.mark.parametrize("transport", ["tls"], indirect=True)
def test_over_tls_and_http2(serve: ServeProcess, framework: str, transport: Transport) -> None:
    server = serve(f"wsgi_apps.{framework}_app:app", **transport.settings)
    context = transport.context()
    url = f"https://localhost:{server.port}"
    with httpx.Client(base_url=url, http2=True, verify=context, timeout=20) as client:
        response = client.get("/json")
        assert (response.http_version, response.json()) == ("HTTP/2", {"message": "hello"})
        assert client.post("/raw", content=BLOB).json() == {"size": len(BLOB), "sha": SHA}
        assert client.post("/upload", files={"file": ("b", BLOB)}).json()["sha"] == SHA
        assert client.get("/stream").text == LINES


@pytest.mark.parametrize("options", [{"threads": 1}, {"io_threads": 2}, {"loop": "asyncio"}])
def test_other_ways_to_run_answer_the_same(
    serve: ServeProcess, framework: str, options: dict[str, Any]
) -> None:
    server = serve(f"wsgi_apps.{framework}_app:app", **options)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        assert client.get("/json").json() == {"message": "hello"}
        assert client.get("/stream").text == LINES
        assert client.post("/raw", content=BLOB).json() == {"size": len(BLOB), "sha": SHA}
        assert client.get("/raise").status_code == 500
    assert server.stop() == 0
