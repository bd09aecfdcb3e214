"""A script for object_storage_proxy under tercel.s3.compat, with nothing but another import."""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from support.server import ServerProcess
from tercel.s3 import Hmac, presign
from tercel.s3.compat import ProxyServerConfig

SCRIPT = """
import json, sys
from tercel.s3.compat import ProxyServerConfig, get_request_count, start_server

def creds(token, bucket):
    return json.dumps({"access_key": f"{token}-{bucket}", "secret_key": "s"})

def two(token, bucket):
    print("ASKED", token, bucket, flush=True)
    return bucket == "team"

def three(token, bucket, request=None):
    return request["method"] == "GET" and request["path"].startswith("/team/in/")

host = {"host": "127.0.0.1", "port": int(sys.argv[1]), "addressing_style": "path"}
start_server(ProxyServerConfig(
    cos_map={"team": host, "other": host},
    bucket_creds_fetcher=creds,
    hmac_keystore=[{"access_key": "stored", "secret_key": "s"}],
    hmac_fetcher=lambda token: "s" if token == "fetched" else None,
    validator=VALIDATOR,
    http_port=0,
    metrics_port=0,
    threads=1,
))
print("COUNT", get_request_count(), flush=True)
"""


class Storage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def log_message(self, *_: Any) -> None: ...


def ask(
    server: ServerProcess, path: str, key: str, secret: str = "s", method: str = "GET"
) -> tuple[int, str]:
    url = f"{server.url}{path}"
    request = urllib.request.Request(
        presign(method, url, credentials=Hmac(key, secret)), method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("validator", ["two", "three", "None"])
def test_script(tmp_path: Path, validator: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("VALIDATOR", validator))
    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as storage:
        Thread(target=storage.serve_forever, daemon=True).start()
        server = ServerProcess("script", port=None)
        server.command = [sys.executable, str(script), str(storage.server_port)]
        with server:
            assert ask(server, "/team/in/k", "stored") == (200, "stored-team")
            assert ask(server, "/team/in/k", "fetched") == (200, "fetched-team")
            assert ask(server, "/team/in/k", "stored", "wrong")[0] == 403
            assert ask(server, "/team/in/k", "nobody")[0] == 403
            put = ask(server, "/team/in/k", "stored", method="PUT")[0]
            assert put == (403 if validator == "three" else 200)
            other = ask(server, "/other/in/k", "stored")[0]
            assert other == (200 if validator == "None" else 403)
            if validator == "two":
                assert server.output.count("ASKED stored team") == 1
            (port,) = re.findall(r"Metrics: http://[\d.]+:(\d+)/metrics", server.output)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as metrics:
                assert b'tercel_s3_operations_total{operation="GetObject"' in metrics.read()
            server.stop()
            server.wait_for("COUNT 6")
        storage.shutdown()


HOST = {"host": "h", "port": 80, "access_key": "A", "secret_key": "S"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ProxyServerConfig({"a": HOST}), "name one of http_port and https_port"),
        (
            lambda: ProxyServerConfig({"a": HOST}, http_port=1, https_port=2),
            "name one of http_port and https_port",
        ),
        (
            lambda: ProxyServerConfig({"a": HOST}, http_port=1, skip_signature_validation=True),
            "signatures are verified",
        ),
        (
            lambda: ProxyServerConfig({"a": HOST | {"hots": 1}}, http_port=1),
            "cos_map of 'a' has 'hots', which is not known",
        ),
        (lambda: ProxyServerConfig({"a": {"host": "h"}}, http_port=1), "has host and port"),
        (
            lambda: ProxyServerConfig({"a": HOST}, http_port=1, metrics_port=65_536),
            "metrics_port is from 0 to 65535, not 65536",
        ),
        (
            lambda: ProxyServerConfig({"a": {"host": "h", "port": 1}}, http_port=1),
            "has no creds",
        ),
    ],
)
def test_mistakes(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()
