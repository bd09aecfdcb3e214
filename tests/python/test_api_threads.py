"""The threads that plain functions of an application run on."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import httpx
import pytest

import tercel
from support.fixtures import ServeProcess
from tercel import Depends
from tercel.api import threads as api_threads
from tercel.api.threads import release, submit, to_thread
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


# --- what is given back


def test_what_waits_for_a_resource_does_not_keep_others_from_giving_it_back() -> None:
    """One holds the only connection; as many wait for it as there are threads."""
    app = tercel.App(threads=2)
    connection = threading.Semaphore(1)
    waiting = threading.Semaphore(0)

    def connect() -> Iterator[None]:
        waiting.release()
        assert connection.acquire(timeout=WAIT_S)
        try:
            yield
        finally:
            connection.release()

    first = True

    @app.get("/", dependencies=[Depends(connect)])
    async def handler() -> str:
        nonlocal first
        if first:
            first = False
            for _ in range(3):  # Itself, and one on each thread.
                assert await asyncio.to_thread(waiting.acquire, timeout=WAIT_S)
        return "done"

    with LiveServer(app) as server:
        assert [one.text for one in ask(server, ["/"] * 5)] == ["done"] * 5


def test_an_iterator_is_closed_while_all_threads_wait() -> None:
    app = tercel.App(threads=1)
    closed, began = threading.Event(), threading.Event()

    def lines() -> Iterator[str]:
        try:
            yield "line"
            yield "never read"
        finally:
            closed.set()

    def wait_closed() -> bool:
        began.set()
        return closed.wait(WAIT_S / 4)

    async def main() -> bool:
        app._threads.enter()
        stream = tercel.StreamingResponse(lines())
        parts = stream.parts(asyncio.Future)
        assert await anext(parts) == b"line"
        waiting = submit(wait_closed)
        assert await asyncio.to_thread(began.wait, WAIT_S)
        await parts.aclose()
        return await waiting

    assert asyncio.run(main())


def test_what_is_given_back_is_so_even_if_nobody_waits_for_it_any_more() -> None:
    app = tercel.App(threads=1)
    proceed, left = threading.Event(), threading.Event()

    async def main() -> None:
        app._threads.enter()
        first = release(proceed.wait, WAIT_S)
        second = release(left.set)
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        proceed.set()
        assert await first
        assert await asyncio.to_thread(left.wait, WAIT_S)

    asyncio.run(main())


# --- calls that wait


def test_above_the_bound_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_threads, "WAITING", 3)
    app = tercel.App(threads=2)
    proceed, began = threading.Event(), threading.Semaphore(0)
    arrived = 0

    @app.get("/slow")
    def slow() -> str:
        began.release()
        assert proceed.wait(WAIT_S)
        return "slow"

    async def arrive() -> None:
        nonlocal arrived
        arrived += 1

    @app.get("/counted", dependencies=[Depends(arrive)])
    def counted() -> str:
        return slow()

    with LiveServer(app) as server, ThreadPoolExecutor(5) as pool:

        def get(path: str) -> httpx.Response:
            return httpx.get(f"{server.url}{path}", timeout=WAIT_S)

        running = [pool.submit(get, "/slow") for _ in range(2)]
        for _ in range(2):
            assert began.acquire(timeout=WAIT_S)
        waiting = [pool.submit(get, "/counted") for _ in range(3)]
        deadline = time.monotonic() + WAIT_S
        while arrived < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = get("/slow")
        proceed.set()
        assert [one.result().status_code for one in running + waiting] == [200] * 5
        assert get("/slow").status_code == 200
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "Too many requests wait for a thread."


def test_what_was_given_up_is_not_kept_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_threads, "WAITING", 1)
    app = tercel.App(threads=1)
    proceed, began = threading.Event(), threading.Event()

    class Body:
        pass

    def hang() -> None:
        began.set()
        assert proceed.wait(WAIT_S)

    called: list[Body] = []

    async def main() -> None:
        app._threads.enter()
        hanging = submit(hang)
        assert await asyncio.to_thread(began.wait, WAIT_S)
        for _ in range(5):
            body = Body()
            kept = weakref.ref(body)
            call = asyncio.ensure_future(to_thread(called.append, body))
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            del body, call
            await asyncio.sleep(0)  # The loop has the task while it wakes us.
            gc.collect()
            assert kept() is None
        last = asyncio.ensure_future(to_thread(len, called))
        await asyncio.sleep(0)
        proceed.set()
        await hanging
        assert await last == 0

    asyncio.run(main())


def test_background_work_of_an_answered_request_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_threads, "WAITING", 0)
    app = tercel.App(threads=1)
    proceed, began, done = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        assert proceed.wait(WAIT_S)

    @app.get("/hang")
    async def hanging(background: tercel.BackgroundTasks) -> None:
        background.add(hang)

    @app.get("/work")
    async def work(background: tercel.BackgroundTasks) -> None:
        background.add(done.set)

    @app.get("/plain")
    def plain() -> None: ...

    with LiveServer(app) as server:
        assert httpx.get(f"{server.url}/hang").is_success
        assert began.wait(WAIT_S)
        assert httpx.get(f"{server.url}/work").is_success
        assert httpx.get(f"{server.url}/plain").status_code == 503
        proceed.set()
        assert done.wait(WAIT_S)
