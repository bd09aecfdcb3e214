"""The threads that plain functions of an application run on."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import httpx
import pytest

import tercel
from support.fixtures import ServeProcess
from tercel import Depends
from tercel.auth import Bearer
from tercel.testing import LiveServer, TestClient

WAIT_S = 20


def ask(server: LiveServer, paths: list[str], **options: Any) -> list[httpx.Response]:
    """Asks for all of them at once."""
    with ThreadPoolExecutor(len(paths)) as pool, httpx.Client(base_url=server.url) as client:
        return list(pool.map(lambda path: client.get(path, timeout=WAIT_S, **options), paths))


def test_there_are_more_than_processors() -> None:
    app = tercel.App()
    together = threading.Barrier(30)

    @app.get("/")
    def meet() -> str:
        together.wait(WAIT_S)
        return threading.current_thread().name

    with LiveServer(app) as server:
        names = {one.text for one in ask(server, ["/"] * 30)}
    assert len(names) == 30
    assert all(name.startswith("tercel-app") for name in names)


def kinds(app: tercel.App, wait: Callable[[], None]) -> None:
    """Adds a route for each kind of function that is given away."""

    def waiting() -> None:
        wait()

    def verify(token: str) -> str:
        wait()
        return token

    def lines() -> Iterator[str]:
        wait()
        yield "line"

    @app.get("/handler")
    def handler() -> str:
        wait()
        return "done"

    @app.get("/dependency", dependencies=[Depends(waiting)])
    async def dependent() -> str:
        return "done"

    @app.get("/verify", dependencies=[Depends(Bearer(verify))])
    async def verified() -> str:
        return "done"

    @app.get("/stream")
    async def stream() -> tercel.StreamingResponse:
        return tercel.StreamingResponse(lines())


@pytest.mark.parametrize("kind", ["handler", "dependency", "verify", "stream"])
def test_an_application_says_how_many(kind: str) -> None:
    app = tercel.App(threads=3)
    lock, running, most = threading.Lock(), 0, 0

    def wait() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    kinds(app, wait)
    with LiveServer(app) as server:
        token = {"authorization": "Bearer t"}
        statuses = [one.status_code for one in ask(server, [f"/{kind}"] * 9, headers=token)]
    assert statuses == [200] * 9
    assert most == 3


def test_what_waits_does_not_make_others_wait() -> None:
    app = tercel.App(threads=1)
    release, began = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        began.set()
        assert release.wait(WAIT_S)
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        # As asyncio does to look a name up, and libraries do.
        return await asyncio.to_thread(lambda: "quick")

    with LiveServer(app) as server, ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(httpx.get, f"{server.url}/slow", timeout=WAIT_S) for _ in range(8)]
        assert began.wait(WAIT_S)
        assert httpx.get(f"{server.url}/quick", timeout=WAIT_S).text == "quick"
        release.set()
        assert [one.result().text for one in waiting] == ["slow"] * 8


def test_servers_that_keep_contexts_apart_have_them_too() -> None:
    app = tercel.App(threads=1)

    @app.get("/")
    def count() -> int:
        return sum(one.name.startswith("tercel-app") for one in threading.enumerate())

    async def ask_twice() -> set[str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            answers = await asyncio.gather(*[client.get("/") for _ in range(5)])
        return {answer.text for answer in answers}

    before = sum(one.name.startswith("tercel-app") for one in threading.enumerate())
    assert asyncio.run(ask_twice()) == {str(before + 1)}


@pytest.mark.parametrize("threads", [0, 1025, "4", 1.5, True])
def test_how_many_there_can_be(threads: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="threads of an App"):
        tercel.App(threads=threads)


name: contextvars.ContextVar[str] = contextvars.ContextVar("name")


async def named() -> None:
    name.set("ann")


def test_context_variables_come_along() -> None:
    app = tercel.App()

    @app.get("/")
    def say(_: Annotated[None, Depends(named)]) -> str:
        return name.get("nobody")

    with TestClient(app) as client:
        assert client.get("/").text == "ann"


def test_a_process_that_forked_has_threads_of_its_own(serve: ServeProcess) -> None:
    server = serve("api_threads:app", workers=2)
    names = {httpx.get(f"http://127.0.0.1:{server.port}/").text for _ in range(20)}
    assert names == {"tercel-app_0"}
    assert server.stop() == 0


def test_one_that_does_not_return_is_left(serve: ServeProcess) -> None:
    server = serve("api_threads:app", timeout_graceful_shutdown=0.2)
    with server.connect() as client:
        client.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("begun")
        assert server.stop(timeout=12) == 0
    assert "Leaving 1 thread(s) behind whose function does not return" in server.output
    assert "Traceback" not in server.output


# --- iterators


def test_an_iterator_is_closed_when_it_comes_back_from_a_step_that_was_cancelled() -> None:
    """A server ends while a thread is within next(): to close the iterator then is an error."""
    began, release, closed = threading.Event(), threading.Event(), threading.Event()

    def lines() -> Iterator[str]:
        try:
            began.set()
            assert release.wait(WAIT_S)
            yield "line"
        finally:
            closed.set()

    kept = lines()  # Somebody else has it, too: no collector closes it.
    stream = tercel.StreamingResponse(kept)

    async def receive() -> dict[str, Any]:
        return await asyncio.Future()

    async def send(message: dict[str, Any]) -> None: ...

    async def main() -> None:
        task = asyncio.ensure_future(stream.send_through(receive, send))
        assert await asyncio.to_thread(began.wait, WAIT_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not closed.is_set()
        release.set()
        assert await asyncio.to_thread(closed.wait, WAIT_S)

    asyncio.run(main())
    del kept
