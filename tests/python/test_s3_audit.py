"""The audit log of a gateway: a line of JSON for each request, whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest

import tercel
import tercel.s3
from support.http1 import RawClient
from support.s3_gateway import (
    ALICE,
    Front,
    backend,
    fields_of,
    file_server,
    origin_fixture,
    raw_request,
)
from support.s3_origin import KEY, Origin
from support.sigv4 import Key, presign
from support.waiting import wait_until
from tercel import _core
from tercel.problems import SettingError
from tercel.s3 import Hmac
from tercel.s3 import presign as link_to

KEPT = os.urandom(300_000)
BIG = os.urandom(4_000_000)
FIELDS = [
    "time",
    "request_id",
    "identity",
    "access_key",
    "source_ip",
    "method",
    "operation",
    "bucket",
    "key",
    "copy_source",
    "presigned",
    "allowed",
    "reason",
    "backend",
    "attempts",
    "status",
    "error",
    "bytes_in",
    "bytes_out",
    "total_ms",
    "upstream_ms",
    "outcome",
]

origin = origin_fixture(KEPT)


class Log:
    """The lines of a file, as they come."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def next(self, count: int = 1, *, timeout: float = 10.0) -> list[dict[str, Any]]:
        """Returns the next `count` lines, once there are so many, and no more of them."""
        end = time.monotonic() + timeout
        while len(lines := self._lines()) < self.read + count:
            assert time.monotonic() < end, lines[self.read :]
            time.sleep(0.01)
        assert len(lines) == self.read + count, lines
        found = lines[self.read :]
        self.read += count
        return [json.loads(line) for line in found]

    def one(self) -> dict[str, Any]:
        return self.next()[0]

    def _lines(self) -> list[str]:
        raw = self.path.read_bytes() if self.path.exists() else b""
        raw = raw[: raw.rfind(b"\n") + 1]
        # One line by any measure, and nothing that a terminal obeys.
        assert raw.isascii()
        assert len(raw.decode().splitlines()) == raw.count(b"\n")
        return raw.decode().splitlines()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "audit.log")


def judge(request: tercel.s3.AuthzRequest) -> tercel.s3.Decision:
    denied = request.key.startswith("private/")
    return tercel.s3.Decision(not denied, reason="it is priv\u00e4t\n" if denied else "")


@pytest.fixture
def front(origin: Origin, log: Log) -> Iterator[Front]:
    with Front({"*": backend(origin)}, authorize=judge, audit_log=log.path) as one:
        yield one


def test_a_line_says_who_did_what(front: Front, log: Log) -> None:
    response = front.send("GET", "/back/key")
    line = log.one()
    assert list(line) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert 0 < line.pop("upstream_ms") <= line.pop("total_ms") < 10_000
    assert response.get("x-amz-request-id") in (None, line["request_id"])
    assert re.fullmatch("[0-9A-Za-z]+", line.pop("request_id"))
    assert line == {
        "identity": "alice",
        "access_key": "alice",
        "source_ip": "127.0.0.1",
        "method": "GET",
        "operation": "GetObject",
        "bucket": "back",
        "key": "key",
        "copy_source": None,
        "presigned": False,
        "allowed": True,
        "reason": None,
        "backend": "*",
        "attempts": 1,
        "status": 200,
        "error": None,
        "bytes_in": 0,
        "bytes_out": len(KEPT),
        "outcome": "complete",
    }


def test_what_moves_is_counted(front: Front, log: Log, origin: Origin) -> None:
    front.send("PUT", "/back/new", body=BIG)
    line = log.one()
    assert (line["operation"], line["bytes_in"], line["status"]) == ("PutObject", len(BIG), 200)
    front.send("HEAD", "/back/new")
    line = log.one()
    assert (line["operation"], line["bytes_in"], line["bytes_out"]) == ("HeadObject", 0, 0)
    front.send("GET", "/back/none")
    line = log.one()
    assert (line["status"], line["error"]) == (404, "NoSuchKey")  # The backend's own.
    origin.objects["/back/k\u00e9y"] = KEPT
    front.send("PUT", "/back/copy", headers={"x-amz-copy-source": "/back/k%C3%A9y"})
    assert log.one()["copy_source"] == "back/k\u00e9y"
    front.send("GET", "/")
    line = log.one()
    assert (line["operation"], line["bucket"], line["attempts"]) == ("ListBuckets", None, 0)
    assert line["upstream_ms"] is None


HOSTILE = [
    'a","identity":"root"}\n{"a":"',
    "new\nline\r\t\0\x1b[2J\x7f",
    "back\\slash",
    "\u2028\u2029\u0085\ufeff\u202e",
    "\U0001f989\u00fc\u20ac",
    "%41%",
    "//../.",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_of_any_characters_is_told_as_it_is(front: Front, log: Log, key: str) -> None:
    front.send("PUT", f"/back/{quote(key)}", body=b"1")
    line = log.one()
    assert (line["key"], line["identity"], line["status"]) == (key, "alice", 200)


def test_a_key_that_is_no_utf8_is_refused_and_told(front: Front, log: Log) -> None:
    path = "/back/" + quote_from_bytes(b"a\xff\xc3b")
    front.send("GET", path)
    line = log.one()
    assert (line["status"], line["error"]) == (400, "InvalidURI")
    assert (line["path"], line["key"]) == (path, "a\ufffd\ufffdb")
    assert line["identity"] is None


def test_what_is_too_long_is_cut_and_said_so(front: Front, log: Log) -> None:
    front.send("GET", "/back/" + "k" * 3000)
    line = log.one()
    assert (line["error"], line["cut"]) == ("KeyTooLongError", ["path", "key"])
    assert line["key"] == "k" * 1024
    assert line["path"] == "/back/" + "k" * 1018
    front.send("GET", "/back/" + "k" * 1024)
    assert "cut" not in log.one()


def test_who_is_refused_has_no_identity(front: Front, log: Log, origin: Origin) -> None:
    def refused(code: str) -> dict[str, Any]:
        line = log.one()
        assert line["error"] == code
        assert line["identity"] is None
        assert (line["allowed"], line["attempts"], line["backend"]) == (None, 0, None)
        return line

    front.send_raw("GET", "/back/key", {"Host": front.host})
    assert refused("AccessDenied")["access_key"] is None
    front.send("GET", "/back/key", key=Key("alice", "a wrong secret"))
    assert refused("SignatureDoesNotMatch")["access_key"] == "alice"
    response = front.send("GET", "/back/key", key=Key("mallory", "secret"))
    assert refused("InvalidAccessKeyId")["request_id"] == response.get("x-amz-request-id")
    fields = {"Host": front.host, "Authorization": "AWS4-HMAC-SHA256 nonsense"}
    front.send_raw("PUT", "/back/x?X-Amz-Signature=abc", fields, b"")
    assert refused("InvalidArgument")["path"] == "/back/x"
    front.send("GET", "/back/key?none-such")
    assert refused("NotImplemented")["operation"] is None
    assert origin.connections == 0


def test_who_needs_no_signature_has_no_identity(origin: Origin, log: Log) -> None:
    there = backend(origin, bucket="back", anonymous="read")
    with Front({"open": there}, authorize=judge, audit_log=log.path) as front:
        front.send_raw("GET", "/open/key", {"Host": front.host})
        line = log.one()
        assert (line["status"], line["allowed"], line["backend"]) == (200, True, "open")
        assert (line["identity"], line["access_key"], line["key"]) == (None, None, "key")
        front.send("GET", "/open/key")
        assert log.one()["identity"] == "alice"


def test_preflights_are_told(front: Front, log: Log) -> None:
    front.send("GET", "/back/key")
    log.one()
    fields = {"Host": front.host, "Origin": "https://a", "Access-Control-Request-Method": "GET"}
    response = front.send_raw("OPTIONS", "/back/key", fields)
    line = log.one()
    assert (line["method"], line["path"], line["status"]) == ("OPTIONS", "/back/key", 403)
    assert (line["error"], line["identity"], line["access_key"]) == ("AccessForbidden", None, None)
    assert line["request_id"] == response.get("x-amz-request-id")


def test_a_decision_has_its_reason(front: Front, log: Log) -> None:
    front.send("GET", "/back/private/x")
    line = log.one()
    assert (line["status"], line["error"], line["identity"]) == (403, "AccessDenied", "alice")
    assert (line["allowed"], line["reason"]) == (False, "it is priv\u00e4t\n")
    front.send("PUT", "/back/x", headers={"x-amz-copy-source": "/back/private/x"})
    line = log.one()
    assert (line["allowed"], line["reason"]) == (False, "it is priv\u00e4t\n")


def test_a_policy_that_fails_is_told(origin: Origin, log: Log) -> None:
    def fails(_: Any) -> Any:
        raise RuntimeError("of the operator's")

    with Front({"*": backend(origin)}, authorize=fails, audit_log=str(log.path)) as front:
        front.send("GET", "/back/key")
        line = log.one()
    assert (line["status"], line["error"], line["allowed"]) == (500, "InternalError", None)


def test_presigned_requests_are_told_and_no_secret(front: Front, log: Log) -> None:
    target = presign("GET", "/back/key", front.host, ALICE)
    front.send_raw("GET", target, {"Host": front.host})
    line = log.one()
    assert (line["presigned"], line["status"], line["access_key"]) == (True, 200, "alice")
    fields = fields_of("PUT", "/back/new", front.host, b"1")
    front.send_raw("PUT", "/back/new", fields, b"1")
    log.one()
    tampered = target.replace("key", "other", 1)
    front.send_raw("GET", tampered, {"Host": front.host})
    assert log.one()["error"] == "SignatureDoesNotMatch"
    written = log.path.read_text()
    signatures = re.findall("Signature=([0-9a-f]{64})", target + str(fields))
    assert len(signatures) == 2
    for secret in (*signatures, ALICE.secret, KEY.secret, KEY.access_key, "Amz"):
        assert secret not in written


def test_the_access_log_shows_nothing_that_a_link_could_be_used_with(
    origin: Origin, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    settings = {"access_log": True, "access_log_file": path, "access_log_format": "combined"}
    key = replace(ALICE, token="of-a/session")
    with Front(
        {"*": backend(origin)},
        secret_for=lambda _: tercel.s3.FrontKey(key.secret, session_token=key.token),
        settings=settings,
    ) as front:
        target = presign("GET", "/back/key?response-content-type=a/b", front.host, key)
        page = f"http://{front.host}{target}"
        response = front.send_raw("GET", target, {"Host": front.host, "Referer": page})
        assert response.status == 200
    (line,) = path.read_text().splitlines()
    assert line.count("&X-Amz-Signature=***") == line.count("&X-Amz-Security-Token=***") == 2
    assert "GET /back/key?response-content-type=a/b&X-Amz-Algorithm=AWS4-HMAC-SHA256&" in line
    (signature,) = re.findall("Signature=([0-9a-f]{64})", target)
    assert signature not in line
    assert "of-a" not in line


def test_a_backend_that_is_not_there_is_told(log: Log, origin: Origin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    buckets = {"gone": backend(origin, endpoint=f"http://127.0.0.1:{port}"), "*": backend(origin)}
    with Front(buckets, audit_log=log.path) as front:
        front.send("GET", "/gone/key")
        line = log.one()
        assert (line["status"], line["error"]) == (503, "ServiceUnavailable")
        assert (line["backend"], line["outcome"], line["attempts"]) == ("gone", "complete", 2)
        assert line["upstream_ms"] <= line["total_ms"]
        front.send("GET", "/back/key")
        assert log.one()["backend"] == "*"


def test_a_backend_that_breaks_off_is_told(front: Front, log: Log, origin: Origin) -> None:
    origin.fail("answer body", "reset", after=1000)
    with front.connect() as client:
        client.send(
            raw_request("GET", "/back/key", fields_of("GET", "/back/key", front.host, None))
        )
        client.wait_gone()
    line = log.one()
    assert (line["status"], line["outcome"], line["error"]) == (200, "backend-failed", None)
    assert line["bytes_out"] < len(KEPT)
    assert front.gateway.counts()["backend_failed"] == 1


def test_a_client_that_leaves_a_download_is_told(front: Front, log: Log, origin: Origin) -> None:
    origin.objects["/back/big"] = BIG * 8
    with front.connect() as client:
        client.send(
            raw_request("GET", "/back/big", fields_of("GET", "/back/big", front.host, None))
        )
        client.read_exactly(100_000)
        client.reset()
    line = log.one()
    assert (line["status"], line["outcome"]) == (200, "client-gone")
    assert 50_000 < line["bytes_out"] < len(BIG) * 8


def test_a_client_that_leaves_an_upload_is_told(front: Front, log: Log, origin: Origin) -> None:
    fields = fields_of("PUT", "/back/new", front.host, BIG)
    with front.connect() as client:
        client.send(raw_request("PUT", "/back/new", fields) + BIG[:100_000])
        origin.wait_for(1)
        client.reset()
    line = log.one()
    assert (line["status"], line["outcome"]) == (499, "client-gone")
    assert 0 < line["bytes_in"] <= 100_000
    assert line["identity"] == "alice"
    assert "/back/new" not in origin.objects


def test_a_client_that_leaves_while_a_policy_is_asked_is_told(origin: Origin, log: Log) -> None:
    def slow(_: Any) -> bool:
        time.sleep(0.5)
        return True

    with Front({"*": backend(origin)}, authorize=slow, audit_log=log.path) as front:
        with front.connect() as client:
            fields = fields_of("GET", "/back/key", front.host, None)
            client.send(raw_request("GET", "/back/key", fields))
            time.sleep(0.2)
            client.reset()
        line = log.one()
    assert (line["status"], line["outcome"], line["allowed"]) == (499, "client-gone", None)
    assert (line["identity"], line["attempts"]) == ("alice", 0)


def test_a_body_that_is_wrong_is_told(front: Front, log: Log, origin: Origin) -> None:
    body = b"what was signed"
    fields = fields_of("PUT", "/back/new", front.host, body)
    response = front.send_raw("PUT", "/back/new", fields, b"what was-signed")
    line = log.one()
    assert line["status"] == response.status
    assert line["bytes_in"] == len(body)
    assert "/back/new" not in origin.objects


def test_a_file_that_is_moved_away_is_begun_anew(front: Front, log: Log) -> None:
    front.send("GET", "/back/key")
    log.one()
    log.path.rename(log.path.with_suffix(".1"))
    front._server.server.reopen_logs()
    front.send("GET", "/back/none")
    log.read = 0
    assert log.one()["key"] == "none"


def test_lines_that_are_lost_are_told(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", logger="tercel"):
        with Front({"*": backend(origin)}, audit_log="/dev/full") as front:
            assert front.send("GET", "/back/key").status == 200
        wait_until(lambda: _core.deliver_log() or caplog.text, "it is told")
    assert "the audit log lost 1 line(s): No space left on device" in caplog.text


def test_all_threads_write_whole_lines(origin: Origin, log: Log) -> None:
    settings = {"io_threads": 2}
    with Front({"*": backend(origin)}, audit_log=log.path, settings=settings) as front:
        for number in range(20):
            front.send("GET", f"/back/{number}")
        keys = sorted(int(line["key"]) for line in log.next(20))
    assert keys == list(range(20))


@pytest.mark.parametrize("path", ["/none/audit.log", "/"])
def test_a_file_that_cannot_be_written_is_a_mistake(origin: Origin, path: str) -> None:
    gateway = tercel.s3.Gateway(
        {"*": backend(origin)}, secret_for={}, authorize=lambda request: True, audit_log=path
    )
    with pytest.raises(SettingError, match=f"^The audit log cannot be written to {path}: "):
        asyncio.run(tercel.Server(gateway, port=0).serve())


@pytest.mark.parametrize("path", ["", "a\0b", 5, b"bytes"])
def test_what_is_no_path_is_a_mistake(path: Any) -> None:
    with pytest.raises(
        (TypeError, ValueError), match="audit_log, if it is not -, is the path of a file"
    ):
        tercel.s3.Gateway({}, secret_for={}, authorize=lambda request: True, audit_log=path)


def test_the_workers_of_a_file_share_standard_output(
    tmp_path: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", KEY.secret)
    path = tmp_path / "s3.toml"
    path.write_text(
        f"""
        [server]
        port = 0
        access_log = false
        [gateway]
        audit_log = "-"
        [buckets."*"]
        endpoint = "{origin.url}"
        access_key = "{KEY.access_key}"
        secret_key = {{ env = "T" }}
        [identities.alice]
        secret = {{ env = "T" }}
        [[policies]]
        allow = true
        """
    )
    with file_server(path, "--workers=2") as server:
        for number in range(20):
            link = link_to(
                "GET", f"{server.url}/back/{number}", credentials=Hmac("alice", KEY.secret)
            )
            target = link.removeprefix(server.url)
            host = f"{server.address[0]}:{server.address[1]}"
            with RawClient(server.address) as client:
                client.send(raw_request("GET", target, {"Host": host}))
                assert client.response().status == 404
        server.send_signal(signal.SIGTERM)
        server.wait()
        lines = [line for line in server.output.splitlines() if line.startswith('{"time"')]
    assert sorted(int(json.loads(line)["key"]) for line in lines) == list(range(20))
