"""An object of 5 GiB in parts, mostly of zeros, through the gateway.

boto3 sends the parts in clear with their hashes signed, and over TLS with checksums behind them.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
from typing import Any

import pytest

from support.fixtures import Ledger
from support.s3_ways import Way, fixtures

versity, direct, way = fixtures()

GIBIBYTE = 1 << 30
SIZE = 5 * GIBIBYTE
PART = 512 << 20


class Sparse(io.RawIOBase):
    """`size` bytes of an object from `begin` on: zeros, but for a number where each MiB begins."""

    def __init__(self, size: int, begin: int = 0) -> None:
        self._size, self._begin, self._at = size, begin, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = (0, self._at, self._size)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        size = left if size < 0 else min(size, left)
        data = bytearray(size)
        first = self._begin + self._at
        for mebibyte in range(first >> 20, ((first + size) >> 20) + 1):
            start = (mebibyte << 20) - first
            for place, byte in enumerate(number_of(mebibyte), start):
                if 0 <= place < size:
                    data[place] = byte
        self._at += size
        return bytes(data)


def number_of(mebibyte: int) -> bytes:
    return f"{mebibyte:16d}".encode()


def digest(source: Any) -> str:
    hashed = hashlib.sha256()
    while piece := source.read(4 << 20):
        hashed.update(piece)
    return hashed.hexdigest()


@pytest.mark.timeout(1500)
def test_five_gibibytes_in_parts(way: Way, ledger: Ledger) -> None:
    if shutil.disk_usage(way.versity.folder).free < 3 * SIZE:
        pytest.skip("15 GiB of disk are needed")
    client = way.client(read_timeout=600)
    begun = time.monotonic()
    made = client.create_multipart_upload(Bucket="front", Key="large")
    named = {"Bucket": "front", "Key": "large", "UploadId": made["UploadId"]}
    parts = []
    for number in range(1, SIZE // PART + 1):
        body = Sparse(PART, (number - 1) * PART)
        put = client.upload_part(**named, PartNumber=number, Body=body, ContentLength=PART)
        parts.append({"PartNumber": number, "ETag": put["ETag"]})
    done = client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    took = time.monotonic() - begun
    there = way.direct.head_object(Bucket="back", Key="large")
    assert there["ContentLength"] == SIZE
    assert there["ETag"] == done["ETag"]
    assert there["ETag"].endswith(f'-{SIZE // PART}"')
    expected = digest(Sparse(SIZE))
    with (way.versity.folder / "back" / "large").open("rb") as stored:
        assert digest(stored) == expected
    got = client.get_object(Bucket="front", Key="large")
    assert got["ContentLength"] == SIZE
    assert digest(got["Body"]) == expected
    far = client.get_object(Bucket="front", Key="large", Range=f"bytes={SIZE - (1 << 20)}-")
    assert far["Body"].read(16) == number_of((SIZE >> 20) - 1)
    client.delete_object(Bucket="front", Key="large")
    ledger(f"5 GiB in {SIZE // PART} parts {'over TLS' if way.ca else 'in clear'}: {took:.0f} s")
