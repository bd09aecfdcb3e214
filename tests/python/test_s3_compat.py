"""A script for object_storage_proxy under tercel.s3.compat, with nothing but another import."""

from __future__ import annotations

import inspect
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
from tercel.s3.compat import ProxyServerConfig, start_server

SCRIPT = """
import json, sys
from tercel.s3.compat import CosMapItem, ProxyServerConfig, get_request_count, start_server

def creds(token, bucket):
    return json.dumps({"access_key": f"{token}-{bucket}", "secret_key": "s"})

def two(token, bucket):
    print("ASKED", token, bucket, flush=True)
    return bucket == "team"

def three(token, bucket, request=None):
    return request["method"] == "GET" and request["path"].startswith("/team/in/")

host: CosMapItem = {"host": "127.0.0.1", "port": int(sys.argv[1]), "addressing_style": "path"}
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


HOST: dict[str, Any] = {"host": "h", "port": 80, "access_key": "A", "secret_key": "S"}
ROW = {"access_key": "A", "secret_key": "S"}


def config(item: Any = None, **options: Any) -> ProxyServerConfig:
    cos_map = {"abc": HOST if item is None else item}
    return ProxyServerConfig(**{"cos_map": cos_map, "http_port": 1, **options})


def test_arguments_have_the_order_of_the_package() -> None:
    # Those of object_storage_proxy 0.6.12, as its __text_signature__ has them.
    assert list(inspect.signature(ProxyServerConfig).parameters) == [
        "cos_map",
        "hmac_keystore",
        "bucket_creds_fetcher",
        "http_port",
        "https_port",
        "validator",
        "threads",
        "verify",
        "skip_signature_validation",
        "hmac_fetcher",
        "max_presign_url_usage_attempts",
        "server_name",
        "auth_cache_capacity",
        "metrics_port",
    ]
    made = ProxyServerConfig({"abc": HOST}, [ROW], lambda token, bucket: "k", 1, None, None, 2)
    assert (made.hmac_keystore, made.http_port, made.threads) == ([ROW], 1, 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hmac_keystore": None, "threads": None, "verify": None, "skip_signature_validation": None},
        {"hmac_keystore": (ROW, ROW | {"name": "of A"}), "auth_cache_capacity": 5},
        {"max_presign_url_usage_attempts": None, "auth_cache_capacity": None, "metrics_port": None},
        {"item": HOST | {"ttl": None, "region": None, "apikey": None, "is_tls_enabled": None}},
        {"item": {"host": "h", "port": 443, "api_key": "K", "time-to-live": 0}},
        {"item": {"host": "::1", "port": 1, "accessKey": "A", "secretKey": "S"}},
        {"item": HOST | {"addressingStyle": "path"}},
        {"validator": print, "hmac_fetcher": {}.get, "bucket_creds_fetcher": print},
        {"cos_map": {}, "server_name": "<osp\u26a1>"},
    ],
)
def test_what_the_package_takes(options: dict[str, Any]) -> None:
    config(**options)


def test_what_is_set_later_counts() -> None:
    made = config()
    made.threads = 0
    with pytest.raises(ValueError, match="threads is from 1 to 64, not 0"):
        start_server(made)


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
        (lambda: config(skip_signature_validation="no"), "is True or False, not 'no'"),
        (
            lambda: config(max_presign_url_usage_attempts=3),
            "may be used until it expires: leave it",
        ),
        (lambda: config(auth_cache_capacity=0), "auth_cache_capacity is from 1 to 16777216, not 0"),
        (lambda: config(http_port="x"), "http_port is a whole number, not 'x'"),
        (lambda: config(http_port=65_536), "http_port is from 0 to 65535, not 65536"),
        (lambda: config(http_port=None, https_port=-1), "https_port is from 0 to 65535, not -1"),
        (lambda: config(threads="2"), "threads is a whole number, not '2'"),
        (lambda: config(threads=0), "threads is from 1 to 64, not 0"),
        (lambda: config(verify="no"), "verify is True or False, not 'no'"),
        (lambda: config(server_name=None), "server_name is a text, not of NoneType"),
        (lambda: config(validator=5), "validator is a function, not 5"),
        (lambda: config(validator=lambda token: True), "called with (token, bucket)"),
        (lambda: config(validator=lambda a, b, c, d: True), "called with (token, bucket)"),
        (lambda: config(bucket_creds_fetcher=5), "bucket_creds_fetcher is a function, not 5"),
        (lambda: config(bucket_creds_fetcher=lambda bucket: "k"), "called with (token, bucket)"),
        (lambda: config(hmac_fetcher=lambda: None), "called with (access_key)"),
        (lambda: config(hmac_fetcher=5), "hmac_fetcher is a function, not 5"),
        (
            lambda: config(hmac_keystore={"A": "S"}),
            "is a list of dicts with access_key and secret_",
        ),
        (lambda: config(hmac_keystore=lambda: 5), "is a list of dicts with access_key and secret_"),
        (lambda: config(hmac_keystore=["A"]), "and number 1 is of str"),
        (lambda: config(hmac_keystore=[ROW, {"access_key": "B"}]), "number 2 has no secret_key"),
        (
            lambda: config(hmac_keystore=[ROW | {"secret_key": 5}]),
            "secret_key of number 1 of hmac_",
        ),
        (lambda: config(hmac_keystore=[ROW | {"access_key": ""}]), "hmac_keystore is empty"),
        (
            lambda: config(hmac_keystore=[ROW, ROW | {"secret_key": "T"}]),
            "hmac_keystore has two secrets of 'A': leave one out",
        ),
        (lambda: config(cos_map=None), "cos_map is a dict of the backends of buckets by their nam"),
        (lambda: config(cos_map=[HOST]), "by their names, not of list"),
        (lambda: config(cos_map={5: HOST}), "cos_map has names of buckets, and 5 is none"),
        (lambda: config("h"), "cos_map of 'abc' is a dict with host and port, not of str"),
        (lambda: config(HOST | {"port": "80"}), "port of cos_map of 'abc' is a whole number, not"),
        (lambda: config(HOST | {"port": 0}), "port of cos_map of 'abc' is from 1 to 65535, not 0"),
        (lambda: config(HOST | {"port": None}), "cos_map of 'abc' has host and port: give both"),
        (lambda: config(HOST | {"host": "a b"}), "cos_map of 'abc': the endpoint of Backend is an"),
        (lambda: config(HOST | {"host": 5}), "host of cos_map of 'abc' is a text, not of int"),
        (
            lambda: config(HOST | {"ttl": "5"}),
            "the ttl of cos_map of 'abc', in seconds, is a numbe",
        ),
        (lambda: config(HOST | {"secret_key": None}), "go together: give both, or none"),
        (lambda: config(HOST | {"apikey": "K"}), "or access_key and secret_key: leave one out"),
        (lambda: config(HOST | {"secretKey": "S"}), "has secret_key twice, as 'secretKey', too"),
        (lambda: config(HOST | {"apikey": 5, "access_key": ""}), "give both, or none"),
        (lambda: config({"host": "h", "port": 1, "apikey": 5}), "the api_key of ApiKey is a text"),
        (lambda: config(HOST | {"is_tls_enabled": "no"}), "of 'abc' is True or False, not 'no'"),
        (lambda: config(HOST | {"addressing_style": "x"}), "of 'abc': the style of Backend is one"),
        (lambda: start_server({"cos_map": {}}), "takes a ProxyServerConfig, not dict"),
        (
            lambda: ProxyServerConfig({"a": HOST | {"tls": True}}, http_port=1),
            "cos_map of 'a' has 'tls', which is none of host, port, region, apikey, access_key,"
            " secret_key, ttl, addressing_style, is_tls_enabled",
        ),
        (lambda: ProxyServerConfig({"a": {"host": "h"}}, http_port=1), "has host and port"),
        (
            lambda: ProxyServerConfig({"a": HOST}, http_port=1, metrics_port=65_536),
            "metrics_port is from 0 to 65535, not 65536",
        ),
        (
            lambda: ProxyServerConfig({"a": {"host": "h", "port": 1}}, http_port=1),
            "and there is no bucket_creds_fetcher: give one of them",
        ),
    ],
)
def test_mistakes(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(sentence)) as caught:
        make()
    assert "\n" not in str(caught.value)
