"""Files as answers of a tercel.App, folders that it serves, and conditional answers of handlers.

Each question is asked of the served app, of one with hooks, and of both as ASGI applications: under
a server without extensions, under one that sends files by their path, and under tercel's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import tercel
from support.clients import curl
from support.server import APPS
from tercel.testing import TestClient

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

BYTES = bytes(range(256)) * 4096
OLD = 1_700_000_000
ETAG = f'"{OLD * 10**9:x}-{len(BYTES):x}"'
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("files") / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "data.bin").write_bytes(BYTES)
    (folder / "index.html").write_text("<h1>index</h1>")
    (folder / "route.txt").write_text("of the folder")
    (folder / "empty.txt").touch()
    (folder / ".hidden").write_text("hidden")
    (folder.parent / "secret.txt").write_text("secret")
    os.mkfifo(folder / "fifo")
    os.utime(folder / "data.bin", (OLD, OLD))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_FILES", str(folder))
        yield folder


@pytest.fixture(scope="module")
def apps(folder: Path) -> Any:
    from apps import api_files

    api_files.FOLDER = folder
    for app in (api_files.app, api_files.hooked, api_files.without_sinks):
        app._folders = [(path, os.fsencode(folder), *rest) for path, _, *rest in app._folders]
    return api_files


class PathServer:
    """An ASGI server that offers `http.response.pathsend`."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_path(message: Any) -> None:
            if message["type"] == "http.response.pathsend":
                self.paths.append(message["path"])
                body = await asyncio.to_thread(Path(message["path"]).read_bytes)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        extensions = {"http.response.pathsend": {}}
        await self._app({**scope, "extensions": extensions}, receive, send_path)


class InProcess:
    """Asks an ASGI application, without a server."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __getattr__(self, method: str) -> Any:
        return lambda path, **options: self.request(method.upper(), path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture(params=["native", "hooked", "asgi", "asgi-hooked", "pathsend"])
def client(request: pytest.FixtureRequest, apps: Any) -> Iterator[Any]:
    app = apps.hooked if "hooked" in request.param else apps.app
    apps.done.clear()
    if request.param in ("native", "hooked"):
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
    elif request.param == "pathsend":
        yield InProcess(PathServer(app))
    else:
        yield InProcess(app)


KINDS = pytest.mark.parametrize("kind", ["thread", "inline", "task", "beneath", "static"])


# --- files of handlers


@KINDS
def test_a_file_is_sent_with_its_validators(client: Any, kind: str) -> None:
    answer = client.get(f"/{kind}/data.bin")
    assert answer.status_code == 200
    assert answer.content == BYTES
    assert answer.headers["content-length"] == str(len(BYTES))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == ETAG
    assert answer.headers["last-modified"] == DATE
    assert answer.headers["accept-ranges"] == "bytes"
    head = client.head(f"/{kind}/data.bin")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(BYTES))
    assert client.get(f"/{kind}/empty.txt").content == b""


@KINDS
def test_conditions_are_answered(client: Any, kind: str) -> None:
    def status(**headers: str) -> int:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(f"/{kind}/data.bin", headers=fields).status_code

    assert status(if_none_match=ETAG) == 304
    assert status(if_none_match='"x"') == 200
    assert status(if_modified_since=DATE) == 304
    assert status(if_match='"x"') == 412
    assert status(if_unmodified_since="Tue, 14 Nov 2023 22:13:19 GMT") == 412
    unchanged = client.get(f"/{kind}/data.bin", headers={"if-none-match": ETAG})
    assert unchanged.content == b""
    assert unchanged.headers["etag"] == ETAG
    assert "content-type" not in unchanged.headers
    changed = client.get(f"/{kind}/data.bin", headers={"if-match": '"x"'})
    assert changed.headers["content-type"] == "application/problem+json"
    assert changed.json()["status"] == 412


@KINDS
def test_ranges_are_answered(client: Any, kind: str) -> None:
    def get(value: str, **more: str) -> httpx.Response:
        return client.get(f"/{kind}/data.bin", headers={"range": value, **more})

    part = get("bytes=10-19")
    assert (part.status_code, part.content) == (206, BYTES[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(BYTES)}"
    assert get("bytes=-5").content == BYTES[-5:]
    assert get("bytes=500000-").content == BYTES[500000:]
    assert get("bytes=0-9", **{"if-range": '"x"'}).content == BYTES
    assert get("bytes=0-9", **{"if-range": ETAG}).content == BYTES[:10]
    none = get("bytes=9999999-")
    assert (none.status_code, none.headers["content-range"]) == (416, f"bytes */{len(BYTES)}")
    assert none.json()["status"] == 416
    several = get("bytes=0-9,100000-400000,-5")
    assert several.status_code == 206
    boundary = several.headers["content-type"].partition("boundary=")[2]
    parts = several.content.split(b"\r\n--" + boundary.encode())
    bodies = [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]]
    assert bodies == [BYTES[:10], BYTES[100000:400001], BYTES[-5:]]
    assert several.headers["content-length"] == str(len(several.content))
    assert client.head(f"/{kind}/data.bin", headers={"range": "bytes=0-9"}).status_code == 200


def test_a_download_has_a_name_and_headers_of_the_handler(client: Any) -> None:
    answer = client.get("/download/data.bin", headers={"range": "bytes=0-1"})
    assert answer.headers["content-type"] == "application/x-data"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Zahlen f_r _.bin\"; filename*=UTF-8''Zahlen%20f%C3%BCr%20%C3%9C.bin"
    )
    assert answer.headers["cache-control"] == "private"
    assert answer.headers.get_list("x-more") == ["1", "2"]


def test_another_status_or_method_is_sent_whole(client: Any) -> None:
    conditions = {"range": "bytes=0-1", "if-none-match": ETAG, "if-match": '"x"'}
    answer = client.get("/error/data.bin", headers=conditions)
    assert (answer.status_code, answer.content) == (503, BYTES)
    answer = client.post("/task/data.bin", headers=conditions)
    assert (answer.status_code, answer.content) == (200, BYTES)


def test_what_cannot_be_opened_is_an_error_of_the_handler(client: Any) -> None:
    for kind in ("thread", "inline", "task"):
        assert client.get(f"/{kind}/nothing").status_code == 500
        assert client.get(f"/{kind}/fifo").status_code == 500
        folder = client.get(f"/{kind}/sub")
        assert (folder.status_code, folder.json()["detail"]) == (404, "That is a folder.")
    assert client.get("/bad").status_code == 500
    assert client.get("/task/data.bin").status_code == 200


def test_a_path_of_a_client_stays_in_its_folder(client: Any) -> None:
    assert client.get("/beneath/data.bin").content == BYTES
    assert client.get("/beneath/sub%2f..%2fdata.bin").content == BYTES
    for path in ("..%2fsecret.txt", "%2e%2e%2fsecret.txt", "%2fetc%2fpasswd", "fifo", "nothing",
                 "sub%2f..%2f..%2fsecret.txt", "data.bin%00", "x" * 300):  # fmt: skip
        answer = client.get(f"/beneath/{path}")
        assert answer.json()["detail"] == "not found", path
    assert client.get("/beneath/sub").json()["detail"] == "That is a folder."


def test_a_file_is_sent_as_it_was_when_the_response_was_made(client: Any) -> None:
    assert client.get("/gone").text == "still here"


def test_a_file_is_an_answer_wherever_a_response_is(client: Any) -> None:
    assert client.get("/checked/data.bin", headers={"range": "bytes=0-1"}).content == BYTES[:2]
    assert client.get("/checked/other").json() == {"other": 1}
    refused = client.get("/refused")
    assert (refused.status_code, refused.text) == (403, "<h1>index</h1>")


def test_background_work_follows_a_file(client: Any) -> None:
    assert client.get("/followed/data.bin").content == BYTES
    # What its conditions are is not known there, so it is sent whole.
    assert client.get("/followed/data.bin", headers={"range": "bytes=0-1"}).content == BYTES
    assert client.get("/done").json() == ["data.bin", "data.bin"]


def test_hooks_see_what_the_conditions_decided(apps: Any) -> None:
    for client in (TestClient(apps.hooked), InProcess(apps.hooked)):
        with client if isinstance(client, TestClient) else contextlib.nullcontext():
            whole = client.get("/task/data.bin")
            assert whole.headers["x-status"] == "200"
            part = client.get("/task/data.bin", headers={"range": "bytes=0-1"})
            assert (part.headers["x-status"], part.content) == ("206", BYTES[:2])
            unchanged = client.get("/static/data.bin", headers={"if-none-match": ETAG})
            assert unchanged.headers["x-status"] == "304"


def test_a_server_that_sends_paths_gets_whole_files_only(apps: Any, folder: Path) -> None:
    server = PathServer(apps.app)
    client = InProcess(server)
    assert client.get("/task/data.bin").content == BYTES
    assert server.paths == [str(folder / "data.bin")]
    client.get("/task/data.bin", headers={"range": "bytes=0-9"})
    client.get("/gone")
    assert client.head("/task/data.bin").headers["content-length"] == str(len(BYTES))
    assert len(server.paths) == 1


def test_nothing_stays_open(client: Any) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    def ask() -> None:
        for headers in ({}, {"range": "bytes=0-1"}, {"range": "bytes=0-1,9-"}, {"if-match": '"x"'}):
            for path in ("/task/data.bin", "/thread/data.bin", "/static/data.bin"):
                client.get(path, headers=headers)
        client.head("/task/data.bin")
        gc.collect()

    ask()
    before = open_files()
    for _ in range(3):
        ask()
    assert open_files() <= before + 1  # A thread may be about to end.


# --- folders


def test_routes_come_before_folders_and_sinks_behind(client: Any) -> None:
    assert client.get("/static/route.txt").text == "of a route"
    assert client.get("/bare/route.txt").text == "of the folder"
    assert client.get("/static/data.bin").headers["cache-control"] == "max-age=60"
    assert client.get("/static/sunk").text == "<h1>index</h1>"


def test_folders_have_an_index_unless_they_are_told_not_to(client: Any) -> None:
    assert client.get("/static/").text == "<h1>index</h1>"
    moved = client.get("/static", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (301, "./static/")
    assert client.get("/bare/").status_code == 404
    assert client.get("/bare").status_code == 404


def test_what_is_not_in_a_folder_is_404_as_elsewhere(client: Any) -> None:
    elsewhere = client.get("/nowhere")
    for name in ("nothing", "fifo", "sub", ".hidden", "%2ehidden", "%2e%2e/secret.txt",
                 "..%2fsecret.txt", "data.bin/"):  # fmt: skip
        answer = client.get(f"/bare/{name}")
        assert answer.status_code == 404, name
        assert answer.headers["content-type"] == elsewhere.headers["content-type"]
        assert answer.json() == {**elsewhere.json(), "instance": f"/bare/{name}"}


def test_folders_are_read_only(client: Any) -> None:
    answer = client.post("/static/data.bin", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.options("/static/data.bin").headers["allow"] == "GET, HEAD"
    assert client.post("/static/nothing").status_code == 404


def test_a_folder_may_be_all_that_there_is(apps: Any) -> None:
    with TestClient(apps.without_sinks) as native:
        for client in (native, InProcess(apps.without_sinks)):
            assert client.get("/").text == "<h1>index</h1>"
            assert client.get("/data.bin").content == BYTES
            missing = client.get("/nothing")
            assert missing.status_code == 404
            assert missing.json()["instance"] == "/nothing"
            assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


class TestMistakes:
    @pytest.mark.parametrize(
        "path", ["", "assets", "/assets/", "//assets", "/a//b", "/{name}", "/a b", "/a%20b", "/a?b"]
    )
    def test_a_path_that_is_none(self, path: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="files are served below a path"):
            tercel.App().static(path, tmp_path)

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for name in ("nothing", "file"):
            with pytest.raises(ValueError, match="there is no folder"):
                tercel.App().static("/assets", tmp_path / name)

    def test_headers_that_are_none(self, tmp_path: Path) -> None:
        for headers in ({"a": "b\r\nc: d"}, {"": "x"}, {"a": "é"}, [("a", "b")] * 33):
            with pytest.raises(ValueError, match="header"):
                tercel.App().static("/assets", tmp_path, headers=headers)

    def test_it_comes_too_late(self, tmp_path: Path) -> None:
        app = tercel.App()
        with TestClient(app), pytest.raises(RuntimeError, match="too late"):
            app.static("/assets", tmp_path)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="nothing"):
            tercel.FileResponse(tmp_path / "nothing")
        with pytest.raises(IsADirectoryError):
            tercel.FileResponse(tmp_path)
        with pytest.raises(TypeError):
            tercel.FileResponse(7)  # type: ignore[arg-type]


# --- conditional answers of handlers


def test_a_response_with_an_etag_is_conditional(client: Any) -> None:
    assert client.get("/tagged").text == "body"
    assert client.get("/tagged", headers={"if-none-match": '"2"'}).text == "body"
    unchanged = client.get("/tagged", headers={"if-none-match": '"2", "1"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (unchanged.headers["etag"], unchanged.headers["x-more"]) == ('W/"1"', "1")
    assert "content-type" not in unchanged.headers
    assert client.head("/tagged", headers={"if-none-match": '"1"'}).status_code == 304
    assert client.get("/tagged", headers={"if-match": '"2"'}).status_code == 412


def test_a_response_with_a_date_is_conditional(client: Any) -> None:
    assert client.get("/dated", headers={"if-modified-since": DATE}).status_code == 304
    earlier = "Tue, 14 Nov 2023 22:13:19 GMT"
    assert client.get("/dated", headers={"if-modified-since": earlier}).text == "body"


def test_other_answers_are_not(client: Any) -> None:
    for path in ("/created", "/plain"):
        plain = client.get(path)
        for headers in ({"if-none-match": "*"}, {"if-none-match": '"1"'}, {"range": "bytes=0-0"}):
            assert client.get(path, headers=headers).content == plain.content


# --- over sockets


def test_curl_over_both_versions(serve: Any, folder: Path, tmp_path: Path) -> None:
    url = serve("api_files:app", env={"API_FILES": str(folder)}, app_dir=APPS).url
    for version in ("--http1.1", "--http2-prior-knowledge"):
        for kind in ("thread", "inline", "task", "static"):
            out = tmp_path / f"{version}-{kind}"
            out.write_bytes(BYTES[:1000])
            code = ("-w", "%{http_code}")
            assert curl(version, "-C", "-", "-o", out, *code, f"{url}/{kind}/data.bin") == "206"
            assert out.read_bytes() == BYTES
            assert curl(version, "-o", out, *code, f"{url}/{kind}/data.bin") == "200"
            assert out.read_bytes() == BYTES
            curl(version, "--range", "5-6,100-", "-o", out, f"{url}/{kind}/data.bin")
            assert BYTES[100:] in out.read_bytes()


def test_the_document_says_what_a_file_answers() -> None:
    app = tercel.App()

    @app.get("/file")
    async def file() -> tercel.FileResponse: ...

    @app.get("/either")
    async def either() -> tercel.FileResponse | dict[str, int]: ...

    paths = app.openapi()["paths"]
    answers = paths["/file"]["get"]["responses"]
    assert answers["200"]["content"] == {"*/*": {}}
    assert answers["206"]["content"] == {"*/*": {}}
    assert "content" not in answers["304"]
    assert "default" in answers
    content = paths["/either"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "*/*"}
