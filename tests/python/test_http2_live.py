"""HTTP/2 as an application and its clients see it, from the choice of the version to the shutdown.

The clients of others have a file of their own, test_http2_clients.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hyperframe.frame import DataFrame, SettingsFrame

from support.clients import curl
from support.http2 import PROTOCOL_ERROR, REFUSED_STREAM, H2Client
from support.processes import SANITIZED, environment_of_others, private_bytes
from support.server import APPS, ServerProcess
from support.tls import Authority

pytestmark = pytest.mark.io_threads
MEBIBYTE = 1 << 20


@pytest.fixture
def server(serve_shared: Any) -> ServerProcess:
    return serve_shared("live:app")


# --- versions


def test_versions_can_be_turned_off(tmp_path: Path) -> None:
    with ServerProcess("live:app", http=1) as server:
        with pytest.raises(subprocess.CalledProcessError):
            curl("--http2-prior-knowledge", f"{server.url}/hello")
        assert curl(f"{server.url}/hello?id=1") == "hello 1"
    with ServerProcess("live:app", http=2) as server:
        assert curl("--http2-prior-knowledge", f"{server.url}/hello?id=1") == "hello 1"
        with pytest.raises(subprocess.CalledProcessError):
            curl("--http1.1", f"{server.url}/hello")
    certificate, key = Authority(tmp_path).issue("127.0.0.1", file="server")
    with ServerProcess("live:app", http=1, ssl_certfile=certificate, ssl_keyfile=key) as server:
        url = f"https://127.0.0.1:{server.port}/hello?id=7"
        assert curl("--insecure", "--http2", "-w", SHOWN, url) == "hello 7 1.1"


def test_the_settings_are_told_to_the_client(serve: Any) -> None:
    server = serve(
        "live:app", http2_max_concurrent_streams=7, http2_initial_stream_window_size=70_000
    )
    with H2Client(server.address) as client:
        client.get(1, "/hello?id=1")
        client.response(1)
        assert client.settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == 7
        assert client.settings[SettingsFrame.INITIAL_WINDOW_SIZE] == 70_000
        assert client.settings[SettingsFrame.ENABLE_CONNECT_PROTOCOL] == 1
        # As much as the window holds is taken before the application reads any of it.
        client.send(client.head(3, "/sip?pause=0.1&id=3", method="POST", end=False))
        for _ in range(4):
            client.send(DataFrame(3, bytes(16_384)))
        last = DataFrame(3, bytes(70_000 - 4 * 16_384))
        last.flags.add("END_STREAM")
        client.send(last)
        assert client.response(3).body == b"70000"


def test_requests_above_the_limit(serve: Any) -> None:
    server = serve("live:app", http2_max_concurrent_streams=7)
    with H2Client(server.address) as client:
        for stream in range(1, 17, 2):
            client.get(stream, f"/sleep?s=0.5&id={stream}")  # Before it reads of the limit.
        assert client.response(15).reset == REFUSED_STREAM
        assert client.response(13).body == b"slept"
    with H2Client(server.address) as client:
        client.get(1, "/hello?id=1")
        client.response(1)
        for stream in range(3, 19, 2):
            client.get(stream, f"/sleep?s=0.5&id={stream}")
        client.read_to_close()
        assert client.goaways[-1][1] == PROTOCOL_ERROR


# --- what an application sees


@pytest.mark.sanitize
def test_a_reset_is_the_disconnect_of_that_request_only(server: ServerProcess) -> None:
    with H2Client(server.address) as client:
        client.get(1, "/wait?id=h2-1")
        client.get(3, "/sleep?s=0.5&id=h2-3")
        server.wait_for("sleeping h2-3")
        client.reset(1)
        server.wait_for("disconnect h2-1")
        assert client.response(3).body == b"slept"


@pytest.mark.sanitize
def test_trailers_and_early_hints(server: ServerProcess) -> None:
    with H2Client(server.address) as client:
        client.send(client.head(1, "/trailers", fields=[("te", "trailers")]))
        answer = client.response(1)
        assert answer.status == 200
        assert ":status" not in answer.heads[-1]
        client.get(3, "/hints")
        heads = client.response(3).heads
        assert [head[":status"] for head in heads] == ["103", "200"]


def test_an_early_answer_does_not_wait_for_the_body(server: ServerProcess) -> None:
    with H2Client(server.address) as client:
        client.send(client.head(1, "/early", method="POST", end=False))
        answer = client.response(1)
        assert (answer.status, answer.body) == (200, b"early")
        client.get(3, "/hello?id=3")
        assert client.response(3).body == b"hello 3"
        assert answer.reset is None  # The rest of the request may still come.
        client.read_to_reset(1)
        assert answer.reset == 0


@pytest.mark.sanitize
def test_the_scope_is_that_of_http1_but_for_its_version(serve_here: Any) -> None:
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    server = serve_here(app, lifespan="off")
    with H2Client(server.address) as client:
        crumbs = [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]
        client.send(client.head(1, "/p%20q?r=s", fields=crumbs))
        assert client.response(1).status == 204
    (scope,) = scopes
    assert scope["http_version"] == "2"
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/p q", b"/p%20q", b"r=s")
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"host", b"t"), (b"cookie", b"a=1; b=2"), (b"x", b"y")]


# --- flow


def test_a_slow_reader_pauses_the_application(serve: Any) -> None:
    server = serve("live:app", access_log=False)
    with H2Client(server.address) as client:
        client.get(1, "/pour?n=1000&id=slow")
        time.sleep(1.0)  # Nothing is read: the windows of the client are 64 KiB.
        poured = sum(1 for line in server.output.splitlines() if line.startswith("poured slow"))
        assert poured <= 5  # Of 1000: one in the window, one in the queue, and what is under way.
        # Other streams go on.
        client.get(3, "/hello?id=3")
        while not client.streams.get(3) or not client.streams[3].ended:
            assert client.read_frame() is not None


def test_an_application_that_does_not_read_pauses_its_client_only(server: ServerProcess) -> None:
    with H2Client(server.address) as client:
        client.send(client.head(1, "/sip?pause=1.5&id=up", method="POST", end=False))
        client.send(DataFrame(1, bytes(16_384)))
        server.wait_for("sipped up")
        for _ in range(2):
            client.send(DataFrame(1, bytes(16_384)))
        begin = time.monotonic()
        client.get(3, "/hello?id=x")
        assert client.response(3).body == b"hello x"
        assert time.monotonic() - begin < 1.0
        last = DataFrame(1, bytes(1000))
        last.flags.add("END_STREAM")
        client.send(last)
        assert client.response(1).body == str(3 * 16_384 + 1000).encode()


def test_bodies_of_any_size_take_little_memory(serve: Any) -> None:
    server = serve("live:app", access_log=False, limit_request_body="0")
    curl("--http2-prior-knowledge", f"{server.url}/hello")
    before = private_bytes(server.pid)
    size = 100 * MEBIBYTE
    sink = ("-o", "/dev/null", "-w", "%{size_download}")
    url = f"{server.url}/stream?n=1600&size=65536"
    assert curl("--http2-prior-knowledge", *sink, url) == str(size)
    command = f"head -c {size} /dev/zero | curl -sS --http2-prior-knowledge --data-binary @- "
    upload = subprocess.run(
        ["bash", "-c", f"{command} {server.url}/count"],
        capture_output=True,
        check=True,
        timeout=50,
        env=environment_of_others(),
    )
    assert upload.stdout == str(size).encode()
    if not SANITIZED:  # Which keeps what is freed.
        assert private_bytes(server.pid) - before < 12 * MEBIBYTE


# --- the end


def test_a_shutdown_loses_nothing(serve: Any) -> None:
    server = serve("live:app")
    with H2Client(server.address) as client:
        client.get(1, "/sleep?s=1&id=last")
        server.wait_for("sleeping last")
        server.send_signal(signal.SIGTERM)
        assert client.response(1).body == b"slept"
        client.read_to_close()
        assert client.goaways[0] == (2**31 - 1, 0)
        assert client.goaways[-1] == (1, 0)
    assert server.wait() == 0


def test_an_idle_connection_is_closed_with_a_goodbye(serve: Any) -> None:
    server = serve("live:app", timeout_keep_alive="0.5")
    with H2Client(server.address) as client:
        client.get(1, "/hello?id=1")
        client.response(1)
        begin = time.monotonic()
        client.read_to_close()
        assert client.goaways == [(1, 0)]
        assert time.monotonic() - begin < 3


# --- the library, which is loaded when it is needed

SHOWN = " %{http_version}"


def maps_nghttp2(pid: int) -> bool:
    return "libnghttp2" in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.sanitize
def test_the_library_is_loaded_by_the_first_client_that_needs_it() -> None:
    with ServerProcess("live:app") as server:
        assert curl("-w", SHOWN, f"{server.url}/hello?id=1") == "hello 1 1.1"
        assert not maps_nghttp2(server.pid)
        assert (
            curl("--http2-prior-knowledge", "-w", SHOWN, f"{server.url}/hello?id=2") == "hello 2 2"
        )
        assert maps_nghttp2(server.pid)


@pytest.fixture
def without_library(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has no nghttp2: what stands there is no library."""
    (tmp_path / "libnghttp2.so.14").touch()
    return {"LD_LIBRARY_PATH": str(tmp_path)}


def test_without_the_library_clients_are_served_with_http_1(
    without_library: dict[str, str], tmp_path: Path
) -> None:
    certificate, key = Authority(tmp_path).issue("localhost", file="localhost")
    with ServerProcess("live:app", env=without_library) as server:
        assert curl("-w", SHOWN, f"{server.url}/hello?id=1") == "hello 1 1.1"
        with pytest.raises(subprocess.CalledProcessError):
            curl("--http2-prior-knowledge", f"{server.url}/hello?id=2")
        server.wait_for(" 505 ")
    with ServerProcess(
        "live:app", env=without_library, ssl_certfile=[certificate], ssl_keyfile=[key]
    ) as server:
        url = f"https://127.0.0.1:{server.address[1]}/hello?id=2"
        assert curl("--insecure", "--http2", "-w", SHOWN, url) == "hello 2 1.1"


@pytest.mark.parametrize("command", ["serve", "check"])
def test_asking_for_http_2_alone_without_the_library_is_one_sentence(
    without_library: dict[str, str], command: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tercel", command, "live:app", "--http", "2", "--app-dir", APPS],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, **without_library},
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "tercel: http is 2, which needs the library nghttp2 (libnghttp2.so.14), and it cannot be"
        " loaded: install it, or choose auto."
    )
