"""Node.js as a client: its own `http2`, and the package `ws`, in clear and over TLS.

The scripts are in tests/python/node. `tools/deps.sh` installs `ws` where Node.js is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.processes import environment_of_others
from support.server import ServerProcess
from support.tls import Authority

NODE = shutil.which("node")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PACKAGES = CACHE / "tercel" / "node"
SCRIPTS = Path(__file__).parent / "node"
SIZES = 9  # Of messages in ws.js, each as text and as bytes.

pytestmark = [
    pytest.mark.io_threads,
    pytest.mark.skipif(NODE is None, reason="Node.js is not installed"),
]


def node(script: str, *arguments: str) -> Any:
    """Returns what a script prints."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(SCRIPTS / script), *arguments],
        capture_output=True,
        timeout=50,
        env=environment_of_others(),
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(params=["clear", "tls"])
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, str], list[str]]:
    """The settings of the server, and what a script needs to trust it."""
    if request.param == "clear":
        return {}, []
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", "127.0.0.1", file="server")
    return {"ssl_certfile": certificate, "ssl_keyfile": key}, [authority.ca]


def test_http2_of_node(serve: Any, secured: tuple[dict[str, str], list[str]]) -> None:
    settings, trust = secured
    server: ServerProcess = serve("live:app", **settings)
    scheme = "https" if trust else "http"
    assert node("http2.js", f"{scheme}://127.0.0.1:{server.port}", *trust) == {
        "alpn": "h2" if trust else "h2c",
        "right": 50,
        "counted": str(5 << 20),
        "reset": 8,
        "hello": "hello 7",
        "ping": True,
    }


@pytest.mark.skipif(
    not (PACKAGES / "node_modules" / "ws").exists(),
    reason=f"the package ws of npm is not in {PACKAGES}: run tools/deps.sh",
)
def test_ws_of_node(serve: Any, secured: tuple[dict[str, str], list[str]]) -> None:
    settings, trust = secured
    server: ServerProcess = serve("websocket_echo:app", **settings)
    scheme = "wss" if trust else "ws"
    url = f"{scheme}://127.0.0.1:{server.port}/"
    plain, deflated = node("ws.js", url, str(PACKAGES), *trust)
    extensions = deflated.pop("extensions")
    assert "permessage-deflate" in extensions
    assert plain.pop("extensions") == ""
    told = {"right": 2 * SIZES, "whole": True, "pong": "are you there", "code": 4001}
    assert plain == told
    assert deflated == told
