"""Programs that read tables and files of object storage, through a gateway to versitygw: s3fs,
DuckDB and Polars, which read parquet by range; and curl, over HTTP/2.

What they get is what versitygw has. Each in clear and over TLS.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from support.s3_gateway import ALICE
from support.s3_ways import Way, fixtures, read, run

versity, direct, way = fixtures()

ROWS = 200_000
AWKWARD = [
    "a b",
    "a+b",
    "a%b",
    "a%20b",
    "a&b=c",
    "a;b:c@d",
    "a!$'()~",
    "\u00fc\u0308\u65e5",
    "x" * 200,
]


def module(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is missing: tools/deps.sh --test installs it")


@pytest.fixture
def storage(way: Way) -> Any:
    """s3fs with the keys of Alice."""
    s3fs = module("s3fs")
    client = {"endpoint_url": way.url(), "region_name": "us-east-1"}
    if way.ca:
        client["verify"] = way.ca
    return s3fs.S3FileSystem(
        key=ALICE.access_key,
        secret=ALICE.secret,
        client_kwargs=client,
        skip_instance_cache=True,
        use_listings_cache=False,
    )


@pytest.fixture
def table(way: Way) -> Any:
    """A table of 200,000 rows in ten groups, stored as front/table/one.parquet."""
    pyarrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    numbers = list(range(ROWS))
    made = pyarrow.table({"number": numbers, "text": [f"text {one}" for one in numbers]})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(made, sink, row_group_size=ROWS // 10)
    body = sink.getvalue().to_pybytes()
    way.client().put_object(Bucket="front", Key="table/one.parquet", Body=body)
    yield made
    way.direct.delete_object(Bucket="back", Key="table/one.parquet")


# --- s3fs


def test_s3fs(way: Way, storage: Any, tmp_path: Path) -> None:
    here, back = tmp_path / "here", tmp_path / "back"
    here.write_bytes(os.urandom(12 << 20))
    storage.put(str(here), "front/fs/a file", chunksize=5 << 20)  # In parts.
    there = way.direct.head_object(Bucket="back", Key="fs/a file")
    assert storage.info("front/fs/a file")["ETag"] == there["ETag"]
    assert read(way.direct, "back", "fs/a file") == here.read_bytes()
    storage.get("front/fs/a file", str(back))
    assert back.read_bytes() == here.read_bytes()
    assert storage.cat_file("front/fs/a file", start=1000, end=1010) == here.read_bytes()[1000:1010]
    with storage.open("front/fs/a file", "rb", block_size=1 << 16) as file:
        file.seek(5_000_000)
        assert file.read(100) == here.read_bytes()[5_000_000:5_000_100]
    storage.copy("front/fs/a file", "other/fs copy")
    assert read(way.direct, "other", "fs copy") == here.read_bytes()
    storage.rm("front/fs/a file")
    storage.rm("other/fs copy")
    assert not storage.exists("front/fs/a file")
    with pytest.raises(FileNotFoundError):
        storage.cat("front/fs/nothing")
    with pytest.raises(PermissionError):
        storage.cat("denied/fs/nothing")


def test_s3fs_with_any_key(way: Way, storage: Any) -> None:
    for key in AWKWARD:
        storage.pipe_file(f"front/awkward/{key}", key.encode())
        assert read(way.direct, "back", f"awkward/{key}") == key.encode(), key
        assert storage.cat_file(f"front/awkward/{key}") == key.encode(), key
    assert sorted(storage.ls("front/awkward", detail=False)) == sorted(
        f"front/awkward/{key}" for key in AWKWARD
    )
    storage.put_tags("front/awkward/a b", {"of": "s3fs +-=._:/@"})
    tags = way.direct.get_object_tagging(Bucket="back", Key="awkward/a b")["TagSet"]
    assert tags == [{"Key": "of", "Value": "s3fs +-=._:/@"}]
    assert storage.get_tags("front/awkward/a b") == {"of": "s3fs +-=._:/@"}
    storage.rm("front/awkward", recursive=True)
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="awkward/")


# --- parquet by range


def test_duckdb_reads_parquet_by_range(way: Way, storage: Any, table: Any) -> None:
    duckdb = module("duckdb")
    before = way.front.gateway.counts()["forwarded"]
    with duckdb.connect() as base:
        base.register_filesystem(storage)
        question = "select count(*), sum(number) from read_parquet('s3://front/table/*.parquet')"
        assert base.execute(question).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)
        question = (
            "select text from read_parquet('s3://front/table/one.parquet') where number = 123456"
        )
        assert base.execute(question).fetchall() == [("text 123456",)]
    assert way.front.gateway.counts()["forwarded"] > before + 3


POLARS = """
import json, sys
import polars

address, access_key, secret = sys.argv[1:]
options = {
    "aws_endpoint_url": address,
    "aws_access_key_id": access_key,
    "aws_secret_access_key": secret,
    "aws_region": "us-east-1",
    "aws_allow_http": "true",
}
lazy = polars.scan_parquet("s3://front/table/*.parquet", storage_options=options)
total = lazy.select(polars.len(), polars.col("number").sum()).collect()
one = lazy.filter(polars.col("number") == 123456).select("text").collect()
whole = polars.read_parquet("s3://front/table/one.parquet", storage_options=options)
whole.write_parquet("s3://front/table/again.parquet", storage_options=options)
print(json.dumps([total.row(0), one.to_series().to_list(), whole.height]))
"""


def test_polars_reads_parquet_by_range(way: Way, table: Any, tmp_path: Path) -> None:
    module("polars")
    parquet = module("pyarrow.parquet")
    before = way.front.gateway.counts()["forwarded"]
    # It asks the environment whom to trust.
    trust = {"SSL_CERT_FILE": way.ca, "SSL_CERT_DIR": ""} if way.ca else {}
    command = (sys.executable, "-c", POLARS, way.url(), ALICE.access_key, ALICE.secret)
    found = json.loads(run(way, *command, **trust))
    assert found == [[ROWS, ROWS * (ROWS - 1) // 2], ["text 123456"], ROWS]
    assert way.front.gateway.counts()["forwarded"] > before + 3
    again = tmp_path / "again.parquet"
    again.write_bytes(read(way.direct, "back", "table/again.parquet"))
    assert parquet.read_table(again)["number"].to_pylist() == table["number"].to_pylist()
    way.direct.delete_object(Bucket="back", Key="table/again.parquet")


# --- curl, over HTTP/2


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_signs_in_every_version(way: Way, version: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is missing: tools/deps.sh installs it")
    here, back = tmp_path / "here", tmp_path / "back"
    here.write_bytes(os.urandom(300_000))
    if version == "--http2" and not way.ca:
        version = "--http2-prior-knowledge"
    digest = hashlib.sha256(here.read_bytes()).hexdigest()
    call = (
        *(curl, "--silent", "--show-error", "--fail", version),
        *("--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{ALICE.access_key}:{ALICE.secret}"),
        *(("--cacert", way.ca) if way.ca else ()),
        *("--write-out", "%{http_version}"),
    )
    url = f"{way.url()}/front/curl/{'x' * 100}"
    expected = "1.1" if version == "--http1.1" else "2"
    signed = ("--header", f"x-amz-content-sha256: {digest}")
    assert run(way, *call, *signed, "--upload-file", str(here), url) == expected
    assert read(way.direct, "back", f"curl/{'x' * 100}") == here.read_bytes()
    unsigned = ("--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
    assert run(way, *call, *unsigned, "--output", str(back), url) == expected
    assert back.read_bytes() == here.read_bytes()
    part = ("--range", "100-199", "--output", str(back))
    assert run(way, *call, *unsigned, *part, url) == expected
    assert back.read_bytes() == here.read_bytes()[100:200]
    run(way, *call, *unsigned, "--request", "DELETE", url)
    assert "Contents" not in way.direct.list_objects_v2(Bucket="back", Prefix="curl/")
