"""Stored passwords: what is believed, and that a hostile hash costs nothing."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest

from tercel.auth import hash_password, needs_rehash, verify_password


def made(
    password: str, ln: int = 4, r: int = 8, p: int = 1, salt: bytes = b"some salt here!!"
) -> str:
    """Returns a hash as another program makes it."""
    key = hashlib.scrypt(password.encode(), salt=salt, n=1 << ln, r=r, p=p, dklen=32)
    texts = [base64.b64encode(one).rstrip(b"=").decode() for one in (salt, key)]
    return f"$scrypt$ln={ln},r={r},p={p}${texts[0]}${texts[1]}"


def test_a_password_is_known_again_and_no_other() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$scrypt$ln=15,r=8,p=3$")
    assert len(hashed) < 100
    assert verify_password("correct horse", hashed)
    assert not verify_password("correct horsf", hashed)
    assert not verify_password("", hashed)
    assert hash_password("correct horse") != hashed
    assert not needs_rehash(hashed)


def test_the_vector_of_rfc_7914() -> None:
    # Section 12: scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1).
    key = bytes.fromhex(
        "7023bdcb3afd7348461c06cd81fd38eb fda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9 e61e85dc0d651e40dfcf017b45575887"
    )
    texts = [base64.b64encode(one).rstrip(b"=").decode() for one in (b"SodiumChloride", key)]
    hashed = f"$scrypt$ln=14,r=8,p=1${texts[0]}${texts[1]}"
    assert verify_password("pleaseletmein", hashed)
    assert not verify_password("pleaseletmeim", hashed)
    assert needs_rehash(hashed)


def test_characters_are_the_same_however_they_are_composed() -> None:
    hashed = made("p\u00e4ss")
    assert verify_password("p\u00e4ss", hashed)
    assert verify_password("pa\u0308ss", hashed)
    assert not verify_password("pass", hashed)


def test_other_parameters_are_believed_and_renewed() -> None:
    hashed = made("secret", ln=10, r=4, p=2)
    assert verify_password("secret", hashed)
    assert needs_rehash(hashed)
    short = hash_password("secret").split("$")
    assert needs_rehash("$".join([*short[:3], short[3][:11], short[4]]))


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "secret",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0IGhlcmU",
        made("x").replace("ln=4", "ln=04"),
        made("x").replace("ln=4", "ln=-4"),
        made("x").replace("ln=4", "ln=\u0664"),
        made("x").replace("ln=4", "ln=0"),
        made("x").replace("p=1", "p=999999999999"),
        made("x") + "\n",
        made("x") + "=",
        made("x") + "x" * 300,
        made("x")[:-1] + "!",
        # One character of base64 too many.
        "$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0IGhlcmUhI$c29tZSBzYWx0IGhlcmUhIQAAAA",
    ],
)
def test_what_is_no_hash_is_said(hashed: str) -> None:
    for ask in (lambda: verify_password("x", hashed), lambda: needs_rehash(hashed)):
        with pytest.raises(ValueError, match=r"no hash that hash_password|no base64"):
            ask()


@pytest.mark.parametrize(
    ("ln", "r", "p"), [(99, 1, 1), (20, 8, 1), (17, 9, 1), (14, 99, 1), (15, 8, 99), (1, 99, 99)]
)
def test_a_hostile_hash_takes_neither_memory_nor_time(ln: int, r: int, p: int) -> None:
    hashed = made("x").replace("ln=4,r=8,p=1", f"ln={ln},r={r},p={p}")
    began = time.perf_counter()
    if ln == 1:
        assert not verify_password("x", hashed)  # Odd, and cheap.
    else:
        with pytest.raises(ValueError, match=f"asks for too much: ln={ln}, r={r}, p={p}"):
            verify_password("x", hashed)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(("ln", "p"), [(17, 1), (16, 2), (14, 5), (13, 10)])
def test_what_owasp_has_is_within_the_limits(ln: int, p: int) -> None:
    assert needs_rehash(made("x").replace("ln=4,r=8,p=1", f"ln={ln},r=8,p={p}"))


def test_long_passwords() -> None:
    longest = "x" * 4096
    assert verify_password(longest, made(longest))
    assert not verify_password(longest + "x", made(longest + "x"))
    assert not verify_password("ä" * 2049, made("ä" * 2049))
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        hash_password(longest + "x")
    # Half of a pair, as JSON can have it.
    assert not verify_password("\ud800", made("x"))


def test_nobody_takes_as_long_as_somebody() -> None:
    hashed = hash_password("secret")

    def seconds(hashed: str | None) -> float:
        began = time.process_time()
        assert not verify_password("wrong", hashed)
        return time.process_time() - began

    assert 0.5 < min(seconds(None) for _ in range(3)) / min(seconds(hashed) for _ in range(3)) < 2
