"""Certificates and revocation lists that are whole, and do not hold now: a warning for each."""

from __future__ import annotations

import datetime
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.asgi import AsgiServer, Receive, Scope, Send, respond
from support.server import APPS, ServerProcess, flags
from support.tls import Authority, fails

pytestmark = [pytest.mark.io_threads, pytest.mark.sanitize]

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
PAST = {"begin": NOW - 2 * DAY, "end": NOW - DAY}
LATER = {"begin": NOW + DAY, "end": NOW + 2 * DAY}
YESTERDAY = f"expired at {NOW - DAY:%Y-%m-%d %H:%M:%S} UTC"
TOMORROW = f"not valid before {NOW + DAY:%Y-%m-%d %H:%M:%S} UTC"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> dict[str, Any]:
    certificate, key = authority.issue("localhost", file="good")
    return {"ssl_certfile": [certificate], "ssl_keyfile": [key]}


@pytest.fixture(scope="module")
def demanding(authority: Authority, good: dict[str, Any]) -> dict[str, Any]:
    return {**good, "ssl_cert_reqs": "required", "ssl_ca_certs": [authority.ca]}


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, "hello")


def warnings_of(**settings: Any) -> list[str]:
    with AsgiServer(hello, **settings) as server:
        return server.native.certificate_warnings


def certificate_of_authority(name: str, begin: datetime.datetime, end: datetime.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def joined(path: Path, *parts: str | bytes) -> str:
    path.write_bytes(
        b"".join(part if isinstance(part, bytes) else Path(part).read_bytes() for part in parts)
    )
    return str(path)


def test_what_holds_is_not_warned_of(authority, good, demanding):
    assert warnings_of(**good) == []
    revoked = authority.revoke(authority.issue("gone.test", file="gone")[0])
    assert warnings_of(**demanding, ssl_crlfile=[revoked]) == []
    assert warnings_of() == []  # Without TLS.


@pytest.mark.parametrize(
    ("validity", "said"), [(PAST, YESTERDAY), (LATER, TOMORROW)], ids=["past", "later"]
)
def test_a_certificate_out_of_its_time(authority, good, validity, said):
    certificate, key = authority.issue("other.test", file="untimely", **validity)
    both = {
        "ssl_certfile": [*good["ssl_certfile"], certificate],
        "ssl_keyfile": [*good["ssl_keyfile"], key],
    }
    for settings in ({"ssl_certfile": [certificate], "ssl_keyfile": [key]}, both):
        (warning,) = warnings_of(**settings)
        until = "" if validity is PAST else " until then"
        assert warning.startswith(
            f'The certificate file "{certificate}" holds a certificate that'
            f" {'' if validity is PAST else 'is '}{said}: clients refuse it{until}, so "
        )
        assert warning.endswith(".")
        assert ". " not in warning


def test_a_certificate_of_the_chain(good, tmp_path):
    old = certificate_of_authority("Old", **PAST)
    older = certificate_of_authority("Older", **PAST)
    path = joined(tmp_path / "chain.pem", good["ssl_certfile"][0], old, older)
    (warning,) = warnings_of(**{**good, "ssl_certfile": [path]})
    assert warning.startswith(
        f'The certificate file "{path}" holds in its chain a certificate of CN=Old that {YESTERDAY}'
        " (and 1 more): clients may refuse it, so give the chain "
    )


def test_an_authority_of_clients(authority, demanding, tmp_path):
    old = certificate_of_authority("Old", **PAST)
    new = certificate_of_authority("New", **LATER)
    path = joined(tmp_path / "ca.pem", authority.ca, old, new)
    expired, early = warnings_of(**{**demanding, "ssl_ca_certs": [path]})
    assert expired.startswith(
        f'The CA file "{path}" holds a certificate of CN=Old that {YESTERDAY}: all clients of that'
        " authority are refused, so replace it"
    )
    assert early.startswith(
        f'The CA file "{path}" holds a certificate of CN=New that is {TOMORROW}: all clients of'
        " that authority are refused until then, so "
    )


@pytest.mark.parametrize(
    ("validity", "said"), [(PAST, YESTERDAY), (LATER, TOMORROW)], ids=["past", "later"]
)
def test_a_revocation_list_out_of_its_time(authority, demanding, validity, said):
    gone, _ = authority.issue("gone.test", file="gone")
    revoked = authority.revoke(gone, file="untimely.crl", **validity)
    settings = {**demanding, "ssl_crlfile": [revoked]}
    with AsgiServer(hello, **settings) as server:
        (warning,) = server.native.certificate_warnings
        # It is as the warning says: who is not on the list is refused as well.
        context = authority.client_context()
        context.load_cert_chain(*authority.issue("client.test", file="client"))
        assert fails(server.address, context)
    issuer = x509.load_pem_x509_certificate(Path(authority.ca).read_bytes()).subject
    assert warning.startswith(f'The CRL file "{revoked}" holds a list of ')
    assert issuer.rfc4514_string() in warning
    assert f"{said}: all clients of that authority are refused" in warning


def test_a_revocation_list_of_somebody_else(authority, demanding, tmp_path):
    stranger = Authority(tmp_path)
    theirs = stranger.revoke(stranger.issue("gone.test", file="gone")[0], **PAST)
    ours = authority.revoke(authority.issue("gone.test", file="gone")[0])
    path = joined(tmp_path / "both.crl", ours, theirs)
    (warning,) = warnings_of(**demanding, ssl_crlfile=[path])
    assert warning.startswith(f'The CRL file "{path}" holds a list of ')
    assert (
        f', which none of the CA file "{authority.ca}" signed: it revokes nothing of theirs, so'
        in warning
    )


def test_a_revocation_list_of_an_authority_of_the_same_name(authority, demanding, tmp_path):
    """It is the key that counts: theirs is new, and the list is of the old one."""
    old = x509.load_pem_x509_crl(Path(authority.revoke(demanding["ssl_certfile"][0])).read_bytes())
    forged = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(old.issuer)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    path = joined(tmp_path / "forged.crl", forged)
    (warning,) = warnings_of(**demanding, ssl_crlfile=[path])
    assert f'which none of the CA file "{authority.ca}" signed' in warning


# --- where it is said

CHECK = [sys.executable, "-m", "tercel", "check"]
LINE = re.compile(r"WARNING.* The certificate file .* holds a certificate that (.*): clients")


def test_it_is_said_at_the_start_and_at_each_reload(authority, tmp_path):
    certificate, key = (tmp_path / name for name in ("a.pem", "a.key"))

    def put(**validity: Any) -> None:
        for source, target in zip(
            authority.issue("localhost", file="current", **validity),
            (certificate, key),
            strict=True,
        ):
            joined(target, source)

    put(**PAST)
    with ServerProcess("echo:app", ssl_certfile=certificate, ssl_keyfile=key) as server:
        assert LINE.findall(server.output) == [YESTERDAY]
        put(**LATER)
        server.send_signal(signal.SIGHUP)
        server.wait_for(LINE.pattern.replace("(.*)", f"is {TOMORROW}"))
        put()
        server.send_signal(signal.SIGHUP)
        server.wait_for("(?s)Read the certificates again.*Read the certificates again")
        assert len(LINE.findall(server.output)) == 2


def test_check_says_it_too(authority):
    certificate, key = authority.issue("localhost", file="old", **PAST)
    settings = {"ssl_certfile": certificate, "ssl_keyfile": key}
    done = subprocess.run(
        [*CHECK, "echo:app", "--port", "0", "--app-dir", str(APPS), *flags(settings)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert LINE.findall(done.stderr) == [YESTERDAY]
