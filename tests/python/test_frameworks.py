"""Unmodified applications of six frameworks, for real clients: httpx, curl and raw sockets.

The same questions to the same application in each framework (apps/frameworks): what differs is how
the framework uses ASGI, which is what these tests are about.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.questions import BLOB, LINES, SHA, SameQuestions
from support.server import ServerProcess

FRAMEWORKS = ["fastapi", "starlette", "django", "litestar", "quart", "falcon"]


def target(framework: str) -> str:
    return f"frameworks.{framework}_app:app"


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(serve_shared: Any, framework: str) -> ServerProcess:
    return serve_shared(target(framework))


@pytest.fixture
def client(server: ServerProcess) -> Any:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


class TestEachFramework(SameQuestions):
    pytestmark = pytest.mark.sanitize

    def test_body_of_unknown_length(self, client: httpx.Client) -> None:
        parts = (BLOB[start : start + 50_000] for start in range(0, len(BLOB), 50_000))
        assert client.post("/raw", content=parts).json() == {"size": len(BLOB), "sha": SHA}

    def test_upload(self, client: httpx.Client) -> None:
        response = client.post("/upload", files={"file": ("größe.bin", BLOB)})
        assert response.json() == {"filename": "größe.bin", "size": len(BLOB), "sha": SHA}

    def test_background_task_runs_after_the_answer(
        self, server: ServerProcess, client: httpx.Client
    ) -> None:
        before = server.output.count("background done")
        assert client.get("/background").text == "accepted"
        server.wait_for("^background done", count=before + 1)

    def test_head(self, client: httpx.Client) -> None:
        response = client.head("/json")
        assert response.content == b""
        assert response.status_code in (200, 405)

    def test_curl(self, server: ServerProcess, tmp_path: Path) -> None:
        blob = tmp_path / "blob.bin"
        blob.write_bytes(BLOB)
        result = subprocess.run(
            # Expect: 100-continue is what curl sends with a large upload.
            [
                "curl",
                "-sS",
                "-H",
                "Expect: 100-continue",
                "-F",
                f"file=@{blob}",
                f"{server.url}/upload",
                "--next",
                "-sS",
                f"{server.url}/stream",
                "--next",
                "-sS",
                "--http1.0",
                f"{server.url}/stream",
            ],
            capture_output=True,
            timeout=30,
            check=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        output = result.stdout.decode()
        assert SHA in output
        assert output.endswith(LINES + LINES)

    def test_pipelined_requests(self, server: ServerProcess) -> None:
        with server.connect() as client:
            client.send(
                b"GET /json HTTP/1.1\r\nHost: t\r\n\r\nGET /stream HTTP/1.1\r\nHost: t\r\n\r\n"
            )
            assert b"hello" in client.response().body
            assert client.response().body == LINES.encode()


def test_lifespan_runs_once_around_everything(serve: Any, framework: str) -> None:
    server: ServerProcess = serve(target(framework))
    expected = 0 if framework == "django" else 1
    state = server.request("GET", "/state")
    assert state.body == (b"ready" if expected else b"none")
    assert server.stop() == 0
    assert server.output.count("started\n") == expected
    assert server.output.count("stopped\n") == expected
    assert "Traceback" not in server.output


@pytest.mark.parametrize(
    "options",
    [
        {"loop": "asyncio"},
        {"loop": "uvloop"},
        {"dispatch": "task"},
        {"env": {"PYTHONASYNCIODEBUG": "1"}},
        {"io_threads": 1},
    ],
    ids=lambda options: "-".join(f"{key}={value}" for key, value in options.items()),
)
def test_other_ways_to_run_answer_the_same(serve: Any, framework: str, options: Any) -> None:
    server: ServerProcess = serve(target(framework), **options)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        assert client.get("/json").json() == {"message": "hello"}
        assert client.get("/stream").text == LINES
        assert client.post("/raw", content=BLOB).json() == {"size": len(BLOB), "sha": SHA}
        assert client.post("/upload", files={"file": ("b", BLOB)}).json()["sha"] == SHA
        assert client.get("/raise").status_code == 500
    assert server.stop() == 0
