"""Policies about keys, in front of a backend to which "in/../private/s" is "private/s"."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.http1 import RawClient, Response
from support.s3_gateway import (
    ALICE,
    BOB,
    Front,
    backend,
    error_code,
    fields_of,
    origin_fixture,
    raw_request,
)
from support.s3_origin import KEY, Origin
from support.server import ServerThread
from support.sigv4 import Key
from support.versitygw import Versity, versitygw
from tercel.s3 import AuthzRequest, Decision, Gateway
from tercel.s3.file import FileGateway

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "s3"

origin = origin_fixture(b"kept")


def request(
    key: str = "",
    *,
    operation: str = "GetObject",
    copy_source: str = "",
    **query: str,
) -> AuthzRequest:
    return AuthzRequest(
        identity="alice",
        access_key="alice",
        session=None,
        bucket="b",
        key=key,
        operation=operation,
        method="GET",
        query=query,
        source_ip="10.0.0.1",
        headers={},
        copy_source=copy_source,
    )


# What a backend that keeps keys as files makes another key of.
NOT_PLAIN = [
    "/in/a",
    "//in/a",
    "in//a",
    "./in/a",
    "in/./a",
    "in/.",
    "in/..",
    "in/../private/s",
    "in/%2e%2e/private/s",
    "in/..\\private",
    "in/\0",
]


@pytest.mark.parametrize("key", NOT_PLAIN)
def test_key_that_is_not_plain_is_neither_below_nor_outside(key: str) -> None:
    for asked in (
        request(key),
        request(operation="ListObjectsV2", prefix=key),
        request("in/copy", operation="CopyObject", copy_source=f"b/{key}"),
    ):
        assert not asked.is_plain
        for folder in ("in/", "private/", "elsewhere/"):
            assert not asked.below(folder)
            assert not asked.outside(folder)


@pytest.mark.parametrize(
    ("asked", "below", "outside"),
    [
        (request("in/a"), True, False),
        (request("in/"), True, False),
        (request("in/.a/..b"), True, False),
        (request("in"), False, True),
        (request("inside/a"), False, True),
        (request("x/in/a"), False, True),
        (request("in/c", operation="CopyObject", copy_source="b/other"), True, False),
        (request(operation="ListObjectsV2", prefix="in/"), True, False),
        (request(operation="ListObjects", prefix="in/a"), True, False),
        (request(operation="ListObjectVersions", prefix="i"), False, False),
        (request(operation="ListMultipartUploads"), False, False),
        (request(operation="ListObjectsV2", prefix="out"), False, True),
        (request(operation="DeleteObjects"), False, False),
        (request(operation="GetBucketAcl", prefix="in/"), False, False),
    ],
)
def test_below_and_outside(asked: AuthzRequest, below: bool, outside: bool) -> None:
    assert asked.is_plain
    assert (asked.below("in/"), asked.outside("in/")) == (below, outside)


@pytest.mark.parametrize("folder", ["", "in", "/", "/in/", "in//", "in/../", "./"])
def test_what_is_no_folder_is_refused(folder: str) -> None:
    for method in (request("in/a").below, request("in/a").outside):
        with pytest.raises(ValueError, match="a folder is names with a / behind each"):
            method(folder)
    with pytest.raises(TypeError, match="a folder is a text, not None"):
        request("in/a").below(None)  # type: ignore[arg-type]


# --- behind a gateway

TARGETS = [
    "/back//private/s",
    "/back/%2Fprivate/s",
    "/back/./private/s",
    "/back/x/../private/s",
    "/back/in/../private/s",
    "/back/in/%2e%2e/private/s",
    "/back/in%2F..%2Fprivate%2Fs",
    "/back/in/%252e%252e/private/s",
    "/back/in/..",
    "/back?list-type=2&prefix=in/../private/",
    "/back?list-type=2&prefix=in/..",
    "/back?prefix=//private",
]

POLICIES = """
[[policies]]
allow = false
prefix = "private/"
[[policies]]
allow = true
identity = "alice"
[[policies]]
allow = true
identity = "bob"
prefix = "in/"
"""


def file_gateway(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, key: Key, policies: str
) -> FileGateway:
    monkeypatch.setenv("BACK", key.secret)
    monkeypatch.setenv("ALICE", ALICE.secret)
    monkeypatch.setenv("BOB", BOB.secret)
    path = folder / "s3.toml"
    path.write_text(
        f"""
        [buckets.back]
        endpoint = "{url}"
        access_key = "{key.access_key}"
        secret_key = {{ env = "BACK" }}
        [identities.alice]
        secret = {{ env = "ALICE" }}
        [identities.bob]
        secret = {{ env = "BOB" }}
        {policies}
        """
    )
    return FileGateway(str(path))


class Client:
    """Signs with a key, for a gateway that is served here."""

    def __init__(self, server: ServerThread) -> None:
        self._port: int = server.address[1]  # type: ignore[assignment]
        self._host = f"127.0.0.1:{self._port}"

    def send(
        self, key: Key, method: str, target: str, body: bytes | None = None, **headers: str
    ) -> Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        fields = fields_of(method, target, self._host, body, key=key, headers=named)
        with RawClient(("127.0.0.1", self._port), timeout=10) as client:
            client.send(raw_request(method, target, fields) + (body or b""))
            return client.response(head=method == "HEAD")


def test_rules_of_a_file_are_about_plain_keys(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = file_gateway(tmp_path, monkeypatch, origin.url, KEY, POLICIES)
    origin.objects["/back/in/a"] = b"in"
    with ServerThread(gateway, io_threads=1) as server:
        client = Client(server)
        # What was allowed is known for its folder; what is in no folder is asked about.
        for key in (ALICE, BOB):
            assert client.send(key, "GET", "/back/in/a").status == 200
            for target in TARGETS:
                for method in ("GET",) if "?" in target else ("GET", "PUT", "DELETE"):
                    body = b"x" if method == "PUT" else None
                    said = client.send(key, method, target, body)
                    assert error_code(said) == "AccessDenied", (key, method, target)
            source = "back/in/..%2Fprivate%2Fs"
            said = client.send(key, "PUT", "/back/in/b", b"", x_amz_copy_source=source)
            assert error_code(said) == "AccessDenied"
        assert {one.target for one in origin.seen} == {"/back/in/a"}


def test_keys_that_are_not_plain_are_keys_where_nobody_judges_them(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = '[[policies]]\nallow = true\nidentity = "alice"\n[[policies]]\nallow = false\n'
    gateway = file_gateway(
        tmp_path, monkeypatch, origin.url, KEY, policies + 'prefix = "private/"\n'
    )
    with ServerThread(gateway, io_threads=1) as server:
        client = Client(server)
        for target in ("/back//a", "/back/a/../b", "/back/./c"):
            assert client.send(ALICE, "PUT", target, b"hers").status == 200
            assert client.send(ALICE, "GET", target).body == b"hers"


def test_decision_for_a_folder_is_not_for_what_leaves_it(origin: Origin) -> None:
    def authorize(asked: AuthzRequest) -> Decision:
        return Decision(asked.below("in/"), scope="prefix", reason="below")

    origin.objects["/back/in/a"] = b"in"
    with Front({"back": backend(origin)}, authorize=authorize) as front:
        for _ in range(2):
            assert front.send("GET", "/back/in/a").status == 200
        assert front.send("GET", "/back?list-type=2&prefix=in/").status != 403
        for target in TARGETS:
            assert error_code(front.send("GET", target)) == "AccessDenied", target
        assert front.send("GET", "/back/in/b").status == 404
        asked = [one for one in front.asked if one.operation == "GetObject"]
        assert [one.key for one in asked].count("in/a") == 1
        assert "in/b" not in [one.key for one in asked]
        assert "in/.." in [one.key for one in asked]


def test_decision_about_one_list_is_not_for_another(origin: Origin) -> None:
    def authorize(asked: AuthzRequest) -> Decision:
        return Decision(asked.outside("private/"), scope="prefix")

    origin.answers["GET", "/back"] = (200, b"<ListBucketResult/>", {})
    with Front({"back": backend(origin)}, authorize=authorize) as front:
        for _ in range(2):
            assert front.send("GET", "/back?list-type=2&prefix=zz").status == 200
            for prefix in ("", "&prefix=", "&prefix=p", "&prefix=private", "&prefix=private/"):
                said = front.send("GET", f"/back?list-type=2{prefix}")
                assert error_code(said) == "AccessDenied", prefix


@pytest.fixture
def versity(tmp_path: Path) -> Iterator[Versity]:
    with versitygw(tmp_path) as server:
        for name in ("in/a", "private/s", "x/k"):
            path = server.folder / "back" / name
            path.parent.mkdir(parents=True)
            path.write_bytes(name.encode())
        yield server


def test_rules_in_front_of_files(
    versity: Versity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Key(versity.access_key, versity.secret)
    gateway = file_gateway(tmp_path, monkeypatch, versity.url, key, POLICIES)
    private = versity.folder / "back" / "private"
    with ServerThread(gateway, io_threads=1) as server:
        client = Client(server)
        assert client.send(BOB, "GET", "/back/in/a").body == b"in/a"
        assert client.send(ALICE, "GET", "/back/x/k").body == b"x/k"
        for who in (ALICE, BOB):
            for target in TARGETS:
                said = client.send(who, "GET", target)
                assert (said.status, error_code(said)) == (403, "AccessDenied"), target
            for target in ("/back/in/../private/n", "/back//private/n"):
                assert client.send(who, "PUT", target, b"x").status == 403
            assert client.send(who, "DELETE", "/back/in/../private/s").status == 403
            source = "back/in/../private/s"
            stolen = client.send(who, "PUT", "/back/in/b", b"", x_amz_copy_source=source)
            assert stolen.status == 403
            # What one upload was allowed is known for its folder, and no id leads out of it.
            begun = client.send(who, "POST", "/back/in/x?uploads", b"")
            upload = re.search(rb"<UploadId>(.+)</UploadId>", begun.body)
            assert upload is not None
            part = f"/back/in/x?partNumber=1&uploadId={upload[1].decode()}"
            assert client.send(who, "PUT", part, b"x").status == 200
            for way in ("..%2F..%2F..%2Fprivate", "..%2F..%2F..%2F.%2Fprivate"):
                for method, target in (
                    ("PUT", f"/back/in/x?partNumber=2&uploadId={way}"),
                    ("DELETE", f"/back/in/x?uploadId={way}"),
                ):
                    said = client.send(who, method, target, b"x" if method == "PUT" else None)
                    assert error_code(said) == "InvalidArgument"
        assert [path.name for path in private.iterdir()] == ["s"]
        assert not (versity.folder / "back" / "in" / "b").exists()


def test_sandbox_in_front_of_files(versity: Versity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT", versity.url)
    monkeypatch.setenv("S3_KEY", versity.access_key)
    monkeypatch.setenv("S3_SECRET", versity.secret)
    sandbox = runpy.run_path(str(EXAMPLES / "sandbox.py"))
    gateway = sandbox["gateway"]
    assert isinstance(gateway, Gateway)
    key = Key(*sandbox["open_sandbox"]("back", "in/"))
    with ServerThread(gateway, io_threads=1) as server:
        client = Client(server)
        assert client.send(key, "GET", "/back/in/a").body == b"in/a"
        assert client.send(key, "GET", "/back?list-type=2&prefix=in/").status == 200
        for target in TARGETS:
            assert client.send(key, "GET", target).status == 403, target
        assert client.send(key, "PUT", "/back/in/../private/n", b"x").status == 403
    assert [path.name for path in (versity.folder / "back" / "private").iterdir()] == ["s"]
