"""Certificates made for the tests, and TLS clients: Python's own ssl module is the oracle."""

from __future__ import annotations

import datetime
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from support.http1 import Address, RawClient
from support.server import ServerProcess

PASSWORD = "the password"


class Authority:
    """Somebody who signs certificates, and the files they lie in.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()
        self.ca = self._write("ca.pem", self._ca.cert_pem.bytes())

    def _write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def issue(
        self,
        *names: str,
        file: str,
        begin: datetime.datetime | None = None,
        end: datetime.datetime | None = None,
    ) -> tuple[str, str]:
        """Returns the paths of a certificate for `names`, valid now unless told, and of its key."""
        issued = self._ca.issue_cert(*names, not_before=begin, not_after=end)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        return (
            self._write(f"{file}.pem", chain),
            self._write(f"{file}.key", issued.private_key_pem.bytes()),
        )

    def encrypted(self, key: str) -> str:
        """Returns the path of a copy of the file `key` that needs PASSWORD."""
        loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
        data = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
        return self._write(Path(key).name + ".encrypted", data)

    def revoke(
        self,
        certificate: str,
        *,
        begin: datetime.datetime | None = None,
        end: datetime.datetime | None = None,
        file: str = "ca.crl",
    ) -> str:
        """Returns the path of a list on which `certificate` is, valid for a day unless told."""
        revoked = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
        ca = x509.load_pem_x509_certificate(self._ca.cert_pem.bytes())
        key: Any = serialization.load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        now = datetime.datetime.now(datetime.UTC)
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(revoked.serial_number)
            .revocation_date(now)
            .build()
        )
        revocations = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(ca.subject)
            .last_update(begin or now)
            .next_update(end or now + datetime.timedelta(days=1))
            .add_revoked_certificate(entry)
            .sign(key, hashes.SHA256())
        )
        return self._write(file, revocations.public_bytes(serialization.Encoding.PEM))

    def client_context(self, *, protocols: list[str] | None = None) -> ssl.SSLContext:
        """A client that trusts this authority."""
        context = ssl.create_default_context(cafile=self.ca)
        if protocols is not None:
            context.set_alpn_protocols(protocols)
        return context


def connect(
    address: Address, context: ssl.SSLContext, *, name: str = "localhost", **wrapping: Any
) -> RawClient:
    """Returns a client whose handshake is done. Its `socket` is an ssl.SSLSocket."""
    client = RawClient(address)
    try:
        client.socket = context.wrap_socket(client.socket, server_hostname=name, **wrapping)
    except BaseException:
        client.close()
        raise
    return client


def fails(address: Any, context: ssl.SSLContext, **wrapping: Any) -> bool:
    """Whether there is no connection: TLS 1.3 tells a client only after its own handshake."""
    try:
        with connect(address, context, **wrapping) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            return client.socket.recv(1) == b""
    except OSError:
        return True


def certificate_of(client: RawClient) -> x509.Certificate:
    """The certificate that the server showed."""
    assert isinstance(client.socket, ssl.SSLSocket)
    shown = client.socket.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


# How far a client comes before it abandons its handshake: the flights that it sends, whether the
# last of them is cut in half, and whether it reads what the server answers.
STAGES = (
    (0, False, False),
    (1, True, False),
    (1, False, False),
    (1, False, True),
    (2, True, False),
    (2, False, False),
    (2, False, True),
)
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def abandon_handshakes(authority: Authority, address: Address, times: int) -> int:
    """Abandons `times` handshakes in each version, at each stage, by FIN and by RST.

    Returns:
        How many that were.
    """
    count = 0
    for version in VERSIONS:
        context = authority.client_context()
        context.minimum_version = context.maximum_version = version
        for _ in range(times):
            for stage in STAGES:
                for hard in (False, True):
                    _abandon(address, context, *stage, hard=hard)
                    count += 1
    return count


def _abandon(
    address: Any, context: ssl.SSLContext, flights: int, cut: bool, answer: bool, *, hard: bool
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(address, timeout=20) as raw:
        for number in range(1, flights + 1):
            while not outgoing.pending:  # The server's flight may come in pieces.
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    if not outgoing.pending:
                        incoming.write(raw.recv(65536))
            flight = outgoing.read()
            last = number == flights
            raw.sendall(flight[: len(flight) // 2] if cut and last else flight)
        if answer:
            assert raw.recv(65536)
        if hard:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass(frozen=True)
class Transport:
    """How the clients of a test reach their server: in clear, or over TLS.

    Args:
        settings: of the server.
        authority: whom the clients have to trust; None in clear.
    """

    settings: dict[str, Any]
    authority: Authority | None = None

    def url(self, server: ServerProcess, scheme: str = "http") -> str:
        """`https://127.0.0.1:PORT` or `http://...`; with the scheme `ws`, `wss://...`."""
        return f"{scheme}{'s' if self.authority else ''}://127.0.0.1:{server.port}"

    def context(self) -> ssl.SSLContext | None:
        """A new context of a client; None in clear."""
        return self.authority.client_context() if self.authority else None
