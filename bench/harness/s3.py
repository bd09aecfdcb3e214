"""Requests of S3 through a gateway that verifies and signs anew, and through plain proxies.

All get the same requests, signed once for the address of the server, and forward them to one
origin: nginx with files and PUT in memory, on the client's core, whose CPU time is told by itself.
It looks at no signature: what is compared is what stands between.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from harness import load
from harness.bench import Running, Settings, free_port, running, timed
from harness.process import MeasureError, Tree
from harness.servers import Server
from harness.stats import Sample
from harness.target import Needs

CONNECTIONS = 64
ACCESS_KEY, SECRET = "bench", "the secret of the benchmark"

_ORIGIN = """\
daemon off;
worker_processes 1;
pid {scratch}/origin.pid;
error_log stderr warn;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_buffer_size 2m;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {scratch}/files;
    dav_methods PUT;
    create_full_put_path on;
  }}
}}
"""


@dataclass(frozen=True)
class S3:
    """A load of wrk with one request.

    Attributes:
        method: GET of an object of so many bytes, or PUT of one.
        trailer: the body is aws-chunked with a checksum behind it; else its hash is signed.
        threads: what stands between has so many, and both cores, which it shares with client and
            origin; 0: one, and a core of its own.
        presigned: the signature is in the query, as of a link that anybody may follow.
    """

    method: str
    size: int
    trailer: bool = False
    threads: int = 0
    presigned: bool = False

    def __call__(self, server: Server, settings: Settings) -> Sample:
        """Starts the origin and `server`, checks one answer, warms up, measures once."""
        with (
            origin(settings, self.size) as behind,
            running(server, server.app, settings, Needs(threads=self.threads)) as target,
        ):
            path, headers, body = self._signed(target.port)
            self.check(target.port)
            script = _script(target.scratch, self.method, headers, body)
            url = f"http://127.0.0.1:{target.port}{path}"
            self._apply(target, url, script, settings.warmup_s)
            before = behind.cpu()
            sample = timed(target, lambda: self._apply(target, url, script, settings.seconds))
            origin_us = behind.cpu_seconds_since(before) / sample["requests"] * 1e6
            wall_us = 1e6 / sample["requests_per_s"]
            return {
                **sample,
                "wall_us_per_request": wall_us,
                "origin_cpu_us_per_request": origin_us,
            }

    def request(self, port: int) -> bytes:
        """Returns the bytes of a request to the server on `port`, valid for fifteen minutes."""
        path, headers, body = self._signed(port)
        lines = [f"{self.method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def check(self, port: int) -> None:
        """Raises MeasureError when the server on `port` does not answer as it has to."""
        path, headers, body = self._signed(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(self.method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        right = answer.status == 200 and len(text) == self.size
        if not (right if self.method == "GET" else answer.status in (200, 201, 204)):
            raise MeasureError(f"wrong answer: {answer.status} {text[:200]!r}")

    @property
    def _path(self) -> str:
        return "/bench/object" if self.method == "GET" else "/bench/upload"

    def _signed(self, port: int) -> tuple[str, dict[str, str], bytes]:
        """Returns target, headers and body of a request that is valid for fifteen minutes."""
        data = b"x" * self.size if self.method == "PUT" else b""
        headers = {"x-amz-content-sha256": hashlib.sha256(data).hexdigest()}
        body = data
        if self.trailer:
            checksum = b64encode(zlib.crc32(data).to_bytes(4, "big"))
            body = b"%x\r\n%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (len(data), data, checksum)
            headers = {
                "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "content-encoding": "aws-chunked",
                "x-amz-decoded-content-length": str(len(data)),
                "x-amz-trailer": "x-amz-checksum-crc32",
                "x-amz-sdk-checksum-algorithm": "CRC32",
            }
        url = f"http://127.0.0.1:{port}{self._path}"
        if self.presigned:
            return _presign(self.method, url), {}, body
        return self._path, _sign(self.method, url, headers), body

    def _apply(self, target: Running, url: str, script: Path, seconds: float) -> load.Load:
        return load.wrk(
            url,
            connections=CONNECTIONS,
            seconds=seconds,
            core=target.settings.client_core,
            script=script,
        )


def _sign(method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    """Returns the headers with a signature, of the payload hash that they tell."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    class Signer(S3SigV4Auth):  # type: ignore[misc]
        def payload(self, request: object) -> str:
            return headers["x-amz-content-sha256"]

    request = AWSRequest(method, url, headers=headers)
    Signer(Credentials(ACCESS_KEY, SECRET), "s3", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def _presign(method: str, url: str) -> str:
    """Returns the target of a link that is valid for fifteen minutes."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(method, url)
    credentials = Credentials(ACCESS_KEY, SECRET)
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=900).add_auth(request)
    link = urlsplit(request.url)
    return f"{link.path}?{link.query}"


def _script(scratch: Path, method: str, headers: dict[str, str], body: bytes) -> Path:
    """Writes what wrk is told: Lua, with the body in a file of its own."""
    path = scratch / "s3.lua"
    lines = [f'wrk.method = "{method}"']
    # The host that was signed is the one that wrk sends by itself.
    lines += [f'wrk.headers["{name}"] = [[{value}]]' for name, value in headers.items()]
    if body:
        file = scratch / "s3.body"
        file.write_bytes(body)
        lines.append(f'wrk.body = io.open("{file}", "rb"):read("*a")')
    path.write_text("\n".join(lines) + "\n")
    return path


@contextlib.contextmanager
def origin(settings: Settings, size: int) -> Iterator[Tree]:
    """Runs the origin on the client's core, with an object of `size` bytes, within the block."""
    with TemporaryDirectory(prefix="tercel-bench-s3-", dir="/dev/shm") as name:
        scratch = Path(name)
        # nginx gives its privileges up.
        scratch.chmod(0o777)
        files = scratch / "files" / "bench"
        files.mkdir(parents=True)
        for folder in (files.parent, files):
            folder.chmod(0o777)
        (files / "object").write_bytes(os.urandom(size))
        port = free_port()
        config = scratch / "origin.conf"
        config.write_text(_ORIGIN.format(scratch=scratch, port=port))
        os.environ["S3_ORIGIN"] = f"http://127.0.0.1:{port}"
        tree = Tree(
            ["nginx", "-c", str(config)],
            core=settings.client_core,
            log=scratch / "origin.log",
            env={},
            cwd=scratch,
        )
        try:
            _wait_for(port, tree)
            yield tree
        finally:
            tree.stop()


def _wait_for(port: int, tree: Tree) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise MeasureError(f"the origin did not start: {tree.tail()}")
