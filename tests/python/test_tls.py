"""TLS over real sockets, with Python's ssl module at the other end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import hashlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tlslite.api
import tlslite.errors
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from tlslite.constants import KeyUpdateMessageType

from support.asgi import AsgiServer, Message, Receive, Scope, Send, respond
from support.http1 import Closed, RawClient
from support.processes import environment_of_others, open_files
from support.server import APPS, ServerProcess, flags
from support.tls import PASSWORD, Authority, abandon_handshakes, certificate_of, connect, fails

pytestmark = [pytest.mark.io_threads, pytest.mark.sanitize]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> dict[str, Any]:
    """The settings of a certificate for localhost."""
    certificate, key = authority.issue("localhost", "127.0.0.1", file="localhost")
    return {"ssl_certfile": [certificate], "ssl_keyfile": [key]}


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, f"{scope['scheme']} {scope['path']}")


class Keeping:
    """Answers like `hello`, and keeps the scope."""

    scope: Scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        await respond(send, "kept")


async def digest(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the digest of the body."""
    seen = hashlib.sha256()
    more = True
    while more:
        message = await receive()
        seen.update(message.get("body", b""))
        more = message.get("more_body", False)
    await respond(send, seen.hexdigest())


def wait_until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- what flows


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
def test_requests_are_served_on_one_connection(authority, files, version, loop):
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    with (
        AsgiServer(hello, loop=loop, **files) as server,
        connect(server.address, context) as client,
    ):
        for number in range(3):
            assert client.request(target=f"/{number}").body == f"https /{number}".encode()
        client.send(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [client.response().body for _ in "ab"] == [b"https /a", b"https /b"]


async def exchange(address: Any, context: ssl.SSLContext, data: bytes) -> bytes:
    """Sends `data` and reads as much, both at once: two threads must not share an SSLSocket."""
    reader, writer = await asyncio.open_connection(
        *address, ssl=context, server_hostname="localhost"
    )
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(data))
    writer.write(data)
    await reader.readuntil(b"\r\n\r\n")
    received = await reader.readexactly(len(data))
    writer.close()
    return received


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 5_000_000])
def test_bodies_arrive_whole_in_both_directions(authority, files, size):
    data = os.urandom(size)

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        length = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send(
                {"type": "http.response.body", "body": message.get("body", b""), "more_body": more}
            )

    with AsgiServer(echo, **files) as server:
        received = asyncio.run(exchange(server.address, authority.client_context(), data))
        assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


def test_a_request_in_records_of_one_byte(authority, files):
    with (
        AsgiServer(hello, **files) as server,
        connect(server.address, authority.client_context()) as client,
    ):
        client.send_slowly(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", pause=0)
        assert client.response().body == b"https /slow"


def test_a_handshake_that_arrives_byte_by_byte(authority, files):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with AsgiServer(hello, **files) as server, server.connect() as client:

        def step(call: Any) -> Any:
            while True:
                try:
                    result = call()
                except ssl.SSLWantReadError:
                    client.send_slowly(outgoing.read(), pause=0)
                    incoming.write(client.socket.recv(65536))
                else:
                    client.send_slowly(outgoing.read(), pause=0)
                    return result

        step(tls.do_handshake)
        step(lambda: tls.write(b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert b"https /b" in step(lambda: tls.read(65536))


def test_a_client_that_does_not_read_holds_the_application_back(authority, files):
    sent: list[int] = []

    async def pour(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent.append(1)
        await send({"type": "http.response.body"})

    with (
        AsgiServer(pour, **files) as server,
        connect(server.address, authority.client_context()) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.5)
        assert 0 < len(sent) < 150
        assert client.response().body == b"x" * 20_000_000


@pytest.mark.parametrize("size", [0, 5, 16_384, 3_000_000])
def test_a_file_is_sent(authority, files, tmp_path, size):
    path = tmp_path / "file"
    data = os.urandom(size)
    path.write_bytes(data)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        length = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.pathsend", "path": str(path)})

    # Asked of the kernel, which may or may not: what is on the wire is TLS in any case.
    for ktls in (False, True):
        with (
            AsgiServer(app, ssl_ktls=ktls, **files) as server,
            connect(server.address, authority.client_context()) as client,
        ):
            assert client.request().body == data
            assert client.request().body == data


# --- ends


def test_close_notify_comes_before_the_end(authority, files):
    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, "bye", headers=[(b"connection", b"close")])

    with (
        AsgiServer(closing, **files) as server,
        connect(server.address, authority.client_context()) as client,
    ):
        assert client.request().body == b"bye"
        # suppress_ragged_eofs is for reads that miss close_notify: this one must not need it.
        client.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        assert client.socket.recv(1) == b""


def drained(client: RawClient) -> None:
    while client.socket.recv(65536):
        pass


def test_a_response_that_breaks_off_is_no_orderly_end(authority, files):
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("on purpose")

    with (
        AsgiServer(breaking, **files) as server,
        connect(server.address, authority.client_context()) as client,
    ):
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        client.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        with pytest.raises(OSError, match=r"(?i)reset|EOF"):
            drained(client)
    with (
        AsgiServer(breaking, **files) as server,
        connect(server.address, authority.client_context()) as client,
    ):
        client.send(GET)
        # However TLS ends: the last chunk is not there.
        with pytest.raises(Closed):
            client.response()


def test_a_body_cut_off_without_close_notify_is_not_complete(authority, files):
    seen: list[Message] = []
    ended = threading.Event()

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            seen.append(message)
            if message["type"] == "http.disconnect":
                ended.set()
                return

    with AsgiServer(reading, **files) as server:
        client = connect(server.address, authority.client_context())
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        wait_until(lambda: bool(seen))
        os.close(client.socket.detach())  # FIN, and nothing before it.
        assert ended.wait(10)
        assert all(message.get("more_body", True) for message in seen)


def test_a_client_may_end_its_direction_and_still_be_answered(authority, files):
    with AsgiServer(hello, **files) as server, server.connect() as client:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = authority.client_context()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                incoming.write(client.socket.recv(65536))
        tls.write(b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()  # close_notify, in the same segment as the request.
        client.send(outgoing.read())
        received = b""
        while b"https /last" not in received:
            incoming.write(client.socket.recv(65536))
            try:
                received += tls.read(65536)
            except ssl.SSLWantReadError:
                continue


def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(authority, files):
    """However early: what the handshake read for itself is looked at without another event."""
    context = authority.client_context()
    with AsgiServer(hello, **files) as server:
        for _ in range(50):
            with connect(server.address, context) as client:
                assert client.request().status == 200


# --- handshakes that fail cost nothing and harm nobody


def told_of_https(client: RawClient) -> bool:
    """Whether the server says in plain HTTP what is wrong, and then closes in an orderly way."""
    response = client.response()
    client.expect_closed()
    text = b"this port speaks HTTPS, and the request came without TLS\n"
    return (response.status, response.body, response.get("connection")) == (400, text, "close")


# OpenSSL knows the first four.
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "M-SEARCH", "X"]
)
def test_plain_http_is_told_that_this_port_speaks_https(authority, files, method):
    head = f"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n".encode()
    with AsgiServer(hello, **files) as server:
        with server.connect() as client:
            client.send(head)
            assert told_of_https(client)
        with server.connect() as client:
            client.send_slowly(head[: head.index(b"\r\n")])
            assert told_of_https(client)
        # What is on its way must not make a reset of the close: that would take the answer along.
        with server.connect() as client:
            client.send(head + bytes(300_000))
            assert told_of_https(client)
        with connect(server.address, authority.client_context()) as client:
            assert client.request().status == 200


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT host.test:443 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"DELETE /" + b"x" * 8000 + b" HTTP/1.1\r\n",
    ],
    ids=lambda line: line[:8].decode(),
)
def test_plain_http_is_known_whatever_its_target(files, line):
    with AsgiServer(hello, **files) as server:
        for cut in (3, 5, 9, len(line)):
            with server.connect() as client:
                client.send(line[:cut])
                if line[cut:]:
                    time.sleep(0.02)
                    client.send(line[cut:])
                client.send(b"Host: a\r\n\r\n")
                assert told_of_https(client)


def test_a_plain_request_that_does_not_come_to_an_end_is_a_handshake_that_does_not(files):
    with (
        AsgiServer(hello, timeout_ssl_handshake="0.3", **files) as server,
        server.connect() as client,
    ):
        begin = time.monotonic()
        client.send(b"DELETE /a")
        client.expect_closed()
        assert 0.2 < time.monotonic() - begin < 5


def test_plain_http_on_a_tls_port_leaves_no_descriptor(files):
    with AsgiServer(hello, **files) as server:
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert told_of_https(client)
        before = open_files(os.getpid())
        for number in range(50):
            with server.connect() as client:
                client.send(b"GET" if number % 2 else b"DELETE")
                client.send(b" / HTTP/1.1\r\n\r\n")
                assert told_of_https(client)
        wait_until(lambda: open_files(os.getpid()) <= before)


def received_by(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            received += part
    return received


def first_flight(authority: Authority) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_noise_is_turned_away_without_a_word(authority, files):
    hello_record = first_flight(authority)
    for noise in (
        b"\0" + os.urandom(4096),
        b"\x16\x03\x01\xff\xff",
        b"BREW / HTCPCP/1.0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"get / http/1.1\r\n\r\n",
        b"delete / HTTP/1.1\r\n\r\n",
        b"DELETE / http/1.1\r\n\r\n",
        b"DELETE /",
        b"DELETE",
        b"DELETE  / HTTP/1.1\r\n\r\n",
        b"DELETE /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"A" * 33 + b" / HTTP/1.1\r\n\r\n",
        b"EHLO mail.test\r\n",
        b"GE",
        hello_record[:3] + GET,
    ):
        with AsgiServer(hello, **files) as server, server.connect() as client:
            client.send(noise)
            client.socket.shutdown(socket.SHUT_WR)
            assert b"HTTP" not in received_by(client.socket), noise
            with connect(server.address, authority.client_context()) as other:
                assert other.request().status == 200


def records(payload: bytes, *sizes: int) -> list[bytes]:
    """A handshake message in records of `sizes` bytes, and the rest."""
    parts = []
    for size in [*sizes, len(payload)]:
        part, payload = payload[:size], payload[size:]
        parts.append(b"\x16\x03\x01" + struct.pack(">H", len(part)) + part)
    return parts


def test_nothing_plain_is_said_once_a_handshake_has_begun(authority, files):
    flight = first_flight(authority)
    first, _ = records(flight[5:], 100)
    alert = b"\x15\x03\x01\x00\x02\x01\x00"
    with AsgiServer(hello, **files) as server:
        for begun in (flight, first, alert):
            for at_once in (True, False):
                with server.connect() as client:
                    client.send(begun + GET if at_once else begun)
                    with contextlib.suppress(OSError):  # It may be refused by then.
                        if not at_once:
                            time.sleep(0.05)
                            client.send(GET)
                        client.socket.shutdown(socket.SHUT_WR)
                    assert b"HTTP" not in received_by(client.socket), (begun, at_once)
        with connect(server.address, authority.client_context()) as client:
            assert client.request().status == 200
            plain = socket.socket(fileno=os.dup(client.socket.fileno()))
            with plain:
                plain.settimeout(
                    10
                )  # The descriptor does not block: its other owner has a timeout.
                plain.sendall(GET)
                assert b"HTTP" not in received_by(plain)


def test_a_handshake_has_a_time_limit(authority, files):
    context = authority.client_context()
    with (
        AsgiServer(hello, timeout_ssl_handshake="0.3", **files) as server,
        connect(server.address, context) as good,
        server.connect() as silent,
    ):
        begin = time.monotonic()
        silent.expect_closed()
        assert 0.2 < time.monotonic() - begin < 5
        assert good.request().status == 200


def test_handshakes_abandoned_at_each_flight_leave_nothing(authority, files):
    """The full number is in tests/long/test_faults_long.py."""
    with ServerProcess("echo:app", **files) as server:
        with connect(server.address, authority.client_context()) as client:
            client.request()
        before = open_files(server.pid)
        abandon_handshakes(authority, server.address, 30)
        wait_until(lambda: open_files(server.pid) <= before)
        with connect(server.address, authority.client_context()) as client:
            assert client.request().status == 200


def ask_for_keys(address: Any, times: int, *, data_between: int = 0) -> int:
    """Asks for new keys, and returns how often the server took part."""
    with socket.create_connection(address) as raw:
        raw.settimeout(10)
        client = tlslite.api.TLSConnection(raw)
        settings = tlslite.api.HandshakeSettings()
        settings.minVersion = (3, 4)
        client.handshakeClientCert(settings=settings, serverName="localhost")
        for number in range(times):
            try:
                client.write(
                    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % data_between
                    + bytes(data_between)
                )
                for _ in client.send_keyupdate_request(KeyUpdateMessageType.update_requested):
                    pass
                received = b""
                while len(received) < data_between + 60:
                    received += client.read(max=65536, min=1)
            except (OSError, tlslite.errors.BaseTLSException):
                return number
        return times


def test_requests_for_new_keys_without_data_are_bounded(authority, files):
    """Each costs the server more than the client."""
    with ServerProcess("echo:app", **files) as server:
        assert 16 <= ask_for_keys(server.address, 100) <= 40
        with connect(server.address, authority.client_context()) as client:
            assert client.request().status == 200


def test_whoever_sends_data_may_change_keys(files):
    with ServerProcess("echo:app", **files) as server:
        assert ask_for_keys(server.address, 48, data_between=10_000) == 48


def test_renegotiation_is_refused(authority, files):
    with ServerProcess("echo:app", **files) as server:
        host, port = server.address
        with subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment_of_others(),
        ) as client:
            assert client.stdin is not None
            client.stdin.write(b"R\n")
            client.stdin.flush()
            time.sleep(1)
            client.kill()
            output, _ = client.communicate(timeout=10)
        assert b"no renegotiation" in output or b"NO_RENEGOTIATION" in output.upper(), output[-500:]


# --- what the handshake agrees on


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_and_weak_ciphers_are_refused(authority, files):
    with AsgiServer(hello, **files) as server:
        context = authority.client_context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        assert fails(server.address, context)
        for weak in ("AES128-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256"):
            context = authority.client_context()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(weak)
            assert fails(server.address, context)


def test_the_oldest_version_can_be_raised(authority, files):
    with AsgiServer(hello, ssl_min_version="1.3", **files) as server:
        context = authority.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert fails(server.address, context)
        with connect(server.address, authority.client_context()) as client:
            assert client.socket.version() == "TLSv1.3"  # type: ignore[attr-defined]


def test_ciphers_suites_and_groups_are_those_of_the_settings(authority, files):
    chosen = {
        "ssl_ciphers": ["ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"],
        "ssl_ciphersuites": ["TLS_AES_256_GCM_SHA384"],
        "ssl_groups": ["P-384"],
    }
    with AsgiServer(hello, **files, **chosen) as server:
        with connect(server.address, authority.client_context()) as client:
            assert client.socket.cipher()[0] == "TLS_AES_256_GCM_SHA384"  # type: ignore[attr-defined]
        context = authority.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with connect(server.address, context) as client:
            assert "CHACHA20" in client.socket.cipher()[0]  # type: ignore[attr-defined]
        context = authority.client_context()
        context.set_ecdh_curve("prime256v1")
        assert fails(server.address, context)


def test_alpn_takes_http_and_refuses_the_rest(authority, files):
    with AsgiServer(hello, **files) as server:
        context = authority.client_context(protocols=["spdy/1", "http/1.1"])
        with connect(server.address, context) as client:
            assert client.socket.selected_alpn_protocol() == "http/1.1"  # type: ignore[attr-defined]
            assert client.request().status == 200
        with pytest.raises(OSError, match=r"(?i)no.application.protocol"):
            connect(server.address, authority.client_context(protocols=["spdy/1"]))


def test_a_session_is_taken_up(authority, files):
    context = authority.client_context()
    with AsgiServer(hello, **files) as server:
        with connect(server.address, context) as client:
            client.request()  # The ticket comes with the first bytes.
            session = client.socket.session  # type: ignore[attr-defined]
        with connect(server.address, context, session=session) as client:
            assert client.socket.session_reused  # type: ignore[attr-defined]
            assert client.request().status == 200
            server.call(server.native.reload_certificates)
            session = client.socket.session  # type: ignore[attr-defined]
        with connect(server.address, context, session=session) as client:
            assert client.socket.session_reused  # type: ignore[attr-defined]


@pytest.mark.parametrize("kept_by", ["client", "server"])
def test_a_session_of_tls_1_2_is_taken_up(authority, files, kept_by):
    """Who takes no tickets has an identifier, and the server remembers the session.

    Both forget one that ends without close_notify, as OpenSSL has it.
    """
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if kept_by == "server":
        context.options |= ssl.OP_NO_TICKET
    with AsgiServer(hello, **files) as server:
        with connect(server.address, context) as client:
            assert client.request().status == 200
            session = client.socket.session  # type: ignore[attr-defined]
            assert session.has_ticket == (kept_by == "client")
            client.socket.unwrap()  # type: ignore[attr-defined]
        with connect(server.address, context, session=session) as client:
            assert client.socket.session_reused  # type: ignore[attr-defined]
            assert client.request().status == 200


def test_a_session_of_another_server_is_not(authority, files):
    context = authority.client_context()
    with AsgiServer(hello, **files) as server, connect(server.address, context) as client:
        client.request()
        session = client.socket.session  # type: ignore[attr-defined]
    with (
        AsgiServer(hello, **files) as server,
        connect(server.address, context, session=session) as client,
    ):
        assert not client.socket.session_reused  # type: ignore[attr-defined]


def test_the_certificate_follows_the_name(authority, files):
    other, other_key = authority.issue("other.test", "*.wild.test", file="other")
    both = {
        "ssl_certfile": [*files["ssl_certfile"], other],
        "ssl_keyfile": [*files["ssl_keyfile"], other_key],
    }
    lenient = authority.client_context()
    lenient.check_hostname = False
    expected = {
        "localhost": "localhost",
        "other.test": "other.test",
        "a.wild.test": "other.test",
        "unknown.test": "localhost",
        "x" * 63 + ".test": "localhost",
    }
    with AsgiServer(hello, **both) as server:
        for name, first in expected.items():
            with connect(server.address, lenient, name=name) as client:
                names = certificate_of(client).extensions.get_extension_for_class(
                    x509.SubjectAlternativeName
                )
                assert names.value.get_values_for_type(x509.DNSName)[0] == first
                assert client.request().status == 200


# --- certificates of clients


@pytest.fixture(scope="module")
def demanding(authority, files) -> dict[str, Any]:
    return {**files, "ssl_ca_certs": [authority.ca]}


def as_client(authority: Authority, certificate: str, key: str) -> ssl.SSLContext:
    context = authority.client_context()
    context.load_cert_chain(certificate, key)
    return context


def test_a_client_may_have_to_show_a_certificate(authority, demanding, tmp_path):
    mine = authority.issue("client.test", file="client")
    stranger = Authority(tmp_path).issue("client.test", file="stranger")
    app = Keeping()
    with AsgiServer(app, ssl_cert_reqs="required", **demanding) as server:
        assert fails(server.address, authority.client_context())
        assert fails(server.address, as_client(authority, *stranger))
        with connect(server.address, as_client(authority, *mine)) as client:
            assert client.request().status == 200
        chain = app.scope["extensions"]["tls"]["client_cert_chain"]
        shown = x509.load_pem_x509_certificate(chain[0].encode())
        assert shown == x509.load_pem_x509_certificate(Path(mine[0]).read_bytes())
        name = app.scope["extensions"]["tls"]["client_cert_name"]
        assert name == shown.subject.rfc4514_string()


def test_a_certificate_may_be_optional_but_not_bad(authority, demanding, tmp_path):
    stranger = Authority(tmp_path).issue("client.test", file="stranger")
    app = Keeping()
    with AsgiServer(app, ssl_cert_reqs="optional", **demanding) as server:
        with connect(server.address, authority.client_context()) as client:
            assert client.request().status == 200
        assert app.scope["extensions"]["tls"]["client_cert_name"] is None
        assert fails(server.address, as_client(authority, *stranger))


def test_a_revoked_certificate_is_refused(authority, demanding):
    good = authority.issue("good.test", file="good")
    bad = authority.issue("bad.test", file="bad")
    revoked = {**demanding, "ssl_crlfile": [authority.revoke(bad[0])]}
    with AsgiServer(hello, ssl_cert_reqs="required", **revoked) as server:
        with connect(server.address, as_client(authority, *good)) as client:
            assert client.request().status == 200
        assert fails(server.address, as_client(authority, *bad))


def test_a_certificate_that_was_revoked_meanwhile_takes_up_no_session(
    authority, demanding, tmp_path
):
    certificate, key = authority.issue("left.test", file="left")
    other, _ = authority.issue("other.test", file="other-client")
    revoked = tmp_path / "ca.crl"
    revoked.write_bytes(Path(authority.revoke(other)).read_bytes())
    context = as_client(authority, certificate, key)
    listed = {**demanding, "ssl_crlfile": [str(revoked)]}
    with AsgiServer(hello, ssl_cert_reqs="required", **listed) as server:
        with connect(server.address, context) as client:
            assert client.request().status == 200
            session = client.socket.session  # type: ignore[attr-defined]
        with connect(server.address, context, session=session) as client:
            assert client.socket.session_reused  # type: ignore[attr-defined]
            assert client.request().status == 200
            session = client.socket.session  # type: ignore[attr-defined]
        revoked.write_bytes(Path(authority.revoke(certificate)).read_bytes())
        server.call(server.native.reload_certificates)
        assert fails(server.address, context, session=session)


# --- the scope


def test_the_scope_tells_of_tls(authority, files):
    app = Keeping()
    with AsgiServer(app, **files) as server:
        with connect(server.address, authority.client_context()) as client:
            client.request()
            cipher = client.socket.cipher()  # type: ignore[attr-defined]
        assert app.scope["scheme"] == "https"
        tls = app.scope["extensions"]["tls"]
        assert cipher[0] == "TLS_AES_256_GCM_SHA384"
        assert tls == {
            "server_cert": tls["server_cert"],
            "client_cert_chain": [],
            "client_cert_name": None,
            "client_cert_error": None,
            "tls_version": 0x0304,
            "cipher_suite": 0x1302,
        }
        ours = x509.load_pem_x509_certificate(Path(files["ssl_certfile"][0]).read_bytes())
        assert x509.load_pem_x509_certificate(tls["server_cert"].encode()) == ours
    with AsgiServer(app) as server:
        server.request()
        assert app.scope["scheme"] == "http"
        assert "tls" not in app.scope["extensions"]


# --- certificates anew


def test_certificates_are_read_again_while_connections_live(authority, tmp_path):
    certificate, key = (tmp_path / name for name in ("a.pem", "a.key"))

    def put(file: str) -> None:
        for source, target in zip(
            authority.issue("localhost", file=file), (certificate, key), strict=True
        ):
            target.write_bytes(Path(source).read_bytes())

    def serial(client: RawClient) -> int:
        return certificate_of(client).serial_number

    put("first")
    context = authority.client_context()
    with (
        ServerProcess("echo:app", ssl_certfile=certificate, ssl_keyfile=key) as server,
        connect(server.address, context) as old,
    ):
        assert old.request().status == 200
        put("second")
        server.send_signal(signal.SIGHUP)
        server.wait_for("Read the certificates again")
        with connect(server.address, context) as new:
            assert new.request().status == 200
            assert serial(new) != serial(old)
            certificate.write_text("nothing")
            server.send_signal(signal.SIGHUP)
            server.wait_for("The certificates stay as they were. ")
            with connect(server.address, context) as newest:
                assert serial(newest) == serial(new)
        assert old.request().status == 200


def test_no_handshake_fails_while_certificates_are_read_again(authority, files, ledger):
    context = authority.client_context()
    with AsgiServer(hello, **files) as server:
        stop = threading.Event()
        shaken: list[int] = []
        failures: list[BaseException] = []

        def shake() -> None:
            while not stop.is_set():
                try:
                    with connect(server.address, context) as client:
                        shaken.append(client.request().status)
                except BaseException as error:
                    failures.append(error)

        threads = [threading.Thread(target=shake) for _ in range(2)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            server.call(server.native.reload_certificates)
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(shaken) > 20
        assert set(shaken) == {200}
        ledger(f"section 7: 0 of {len(shaken)} handshakes failed while certificates were reloaded")


# --- a user's mistakes


def serve_and_fail(**settings: Any) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tercel",
            "serve",
            "echo:app",
            "--port",
            "0",
            "--app-dir",
            str(APPS),
            *flags(settings),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_each_mistake_in_a_file_is_one_sentence_that_names_it(authority, files, tmp_path):
    certificate, key = files["ssl_certfile"][0], files["ssl_keyfile"][0]
    _, other_key = authority.issue("x.test", file="x")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    encrypted = authority.encrypted(key)
    mistakes: list[tuple[dict[str, Any], str, str]] = [
        ({"ssl_certfile": "/none.pem"}, "/none.pem", "No such file"),
        ({"ssl_certfile": str(empty), "ssl_keyfile": key}, str(empty), "no certificate"),
        ({"ssl_certfile": certificate, "ssl_keyfile": "/none.key"}, "/none.key", "No such file"),
        ({"ssl_certfile": certificate, "ssl_keyfile": str(empty)}, str(empty), "no private key"),
        ({"ssl_certfile": certificate}, certificate, "no private key"),
        ({"ssl_certfile": certificate, "ssl_keyfile": other_key}, other_key, "does not belong"),
        ({"ssl_certfile": certificate, "ssl_keyfile": encrypted}, encrypted, "needs a password"),
        (
            {
                "ssl_certfile": certificate,
                "ssl_keyfile": encrypted,
                "ssl_keyfile_password": "wrong",
            },
            encrypted,
            "password given",
        ),
        ({**files, "ssl_ciphers": "NONE-SUCH"}, "NONE-SUCH", "no cipher"),
        ({**files, "ssl_ciphersuites": "NONE"}, "NONE", "not all known"),
        ({**files, "ssl_groups": "P-1"}, "P-1", "not all known"),
        (
            {**files, "ssl_cert_reqs": "required", "ssl_ca_certs": str(empty)},
            str(empty),
            "no certificate",
        ),
        (
            {
                **files,
                "ssl_cert_reqs": "required",
                "ssl_ca_certs": authority.ca,
                "ssl_crlfile": str(empty),
            },
            str(empty),
            "no revocation list",
        ),
    ]
    for settings, name, reason in mistakes:
        said = serve_and_fail(**settings)
        assert name in said, said
        assert reason in said, said
        assert "wrong" not in said  # The password is nobody's business.


# --- files that are not what they should be: one sentence each, with the file and what to change


def pem(certificate: str) -> bytes:
    return Path(certificate).read_bytes()


def der(data: bytes) -> bytes:
    """The first block of PEM, in DER."""
    return base64.b64decode(b"".join(data.split(b"-----")[2].split()))


def damaged(data: bytes) -> bytes:
    """With two lines of its content exchanged."""
    lines = data.splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    return b"".join(lines)


def request_for(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def self_signed(bits: int) -> bytes:
    """A certificate and its RSA key."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def refusal(**settings: Any) -> str:
    """What the server says instead of serving."""
    with (
        pytest.raises(ValueError, match="Cannot serve TLS: ") as raised,
        AsgiServer(hello, **settings),
    ):
        pass
    return str(raised.value)


CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "blank": lambda good: b" \r\n\n",
    "text": lambda good: b"certificate: yes\n",
    "noise": lambda good: b"\x00\x01" + bytes(range(256)),
    "der": der,
    "pkcs12": lambda good: b"\x30\x82\x01\x00\x02\x01\x03\x30" + bytes(200),
    "utf16": lambda good: good.decode().encode("utf-16"),
    "indented": lambda good: b"  " + good,
    "truncated": lambda good: good[: good.index(b"-----END")],
    "in the end line": lambda good: good[: good.index(b"-----END") + 12],
    "damaged": damaged,
    "request": lambda good: request_for("a.test"),
    "openssh": lambda good: (
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
    ),
}
SAID = {
    "empty": "it is empty",
    "blank": "it is empty",
    "text": "no line that starts with -----BEGIN",
    "noise": "neither PEM nor another format",
    "der": {"certificate": "openssl x509", "key": "openssl pkey", "CA": "x509", "CRL": "crl"},
    "pkcs12": "openssl pkcs12",
    "utf16": "UTF-16",
    "indented": "stands before -----BEGIN",
    "truncated": "breaks off before a line -----END",
    "in the end line": "breaks off before a line -----END",
    "damaged": "is damaged",
    "request": "a request for a certificate",
    "openssh": "ssh-keygen -p -m PEM",
}
JARGON = ("lib", "unsupported", "routines", "decode", "asn1", "start line", "no memory")


@pytest.mark.parametrize("what", ["certificate", "key", "CA", "CRL"])
@pytest.mark.parametrize("content", [*CONTENTS, "missing", "directory", "of another kind"])
def test_a_wrong_file_says_what_to_change(authority, files, tmp_path, what, content):
    certificate, key = files["ssl_certfile"][0], files["ssl_keyfile"][0]
    revoked = authority.revoke(authority.issue("gone.test", file="gone")[0])
    kinds = {
        "certificate": ("ssl_certfile", certificate, key, "PRIVATE KEY"),
        "key": ("ssl_keyfile", key, certificate, "CERTIFICATE"),
        "CA": ("ssl_ca_certs", authority.ca, key, "PRIVATE KEY"),
        "CRL": ("ssl_crlfile", revoked, certificate, "CERTIFICATE"),
    }
    setting, good, other, label = kinds[what]
    path = tmp_path / "wrong.pem"
    if content == "missing":
        expected = "No such file"
    elif content == "directory":
        path.mkdir()
        expected = "is a directory: give the file in it"
    elif content == "of another kind":
        path.write_bytes(pem(other))
        expected = label
    else:
        path.write_bytes(CONTENTS[content](pem(good)))
        said_of = SAID[content]
        expected = said_of if isinstance(said_of, str) else said_of[what]
    settings = {**files, "ssl_cert_reqs": "required", "ssl_ca_certs": [authority.ca]}
    said = refusal(**{**settings, setting: [str(path)]})
    assert said.startswith(f'Cannot serve TLS: the {what} file "{path}" '), said
    assert expected in said
    assert ". " not in said, said
    assert said.endswith(".")
    assert not any(word in said.replace(str(path), "").lower() for word in JARGON), said


def test_a_file_whose_second_block_is_bad_is_not_half_taken(authority, files, tmp_path):
    """Of revocation lists least of all: who is on the others would be let in."""
    path = tmp_path / "half.pem"
    settings = {**files, "ssl_cert_reqs": "required", "ssl_ca_certs": [authority.ca]}
    revoked = authority.revoke(authority.issue("gone.test", file="gone")[0])
    for setting, good in (
        ("ssl_certfile", files["ssl_certfile"][0]),
        ("ssl_ca_certs", authority.ca),
        ("ssl_crlfile", revoked),
    ):
        for second, expected in ((pem(good)[:200], "breaks off"), (damaged(pem(good)), "damaged")):
            path.write_bytes(pem(good) + second)
            said = refusal(**{**settings, setting: [str(path)]})
            assert str(path) in said
            assert expected in said


def test_a_weak_certificate_is_called_weak(tmp_path):
    path = tmp_path / "weak.pem"
    path.write_bytes(self_signed(1024))
    said = refusal(ssl_certfile=[str(path)], ssl_ciphers=["ECDHE+AESGCM:@SECLEVEL=2"])
    assert f'"{path}" holds a certificate that is too weak' in said


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_what_a_password_can_and_cannot_be_blamed_for(authority, files, tmp_path, form):
    certificate = files["ssl_certfile"]
    loaded = serialization.load_pem_private_key(pem(files["ssl_keyfile"][0]), None)
    encrypted = loaded.private_bytes(
        serialization.Encoding.PEM,
        getattr(serialization.PrivateFormat, form),
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    )
    path = tmp_path / "encrypted.key"
    path.write_bytes(encrypted)
    settings = {"ssl_certfile": certificate, "ssl_keyfile": [str(path)]}
    assert "is encrypted and needs a password" in refusal(**settings)
    for number in range(20):  # One in some hundred wrong passwords makes padding that looks good.
        wrong = {"ssl_keyfile_password": [f"no {number}"]}
        assert "cannot be read with the password given" in refusal(**settings, **wrong)
    path.write_bytes(encrypted[:150])
    assert "breaks off" in refusal(**settings, ssl_keyfile_password=[PASSWORD])


def test_a_key_beside_a_certificate_that_is_not_there(files):
    certificate = files["ssl_certfile"]
    said = refusal(ssl_certfile=certificate)
    assert f'no key file is given, and the certificate file "{certificate[0]}" holds no' in said


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a user who may become another")
@pytest.mark.parametrize("setting", ["ssl_certfile", "ssl_keyfile"])
def test_a_file_that_may_not_be_read(files, setting):
    # Not in tmp_path, which is another's for whom we become.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copies = {}
        for name, (file,) in files.items():
            copies[name] = Path(folder, name)
            copies[name].write_bytes(pem(file))
        copies[setting].chmod(0)
        os.seteuid(65534)
        try:
            said = refusal(**{name: [str(path)] for name, path in copies.items()})
        finally:
            os.seteuid(0)
        assert f'"{copies[setting]}" cannot be read: Permission denied' in said


def test_a_key_with_a_password_and_a_key_beside_its_certificate(authority, files, tmp_path):
    certificate, key = files["ssl_certfile"][0], files["ssl_keyfile"][0]
    secret = {"ssl_certfile": [certificate], "ssl_keyfile": [authority.encrypted(key)]}
    both = tmp_path / "both.pem"
    both.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
    for settings in (
        {**secret, "ssl_keyfile_password": [PASSWORD]},
        {"ssl_certfile": [str(both)]},
    ):
        with (
            AsgiServer(hello, **settings) as server,
            connect(server.address, authority.client_context()) as client,
        ):
            assert client.request().status == 200


# --- other clients


def test_curl(authority, files):
    with ServerProcess("echo:app", **files) as server:
        _, port = server.address
        done = subprocess.run(
            ["curl", "-sS", "--cacert", authority.ca, "-d", "hello", f"https://localhost:{port}/"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            env=environment_of_others(),
        )
        assert "https://127.0.0.1" in server.output
        assert done.stdout == "hello"
