"""A page in headless Chromium that reads and writes objects through a gateway of another origin."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from support.browser import BROWSER, opened
from support.s3_gateway import ALICE, BOB, Front, backend, fields_of, origin_fixture
from support.s3_origin import Origin
from support.sigv4 import presign
from tercel.s3 import Cors, Limit

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is missing"),
    pytest.mark.timeout(120),
]

SCRIPT = """
async function ask({url, method, headers, body, read}) {
  try {
    const answer = await fetch(url, {method, headers, body});
    const text = await answer.text();
    const code = /<Code>(.*)<.Code>/.exec(text);
    const seen = (read || []).map((name) => name + "=" + answer.headers.get(name));
    return [answer.status, code ? code[1] : text, ...seen].join(" ");
  } catch (error) {
    return "refused";
  }
}
async function main() {
  const report = [];
  for (const one of ASKED) report.push(await ask(one));
  await fetch("/report", {method: "POST", body: JSON.stringify(report)});
}
main();
"""


class Page:
    """Serves a page that asks what it is told to, and takes its report."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reports: Queue[list[str]] = Queue()
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                script = SCRIPT.replace("ASKED", json.dumps(page.asked))
                body = f"<!doctype html><meta charset=utf-8><script>{script}</script>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                page.reports.put(json.loads(body))

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def page() -> Iterator[Page]:
    one = Page()
    yield one
    one.close()


origin = origin_fixture(b"kept")


def test_a_page_uses_a_bucket(page: Page, origin: Origin, tmp_path: Path) -> None:
    origin.objects["/shut/key"] = origin.objects["/other/key"] = b"kept"
    rules = [
        Cors(origins=[page.origin], methods=["GET", "PUT"], headers=["content-type", "x-amz-*"]),
        Cors(origins=[page.origin], methods=["DELETE"], headers=["authorization", "x-amz-*"]),
    ]
    elsewhere = Cors(origins=["https://elsewhere.example"])
    with Front(
        {
            "back": backend(origin, cors=rules),
            "shut": backend(origin, cors=elsewhere),
            "other": backend(origin),
        },
        limits=[Limit(identity=BOB.access_key, rate=0.001)],
    ) as front:

        def ask(method: str, target: str, *, key: Any = ALICE, **more: Any) -> None:
            signed = presign(method, target, front.host, key)
            page.asked.append({"method": method, "url": f"http://{front.host}{signed}", **more})

        ask("GET", "/back/key", read=["etag", "x-other"])
        ask("PUT", "/back/new", body="written", headers={"content-type": "text/plain-2"})
        ask("GET", "/back/new")
        ask("PUT", "/back/new", body="no", headers={"x-not-allowed": "1"})
        ask("POST", "/back/new?uploads", body="no")
        signed = fields_of("DELETE", "/back/new", front.host, None)
        headers = {name: text for name, text in signed.items() if name.lower() != "host"}
        page.asked.append(
            {"method": "DELETE", "url": f"http://{front.host}/back/new", "headers": headers}
        )
        ask("GET", "/back/new")
        page.asked.append(
            {"method": "GET", "url": f"http://{front.host}/back/key", "read": ["x-amz-request-id"]}
        )
        ask("GET", "/back/key", key=BOB)
        ask("GET", "/back/key", key=BOB, read=["retry-after"])
        ask("GET", "/shut/key")
        ask("GET", "/other/key")

        with opened(f"{page.origin}/", tmp_path):
            found = page.reports.get(timeout=60)
        assert front.gateway.counts()["limited"] == 1

    read, *rest = found
    etag = hashlib.md5(b"kept").hexdigest()
    assert read == f'200 kept etag="{etag}" x-other=null'
    assert rest[:6] == ["200 ", "200 written", "refused", "refused", "204 ", "404 NoSuchKey"]
    unsigned, first, second, *others = rest[6:]
    assert unsigned.startswith("403 AccessDenied x-amz-request-id=")
    assert not unsigned.endswith("=null")
    assert first == "200 kept"
    assert second.startswith("503 SlowDown retry-after=")
    assert not second.endswith("=null")
    assert others == ["refused", "refused"]
    assert origin.objects["/back/key"] == b"kept"
    assert "/back/new" not in origin.objects
