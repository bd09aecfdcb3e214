"""What a tercel.App does when several of its parts meet in one request.

Hooks, background tasks, ResponseHeaders, streams, files, checks of answers, mounts and sinks are
each tested where they belong; these are the seams between them. Each question is asked of the app
behind the server, and of the same app as an ASGI application.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import pytest

import tercel
from support.h2_library import LibraryClient
from support.in_process import InProcess
from tercel import (
    BackgroundTasks,
    Depends,
    FileResponse,
    Request,
    ResponseHeaders,
    StreamingResponse,
)
from tercel.testing import TestClient


def client_of(app: tercel.App, kind: str) -> Any:
    if kind == "native":
        return TestClient(app, raise_server_exceptions=False)
    return InProcess(app)


each_door = pytest.mark.parametrize("door", ["native", "asgi"])


# --- hooks of the response


def hooked(path: Path, done: list[str]) -> tercel.App:
    app = tercel.App()
    kept = StreamingResponse(["a", "b"], media_type="text/plain", headers={"x-own": "1"})

    @app.get("/file")
    def file(background: BackgroundTasks) -> FileResponse:
        background.add(done.append, "file")
        return FileResponse(path)

    @app.get("/stream")
    def stream(background: BackgroundTasks) -> StreamingResponse:
        background.add(done.append, "stream")
        return kept

    @app.get("/kept")
    def kept_stream() -> StreamingResponse:
        return kept

    @app.get("/word")
    def word() -> tercel.Response:
        return tercel.Response("x", headers={"x-word": "é"})

    @app.get("/word/later")
    def word_later(background: BackgroundTasks) -> tercel.Response:
        background.add(done.append, "word")
        return word()

    @app.get("/word/file")
    def word_file() -> FileResponse:
        return FileResponse(path, headers={"x-word": "é"})

    @app.on_response
    def change(request: Request, response: Any, succeeded: bool) -> None:
        response.headers.append(("x-hook", "1"))
        if request.query == "status":
            response.status = 203

    return app


@each_door
@pytest.mark.parametrize("name", ["file", "stream"])
def test_hooks_change_answers_that_work_follows(door: str, name: str, tmp_path: Path) -> None:
    """A field of security that a hook adds was missing where there were background tasks."""
    (tmp_path / "a.txt").write_text("ab")
    done: list[str] = []
    client = client_of(hooked(tmp_path / "a.txt", done), door)
    answer = client.get(f"/{name}?status")
    assert (answer.status_code, answer.text) == (203, "ab")
    assert answer.headers.get_list("x-hook") == ["1"]
    assert done == [name]


@each_door
@pytest.mark.parametrize("name", ["kept", "stream"])
def test_hooks_leave_a_stream_that_is_kept_as_it_is(door: str, name: str, tmp_path: Path) -> None:
    """Each answer had the fields of all answers before it."""
    (tmp_path / "a.txt").write_text("ab")
    client = client_of(hooked(tmp_path / "a.txt", []), door)
    client.get(f"/{name}?status")
    answer = client.get(f"/{name}")
    assert (answer.status_code, answer.text) == (200, "ab")
    assert answer.headers.get_list("x-hook") == ["1"]
    assert answer.headers["x-own"] == "1"


@each_door
@pytest.mark.parametrize("path", ["/word", "/word/later", "/word/file"])
def test_hooks_leave_fields_as_they_are(door: str, path: str, tmp_path: Path) -> None:
    """A character above ASCII was encoded twice."""
    (tmp_path / "a.txt").write_text("ab")
    app = hooked(tmp_path / "a.txt", [])
    answer = client_of(app, door).get(path)
    assert dict(answer.headers.raw)[b"x-word"] == "é".encode()
    assert answer.headers["x-hook"] == "1"


@each_door
@pytest.mark.parametrize("name", ["response", "file", "value"])
def test_work_follows_the_answer_that_a_hook_puts_in_its_place(
    door: str, name: str, tmp_path: Path
) -> None:
    """The work was forgotten with the answer."""
    (tmp_path / "a.txt").write_text("ab")
    done: list[str] = []
    app = hooked(tmp_path / "a.txt", done)

    @app.on_response
    def replace(request: Request, response: Any, succeeded: bool) -> Any:
        if name == "response":
            return tercel.Response("replaced", status=202)
        return FileResponse(tmp_path / "a.txt") if name == "file" else ["replaced"]

    answer = client_of(app, door).get("/stream")
    expected = {"response": (202, "replaced"), "file": (200, "ab"), "value": (200, '["replaced"]')}
    assert (answer.status_code, answer.text) == expected[name]
    assert done == ["stream"]


# --- checks of answers


@each_door
def test_answers_are_checked_whatever_else_a_handler_takes(door: str) -> None:
    """An answer with background tasks, header fields or dependencies was sent unchecked."""
    app, done = tercel.App(), []

    @app.get("/work", validate_response=True)
    def work(background: BackgroundTasks, right: bool = False) -> list[int]:
        background.add(done.append, "work")
        return [1] if right else ["a"]  # type: ignore[list-item]

    @app.get("/fields", validate_response=True)
    def fields(headers: ResponseHeaders, right: bool = False) -> list[int]:
        headers.add("x-field", "1")
        return [1] if right else ["a"]  # type: ignore[list-item]

    @app.get("/depends", validate_response=True)
    def depends(word: Annotated[str, Depends(lambda: "a")], right: bool = False) -> list[int]:
        return [1] if right else [word]  # type: ignore[list-item]

    client = client_of(app, door)
    paths = ("/work", "/fields", "/depends")
    assert [client.get(path).status_code for path in paths] == [500, 500, 500]
    assert client.get("/depends?right=1").json() == [1]
    assert done == []
    assert client.get("/work?right=1").json() == [1]
    assert client.get("/fields?right=1").headers["x-field"] == "1"
    assert done == ["work"]


@each_door
def test_what_a_hook_answers_is_not_checked(door: str) -> None:
    """With a dependency, the answer of the hook was held against the handler's annotation."""
    app = tercel.App()

    @app.get("/plain", validate_response=True)
    def plain() -> list[int]:
        return [1]

    @app.get("/steps", validate_response=True)
    def steps(headers: ResponseHeaders) -> list[int]:
        return [1]

    @app.pre_handler
    def instead(request: Request, arguments: dict[str, Any]) -> Any:
        return {"from": "the hook"}

    client = client_of(app, door)
    for path in ("/plain", "/steps"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"from": "the hook"})


# --- header fields of streams


def test_a_stream_has_no_fields_of_several_lines() -> None:
    """Not every ASGI server looks at them: uvicorn with httptools sends what it is given."""
    app, sent = tercel.App(), []

    @app.get("/")
    def lines(name: str) -> StreamingResponse:
        return StreamingResponse(["a"], headers={"x-name": name})

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await app({**scope, "query_string": b"name=a%0d%0aset-cookie:b"}, receive, send)

    with pytest.raises(ValueError, match="the header field 'x-name' of a stream is one line"):
        asyncio.run(ask())
    assert sent == []


# --- an App within another


def nested() -> tercel.App:
    inner, outer = tercel.App(), tercel.App()

    @inner.get("/")
    def top(request: Request) -> list[str]:
        return [request.path]

    @inner.get("/here/{name}")
    def here(request: Request, name: str) -> list[str]:
        return [request.path, name]

    @inner.get("/inner")
    def same_name() -> str:
        return "of the inner one"

    @inner.websocket("/chat")
    async def chat(socket: tercel.WebSocket) -> None:
        await socket.send(socket.request.path)

    innermost = tercel.App()
    innermost.get("/")(lambda: "innermost")
    inner.mount("/inner", innermost)
    outer.mount("/inner", inner)
    outer.mount("/düne", inner)
    return outer


@pytest.mark.parametrize("root", ["", "/v1"])
@each_door
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/inner/here/x", ["/here/x", "x"]),
        ("/inner/here/a%2Fb", ["/here/a%2Fb", "a/b"]),
        ("/%69nner/here/x", ["/here/x", "x"]),
        ("/d%C3%BCne/here/%c3%bc", ["/here/%c3%bc", "ü"]),
        ("/inner", ["/"]),
        ("/inner/", ["/"]),
        ("/inner/inner", "of the inner one"),
        ("/inner/inner/", "innermost"),
        ("/inner%2Fhere/x", None),
    ],
)
def test_an_app_is_mounted_in_an_app(door: str, root: str, path: str, expected: Any) -> None:
    """Its paths are those below its prefix, however that was written, and below a root path."""
    if door == "native":
        # A proxy has taken the root path away.
        answer = TestClient(nested(), settings={"root_path": root}).get(path)
    else:
        answer = InProcess(nested(), root_path=root).get(root + path)
    if expected is None:
        assert answer.status_code == 404
    else:
        assert answer.status_code == 200, answer.text
        assert (answer.json() if isinstance(expected, list) else answer.text) == expected


@pytest.mark.parametrize("path", ["/inner/chat", "/%69nner/chat", "/d%C3%BCne/chat"])
def test_websockets_of_an_app_in_an_app(path: str) -> None:
    with TestClient(nested()) as client, client.websocket(path) as session:
        assert session.receive() == "/chat"


# --- the end


def test_all_that_shuts_down_is_told_when_one_of_it_fails() -> None:
    """The hooks and the mounted applications behind the one that failed were left as they were."""
    app, log = tercel.App(), []

    def mounted(name: str) -> Any:
        async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            log.append(name)
            await send({"type": "lifespan.shutdown.failed", "message": f"{name} failed"})

        return application

    app.mount("/long", mounted("long"))
    app.mount("/a", mounted("short"))
    for name in ("first", "second"):

        @app.on_shutdown
        async def end(name: str = name) -> None:
            log.append(name)
            raise OSError(f"{name} failed")

    with pytest.raises(Exception, match="long failed"), TestClient(app):
        pass
    assert log == ["first", "second", "short", "long"]


# --- HTTP/2, where a request does not say whether it has a body


@pytest.fixture(scope="module", params=["app_without", "app"])
def http2(request: pytest.FixtureRequest, serve_shared: Any) -> Any:
    server = serve_shared(f"api_around:{request.param}", access_log=False)
    with LibraryClient(server.address) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/asgi/x", None, "/asgi /asgi/x {'inner': 'yes'} "),
        ("/asgi/x", b"body", "/asgi /asgi/x {'inner': 'yes'} body"),
        ("/wsgi/x", b"body", "/wsgi /x body"),
        ("/old/x", None, "GET x "),
        ("/old/x", b"body", "POST x body"),
    ],
)
def test_mounts_and_sinks_get_the_body_through_http2(
    http2: LibraryClient, path: str, body: bytes | None, expected: str
) -> None:
    """It was read to see whether there is one, and was gone: they waited until the client left."""
    answer = http2.answer(http2.ask(path, body))
    assert answer.body.decode() == expected


def test_long_bodies_reach_mounts_through_http2(http2: LibraryClient) -> None:
    body = b"0123456789" * 20_000
    answer = http2.answer(http2.ask("/wsgi/x", body))
    assert answer.body.decode() == f"/wsgi /x {body.decode()}"
