"""Backends, functions, clients and names that fail: the right S3 error, nothing half done, nothing
left open.

Rows 11 and 12 of the faults, and some of 14, whose others are in test_s3_networks.py. How long a
backend may think is tested with a clock of its own, in tests/cpp/proxy.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import tercel.s3
from support.fixtures import Ledger, ServeProcess
from support.http1 import BadResponse, Closed, RawClient, Response
from support.processes import open_files
from support.s3_gateway import (
    ALICE,
    BOB,
    Front,
    backend,
    error_code,
    fields_of,
    front_fixture,
    origin_fixture,
    raw_request,
)
from support.s3_origin import Origin
from support.sigv4 import sign
from support.waiting import wait_until

KEPT = os.urandom(300_000)
BIG = os.urandom(2_000_000)


origin = origin_fixture(KEPT)
front = front_fixture()


@contextlib.contextmanager
def no_descriptor_is_left(origin: Origin) -> Iterator[None]:
    """Once the connections to `origin` are closed, as many are open as before."""

    def idle() -> int:
        origin.hang_up()
        return open_files(os.getpid())

    wait_until(lambda: origin.open_connections == 0 or not origin.hang_up(), "it is idle")
    before = idle()
    yield
    wait_until(lambda: idle() <= before, "no descriptor is left")


def assert_serves(front: Front, origin: Origin) -> None:
    """What comes next gets its own answers, and keeps what it puts."""
    assert front.send("GET", "/back/key").body == KEPT
    assert front.send("PUT", "/back/canary", body=b"sings").status == 200
    assert front.send("GET", "/back/canary").body == b"sings"
    del origin.objects["/back/canary"]


def serves(front: Front, origin: Origin) -> bool:
    try:
        assert_serves(front, origin)
    except AssertionError:
        return False
    return True


# --- 11 and 12: the backend breaks off, and who comes next is not harmed

BEFORE_AN_ANSWER = [
    ("accept", "reset"),
    ("accept", "close"),
    ("head", "reset"),
    ("head", "close"),
    ("head", "garbage"),
    ("body", "reset"),
    ("body", "close"),
    ("answer", "reset"),
    ("answer", "close"),
    ("answer", "garbage"),
    ("answer head", "reset"),
    ("answer head", "close"),
    ("answer", "continue"),
]


@pytest.mark.parametrize(("point", "what"), BEFORE_AN_ANSWER)
def test_a_backend_that_breaks_off_before_its_answer_is_unavailable(
    front: Front, origin: Origin, point: str, what: str
) -> None:
    front.send("GET", "/back/key")
    with no_descriptor_is_left(origin):
        origin.fail(point, what, after=100_000, times=8)
        response = front.send("PUT", "/back/new", body=BIG)
        assert (response.status, error_code(response)) == (503, "ServiceUnavailable")
        assert "/back/new" not in origin.objects or point.startswith("answer")
        puts = [seen for seen in origin.seen if seen.method == "PUT" and seen.body]
        assert len(puts) <= 1, "a body went twice"
        if point != "body":
            response = front.send("GET", "/back/key")
            assert (response.status, error_code(response)) == (503, "ServiceUnavailable")
        origin.release()
        # Each I/O thread puts off its next connection for a while of its own.
        wait_until(lambda: serves(front, origin), "it recovers")
    assert front.gateway.counts()["backend_failed"] >= 1


@pytest.mark.parametrize("what", ["reset", "close"])
@pytest.mark.parametrize("after", [1, 100_000, len(KEPT) - 1])
def test_an_answer_that_breaks_off_does_not_look_complete(
    front: Front, origin: Origin, what: str, after: int
) -> None:
    with no_descriptor_is_left(origin):
        origin.fail("answer body", what, after=after)
        with pytest.raises(Closed) as broken:
            front.send("GET", "/back/key")
        # What a client got of it is the begin of it.
        assert len(broken.value.got) <= after
        assert_serves(front, origin)


@pytest.mark.parametrize("point", ["answer head", "answer body"])
def test_a_slow_answer_is_whole(front: Front, origin: Origin, point: str) -> None:
    origin.fail(point, "slow", after=len(KEPT) - 5_000)
    assert front.send("GET", "/back/key").body == KEPT
    assert_serves(front, origin)


# More than all buffers on its way.
TOO_BIG = BIG * 20


@contextlib.contextmanager
def client_that_goes(
    front: Front, origin: Origin, point: str, method: str, target: str, body: bytes | None = None
) -> Iterator[RawClient]:
    """Sends to a backend that stalls, and resets its connection, unless it is closed before."""
    origin.fail(point, "stall", after=1000)
    fields = fields_of(method, target, front.host, body)
    with front.connect(timeout=1) as client:
        sender = threading.Thread(target=send_all, args=(client, method, target, fields, body))
        sender.start()
        origin.wait_for(1)
        time.sleep(0.1)
        assert_others_are_served(front, origin)
        sender.join(10)
        yield client


@pytest.mark.parametrize("point", ["answer", "answer head", "answer body"])
def test_a_backend_that_stalls_is_let_go_when_its_reader_goes(
    front: Front, origin: Origin, point: str
) -> None:
    with no_descriptor_is_left(origin):
        with client_that_goes(front, origin, point, "GET", "/back/key") as client:
            client.reset()
        wait_until(lambda: origin.stalled == 0, "the backend's connection is closed")
        origin.release()
        assert_serves(front, origin)


@pytest.mark.parametrize("point", ["head", "body"])
def test_an_upload_that_was_not_sent_whole_goes_with_its_client(
    front: Front, origin: Origin, point: str
) -> None:
    with no_descriptor_is_left(origin):
        with client_that_goes(front, origin, point, "PUT", "/back/new", TOO_BIG) as client:
            client.reset()
        wait_until(lambda: origin.stalled == 0, "the backend's connection is closed")
        origin.release()
        assert "/back/new" not in origin.objects
        assert_serves(front, origin)


@pytest.mark.parametrize("point", ["answer", "answer head"])
def test_one_that_was_sent_whole_is_ended_without_it(
    front: Front, origin: Origin, point: str
) -> None:
    with no_descriptor_is_left(origin):
        with client_that_goes(front, origin, point, "PUT", "/back/new", BIG) as client:
            client.reset()
        time.sleep(0.2)
        assert origin.stalled == 1
        origin.release()
        wait_until(lambda: "/back/new" in origin.objects, "it is stored")
        assert origin.objects.pop("/back/new") == BIG
        assert_serves(front, origin)


def test_a_client_that_closes_its_side_ends_its_reads_only(origin: Origin) -> None:
    settings = {"timeout_half_close": 0.2}
    with Front({"*": backend(origin)}, settings=settings) as front:
        with client_that_goes(front, origin, "answer", "GET", "/back/key") as client:
            client.half_close()
            wait_until(lambda: origin.stalled == 0, "the backend's connection is closed")
        origin.release()
        with client_that_goes(front, origin, "answer", "PUT", "/back/new", BIG) as client:
            client.half_close()
            time.sleep(0.5)
            assert origin.stalled == 1
            origin.release()
            assert client.response().status == 200


def send_all(
    client: Any, method: str, target: str, fields: dict[str, str], body: bytes | None
) -> None:
    with contextlib.suppress(OSError):
        client.send(raw_request(method, target, fields) + (body or b""))


def assert_others_are_served(front: Front, origin: Origin) -> None:
    for _ in range(3):
        assert front.send("GET", "/back/key").body == KEPT


def test_a_stall_that_ends_ends_well(front: Front, origin: Origin) -> None:
    for point in ("head", "body", "answer", "answer head"):
        origin.fail(point, "stall", after=1000)
        releaser = threading.Timer(0.2, origin.release)
        releaser.start()
        assert front.send("PUT", "/back/new", body=BIG).status == 200, point
        releaser.join()
        assert origin.objects.pop("/back/new") == BIG


@pytest.mark.parametrize("status", ["503", "417"])
def test_a_refusal_instead_of_continue_is_passed_on(
    front: Front, origin: Origin, status: str
) -> None:
    fields = fields_of("PUT", "/back/new", front.host, BIG)
    # A body that is held is offered again.
    origin.fail("head", status, times=3 if status == "503" else 1)
    with front.connect() as client:
        client.send(raw_request("PUT", "/back/new", {**fields, "expect": "100-continue"}))
        response = client.response()
    assert response.status == int(status)
    assert response.interim == []
    assert not origin.seen[-1].body
    assert_serves(front, origin)


def test_continue_comes_from_the_backend(front: Front, origin: Origin) -> None:
    fields = fields_of("PUT", "/back/new", front.host, BIG)
    with front.connect() as client:
        client.send(raw_request("PUT", "/back/new", {**fields, "expect": "100-continue"}))
        assert client.interim_response().status == 100
        assert origin.seen[-1].headers["expect"] == "100-continue"
        client.send(BIG)
        assert client.response().status == 200
    assert origin.objects["/back/new"] == BIG


def test_an_answer_while_we_upload_ends_the_upload(front: Front, origin: Origin) -> None:
    with no_descriptor_is_left(origin):
        origin.fail("body", "503", after=1000)
        response = front.send("PUT", "/back/new", body=BIG)
        assert response.status == 503
        assert "/back/new" not in origin.objects
        assert_serves(front, origin)


# --- stale connections


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("what", ["reset", "close"])
def test_a_stale_connection_is_tried_once_more(
    origin: Origin, ledger: Ledger, method: str, what: str
) -> None:
    """The body of the PUT waits for 100 Continue, as those of boto3 do, so that none is gone."""
    rounds = 15
    with Front({"*": backend(origin)}) as front:
        assert front.send("GET", "/back/key").status == 200
        assert origin.connections == 1
        for number in range(rounds):
            origin.seen.clear()
            origin.fail("head", what)  # Of a connection that was there.
            if method == "PUT":
                response = put_patiently(front, f"/back/new{number}")
            else:
                response = front.send(method, "/back/key")
                origin.objects["/back/key"] = KEPT
            assert response.status == {"GET": 200, "PUT": 200, "DELETE": 204}[method]
            assert origin.connections == 2 + number
            assert [seen.complete for seen in origin.seen] == [False, True]
        if method == "PUT":
            assert len(origin.objects) == 1 + rounds
        ledger(f"row 11: 0 stale connections seen by {rounds} {method}s after a {what}")


def put_patiently(front: Front, target: str) -> Response:
    """Puts an object whose body waits for 100 Continue."""
    fields = fields_of("PUT", target, front.host, BIG)
    with front.connect() as client:
        client.send(raw_request("PUT", target, {**fields, "expect": "100-continue"}))
        assert client.interim_response().status == 100
        client.send(BIG)
        return client.response()


@pytest.mark.parametrize("what", ["reset", "close"])
def test_a_body_that_is_gone_is_said_to_be(origin: Origin, what: str) -> None:
    """It went with the head, and is not kept: the client tries again, nobody else does."""
    with Front({"*": backend(origin)}) as front:
        assert front.send("GET", "/back/key").status == 200
        origin.fail("head", what)
        response = front.send("PUT", "/back/new", body=BIG)
        assert (response.status, error_code(response)) == (503, "ServiceUnavailable")
        assert len(origin.seen) == 2
        assert front.send("PUT", "/back/new", body=BIG).status == 200
        assert origin.objects["/back/new"] == BIG


def test_a_body_that_went_goes_no_second_time(origin: Origin) -> None:
    with Front({"*": backend(origin)}) as front:
        assert front.send("GET", "/back/key").status == 200
        origin.fail("answer", "close")  # All of it was read: maybe it was kept.
        response = front.send("PUT", "/back/new", body=BIG)
        assert error_code(response) == "ServiceUnavailable"
        assert [seen.method for seen in origin.seen] == ["GET", "PUT"]


def test_a_connection_that_idled_and_closed_is_noticed(front: Front, origin: Origin) -> None:
    for _ in range(10):
        assert front.send("PUT", "/back/new", body=BIG).status == 200
        origin.hang_up()
        wait_until(lambda: origin.open_connections == 0, "it is closed")
    assert [seen.complete for seen in origin.seen] == [True] * 10


def test_bytes_behind_an_answer_are_nobodys(front: Front, origin: Origin) -> None:
    """Row 12: a connection with more on it than was asked for is not used again."""
    for _ in range(5):
        origin.fail("idle", "extra")
        assert front.send("GET", "/back/key").body == KEPT
        assert front.send("GET", "/back/key").body == KEPT
        assert front.send("HEAD", "/back/key").body == b""
        assert_serves(front, origin)


# --- 14: names and addresses that nobody answers at


def test_a_name_that_is_none_is_unavailable(origin: Origin) -> None:
    buckets = {"gone": backend(origin, endpoint="http://nobody.invalid:80"), "*": backend(origin)}
    with Front(buckets) as front:
        begun = time.monotonic()
        answers: list[Response] = []
        ask = threading.Thread(
            target=lambda: answers.append(front.send("GET", "/gone/key", timeout=30))
        )
        ask.start()
        while ask.is_alive() and time.monotonic() - begun < 1:
            assert_others_are_served(front, origin)  # No loop waits for a name.
        ask.join(30)
        assert (answers[0].status, error_code(answers[0])) == (503, "ServiceUnavailable")


def test_nobody_who_listens_is_unavailable(origin: Origin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    there = backend(origin, endpoint=f"http://127.0.0.1:{port}")
    with Front({"*": there}) as front:
        for _ in range(3):
            assert error_code(front.send("GET", "/back/key")) == "ServiceUnavailable"
            put = front.send("PUT", "/back/key", body=b"x")
            assert error_code(put) == "ServiceUnavailable"
        with socket.create_server(("127.0.0.1", port)):
            pass  # The port is still ours to listen at.


def test_a_backend_that_speaks_no_tls_is_unavailable(origin: Origin) -> None:
    there = backend(origin, endpoint=origin.url.replace("http:", "https:"))
    origin.fail("accept", "503", times=8)
    with Front({"*": there}) as front:
        assert error_code(front.send("GET", "/back/key")) == "ServiceUnavailable"
        assert error_code(front.send("PUT", "/back/key", body=BIG)) == "ServiceUnavailable"
    assert origin.seen == []


# --- tokens


class Iam(http.server.ThreadingHTTPServer):
    """A token endpoint. `mode` is what it does: "right", "refuse", "nonsense", "slow"."""

    def __init__(self) -> None:
        self.mode, self.asked = "right", 0
        self.lasts = 3600.0
        self.forms: list[bytes] = []
        super().__init__(("127.0.0.1", 0), IamAnswer)
        self.url = f"http://127.0.0.1:{self.server_port}/identity/token"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class IamAnswer(http.server.BaseHTTPRequestHandler):
    server: Iam

    def do_POST(self) -> None:
        self.server.asked += 1
        self.server.forms.append(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.mode == "slow":
            time.sleep(1)
        said: object = {"access_token": "the token", "expires_in": self.server.lasts}
        if self.server.mode == "nonsense":
            said = ["no", "token"]
        text = json.dumps(said).encode()
        with contextlib.suppress(OSError):
            self.send_response(400 if self.server.mode == "refuse" else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def iam() -> Iterator[Iam]:
    with Iam() as server:
        yield server
        server.shutdown()


def bearer_front(origin: Origin, iam: Iam, **options: Any) -> Front:
    creds = tercel.s3.ApiKey("the api key", token_url=iam.url)
    there = tercel.s3.Backend(origin.url, creds=creds)
    return Front({"*": there}, error_ttl=0.1, policy_timeout=0.5, **options)


def test_a_token_is_exchanged_once_for_everybody(iam: Iam) -> None:
    with Origin(bearer="the token") as origin, bearer_front(origin, iam) as front:
        origin.objects["/back/key"] = KEPT
        iam.mode = "right"
        bodies: list[bytes] = []
        threads = [
            threading.Thread(
                target=lambda k=key: bodies.append(front.send("GET", "/back/key", key=k).body)
            )
            for key in (ALICE, BOB) * 4
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert bodies == [KEPT] * 8
        assert iam.asked == 1
        assert b"apikey=the+api+key" in iam.forms[0]
        assert front.send("PUT", "/back/new", body=b"with a token").status == 200
        assert origin.objects["/back/new"] == b"with a token"
        # Nothing is signed to such a backend, so the gateway verifies what it is sent.
        fields = fields_of("PUT", "/back/bad", front.host, b"what was signed")
        forged = front.send_raw("PUT", "/back/bad", fields, b"what was forged")
        assert error_code(forged) == "XAmzContentSHA256Mismatch"
        assert "/back/bad" not in origin.objects


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("refuse", "InternalError"),
        ("nonsense", "InternalError"),
        ("slow", "SlowDown"),
        ("down", "InternalError"),
    ],
)
def test_no_token_is_no_request(
    iam: Iam, caplog: pytest.LogCaptureFixture, mode: str, code: str
) -> None:
    with Origin(bearer="the token") as origin, bearer_front(origin, iam) as front:
        origin.objects["/back/key"] = KEPT
        iam.mode = mode
        if mode == "down":
            iam.shutdown()
            iam.server_close()
        begun = time.monotonic()
        response = front.send("GET", "/back/key")
        assert error_code(response) == code
        assert time.monotonic() - begun < 3
        assert origin.connections == 0
        assert b"api key" not in response.body
        assert "the api key" not in caplog.text
        assert ("API key" in caplog.text) or (iam.url in caplog.text)
        if mode != "down":  # And it recovers.
            iam.mode = "right"
            wait_until(lambda: front.send("GET", "/back/key").body == KEPT, "there is a token")


def test_a_token_is_renewed_before_it_ends(iam: Iam) -> None:
    iam.lasts = 2.0
    with Origin(bearer="the token") as origin, bearer_front(origin, iam) as front:
        origin.objects["/back/key"] = KEPT
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert front.send("GET", "/back/key").body == KEPT
            time.sleep(0.05)
        assert 2 <= iam.asked <= 4


def test_a_token_is_used_to_its_end_while_there_is_no_other(iam: Iam) -> None:
    iam.lasts = 3.0
    with Origin(bearer="the token") as origin, bearer_front(origin, iam) as front:
        origin.objects["/back/key"] = KEPT
        begun = time.monotonic()
        assert front.send("GET", "/back/key").body == KEPT
        end = time.monotonic() + 3
        iam.mode = "refuse"
        while iam.asked < 3 and time.monotonic() < begun + 2.8:
            assert front.send("GET", "/back/key").body == KEPT
            time.sleep(0.02)
        assert iam.asked == 3  # It was refused twice, and not asked for each request.
        while time.monotonic() < end:
            time.sleep(0.02)
        assert error_code(front.send("GET", "/back/key")) == "InternalError"


# --- clients that go


def test_a_client_that_goes_while_it_is_asked_about_leaves_nothing(
    front: Front, origin: Origin
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def authorize(request: tercel.s3.AuthzRequest) -> bool:
        begun.set()
        return go_on.wait(5)

    with Front({"*": backend(origin)}, authorize=authorize) as other, no_descriptor_is_left(origin):
        clients = [other.connect() for _ in range(4)]
        for client in clients:
            fields = fields_of("PUT", "/back/new", other.host, BIG)
            client.send(raw_request("PUT", "/back/new", fields))
        assert begun.wait(5)
        for number, client in enumerate(clients):
            client.reset() if number % 2 else client.close()
        time.sleep(0.1)
        go_on.set()
        assert_serves(other, origin)
        assert "/back/new" not in origin.objects


def uploads(front: Front) -> dict[str, tuple[dict[str, str], bytes]]:
    """Heads of uploads, and the first half of each body."""
    half = BIG[: len(BIG) // 2]
    unsigned = {"content-encoding": "aws-chunked", "x-amz-trailer": "x-amz-checksum-crc32"}
    unsigned["x-amz-decoded-content-length"] = str(len(BIG))
    trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    return {
        "length": (fields_of("PUT", "/back/new", front.host, BIG), half),
        "aws-chunked": (
            {
                **sign("PUT", "/back/new", front.host, ALICE, headers=unsigned, payload=trailer),
                "transfer-encoding": "chunked",
            },
            b"100000\r\n10000\r\n" + BIG[:0x10000] + b"\r\n",
        ),
    }


@pytest.mark.parametrize("kind", ["length", "aws-chunked"])
@pytest.mark.parametrize("trailers", [True, False], ids=["passed on", "decoded"])
@pytest.mark.parametrize("how", ["reset", "close", "half close"])
def test_a_client_that_goes_in_its_upload_makes_no_object(
    origin: Origin, ledger: Ledger, kind: str, trailers: bool, how: str
) -> None:
    with (
        Front({"*": backend(origin, trailers=trailers)}) as front,
        no_descriptor_is_left(origin),
    ):
        fields, part = uploads(front)[kind]
        for _ in range(5):
            came = len(origin.seen)
            with front.connect() as client:
                client.send(raw_request("PUT", "/back/new", fields) + part)
                origin.wait_for(came + 1)
                if how == "half close":
                    client.half_close()
                    with contextlib.suppress(BadResponse, OSError):
                        assert client.response().status >= 400
                elif how == "reset":
                    client.reset()
        wait_until(lambda: origin.open_connections == 0, "the backend is told")
        assert [seen.complete for seen in origin.seen] == [False] * 5
        assert "/back/new" not in origin.objects
        assert_serves(front, origin)
        ledger(f"row 11: 0 partial objects of 5 uploads that ended with a {how}")


def test_a_client_that_goes_in_its_download_leaves_nothing(front: Front, origin: Origin) -> None:
    origin.objects["/back/big"] = os.urandom(20_000_000)
    with no_descriptor_is_left(origin):
        for number in range(6):
            with front.connect() as client:
                fields = fields_of("GET", "/back/big", front.host, None)
                client.send(raw_request("GET", "/back/big", fields))
                client.read_exactly(100_000)
                if number % 2:
                    client.reset()
        assert_serves(front, origin)


def test_an_upload_survives_sigterm(serve: ServeProcess, origin: Origin) -> None:
    server = serve("s3_gateway:gateway", env={"ORIGIN": origin.url}, io_threads=2)
    host = f"127.0.0.1:{server.port}"
    fields = fields_of("PUT", "/back/new", host, BIG)
    with server.connect() as client:
        client.send(raw_request("PUT", "/back/new", fields) + BIG[:1_000_000])
        origin.wait_for(1)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        client.send(BIG[1_000_000:])
        response = client.response()
        assert (response.status, response.get("etag")) == (
            200,
            f'"{hashlib.md5(BIG).hexdigest()}"',
        )
    assert server.wait() == 0
    assert origin.objects["/back/new"] == BIG
