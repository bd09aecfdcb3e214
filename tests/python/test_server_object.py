"""`tercel.Server`: the order of its steps, on every loop, when all goes well and when not."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gc
import logging
import os
import socket
from typing import Any

import pytest

import tercel
from support.fake_native import FakeNative
from tercel import _core
from tercel.problems import LifespanError, SettingError, StartError, TargetError


@pytest.fixture
def native(monkeypatch) -> type[FakeNative]:
    """Replaces `_core.Server`; returns the class, whose `events` and `made` start empty."""

    class Native(FakeNative):
        pass

    Native.events = []
    Native.made = []
    monkeypatch.setattr(_core, "Server", Native)
    return Native


def application(events: list[Any], **answers: str):
    """An ASGI application that notes its lifespan in `events`."""

    async def app(scope, receive, send):
        assert scope["type"] == "lifespan"
        for name in ("startup", "shutdown"):
            await receive()
            events.append(name)
            await send({"type": answers.get(name, f"lifespan.{name}.complete")})

    return app


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def serve_and_stop(server: tercel.Server, *, before_stop=None) -> None:
    serving = asyncio.create_task(server.serve())
    await server.wait_started()
    if before_stop is not None:
        before_stop()
    server.shutdown()
    await serving


class TestOrder:
    def test_sockets_before_the_start_up_and_requests_after_it(self, native):
        server = tercel.Server(application(native.events), port=0)
        run(serve_and_stop(server))
        assert native.events == [
            ("listen", "127.0.0.1:0"),
            "log_requests",
            "startup",
            "start",
            "drain",
            "close",
            "shutdown",
            "close",
        ]

    def test_logs_are_reopened_while_there_are_any(self, native):
        server = tercel.Server(application(native.events))
        server.reopen_logs()
        run(serve_and_stop(server, before_stop=server.reopen_logs))
        server.reopen_logs()
        assert native.events.count("reopen_logs") == 1

    def test_started_is_true_while_requests_are_accepted(self, native):
        seen = []

        async def scenario():
            server = tercel.Server(application(native.events))
            assert not server.started
            await serve_and_stop(server, before_stop=lambda: seen.append(server.started))
            assert not server.started
            assert server.addresses == [("127.0.0.1", 4242)]
            assert server.urls == ["http://127.0.0.1:4242"]

        run(scenario())
        assert seen == [True]

    def test_requests_get_the_state_and_the_context_of_the_lifespan(self, native):
        run(serve_and_stop(tercel.Server(application(native.events))))
        [made] = native.made
        assert made.state == {}
        assert type(made.context).__name__ == "Context"

    def test_every_bind_is_listened_on(self, native):
        binds = ["127.0.0.1:1", "unix:/x"]
        run(serve_and_stop(tercel.Server(application(native.events), bind=binds, uds="/y")))
        listened = [event[1] for event in native.events if event[0] == "listen"]
        assert listened == [*binds, "unix:/y"]

    def test_sockets_of_the_caller_are_duplicated(self, native):
        async def scenario():
            with socket.create_server(("127.0.0.1", 0)) as ours:
                server = tercel.Server(application(native.events))
                serving = asyncio.create_task(server.serve(sockets=[ours]))
                await server.wait_started()
                [made] = native.made
                assert made.descriptor != ours.fileno()
                os.close(made.descriptor)
                server.shutdown()
                await serving
                assert ours.fileno() >= 0

        run(scenario())
        assert "adopt" in native.events
        assert not [event for event in native.events if event[0] == "listen"]

    def test_without_an_access_log_none_is_written(self, native):
        run(serve_and_stop(tercel.Server(application(native.events), access_log=False)))
        assert "log_requests" not in native.events

    def test_a_server_serves_once(self, native):
        async def scenario():
            server = tercel.Server(application(native.events))
            await serve_and_stop(server)
            with pytest.raises(RuntimeError, match="serves once"):
                await server.serve()

        run(scenario())

    @pytest.mark.parametrize("loop", ["tercel", "asyncio", "uvloop"])
    def test_any_loop_will_do(self, native, loop: str):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        from tercel.server.serving import loop_factory

        with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
            runner.run(serve_and_stop(tercel.Server(application(native.events))))
        assert native.events[-2:] == ["shutdown", "close"]


class TestSockets:
    """Those that a caller brings, on the real engine."""

    async def request(self, one: socket.socket) -> bytes:
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"here"})

        server = tercel.Server(app, lifespan="off", access_log=False)
        serving = asyncio.create_task(server.serve(sockets=[one]))
        await server.wait_started()
        reader, writer = await asyncio.open_connection(*one.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        server.shutdown()
        await serving
        return answer

    def refused(self, one: socket.socket) -> tuple[StartError, int]:
        """What a server on `one` raises, and how many descriptors another try leaves open."""

        async def scenario() -> tuple[StartError, int]:
            counts = []
            for _ in range(2):
                with pytest.raises(StartError) as caught:
                    await tercel.Server(application([])).serve(sockets=[one])
                gc.collect()  # What other tests left open is closed by now.
                counts.append(len(os.listdir("/proc/self/fd")))
            return caught.value, counts[1] - counts[0]

        return run(scenario())

    @pytest.mark.parametrize("listening", [False, True])
    def test_are_listened_on_if_they_are_not_yet(self, listening: bool):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            if listening:
                one.listen()
            assert run(self.request(one)).endswith(b"here")

    def test_none_of_them_is_one_sentence(self):
        with pytest.raises(StartError, match=r"^Cannot listen: sockets= is empty; leave it out"):
            run(tercel.Server(application([])).serve(sockets=[]))

    @pytest.mark.parametrize("kind", ["unbound", "datagram", "closed"])
    def test_that_cannot_listen_are_one_sentence_and_no_leak(self, kind: str):
        one = socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
        if kind == "datagram":
            one.bind(("127.0.0.1", 0))
        elif kind == "closed":
            one.close()
        reason = {
            "unbound": "it is not bound to a port",
            "datagram": "Operation not supported",
            "closed": "Bad file descriptor",
        }
        with one:
            error, descriptors = self.refused(one)
            assert descriptors == 0
            assert str(error) == f"Cannot listen on {one}: {reason[kind]}."
            assert isinstance(error.__cause__, OSError)

    def test_that_the_engine_refuses_are_closed(self, native, monkeypatch):
        def refuse(self, descriptor: int) -> str:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

        monkeypatch.setattr(native, "adopt", refuse)
        with socket.create_server(("127.0.0.1", 0)) as one:
            assert self.refused(one)[1] == 0


class TestDrain:
    def drained(self, native, *, active: int, after=None, **settings: Any) -> list[Any]:
        """Events from the drain on, of a server with `active` requests when it is told to end."""

        async def scenario():
            server = tercel.Server(application(native.events), **settings)

            def busy():
                [made] = native.made
                made.active = active
                if after is not None:
                    asyncio.get_running_loop().call_later(0.1, after, server, made)

            await serve_and_stop(server, before_stop=busy)

        run(scenario())
        return native.events[native.events.index("drain") :]

    def test_requests_may_finish(self, native):
        def finish(server, made):
            native.events.append("finished")
            made.active = 0

        assert self.drained(native, active=1, after=finish) == [
            "drain", "finished", "close", "shutdown", "close",
        ]  # fmt: skip

    def test_long_ones_are_told_after_their_grace(self, native):
        events = self.drained(
            native, active=1, timeout_stream_grace=0.05, timeout_graceful_shutdown=0.15
        )
        assert events == ["drain", "notify", "close", "close", "shutdown", "close"]

    def test_the_grace_is_bounded_by_the_whole_time(self, native):
        assert self.drained(native, active=1, timeout_graceful_shutdown=0)[:3] == [
            "drain",
            "notify",
            "close",
        ]

    def test_asking_again_cuts_off(self, native):
        events = self.drained(native, active=1, after=lambda server, made: server.shutdown())
        assert events == ["drain", "notify", "close", "close", "shutdown", "close"]

    def test_what_is_cut_off_is_told(self, native, caplog):
        with caplog.at_level(logging.INFO, "tercel"):
            self.drained(native, active=3, timeout_graceful_shutdown=0)
        assert [record.getMessage() for record in caplog.records] == [
            "Shutting down: 3 open request(s) may finish within 0 s.",
            "Cutting off 3 request(s).",
        ]


class TestFailures:
    def test_a_failed_start_up_accepts_nothing(self, native):
        app = application(native.events, startup="lifespan.startup.failed")
        with pytest.raises(LifespanError, match="failed to start up"):
            run(tercel.Server(app).serve())
        assert "start" not in native.events
        assert native.events[-1] == "close"

    def test_a_failed_shutdown_is_raised_after_all_is_closed(self, native):
        app = application(native.events, shutdown="lifespan.shutdown.failed")
        with pytest.raises(LifespanError, match="failed to shut down"):
            run(serve_and_stop(tercel.Server(app)))
        assert native.events[-3:] == ["close", "shutdown", "close"]

    def test_wait_started_ends_when_the_server_does(self, native):
        async def scenario():
            server = tercel.Server(application([], startup="lifespan.startup.failed"))
            serving = asyncio.create_task(server.serve())
            await server.wait_started()
            assert not server.started
            with pytest.raises(LifespanError):
                await serving

        run(scenario())

    def test_an_object_that_is_no_application_is_refused_when_it_is_given(self):
        with pytest.raises(
            TargetError, match=r"^The application, of type int, .* cannot be called"
        ):
            tercel.Server(5)
        with pytest.raises(TargetError, match=r"remove factory=True\.$"):
            tercel.Server(5, factory=True)
        # Nothing is imported and no factory is called before it serves.
        tercel.Server("no_such_module:app")
        tercel.Server(lambda: pytest.fail("called"), factory=True)

    @pytest.mark.parametrize(
        ("number", "advice"),
        [
            (errno.EADDRINUSE, "another process listens there: stop it, or choose another"),
            (errno.EADDRNOTAVAIL, "this machine has no such address"),
            (errno.EACCES, "the system does not permit it"),
            (errno.EMFILE, "the process has no descriptor left"),
            (errno.ENOENT, "No such file or directory."),
        ],
    )
    def test_an_address_that_cannot_be_had_is_one_sentence(self, native, number: int, advice: str):
        native.listen_error = OSError(number, os.strerror(number))
        with pytest.raises(StartError) as caught:
            run(tercel.Server(application(native.events), port=80).serve())
        assert str(caught.value).startswith(f"Cannot listen on 127.0.0.1:80: {advice}")
        assert native.events == [("listen", "127.0.0.1:80"), "close"]

    def test_a_path_that_cannot_be_had_is_one_sentence(self, tmp_path):
        (tmp_path / "file").write_text("")

        def problem(bind: str) -> str:
            with pytest.raises(StartError) as caught:
                run(tercel.Server(application([]), bind=[bind]).serve())
            return str(caught.value).removeprefix(f"Cannot listen on {bind}: ")

        assert problem(f"unix:{tmp_path}/none/s") == (
            f"there is no folder {tmp_path}/none: make it, or choose another path."
        )
        for name in ("file", "."):
            assert problem(f"unix:{tmp_path}/{name}") == (
                "what stands there is not a socket: remove it, or choose another path."
            )
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(f"{tmp_path}/s")
            taken.listen()
            assert problem(f"unix:{tmp_path}/s").startswith("another process listens there")

    def test_a_descriptor_that_cannot_be_had_is_one_sentence(self, tmp_path):
        def problem(number: int) -> str:
            with pytest.raises(StartError) as caught:
                run(tercel.Server(application([]), bind=[f"fd://{number}"]).serve())
            return str(caught.value).removeprefix(f"Cannot listen on fd://{number}: ")

        assert problem(987) == (
            "the process has no descriptor 987: whoever starts it has to pass it on."
        )
        with open(tmp_path / "file", "w") as file:
            number = file.fileno()
            assert problem(number) == (
                f"descriptor {number} is not a socket: give the number of one that listens."
            )
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            number = one.fileno()
            assert problem(number) == (
                f"the socket of descriptor {number} does not listen: call listen() on it first."
            )

    def test_cancelling_closes_and_shuts_the_application_down(self, native):
        async def scenario():
            server = tercel.Server(application(native.events))
            serving = asyncio.create_task(server.serve())
            await server.wait_started()
            serving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await serving
            assert not server.started

        run(scenario())
        assert native.events[-3:] == ["close", "shutdown", "close"]

    def test_a_shutdown_during_the_start_up_ends_it(self, native):
        async def app(scope, receive, send):
            await asyncio.sleep(3600)

        async def scenario():
            server = tercel.Server(app)
            serving = asyncio.create_task(server.serve())
            await asyncio.sleep(0.05)
            server.shutdown()
            await serving
            assert not server.started

        run(scenario())
        assert "start" not in native.events

    @pytest.mark.parametrize("when", ["before", "during"])
    def test_insisting_cuts_the_lifespan_shutdown_short(self, native, when: str, caplog):
        ended = []

        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            if when == "during":
                server.shutdown()
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(True)

        server = tercel.Server(app)

        async def scenario():
            serving = asyncio.create_task(server.serve())
            await server.wait_started()
            server.shutdown(force=when == "before")
            await serving

        run(scenario())
        assert ended == [True]
        assert "Cutting the application's shutdown short." in caplog.text

    def test_insisting_leaves_a_moment_for_a_shutdown_that_is_quick(self, native):
        async def scenario():
            server = tercel.Server(application(native.events))
            serving = asyncio.create_task(server.serve())
            await server.wait_started()
            server.shutdown(force=True)
            await serving

        run(scenario())
        assert native.events[-3:] == ["close", "shutdown", "close"]

    def test_a_wrong_application_is_refused(self, native):
        with pytest.raises(TargetError, match=r"^The application, of type int, is not an"):
            run(tercel.Server(1).serve())
        with pytest.raises(TargetError, match="There is no module"):
            run(tercel.Server("conf_no_such_module:app").serve())


class TestSettings:
    def test_wrong_ones_are_refused_when_it_is_made(self):
        with pytest.raises(SettingError, match=r"^port must be"):
            tercel.Server(None, port=-1)
        with pytest.raises(TypeError, match="did you mean port"):
            tercel.Server(None, prot=1)

    def test_those_of_a_process_are_refused(self):
        with pytest.raises(TypeError, match=r"^'loop' is for tercel\.serve\(\)"):
            tercel.Server(None, loop="uvloop")

    def test_variables_are_not_read(self, monkeypatch):
        monkeypatch.setenv("TERCEL_PORT", "1")
        assert tercel.Server("main:app").settings.port == 8000

    def test_its_name_is_the_target_or_what_the_application_is_called(self):
        async def app(scope, receive, send): ...

        class Application:
            async def __call__(self, scope, receive, send): ...

        here = f"{__name__}:TestSettings.test_its_name_is_the_target_or_what_the_application"
        name = f"{here}_is_called.<locals>.app"
        assert tercel.Server("main:app").name == "main:app"
        assert tercel.Server(app).name == name
        assert tercel.Server(functools.partial(app)).name == name
        assert tercel.Server(Application()).name == "Application"

    def test_advice_is_for_python(self):
        with pytest.raises(TargetError, match=r"add factory=True\.$"):
            tercel.Server(lambda: None).load()
        with pytest.raises(TargetError, match=r"remove factory=True\.$"):
            tercel.Server(application([]), factory=True).load()

    def test_a_factory_makes_the_application(self, native):
        app = application(native.events)
        run(serve_and_stop(tercel.Server(lambda: app, factory=True)))
        assert native.made[0].app is app


def test_a_foreign_loop_gets_an_engine_and_loses_it_again(native):
    async def scenario():
        loop = asyncio.get_running_loop()
        before = set(loop._selector.get_map())  # type: ignore[attr-defined]
        await serve_and_stop(tercel.Server(application(native.events)))
        assert set(loop._selector.get_map()) == before  # type: ignore[attr-defined]

    with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(scenario())
