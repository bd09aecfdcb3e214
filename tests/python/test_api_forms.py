"""Forms and files of tercel.App: what handlers are given, what is refused, and what is left behind.

Each question is asked twice: of an app that tercel serves natively, and of the same app as an ASGI
application, through httpx.
"""

import dataclasses
import datetime
import hashlib
import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import pydantic
import pytest

import tercel
from apps.api_forms import app as forms
from support.http1 import RawClient
from support.processes import SANITIZED, environment_of_others, private_bytes
from support.ways import client_fixture
from tercel import Body, Depends, File, Form, UploadFile
from tercel.testing import TestClient

pytestmark = pytest.mark.sanitize

BYTES = "application/octet-stream"


client = client_fixture("api_forms", native="app", asgi="app")


def errors(response: httpx.Response) -> list[tuple[Any, str]]:
    """Where and what, of each failure of a 422."""
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return [(tuple(one["loc"]), one["type"]) for one in response.json()["errors"]]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def described(name: str, content: bytes, type_: str | None = BYTES) -> dict[str, Any]:
    return {
        "filename": name,
        "content_type": type_,
        "size": len(content),
        "sha256": digest(content),
    }


def part(disposition: str, content: bytes = b"x", fields: str = "") -> bytes:
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{fields}\r\n"
    return head.encode() + content + b"\r\n"


def multipart(*parts: bytes, end: bytes = b"--b--\r\n") -> dict[str, Any]:
    """The options of a request with a form that is written by hand."""
    return {
        "content": b"".join(parts) + end,
        "headers": {"content-type": "multipart/form-data; boundary=b"},
    }


class Range(pydantic.BaseModel):
    low: int
    high: int = pydantic.Field(10, alias="to", gt=1)

    @pydantic.model_validator(mode="after")
    def ordered(self) -> "Range":
        if self.high < self.low:
            raise ValueError("the range is empty")
        return self


@dataclasses.dataclass
class Even:
    n: int

    def __post_init__(self) -> None:
        if self.n % 2:
            raise ValueError("n is odd")


@dataclasses.dataclass
class Limits:
    n: Annotated[int, Form("number", ge=3)]
    files: Annotated[list[UploadFile], File(max_length=1)] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Nested:
    even: Even


class Own:
    pass


@dataclasses.dataclass
class Unknown:
    own: Own


class TestFields:
    # What `files=` makes of it: the same form as multipart.
    @pytest.mark.parametrize("options", [{}, {"files": {"nobody": b""}}])
    def test_each_type(self, client: httpx.Client, options: Any) -> None:
        data = {
            "name": "Zoë & ann",
            "age": "7",
            "birth-day": "2020-01-02",
            "tags": ["a", "", "b+c"],
            "numbers": ["3", "1", "3"],
            "size": "s",
            "agree": "on",
            "ratio": "1e1",
        }
        assert client.post("/fields?page=2", data=data, **options).json() == {
            "name": "Zoë & ann",
            "age": 7,
            "born": "2020-01-02",
            "tags": ["a", "", "b+c"],
            "numbers": [1, 3],
            "size": "s",
            "agree": True,
            "ratio": 10.0,
            "page": 2,
        }

    @pytest.mark.parametrize("options", [{}, {"files": {"nobody": b""}}])
    def test_defaults_and_empty_texts(self, client: httpx.Client, options: Any) -> None:
        data = {"name": "a", "age": "0", "birth-day": "", "agree": "", "ratio": "", "size": ""}
        assert client.post("/fields", data=data, **options).json() == {
            "name": "a",
            "age": 0,
            "born": None,
            "tags": [],
            "numbers": [],
            "size": "m",
            "agree": False,
            "ratio": 0.5,
            "page": 1,
        }

    @pytest.mark.parametrize("options", [{}, {"files": {"nobody": b""}}])
    def test_all_failures_at_once(self, client: httpx.Client, options: Any) -> None:
        data = {"name": "", "age": "200", "birth-day": "x", "numbers": ["1", "x"], "agree": "2"}
        assert errors(client.post("/fields?page=x", data=data, **options)) == [
            (("body", "name"), "missing"),
            (("body", "numbers"), "int_parsing"),
            (("body", "agree"), "bool_parsing"),
            (("query", "page"), "int_parsing"),
            (("body", "age"), "less_than_equal"),
            (("body", "birth-day"), "date_from_datetime_parsing"),
        ]

    def test_what_the_type_itself_refuses(self) -> None:
        app = tercel.App()

        @app.post("/")
        def function(wait: Annotated[datetime.timedelta, Form()]) -> float:
            return wait.total_seconds()

        with TestClient(app) as client:
            assert client.post("/", data={"wait": "PT1S"}).json() == 1.0
            refused = client.post("/", data={"wait": "a second"}).json()["errors"]
            assert [one["loc"] for one in refused] == [["body", "wait"]]

    def test_no_body_at_all(self, client: httpx.Client) -> None:
        assert errors(client.post("/fields")) == [
            (("body", "name"), "missing"),
            (("body", "age"), "missing"),
        ]
        assert client.post("/optional").json() == {"file": None, "data": None}

    def test_the_last_of_several_counts(self, client: httpx.Client) -> None:
        data = {"name": ["a", "b"], "age": ["1", "2"]}
        answer = client.post("/fields", data=data).json()
        assert (answer["name"], answer["age"]) == ("b", 2)

    def test_another_type_is_415(self, client: httpx.Client) -> None:
        assert client.post("/fields", json={"name": "a"}).status_code == 415
        assert client.post("/fields", content=b"name=a").status_code == 415

    def test_an_encoded_form_is_415(self, client: httpx.Client) -> None:
        for options in ({"data": {"name": "a"}}, {"files": {"name": b"a"}}):
            answer = client.post("/fields", headers={"content-encoding": "gzip"}, **options)
            assert answer.status_code == 415

    def test_the_request_has_the_body_that_is_urlencoded(self, client: httpx.Client) -> None:
        data = {"name": "ann", "password": "secret"}
        body = "name=ann&password=secret"
        assert client.post("/login", data=data).json() == {
            "user": "ann",
            "name": "ann",
            "body": body,
        }
        answer = client.post("/login", data=data, files={"nobody": b""})
        assert answer.json() == {"user": "ann", "name": "ann", "body": ""}

    def test_dependencies_share_the_form(self, client: httpx.Client) -> None:
        assert client.post("/login", data={"name": "a", "password": "x"}).status_code == 401
        assert errors(client.post("/login", data={"password": "x"})) == [
            (("body", "name"), "missing")
        ]


class TestModels:
    def test_a_struct(self, client: httpx.Client) -> None:
        data = {"street": "s", "house-number": "3", "notes": ["a", "b"]}
        answer = client.post("/struct", data=data).json()
        assert answer == {"street": "s", "house-number": 3, "notes": ["a", "b"]}
        assert errors(client.post("/struct", data={"house-number": "0", "number": "1"})) == [
            (("body", "street"), "missing"),
            (("body", "house-number"), "greater_than"),
        ]

    def test_a_dataclass_with_a_file(self, client: httpx.Client) -> None:
        answer = client.post(
            "/dataclass", data={"name": "n", "again": "1"}, files={"photo": ("p", b"picture")}
        )
        assert answer.json() == {
            "name": "n",
            "photo": "picture",
            "languages": ["en"],
            "again": True,
        }
        answer = client.post("/dataclass", data={"name": "n", "languages": ["de", "fr"]})
        assert answer.json()["languages"] == ["de", "fr"]
        assert answer.json()["photo"] is None

    def test_marks_of_parts(self) -> None:
        app = tercel.App()

        @app.post("/")
        def function(limits: Annotated[Limits, Form()]) -> list[int]:
            return [limits.n, len(limits.files)]

        with TestClient(app) as client:
            files = [("files", ("a", b"")), ("files", ("b", b""))]
            answer = client.post("/", data={"number": "3"}, files=files[:1])
            assert answer.json() == [3, 1]
            refused = client.post("/", data={"number": "2"}, files=files)
            assert [one["loc"] for one in refused.json()["errors"]] == [
                ["body", "number"],
                ["body", "files"],
            ]

    def test_pydantic_and_what_a_type_refuses_itself(self) -> None:
        app = tercel.App()

        @app.post("/range")
        def range_(range_: Annotated[Range, Form()]) -> list[int]:
            return [range_.low, range_.high]

        @app.post("/even", blocking=False)
        def even(even: Annotated[Even, Form]) -> int:
            return even.n

        with TestClient(app) as client:

            def ask(path: str, text: str) -> Any:
                kind = {"content-type": "application/x-www-form-urlencoded"}
                return client.post(path, content=text.encode(), headers=kind)

            assert ask("/range", "low=1&to=3").json() == [1, 3]
            assert ask("/range", "low=1").json() == [1, 10]
            assert ask("/range", "low=x").json()["errors"][0]["loc"] == ["body", "low"]
            refused = ask("/range", "low=3&to=2")
            assert refused.status == 422
            assert "the range is empty" in refused.json()["errors"][0]["msg"]
            assert ask("/range", "low=1&to=1").json()["errors"][0]["loc"] == ["body", "to"]
            assert ask("/even", "n=2").json() == 2
            assert ask("/even", "n=3").json()["errors"] == [
                {"type": "value_error", "msg": "n is odd.", "loc": ["body"]}
            ]


class TestFiles:
    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_000_000])
    def test_one_of_any_size(self, client: httpx.Client, size: int) -> None:
        content = bytes(n * 7 % 256 for n in range(size))
        file = ("photo.png", content, "image/png")
        answer = client.post("/one", data={"title": "mine"}, files={"file": file})
        assert answer.json() == {
            "title": "mine",
            "file": described("photo.png", content, "image/png"),
        }

    def test_several_and_bytes(self, client: httpx.Client) -> None:
        large = b"L" * 300_000
        files = [
            ("files", ("1", b"one")),
            ("raw-files", ("x", b"r" * 99_999)),
            ("files", ("2", large)),
            ("files", ("3", large[:70_000])),
            ("raw-files", ("y", b"r")),
        ]
        assert client.post("/many", files=files).json() == {
            "files": [
                described("1", b"one"),
                described("2", large),
                described("3", large[:70_000]),
            ],
            "raw": [99_999, 1],
        }

    def test_optional_ones(self, client: httpx.Client) -> None:
        answer = client.post("/optional", files={"file": ("f", b"1"), "data": ("d", b"\x00\xff")})
        assert answer.json() == {"file": described("f", b"1"), "data": "\x00ÿ"}
        # What a browser sends for inputs without a file.
        empty = part('name="file"; filename=""', b"", f"Content-Type: {BYTES}\r\n")
        assert client.post("/optional", **multipart(empty)).json() == {"file": None, "data": None}
        assert errors(client.post("/one", **multipart(empty))) == [(("body", "file"), "missing")]

    def test_a_text_is_no_file_and_a_file_no_text(self, client: httpx.Client) -> None:
        answer = client.post("/one", data={"file": "text"}, files={"title": ("f", b"file")})
        assert sorted(errors(answer)) == [
            (("body", "file"), "file_type"),
            (("body", "title"), "string_type"),
        ]
        assert errors(client.post("/one", data={"file": "f.txt"})) == [
            (("body", "file"), "file_type")
        ]

    def test_bytes_are_limited_to_a_mebibyte(self, client: httpx.Client) -> None:
        for size, status in [(1 << 20, 200), ((1 << 20) + 1, 413)]:
            answer = client.post("/optional", files={"data": ("d", b"x" * size)})
            assert answer.status_code == status

    def test_limits(self, client: httpx.Client) -> None:
        files = [("files", (str(n), b"x")) for n in range(4)]
        assert errors(client.post("/many", files=files)) == [(("body", "files"), "too_long")]
        right = client.post("/limited", files={"file": ("f", b"x" * 100_000)})
        assert right.json() == 100_000
        wrong = client.post("/limited", files={"file": ("f", b"x" * 100_001)})
        assert (wrong.status_code, wrong.json()["detail"]) == (
            413,
            "A file of the form exceeds the limit.",
        )
        raw = [("files", ("f", b"")), *[("raw-files", ("f", b"x" * 100_001))] * 2]
        assert client.post("/many", files=raw).status_code == 413

    @pytest.mark.parametrize("rows", [3, 30_000])
    def test_it_is_a_file_object(self, client: httpx.Client, rows: int) -> None:
        content = b"abc,\xc3\xa4\r\n" * (rows - 1) + b"x,yz"
        answer = client.post("/as-file", files={"file": ("rows.csv", content, "text/csv")})
        assert answer.json() == {
            "first": "abc",
            "at": 3,
            "last": "yz",
            "copied": len(content),
            "rows": rows,
            "filled": 4,
            "writable": "no",
            "headers": [
                ["content-disposition", 'form-data; name="file"; filename="rows.csv"'],
                ["content-type", "text/csv"],
            ],
            "text": f"<UploadFile 'rows.csv', text/csv, {len(content)} bytes>",
        }

    @pytest.mark.parametrize("size", [10, 3_000_000])
    def test_save_writes_all_of_it(self, client: httpx.Client, size: int, tmp_path: Path) -> None:
        content = os.urandom(size)
        (tmp_path / "saved").write_bytes(b"what was there before" * size)
        answer = client.post(
            "/save", files={"file": ("f", content)}, headers={"x-folder": str(tmp_path)}
        )
        assert answer.text == digest(content)
        assert (tmp_path / "saved").read_bytes() == content

    @pytest.mark.parametrize(
        ("disposition", "filename"),
        [
            ('filename="../../etc/passwd"', "../../etc/passwd"),
            (r'filename="C:\dir\f.txt"', r"C:\dir\f.txt"),
            (r'filename="a \"quoted\" \\ name"', 'a "quoted" \\ name'),
            ('filename="%22browser%22%0D%0A"', '"browser"\r\n'),
            ("filename=\"f\"; filename*=UTF-8''%e2%82%ac%2Frates", "€/rates"),
            ('filename="€ räte"', "€ räte"),
            ("filename=token.txt", "token.txt"),
            ('filename="' + "n" * 4000 + '"', "n" * 4000),
        ],
    )
    def test_names_are_what_the_client_says(
        self, client: httpx.Client, disposition: str, filename: str
    ) -> None:
        answer = client.post("/one", **multipart(part(f'name="file"; {disposition}')))
        assert answer.json()["file"] == described(filename, b"x", None)

    def test_what_is_not_a_head_is_refused(self, client: httpx.Client) -> None:
        for disposition in (
            'name="file"; filename="f"; filename="g"',
            "name=\"file\"; filename*=UTF-8''%ff",
            "name=\"file\"; filename*=UTF-8''%00",
            'name="file"; filename="f',
            'name="file", filename="f"',
            'filename="f"',
        ):
            answer = client.post("/one", **multipart(part(disposition)))
            assert answer.status_code == 400, disposition

    def test_a_file_that_is_kept_outlives_its_request(self, serve: Any) -> None:
        server = serve("api_forms:app", access_log=False)
        with httpx.Client(base_url=server.url) as client:
            client.post("/one", files={"file": ("f", b"x" * 100_000)})
            before = client.get("/descriptors").json()
            for number in (1, 2):
                kept = client.post("/keep", files={"file": ("f", b"x" * 100_000 * number)})
                assert kept.json() == number
            assert client.get("/descriptors").json() == before + 2
            assert client.get("/kept").json() == [100_000, 200_000]
            assert client.get("/descriptors").json() == before


class TestHostile:
    """shared/design/reliability.md, section 8: multipart. Each ends in bounded time and memory."""

    def test_malformed_forms_are_400(self, client: httpx.Client) -> None:
        right = part('name="file"; filename="f"')
        bodies = {
            "no last boundary": (right, b""),
            "half of it": (right, b"--b-"),
            "a line feed alone": (right.replace(b"\r\n", b"\n"), b"--b--\n"),
            "another boundary": (right.replace(b"--b", b"--c"), b"--c--"),
            "a long preamble": (b"x" * 2000 + b"\r\n" + right, b"--b--"),
            "a long epilogue": (right, b"--b--\r\n" + b"x" * 2000),
            "a folded field": (part('name="file"', b"x", "X: a\r\n b\r\n"), b"--b--"),
            "no colon": (part('name="file"', b"x", "Xa\r\n"), b"--b--"),
            "an encoding": (
                part('name="file"', b"x", "Content-Transfer-Encoding: base64\r\n"),
                b"--b--",
            ),
            "two dispositions": (
                part('name="a"', b"x", 'Content-Disposition: form-data; name="b"\r\n'),
                b"--b--",
            ),
            "nothing but a boundary": (b"", b"--b"),
        }
        for what, (body, end) in bodies.items():
            assert client.post("/one", **multipart(body, end=end)).status_code == 400, what

    @pytest.mark.parametrize(
        "boundary",
        ["", "; boundary=", '; boundary=""', "; boundary=" + "b" * 71, '; boundary="a "'],
    )
    def test_boundaries(self, client: httpx.Client, boundary: str) -> None:
        answer = client.post(
            "/one", content=b"--b--", headers={"content-type": "multipart/form-data" + boundary}
        )
        assert (answer.status_code, answer.json()["detail"]) == (
            400,
            "The boundary of the form is missing or malformed.",
        )

    def test_what_is_too_much_is_413(self, client: httpx.Client) -> None:
        bodies = {
            "parts": b"".join(part(f'name="x{n}"', b"") for n in range(10_000)),
            "files": b"".join(part('name="file"; filename="f"', b"") for n in range(101)),
            "fields of a part": part('name="file"', b"", "x: y\r\n" * 1_000),
            "a head": part('name="file"', b"", "x: " + "y" * 9_000 + "\r\n"),
            "heads": part('name="x"', b"", "x: " + "y" * 7_000 + "\r\n") * 50,
            "a file name": part('name="file"; filename="' + "n" * 9_000 + '"'),
            "a text": part('name="title"', b"t" * ((1 << 20) + 1)),
            "texts": part('name="title"', b"t" * 60_000) * 20,
        }
        for what, body in bodies.items():
            assert client.post("/one", **multipart(body)).status_code == 413, what

    def test_a_form_in_a_form_is_data(self, client: httpx.Client) -> None:
        inner = b"--c\r\nContent-Disposition: form-data; name=title\r\n\r\nx\r\n--c--\r\n"
        head = 'name="file"; filename="f"'
        kind = "Content-Type: multipart/mixed; boundary=c\r\n"
        answer = client.post("/one", **multipart(part(head, inner, kind)))
        assert answer.json() == {
            "title": "",
            "file": described("f", inner, "multipart/mixed; boundary=c"),
        }

    def test_a_length_in_a_part_means_nothing(self, client: httpx.Client) -> None:
        file = part('name="file"; filename="f"', b"x" * 10, "Content-Length: 3\r\n")
        assert client.post("/one", **multipart(file)).json()["file"]["size"] == 10

    @pytest.mark.parametrize(
        "body", [b"a=1&" * 10_000, b"&" * 900_000 + b"name=a&age=1", b"name=%&age=1", b"=" * 1000]
    )
    def test_urlencoded_forms(self, client: httpx.Client, body: bytes) -> None:
        start = time.perf_counter()
        answer = client.post(
            "/fields", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code in (200, 400, 422)
        assert time.perf_counter() - start < 2

    def test_a_large_urlencoded_form_is_413(self, client: httpx.Client) -> None:
        answer = client.post("/fields", data={"name": "x" * (1 << 20), "age": "1"})
        assert answer.status_code == 413


class TestClients:
    def test_curl(self, serve_shared: Any, tmp_path: Path) -> None:
        url = serve_shared("api_forms:app", access_log=False).url
        file = tmp_path / 'a "b" € ;.bin'
        file.write_bytes(os.urandom(200_000))
        done = subprocess.run(
            [
                *["curl", "-sS", "-F", "title=from curl"],
                *["-F", f'file=@"{str(file).replace(chr(34), chr(92) + chr(34))}";type=image/x'],
                f"{url}/one",
            ],
            env=environment_of_others(),
            capture_output=True,
            timeout=20,
            check=True,
        )
        assert msgspec.json.decode(done.stdout) == {
            "title": "from curl",
            "file": described(file.name, file.read_bytes(), "image/x"),
        }

    def test_the_test_client(self) -> None:
        with TestClient(forms) as client:
            options = multipart(part('name="file"; filename="f"', b"1" * 100_000))
            assert client.post("/one", **options).json()["file"]["size"] == 100_000


class TestDisk:
    def test_no_room_is_507_with_a_line_in_the_log(self, serve: Any) -> None:
        # As if the disk were full: no file may be longer than 200 KiB.
        server = serve("api_forms:app", access_log=False)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (200 << 10, 200 << 10))
        with httpx.Client(base_url=server.url) as client:
            for _ in range(3):
                answer = client.post("/one", files={"file": ("f", b"x" * 500_000)})
                assert (answer.status_code, answer.json()["detail"]) == (
                    507,
                    "The server has no room for uploaded files.",
                )
            assert client.post("/one", files={"file": ("f", b"x" * 100_000)}).status_code == 200
            server.wait_for(r"ERROR.*a file for uploads in .* could not be written: File too large")

    def test_a_folder_that_goes_away_is_500(self, serve: Any, tmp_path: Path) -> None:
        spool = tmp_path / "spool"
        spool.mkdir()
        server = serve("api_forms:app", access_log=False, env={"TMPDIR": str(spool)})
        with httpx.Client(base_url=server.url) as client:
            large = {"file": ("f", b"x" * 500_000)}
            assert client.post("/one", files=large).status_code == 200
            assert list(spool.iterdir()) == []
            spool.rmdir()
            assert client.post("/one", files=large).status_code == 500
            assert client.post("/one", files={"file": ("f", b"x")}).status_code == 200
            server.wait_for(f"a file for uploads in {spool} could not be made")

    def test_clients_that_leave_leave_nothing(self, serve: Any) -> None:
        server = serve("api_forms:app", access_log=False)
        body = multipart(part('name="file"; filename="f"', b"x" * 1_000_000))["content"]
        head = (
            "POST /one HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        with httpx.Client(base_url=server.url) as client:
            client.post("/one", files={"file": ("f", b"x" * 100_000)})
            before = client.get("/descriptors").json()
            for sent in [10, 100, 50_000, 200_000, 900_000, len(body) - 1] * 20:
                with RawClient(server.address) as raw:
                    raw.send(head + body[:sent])
            end = time.monotonic() + 10
            while client.get("/descriptors").json() > before and time.monotonic() < end:
                time.sleep(0.05)
            assert client.get("/descriptors").json() == before

    def test_a_handler_that_fails_leaves_nothing(self, serve: Any) -> None:
        with httpx.Client(base_url=serve("api_forms:app", access_log=False).url) as client:
            client.post("/one", files={"file": ("f", b"x" * 100_000)})
            before = client.get("/descriptors").json()
            for _ in range(20):
                answer = client.post("/fail", files={"file": ("f", b"x" * 100_000)})
                assert answer.status_code == 500
            assert client.get("/descriptors").json() == before

    def test_a_large_upload_takes_no_memory(self, serve: Any, tmp_path: Path) -> None:
        size = 200 << 20
        server = serve("api_forms:app", access_log=False, limit_request_body=0)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            client.post("/large", files={"file": ("f", b"x" * 100_000)})
            before = private_bytes(server.pid)
            block = os.urandom(1 << 20)
            start = part('name="file"; filename="f"', b"")[:-2]
            end = b"\r\n--b--\r\n"
            peak = 0

            def content() -> Iterator[bytes]:
                nonlocal peak
                yield start
                for sent in range(size >> 20):
                    yield block
                    if sent % 10 == 0:
                        peak = max(peak, private_bytes(server.pid))
                yield end

            answer = client.post(
                "/large",
                content=content(),
                headers={"content-type": "multipart/form-data; boundary=b"},
            )
            expected = hashlib.sha256(block * (size >> 20)).hexdigest()
            assert answer.json() == {"size": size, "sha256": expected}
            peak = max(peak, private_bytes(server.pid))
        print(f"\n200 MiB: {before >> 10} KiB before, {peak >> 10} KiB at most")
        assert SANITIZED or peak - before < 4 << 20


class TestRegistration:
    def refused(self, function: Any) -> str:
        with pytest.raises((TypeError, ValueError)) as raised:
            tercel.App().post("/x")(function)
        return str(raised.value)

    def test_a_form_is_the_body(self) -> None:
        def function(a: Annotated[str, Form()], b: Annotated[dict[str, int], Body()]) -> None: ...

        assert "takes the body 'b', and the field 'a' of a form: a form is the body." in (
            self.refused(function)
        )

        def asked(b: dict[str, int]) -> None: ...

        def both(a: UploadFile, b: Annotated[None, Depends(asked)]) -> None: ...

        assert "the field 'a' of a form" in self.refused(both)

    def test_what_a_file_can_be(self) -> None:
        def text(a: Annotated[str, File()]) -> None: ...

        assert "it is an UploadFile, bytes, or a list of one of them." in self.refused(text)

        def limits(a: Annotated[UploadFile, File(max_length=7)]) -> None: ...

        assert "otherwise than by File(bytes_max=...)" in self.refused(limits)

        def query(a: Annotated[UploadFile, tercel.Query()]) -> None: ...

        assert "'a'" in self.refused(query)
        with pytest.raises(ValueError, match="bytes_max of File is 0 or more, not -1"):
            File(bytes_max=-1)

    def test_what_a_field_can_be(self) -> None:
        def nested(a: Annotated[dict[str, int], Form()]) -> None: ...

        assert "more than one field of a form can be" in self.refused(nested)

        def optional(a: Annotated[Even | None, Form()] = None) -> None: ...

        assert "more than one field of a form can be" in self.refused(optional)

        def inside(a: Annotated[Nested, Form()]) -> None: ...

        assert "Nested(), which the handler of /x depends on, has the argument 'even'" in (
            self.refused(inside)
        )

        def limited(a: Annotated[Even, Form(max_length=2)]) -> None: ...

        assert "give that to its parts" in self.refused(limited)

        def defaulted(a: Annotated[Even, Form()] = Even(2)) -> None: ...  # noqa: B008

        assert "give that to its parts" in self.refused(defaulted)

        def content(a: Annotated[bytes, Form()]) -> None: ...

        assert "those are a file, File()" in self.refused(content)

        def unknown(a: Annotated[Unknown, Form()]) -> None: ...

        assert "'own' of a type that neither msgspec nor pydantic knows" in self.refused(unknown)

    def test_one_field_of_two_types(self) -> None:
        def asked(a: Annotated[int, Form()]) -> None: ...

        def function(a: Annotated[str, Form()], b: Annotated[None, Depends(asked)]) -> None: ...

        assert "takes the form parameter 'a' otherwise than another function" in (
            self.refused(function)
        )


class TestUploadFile:
    def test_made_by_hand(self) -> None:
        with UploadFile(b"content", "n.txt", "text/plain") as file:
            assert (file.size, file.read(), file.headers) == (7, b"content", [])
        assert file.closed
        raw = UploadFile(io.BytesIO(b"123"))  # type: ignore[arg-type]
        assert (raw.size, raw.read(2), raw.filename, raw.content_type) == (3, b"12", "", None)

    def test_a_part_of_a_spool(self, tmp_path: Path) -> None:
        from tercel.api.uploads import Spool, upload_of

        (tmp_path / "spool").write_bytes(b"before" + b"0123456789" * 20_000 + b"behind")
        spool = Spool(os.open(tmp_path / "spool", os.O_RDONLY))
        fd = spool.fd
        file = upload_of("f", None, [], 200_000, None, spool, 6)
        other = upload_of("g", None, [], 6, None, spool, 200_006)
        del spool
        assert file.read(3) + other.read() + file.read(3) == b"012behind345"
        assert file.seek(-1, os.SEEK_END) == 199_999
        assert (file.read(), file.read(), file.tell()) == (b"9", b"", 200_000)
        assert (file.seek(5), file.seek(2, os.SEEK_CUR), file.read(2)) == (5, 7, b"78")
        assert (file.seek(300_000), file.read()) == (300_000, b"")
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
        with pytest.raises(OSError, match="fileno"):
            file.fileno()
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.read()
        os.fstat(fd)
        other.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_an_app_without_files_asks_for_no_folder(tmp_path: Path) -> None:
    code = (
        "import sys, tercel\n"
        "app = tercel.App()\n"
        "app._specification()\n"
        "sys.exit('tempfile' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0
