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
from support.tls import Transport

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


def trusting(transport: Transport) -> list[str]:
    """What a script needs to trust the server."""
    return [transport.authority.ca] if transport.authority else []


def test_http2_of_node(serve: Any, transport: Transport) -> None:
    server: ServerProcess = serve("live:app", **transport.settings)
    assert node("http2.js", transport.url(server), *trusting(transport)) == {
        "alpn": "h2" if transport.authority else "h2c",
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
def test_ws_of_node(serve: Any, transport: Transport) -> None:
    server: ServerProcess = serve("websocket_echo:app", **transport.settings)
    url = transport.url(server, "ws") + "/"
    plain, deflated = node("ws.js", url, str(PACKAGES), *trusting(transport))
    extensions = deflated.pop("extensions")
    assert "permessage-deflate" in extensions
    assert plain.pop("extensions") == ""
    told = {"right": 2 * SIZES, "whole": True, "pong": "are you there", "code": 4001}
    assert plain == told
    assert deflated == told
