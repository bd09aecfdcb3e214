"""What a TLS client can do wrong, or on purpose, and Python's ssl module does not: tlslite-ng makes
the messages. The rest is in test_tls.py; docs/internals/attack-tests.md has the list. The comments
name the scripts of tlsfuzzer that a test is the equivalent of.

Source: RFC 8446, RFC 5246, RFC 5746, RFC 6066, RFC 7301.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tlslite.api
from tlslite.constants import AlertDescription, CipherSuite, ContentType, ExtensionType
from tlslite.errors import TLSAbruptCloseError, TLSRemoteAlert
from tlslite.extensions import TLSExtension
from tlslite.messages import ChangeCipherSpec, ClientHello, Finished, Message

from support.processes import SANITIZED, private_bytes
from support.server import ServerProcess
from support.tls import Authority, connect

pytestmark = [pytest.mark.io_threads, pytest.mark.sanitize]

TLS12, TLS13 = (3, 3), (3, 4)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SERVED = "served"
CLOSED = "closed"  # Without an alert.

Edit = Callable[[ClientHello], None]


class Client(tlslite.api.TLSConnection):
    """A client that may be told to do what it should not.

    Args:
        edit: changes the ClientHello before it is sent.
        changes: how often to send ChangeCipherSpec where it is sent once.

    Attributes:
        hello: as it was sent.
        verify_data: of its Finished.
    """

    hello: ClientHello
    verify_data: bytearray

    def __init__(self, raw: socket.socket, *, edit: Edit | None = None, changes: int = 1) -> None:
        super().__init__(raw)
        self._edit = edit
        self._changes = changes

    def _sendMsg(self, msg: Any, *arguments: Any, **options: Any) -> Iterator[int]:
        if isinstance(msg, ClientHello):
            self.hello = msg
            if self._edit is not None:
                self._edit(msg)
        if isinstance(msg, Finished):
            self.verify_data = msg.verify_data
        times = self._changes if isinstance(msg, ChangeCipherSpec) else 1
        for _ in range(times):
            yield from super()._sendMsg(msg, *arguments, **options)

    def shake(self, version: tuple[int, int], **settings: Any) -> None:
        wanted = tlslite.api.HandshakeSettings()
        wanted.minVersion = wanted.maxVersion = version
        for name, value in settings.items():
            setattr(wanted, name, value)
        self.handshakeClientCert(settings=wanted)

    def send_message(self, kind: int, data: bytes) -> None:
        """Sends it as it is, encrypted as the connection is by now."""
        message = Message(kind, bytearray(data))
        for _ in super()._sendMsg(message, update_hashes=False):
            pass

    def ask(self) -> None:
        self.write(GET)
        received = b""
        while b"\r\n\r\n" not in received:
            part = self.read(max=65536, min=1)
            if not part:
                raise TLSAbruptCloseError
            received += part
        assert received.startswith(b"HTTP/1.1 200 ")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def shared(authority: Authority, serve_shared: Any) -> ServerProcess:
    certificate, key = authority.issue("localhost", "127.0.0.1", file="localhost")
    return serve_shared("echo:app", ssl_certfile=certificate, ssl_keyfile=key)


@pytest.fixture
def server(authority: Authority, shared: ServerProcess) -> Iterator[ServerProcess]:
    """Whatever one client did, the next is served."""
    yield shared
    with connect(shared.address, authority.client_context()) as client:
        assert client.request().status == 200


def outcome(server: ServerProcess, act: Callable[[Client], None], **client: Any) -> str:
    """What comes of a handshake, `act` and a request: SERVED, CLOSED, or the name of the alert."""
    with socket.create_connection(server.address) as raw:
        raw.settimeout(10)
        one = Client(raw, **client)
        try:
            act(one)
            one.ask()
        except TLSRemoteAlert as alert:
            return str(AlertDescription.toStr(alert.description))
        except (TLSAbruptCloseError, ConnectionError):
            return CLOSED
        return SERVED


def shaking(version: tuple[int, int], **settings: Any) -> Callable[[Client], None]:
    return lambda client: client.shake(version, **settings)


class Given(TLSExtension):
    """Holds any bytes. The client looks at it again when the server answers it."""

    hostNames = (b"localhost",)  # tlslite-ng's own name.
    protocol_names = (b"http/1.1",)


def with_extension(kind: int, data: bytes) -> Edit:
    """Adds it, in place of what the client says of that kind."""

    def edit(hello: ClientHello) -> None:
        hello.extensions = [one for one in hello.extensions if one.extType != kind]
        hello.extensions.append(Given(extType=kind).create(bytearray(data)))

    return edit


VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


# --- ChangeCipherSpec


@pytest.mark.parametrize(
    ("changes", "expected"), [(0, SERVED), (1, SERVED), (40, "unexpected_message")]
)
def test_change_cipher_spec_means_nothing_in_1_3_and_is_not_to_be_had_for_ever(
    server: ServerProcess, changes: int, expected: str
) -> None:
    # test-tls13-ccs, test-tls13-multiple-ccs-messages.
    assert outcome(server, shaking(TLS13), changes=changes) == expected


@pytest.mark.parametrize("data", [b"\x01", b"\x02", b"\x01\x01"])
@VERSIONS
def test_change_cipher_spec_after_the_handshake_is_an_error(
    server: ServerProcess, version: tuple[int, int], data: bytes
) -> None:
    # test-ccs, test-tls13-ccs.
    def act(client: Client) -> None:
        client.shake(version)
        client.ask()
        client.send_message(ContentType.change_cipher_spec, data)

    assert outcome(server, act) not in (SERVED, CLOSED)


def first_flight(authority: Authority) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def alert_of(server: ServerProcess, data: bytes) -> int | None:
    """The number of the alert that comes of `data`, in plain; None if there is none."""
    with server.connect() as client:
        client.send(data)
        received = b""
        with contextlib.suppress(ConnectionError):
            while part := client.socket.recv(65536):
                received += part
    while len(received) >= 5:
        size = int.from_bytes(received[3:5], "big")
        if received[0] == ContentType.alert:
            assert received[5] == 2, "no fatal alert"
            return received[6]
        received = received[5 + size :]
    return None


def test_change_cipher_spec_before_there_are_keys_is_an_error(
    authority: Authority, server: ServerProcess
) -> None:
    # CVE-2014-0224; test-ccs.
    change = b"\x14\x03\x03\x00\x01\x01"
    assert alert_of(server, first_flight(authority) + change) == AlertDescription.unexpected_message


# --- hellos that are large


@pytest.mark.parametrize("size", [1_000, 16_384, 17_000, 60_000])
@VERSIONS
def test_a_large_hello_is_served(
    server: ServerProcess, version: tuple[int, int], size: int
) -> None:
    # test-large-hello, test-cve-2016-6309: above 16 KiB it comes in several records.
    padding = with_extension(ExtensionType.client_hello_padding, bytes(size))
    assert outcome(server, shaking(version), edit=padding) == SERVED


@VERSIONS
def test_a_hello_with_all_ciphers_there_may_be_is_served(
    server: ServerProcess, version: tuple[int, int]
) -> None:
    def edit(hello: ClientHello) -> None:
        known = list(hello.cipher_suites)
        # Of a range that nobody registers.
        hello.cipher_suites = [0xE000 + i % 0x800 for i in range(32_767 - len(known))] + known

    assert outcome(server, shaking(version), edit=edit) == SERVED


def test_a_hello_that_announces_16_mebibytes_is_refused_for_that(server: ServerProcess) -> None:
    before = private_bytes(server.pid)
    begin = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff\x03\x03" + bytes(16_384 - 6)
    assert alert_of(server, begin) is not None
    assert SANITIZED or private_bytes(server.pid) - before < 2 << 20


@pytest.mark.parametrize("count", [100, 4_000, 16_000])
@VERSIONS
def test_many_extensions_are_ignored(
    server: ServerProcess, version: tuple[int, int], count: int
) -> None:
    # test-large-number-of-extensions.
    def edit(hello: ClientHello) -> None:
        # In front: some have to be the last. Of a range that nobody registers.
        hello.extensions[:0] = [
            TLSExtension(extType=0x4000 + i).create(bytearray()) for i in range(count)
        ]

    assert outcome(server, shaking(version), edit=edit) == SERVED


@VERSIONS
def test_an_extension_that_comes_twice_is_an_error(
    server: ServerProcess, version: tuple[int, int]
) -> None:
    def edit(hello: ClientHello) -> None:
        groups = [one for one in hello.extensions if one.extType == ExtensionType.supported_groups]
        hello.extensions[:0] = groups

    assert outcome(server, shaking(version), edit=edit) == "illegal_parameter"


# --- names and protocols


def name_of(host: bytes) -> Edit:
    one = b"\x00" + len(host).to_bytes(2, "big") + host
    return with_extension(ExtensionType.server_name, len(one).to_bytes(2, "big") + one)


def no_name(hello: ClientHello) -> None:
    hello.extensions = [one for one in hello.extensions if one.extType != ExtensionType.server_name]


NAMES = {
    "none": (no_name, SERVED),
    "known": (name_of(b"localhost"), SERVED),
    "unknown": (name_of(b"nobody.test"), SERVED),
    "an address": (name_of(b"127.0.0.1"), SERVED),
    "255 bytes": (name_of(b"a" * 255), SERVED),
    "256 bytes": (name_of(b"a" * 256), "unrecognized_name"),
    "60,000 bytes": (name_of(b"a" * 60_000), "unrecognized_name"),
    "NUL": (name_of(b"localhost\0.evil.test"), "unrecognized_name"),
    "empty": (name_of(b""), SERVED),  # OpenSSL takes it for none.
    "an empty list": (with_extension(ExtensionType.server_name, b"\0\0"), "decode_error"),
    "a list that is cut": (
        with_extension(ExtensionType.server_name, b"\0\x09\0\0\x06a"),
        "decode_error",
    ),
}


@pytest.mark.parametrize("name", NAMES)
@VERSIONS
def test_server_names_of_all_kinds(
    server: ServerProcess, version: tuple[int, int], name: str
) -> None:
    edit, expected = NAMES[name]
    assert outcome(server, shaking(version), edit=edit) == expected


def protocols(data: bytes) -> Edit:
    return with_extension(ExtensionType.alpn, len(data).to_bytes(2, "big") + data)


PROTOCOLS = {
    "ours": (protocols(b"\x08http/1.1"), SERVED),
    "ours, behind another": (protocols(b"\x06spdy/1\x08http/1.1"), SERVED),
    "ours, many times": (protocols(b"\x08http/1.1" * 5000), SERVED),
    "another": (protocols(b"\x06spdy/1"), "no_application_protocol"),
    "ours in capitals": (protocols(b"\x08HTTP/1.1"), "no_application_protocol"),
    "the start of ours": (protocols(b"\x04http"), "no_application_protocol"),
    "an empty name": (protocols(b"\0\x08http/1.1"), "decode_error"),
    "an empty list": (protocols(b""), "decode_error"),
    "a name that is cut": (protocols(b"\x09http/1.1"), "decode_error"),
}


@pytest.mark.parametrize("name", PROTOCOLS)
@VERSIONS
def test_protocols_of_all_kinds(server: ServerProcess, version: tuple[int, int], name: str) -> None:
    # test-alpn-negotiation.
    edit, expected = PROTOCOLS[name]
    assert outcome(server, shaking(version), edit=edit) == expected


# --- once the handshake is over


def hello_again(client: Client, *, secure: bool) -> bytes:
    """A hello as the first, but for what RFC 5746 wants to have in it."""
    hello = client.hello
    info = bytearray([len(client.verify_data)]) + client.verify_data
    if secure:
        hello.cipher_suites.remove(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
        hello.extensions.append(Given(extType=ExtensionType.renegotiation_info).create(info))
    return bytes(hello.write())


@pytest.mark.parametrize("secure", [True, False], ids=["with RFC 5746", "without"])
@pytest.mark.parametrize("data_between", [False, True])
def test_no_renegotiation_of_any_kind(
    server: ServerProcess, secure: bool, data_between: bool
) -> None:
    # test-legacy-renegotiation, test-renegotiation-disabled,
    # test-interleaved-application-data-in-renegotiation.
    def insecure(hello: ClientHello) -> None:
        hello.cipher_suites.remove(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)

    def act(client: Client) -> None:
        client.shake(TLS12)
        client.ask()
        client.send_message(ContentType.handshake, hello_again(client, secure=secure))
        if data_between:
            client.send_message(ContentType.application_data, GET)

    assert outcome(server, act, edit=None if secure else insecure) == "no_renegotiation"


@pytest.mark.parametrize("wish", [2, 255])
def test_a_key_update_that_wishes_what_there_is_not(server: ServerProcess, wish: int) -> None:
    # test-tls13-keyupdate.
    def act(client: Client) -> None:
        client.shake(TLS13)
        client.ask()
        client.send_message(ContentType.handshake, bytes([24, 0, 0, 1, wish]))

    assert outcome(server, act) == "illegal_parameter"


@pytest.mark.parametrize("size", [1, 256, 16_384])
@pytest.mark.parametrize("cipher", ["chacha20-poly1305", "aes128gcm"])
@VERSIONS
def test_a_record_that_was_changed_on_its_way(
    server: ServerProcess, version: tuple[int, int], cipher: str, size: int
) -> None:
    # test-cve-2016-7054: a large record that does not decrypt overran the heap.
    def act(client: Client) -> None:
        client.shake(version, cipherNames=[cipher])
        client.ask()
        raw = client.sock.socket
        parts: list[bytes] = []

        class Kept:
            """A socket that keeps what is sent."""

            def __getattr__(self, name: str) -> Any:
                return getattr(raw, name)

            def send(self, data: bytes) -> int:
                parts.append(bytes(data))
                return len(data)

            def sendall(self, data: bytes) -> None:
                parts.append(bytes(data))

        client.sock.socket = Kept()
        client.send_message(ContentType.application_data, b"G" * size)
        client.sock.flush()
        client.sock.socket = raw
        record = bytearray(b"".join(parts))
        record[-1] ^= 1
        raw.sendall(record)

    assert outcome(server, act) == "bad_record_mac"
