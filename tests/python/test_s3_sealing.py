"""tercel.s3's Sealer: what others cannot read, write, or put in another place."""

from __future__ import annotations

import pytest

from tercel.s3.sealing import Sealer

KEY = "k" * 32


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(KEY, "tests")


def test_what_is_sealed_opens(sealer: Sealer) -> None:
    name = sealer.name(b"alice")
    for text in (b"", b"yes", bytes(10_000)):
        assert sealer.open(name, sealer.seal(name, text)) == text
        assert Sealer(KEY, "tests").open(name, sealer.seal(name, text)) == text
    assert sealer.seal(name, b"yes") != sealer.seal(name, b"yes")


def test_it_tells_nothing(sealer: Sealer) -> None:
    name = sealer.name(b"alice")
    assert "alice" not in name
    assert name.isalnum()
    assert len(name) == 48
    assert b"secret" not in sealer.seal(name, b"secret")


def test_each_changed_byte_is_noticed(sealer: Sealer) -> None:
    name = sealer.name(b"alice")
    sealed = sealer.seal(name, b"yes")
    for index in range(len(sealed)):
        wrong = bytearray(sealed)
        wrong[index] ^= 1
        assert sealer.open(name, bytes(wrong)) is None
    for size in range(len(sealed)):
        assert sealer.open(name, sealed[:size]) is None
    assert sealer.open(name, sealed + b"\0") is None


def test_it_opens_under_its_own_name_only(sealer: Sealer) -> None:
    sealed = sealer.seal(sealer.name(b"alice"), b"yes")
    assert sealer.open(sealer.name(b"bob"), sealed) is None


@pytest.mark.parametrize("other", [Sealer("q" * 32, "tests"), Sealer(KEY, "others")])
def test_other_keys_and_purposes_open_nothing(sealer: Sealer, other: Sealer) -> None:
    name = sealer.name(b"alice")
    assert other.name(b"alice") != name
    assert other.open(name, sealer.seal(name, b"yes")) is None


def test_no_two_lists_have_one_name(sealer: Sealer) -> None:
    lists = [(), (b"",), (b"", b""), (b"ab",), (b"a", b"b"), (b"", b"ab"), (b"ab", b"")]
    assert len({sealer.name(*parts) for parts in lists}) == len(lists)
