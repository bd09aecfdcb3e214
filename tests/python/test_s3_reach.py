"""How backends are reached: certificates, time limits, repetitions, several endpoints, checks."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.http1 import Closed
from support.s3_gateway import Front, backend, error_code, fields_of, origin_fixture, raw_request
from support.s3_origin import KEY, Origin
from support.tls import VERSIONS, Authority
from support.waiting import wait_until
from tercel.s3 import Backend, EndpointState, Hmac

KEPT = os.urandom(100_000)
BIG = os.urandom(2_000_000)
CREDS = Hmac(KEY.access_key, KEY.secret)

origin = origin_fixture(KEPT)


@pytest.fixture
def other() -> Iterator[Origin]:
    """A second endpoint, with the same object."""
    with Origin() as one:
        one.objects["/back/key"] = KEPT
        yield one


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def closed_port() -> int:
    """Returns a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def refused(front: Front, target: str = "/back/key") -> tuple[int, str]:
    response = front.send("GET", target, timeout=20)
    return response.status, error_code(response)


UNAVAILABLE = (503, "ServiceUnavailable")


# --- mistakes


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"endpoint": []}, "a Backend has from 1 to 16 endpoints, not 0"),
        ({"endpoint": [f"http://h{i}" for i in range(17)]}, "from 1 to 16 endpoints, not 17"),
        ({"endpoint": ["http://h", "http://h:80"]}, "the endpoint of Backend is a list that has"),
        ({"endpoint": ["http://h", "http://999.1.1.1"]}, "is an http(s) URL, as https://s3.exa"),
        (
            {"endpoint": ["http://h", "http://[::g]"]},
            "is an http(s) URL, as https://s3.example.com",
        ),
        ({"endpoint": ["http://h", "ftp://h"]}, "is an http(s) URL, as https://s3.example.com"),
        ({"endpoint": ["http://h", 5]}, "the endpoint of Backend is a list of texts, and 5 is"),
        ({"ca": ""}, "the ca of Backend is the path of a PEM file, not ''"),
        ({"certificate": b"x"}, "the certificate of Backend is the path of a PEM file, not b'x'"),
        ({"key": "k.pem"}, "a Backend that has a key has a certificate, too"),
        (
            {"endpoint": "http://h", "certificate": "c.pem"},
            "shows its certificate to an endpoint that is https only",
        ),
        ({"connect_timeout": 0}, "the connect_timeout of Backend, in seconds, is from 0.01 to"),
        ({"response_timeout": "5"}, "the response_timeout of Backend, in seconds, is a number"),
        ({"progress_timeout": -1}, "the progress_timeout of Backend, in seconds, is from 0.01"),
        ({"idle_timeout": 1e9}, "the idle_timeout of Backend, in seconds, is from 0.01 to 86400"),
        ({"retries": 11}, "the retries of Backend is from 0 to 10, not 11"),
        ({"retries": 1.5}, "the retries of Backend is a whole number, not 1.5"),
        ({"check": "ping"}, "the check of Backend is one of off, connect, head, not 'ping'"),
        ({"check_interval": 0}, "the check_interval of Backend, in seconds, is from 0.1 to"),
        (
            {"certificate": "/none.pem"},
            'Backend cannot be used: no certificate can be read from "/none.pem": No such file',
        ),
        ({"ca": "/none.pem"}, 'no certificate can be read from "/none.pem": No such file'),
    ],
)
def test_mistakes(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Backend(**{"endpoint": "https://h", **options})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mistakes_in_files(authority: Authority, tmp_path: Path) -> None:
    mine, my_key = authority.issue("client.test", file="mine")
    _, other_key = authority.issue("other.test", file="other")

    def said(**options: str) -> str:
        with pytest.raises(ValueError, match="cannot be used") as caught:
            Backend("https://h", **options)
        return str(caught.value)

    assert said(certificate=mine, key=other_key).endswith("it is that of another certificate")
    encrypted = authority.encrypted(my_key)
    assert said(certificate=mine, key=encrypted).endswith(
        "it is encrypted, so give a copy without a password"
    )
    assert "so give another file" in said(certificate=mine)  # There is no key in it.
    (tmp_path / "empty").touch()
    assert said(ca=str(tmp_path / "empty")).endswith(f'"{tmp_path}/empty": it is empty')
    both = tmp_path / "both.pem"
    both.write_bytes(Path(mine).read_bytes() + Path(my_key).read_bytes())
    Backend("https://h", certificate=str(both))
    Backend("https://h", certificate=mine, key=my_key)


def test_one_endpoint_in_a_list_is_one() -> None:
    assert Backend(["http://h"]) == Backend("http://h")
    assert hash(Backend(["http://h", "http://i"])) == hash(Backend(("http://h", "http://i")))


# --- certificates of our own


def demanding(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that wants to see a certificate of `authority`."""
    certificate, key = authority.issue("127.0.0.1", file="origin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backend_that_demands_a_certificate(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    mine, my_key = authority.issue("client.test", file="mine")
    (tmp_path / "stranger").mkdir()
    its, its_key = Authority(tmp_path / "stranger").issue("client.test", file="its")
    with Origin(context=demanding(authority, version)) as origin:
        origin.objects["/back/key"] = KEPT
        none = backend(origin, ca=authority.ca, bucket="back")
        buckets = {
            "good": replace(none, certificate=mine, key=my_key),
            "none": none,
            "wrong": replace(none, certificate=its, key=its_key),
        }
        with Front(buckets) as front:
            # The session that the first one has got is nobody else's, before and behind it.
            assert refused(front, "/none/key") == UNAVAILABLE
            for _ in range(2):
                assert front.send("GET", "/good/key").body == KEPT
                assert front.send("PUT", "/good/new", body=BIG).status == 200
                origin.hang_up()
                assert refused(front, "/none/key") == UNAVAILABLE
                assert refused(front, "/wrong/key") == UNAVAILABLE
        assert origin.objects["/back/new"] == BIG


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_belong_to_how_they_were_made(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """A session that nobody verified would be taken up without a certificate."""
    certificate, key = authority.issue("127.0.0.1", file="origin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.minimum_version = context.maximum_version = version
    (tmp_path / "stranger").mkdir()
    stranger = Authority(tmp_path / "stranger").ca
    with Origin(context=context) as origin:
        origin.objects["/back/key"] = KEPT
        buckets = {
            "any": backend(origin, bucket="back", verify=False),
            "mine": backend(origin, bucket="back", ca=authority.ca),
            "its": backend(origin, bucket="back", ca=stranger),
        }
        with Front(buckets) as front:
            for _ in range(3):
                assert front.send("GET", "/any/key").body == KEPT
                assert front.send("GET", "/mine/key").body == KEPT
                origin.hang_up()
                assert refused(front, "/its/key") == UNAVAILABLE


def test_a_certificate_that_is_replaced_counts_after_an_update(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "stranger").mkdir()
    its, its_key = Authority(tmp_path / "stranger").issue("client.test", file="its")
    mine, my_key = authority.issue("client.test", file="mine")
    file, key = tmp_path / "used.pem", tmp_path / "used.key"
    file.write_bytes(Path(its).read_bytes())
    key.write_bytes(Path(its_key).read_bytes())
    with Origin(context=demanding(authority, ssl.TLSVersion.TLSv1_3)) as origin:
        origin.objects["/back/key"] = KEPT
        reached = replace(backend(origin, ca=authority.ca), certificate=str(file), key=str(key))
        with Front({"*": reached}) as front:
            assert refused(front) == UNAVAILABLE
            file.write_bytes(Path(mine).read_bytes())
            key.write_bytes(Path(my_key).read_bytes())
            front.gateway.update({"*": reached})
            assert front.send("GET", "/back/key").body == KEPT


# --- time limits


def test_a_backend_that_never_answers_is_504_in_time(origin: Origin) -> None:
    with Front({"*": backend(origin, response_timeout=0.4)}) as front:
        for method, body in (("GET", None), ("PUT", b"body")):
            origin.fail("answer", "stall")
            began = time.monotonic()
            response = front.send(method, "/back/key", body=body)
            assert (response.status, error_code(response)) == (504, "GatewayTimeout")
            assert 0.3 < time.monotonic() - began < 3
            origin.release()
        assert front.gateway.counts()["backend_failed"] == 2


def test_a_backend_that_is_no_more_reached_is_504_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with contextlib.ExitStack() as waiting:
            for _ in range(3):  # Whoever comes then gets no answer.
                client = waiting.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            reached = Backend(f"http://127.0.0.1:{port}", creds=CREDS, connect_timeout=0.4)
            with Front({"*": reached}) as front:
                began = time.monotonic()
                assert refused(front) == (504, "GatewayTimeout")
                assert 0.3 < time.monotonic() - began < 3


def test_a_transfer_that_stands_still_is_cut_off(origin: Origin) -> None:
    with Front({"*": backend(origin, progress_timeout=0.4)}) as front:
        origin.fail("answer body", "stall", after=1000)
        began = time.monotonic()
        with pytest.raises(Closed):
            front.send("GET", "/back/key")
        assert 0.3 < time.monotonic() - began < 3
        origin.release()
        # The other way: the backend takes no more of a body.
        origin.fail("body", "stall", after=1000)
        body = os.urandom(20_000_000)
        fields = fields_of("PUT", "/back/new", front.host, body)
        with front.connect(timeout=20) as client, contextlib.suppress(OSError, Closed):
            client.send(raw_request("PUT", "/back/new", fields) + body)
            response = client.response()
            assert (response.status, error_code(response)) == (504, "GatewayTimeout")
        assert "/back/new" not in origin.objects
        wait_until(lambda: front.gateway.counts()["backend_failed"] >= 1, "it is counted")


def test_white_space_is_progress(origin: Origin) -> None:
    """S3 answers to a CompleteMultipartUpload with white space for as long as it works."""
    origin.completed = b" " * 12 + b"<CompleteMultipartUploadResult/>"
    origin.fail("answer body", "drip")
    with Front({"*": backend(origin, response_timeout=0.6, progress_timeout=0.6)}) as front:
        began = time.monotonic()
        response = front.send("POST", "/back/key?uploadId=1", body=b"<CompleteMultipartUpload/>")
        assert time.monotonic() - began > 2
        assert response.status == 200
        assert response.body.strip().startswith(b"<CompleteMultipartUploadResult")


def test_connections_that_nobody_uses_are_closed_in_time(origin: Origin) -> None:
    with Front({"*": backend(origin, idle_timeout=0.3)}) as front:
        front.send("GET", "/back/key")
        front.send("GET", "/back/key")
        assert (origin.connections, origin.open_connections) == (1, 1)
        wait_until(lambda: origin.open_connections == 0, "it is closed", timeout=3)
        assert front.send("GET", "/back/key").body == KEPT
        assert origin.connections == 2


# --- repetitions


@pytest.mark.parametrize("what", ["500", "502", "503", "504", "reset", "close"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_repeated(origin: Origin, method: str, what: str) -> None:
    origin.fail("answer", what, times=2)
    with Front({"*": backend(origin)}) as front:
        response = front.send(method, "/back/key")
        assert response.status == 200
        assert response.body == (KEPT if method == "GET" else b"")
        counts = front.gateway.counts()
    assert [seen.signed_by for seen in origin.seen] == ["BACKENDKEY"] * 3
    assert (counts["forwarded"], counts["retried"], counts["backend_failed"]) == (1, 2, 0)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_repetitions_are_counted(origin: Origin, retries: int) -> None:
    origin.fail("answer", "503", times=20)
    with Front({"*": backend(origin, retries=retries)}) as front:
        assert front.send("GET", "/back/key").status == 503
    assert len(origin.seen) == 1 + retries


def test_they_are_few_of_all(origin: Origin) -> None:
    """What is overloaded does not get a multiple of its load."""
    with Front({"*": backend(origin)}) as front:
        origin.fail("answer", "503", times=1000)
        for _ in range(30):
            assert front.send("GET", "/back/key").status == 503
        assert len(origin.seen) == 30 + 10


@pytest.mark.parametrize(("method", "body"), [("PUT", b"body"), ("POST", b"<Complete/>")])
def test_a_body_that_was_sent_is_not_sent_again(origin: Origin, method: str, body: bytes) -> None:
    origin.fail("answer", "503", times=3)
    with Front({"*": backend(origin)}) as front:
        target = "/back/new" + ("?uploadId=1" if method == "POST" else "")
        assert front.send(method, target, body=body).status == 503
    assert len(origin.seen) == 1


@pytest.mark.parametrize(
    ("what", "attempts"), [("503", 2), ("500", 1), ("502", 1), ("504", 1), ("reset", 1)]
)
def test_writing_without_a_body_is_repeated_where_it_was_not_begun(
    origin: Origin, what: str, attempts: int
) -> None:
    origin.fail("answer", what)
    with Front({"*": backend(origin)}) as front:
        status = front.send("DELETE", "/back/key").status
    assert (len(origin.seen), status < 300) == (attempts, attempts == 2)


def test_a_body_that_is_held_is_offered_again(origin: Origin) -> None:
    origin.fail("head", "503")
    with Front({"*": backend(origin)}) as front:
        fields = fields_of("PUT", "/back/new", front.host, BIG)
        with front.connect() as client:
            client.send(raw_request("PUT", "/back/new", {**fields, "expect": "100-continue"}))
            assert client.interim_response().status == 100
            client.send(BIG)
            assert client.response().status == 200
    assert origin.objects["/back/new"] == BIG
    assert len(origin.seen) == 2


# --- several endpoints


def test_the_next_endpoint_is_used_where_one_is_not_there(origin: Origin) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"
    with Front({"*": backend(origin, endpoint=[gone, origin.url])}) as front:
        for number in range(10):
            assert front.send("GET", "/back/key").body == KEPT
            assert front.send("PUT", f"/back/{number}", body=BIG).status == 200
            assert origin.objects.pop(f"/back/{number}") == BIG
        counts = front.gateway.counts()
        first, second = front.gateway.endpoints()
    # The first one is asked three times, and then left alone for longer and longer.
    assert 3 <= counts["failed_over"] < 10
    assert (counts["backend_failed"], counts["retried"]) == (0, 0)
    assert 1 <= counts["rested"] < 5
    assert first == EndpointState(gone, True, counts["failed_over"], counts["rested"])
    assert second == EndpointState(origin.url, False, 0, 0)


def test_the_first_endpoint_is_used_again_when_it_is_back(origin: Origin) -> None:
    port = closed_port()
    place = f"http://127.0.0.1:{port}"
    with Front({"*": backend(origin, endpoint=[place, origin.url])}) as front:
        for _ in range(4):
            assert front.send("GET", "/back/key").body == KEPT
        with Origin(port=port) as back:
            back.objects["/back/key"] = KEPT
            wait_until(lambda: front.send("GET", "/back/key") and back.seen, "it is used")
            assert not front.gateway.endpoints()[0].resting
            count = len(origin.seen)
            for _ in range(5):
                assert front.send("GET", "/back/key").body == KEPT
            assert len(origin.seen) == count
            assert all(seen.signed_by for seen in back.seen)


@pytest.mark.parametrize("what", ["503", "500", "reset", "garbage"])
def test_one_that_fails_rests(origin: Origin, other: Origin, what: str) -> None:
    origin.fail("answer", what, times=3)
    with Front({"*": backend(origin, endpoint=[origin.url, other.url])}) as front:
        for _ in range(3):
            response = front.send("GET", "/back/key")
            assert response.status == (503 if what == "garbage" else 200)
        assert [state.resting for state in front.gateway.endpoints()] == [True, False]
        assert front.gateway.counts()["rested"] == 1
        for _ in range(5):
            assert front.send("GET", "/back/key").body == KEPT
        assert len(origin.seen) == 3


def test_when_all_rest_one_is_asked_nevertheless() -> None:
    places = [f"http://127.0.0.1:{closed_port()}" for _ in range(2)]
    reached = Backend(places, creds=CREDS)
    with Front({"*": reached}) as front:
        for _ in range(6):
            assert refused(front) == UNAVAILABLE
        assert [state.resting for state in front.gateway.endpoints()] == [True, True]
        with Origin(port=int(places[1].rpartition(":")[2])) as back:
            back.objects["/back/key"] = KEPT
            wait_until(lambda: front.send("GET", "/back/key").status == 200, "it is found")


def test_an_update_keeps_what_was_learnt(origin: Origin, other: Origin) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"
    with Front({"*": backend(origin, endpoint=[gone, origin.url])}) as front:
        for _ in range(4):
            front.send("GET", "/back/key")
        before = front.gateway.endpoints()
        assert before[0].resting
        # Another bucket, other times, another endpoint beside: it is the same place.
        front.gateway.update(
            {
                "back": backend(origin, endpoint=[other.url, gone], response_timeout=9),
                "more": backend(origin),
            }
        )
        after = {state.endpoint: state for state in front.gateway.endpoints()}
        assert after == {
            other.url: EndpointState(other.url, False, 0, 0),
            gone: before[0],
            origin.url: before[1],
        }
        front.gateway.update({"*": backend(origin)})
        front.gateway.update({"*": backend(origin, endpoint=[gone, origin.url])})
        assert front.gateway.endpoints()[0] == EndpointState(gone, False, 0, 0)


def test_requests_may_be_spread(origin: Origin, other: Origin) -> None:
    with Front({"*": backend(origin, endpoint=[origin.url, other.url], spread=True)}) as front:
        for _ in range(10):
            assert front.send("GET", "/back/key").body == KEPT
        assert (len(origin.seen), len(other.seen)) == (5, 5)
        origin.close()
        for _ in range(10):
            assert front.send("GET", "/back/key").body == KEPT
        assert len(other.seen) == 15


def test_copies_stay_in_one_place(origin: Origin, other: Origin) -> None:
    both = [origin.url, other.url]
    buckets = {
        "one": backend(origin, endpoint=both, bucket="back"),
        "two": backend(origin, endpoint=list(reversed(both)), bucket="back"),
        "far": backend(origin, endpoint="http://127.0.0.2:9", bucket="back"),
    }
    with Front(buckets) as front:
        copy = {"x-amz-copy-source": "/one/key"}
        assert front.send("PUT", "/two/copy", body=b"", headers=copy).status == 200
        assert other.objects["/back/copy"] == KEPT
        response = front.send("PUT", "/far/copy", body=b"", headers=copy)
        assert (response.status, error_code(response)) == (501, "NotImplemented")


# --- checks


def test_an_endpoint_is_looked_at_before_a_request_meets_it(origin: Origin) -> None:
    port = closed_port()
    place = f"http://127.0.0.1:{port}"
    checked = {"check": "connect", "check_interval": 0.2}
    reached = backend(origin, endpoint=[place, origin.url], **checked)
    with Front({"*": reached}) as front:

        def resting() -> bool:
            return front.gateway.endpoints()[0].resting

        wait_until(resting, "somebody looks")
        assert front.send("GET", "/back/key").body == KEPT
        assert front.gateway.counts()["failed_over"] == 0
        with Origin(port=port) as back:
            wait_until(lambda: not resting(), "somebody looks again")
            back.objects["/back/key"] = KEPT
            count = len(origin.seen)
            assert front.send("GET", "/back/key").body == KEPT
            assert (len(origin.seen), len(back.seen)) == (count, 1)
        wait_until(resting, "somebody sees that it went")
        counts = front.gateway.counts()
        assert counts["checks"] > counts["checks_failed"] >= 2


def test_a_head_is_answered_by_who_is_there(origin: Origin, other: Origin) -> None:
    both = [origin.url, other.url]
    with Front({"*": backend(origin, endpoint=both, check="head", check_interval=0.2)}) as front:
        wait_until(lambda: len(origin.seen) >= 2 and len(other.seen) >= 2, "somebody looks")
        assert {(seen.method, seen.target) for seen in origin.seen} == {("HEAD", "/")}
        # They are not signed: 403 is an answer, too.
        assert {seen.signed_by for seen in origin.seen} == {""}
        assert not any(state.resting for state in front.gateway.endpoints())
        origin.fail("answer", "500", times=1000)
        wait_until(lambda: front.gateway.endpoints()[0].resting, "it is thought to be ill")
        count = len([seen for seen in origin.seen if seen.method == "GET"])
        assert front.send("GET", "/back/key").body == KEPT
        assert len([seen for seen in origin.seen if seen.method == "GET"]) == count
        origin.release()
        wait_until(lambda: not front.gateway.endpoints()[0].resting, "it is thought to be well")


def test_of_several_threads_one_looks(origin: Origin) -> None:
    reached = backend(origin, check="head", check_interval=0.5)
    with Front({"*": reached}, settings={"io_threads": 4}) as front:
        began = time.monotonic()
        wait_until(lambda: len(origin.seen) >= 4, "somebody looks")
        assert time.monotonic() - began > 1.4
        assert front.gateway.counts()["checks"] >= 4


def test_checks_follow_an_update(origin: Origin) -> None:
    with Front({"*": backend(origin)}) as front:
        front.gateway.update({"*": backend(origin, check="head", check_interval=0.2)})
        front.send("GET", "/back/key")
        wait_until(lambda: sum(s.method == "HEAD" for s in origin.seen) >= 3, "somebody looks")
        front.gateway.update({"*": backend(origin)})
        time.sleep(0.3)
        count = len(origin.seen)
        time.sleep(0.5)
        assert len(origin.seen) == count


# --- what the operator is told


def reached_wrongly(origin: Origin, secure_port: int) -> dict[str, Backend]:
    """Backends that cannot be used, by the words for it."""
    plain = origin.url
    return {
        "no connection to the upstream can be made": Backend(
            f"http://127.0.0.1:{closed_port()}", creds=CREDS
        ),
        "no trusted TLS connection": Backend(f"https://127.0.0.1:{secure_port}", creds=CREDS),
        "does it speak TLS, and is https://": Backend(
            f"http://127.0.0.1:{secure_port}", creds=CREDS
        ),
        "is somebody there, and does": Backend(f"https://127.0.0.1:{closed_port()}", creds=CREDS),
        "refuses the credentials of bucket": Backend(
            plain, creds=Hmac(KEY.access_key, "not the secret")
        ),
    }


def test_the_log_says_why_a_backend_cannot_be_used(
    origin: Origin, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1", file="origin"))
    with Origin(context=context) as secure:
        port = int(secure.url.rpartition(":")[2])
        for words, backend_of_all in reached_wrongly(origin, port).items():
            caplog.clear()
            with Front({"*": backend_of_all}) as front:
                for _ in range(3):
                    status, code = refused(front)
                    assert (status, code) in (UNAVAILABLE, (403, "AccessDenied")), words
                wait_until(lambda words=words: words in caplog.text, words)
            # Each reason once, however many requests there are.
            told = [message for message in caplog.messages if words in message]
            assert len(told) == len(set(told)), caplog.text
            assert "not the secret" not in caplog.text


def test_the_log_says_why_a_check_failed(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    dead = f"http://127.0.0.1:{closed_port()}"
    both = backend(origin, endpoint=[origin.url, dead], check="connect", check_interval=0.1)
    with Front({"*": both}):
        wait_until(lambda: f"A check of the backend {dead} failed" in caplog.text)
