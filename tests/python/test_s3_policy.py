"""tercel.s3's Policy: what it asks the operator's functions, and what it tells the engine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tercel.s3 import ApiKey, AuthzRequest, Bearer, Decision, FrontKey, Hmac
from tercel.s3.answers import Times, credentials_of
from tercel.s3.iam import TokenRefused, exchange
from tercel.s3.policy import Policy

YES, NO, FAILED, TIMED_OUT = range(4)
TIMES = Times(key=300, unknown=10, allow=60, deny=5, credentials=300, failure=1, patience=0.3)


def policy(
    secret_for: Callable[..., Any] = lambda access_key: None,
    authorize: Callable[..., Any] = lambda request: True,
    credentials: Callable[..., Any] = lambda bucket, identity: None,
) -> Policy:
    return Policy(secret_for, authorize, credentials, TIMES)


def ask(asked: Policy, *questions: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Returns the answers, in the order of the questions."""

    async def run() -> list[tuple[Any, ...]]:
        answers: list[asyncio.Future[tuple[Any, ...]]] = []
        for question in questions:
            answers.append(asyncio.get_running_loop().create_future())
            asked.ask(question, answers[-1].set_result)
        return [await asyncio.wait_for(answer, 5) for answer in answers]

    return asyncio.run(run())


def key_of(access_key: str = "AK") -> tuple[Any, ...]:
    return (0, access_key)


def decision_of(**changes: Any) -> tuple[Any, ...]:
    facts: dict[str, Any] = {
        "access_key": "AK",
        "identity": "alice",
        "bucket": "logs",
        "key": "2026/a",
        "operation": "GetObject",
        "method": "GET",
        "query": "a=1&b=x%20y",
        "source_ip": "192.0.2.1",
        "copy_source": "",
        "presigned": False,
        "headers": (("x-amz-acl", "private"),),
    }
    return (1, *(facts | changes).values())


class TestKeys:
    def test_a_text_is_a_secret(self) -> None:
        (answer,) = ask(policy(lambda access_key: f"secret of {access_key}"), key_of())
        assert answer == (0, YES, "secret of AK", "", "AK", 240, 300)

    def test_a_key_says_more(self) -> None:
        key = FrontKey("s", session_token="t", ttl=10, identity="alice")
        (answer,) = ask(policy(lambda access_key: key), key_of())
        assert answer == (0, YES, "s", "t", "alice", 8, 10)

    def test_nobody_has_it(self) -> None:
        (answer,) = ask(policy(lambda access_key: None), key_of())
        assert answer == (0, NO, "", "", "", 10, 10)

    @pytest.mark.parametrize("nonsense", [5, b"s3cret", ["s3cret"], True])
    def test_nonsense_is_a_failure(self, nonsense: Any, caplog: pytest.LogCaptureFixture) -> None:
        (answer,) = ask(policy(lambda access_key: nonsense), key_of())
        assert answer == (0, FAILED, "", "", "", 1, 1)
        assert f"not one of {type(nonsense).__name__}" in caplog.text
        assert "s3cret" not in caplog.text

    def test_what_raises_is_a_failure(self) -> None:
        (answer,) = ask(policy(lambda access_key: 1 / 0), key_of())
        assert answer[:2] == (0, FAILED)

    def test_an_invalid_secret_is_a_failure_that_does_not_tell_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        (answer,) = ask(policy(lambda access_key: "s3cr\u00e9t"), key_of())
        assert answer[:2] == (0, FAILED)
        assert "s3cr" not in caplog.text

    def test_coroutine_functions_run_on_the_loop(self) -> None:
        async def secret_for(access_key: str) -> str:
            await asyncio.sleep(0)
            return threading.current_thread().name

        (answer,) = ask(policy(secret_for), key_of())
        assert answer[2] == threading.current_thread().name

    def test_plain_functions_run_on_threads(self) -> None:
        (answer,) = ask(policy(lambda access_key: threading.current_thread().name), key_of())
        assert answer[2].startswith("tercel-s3")

    def test_a_plain_function_may_return_what_is_awaited(self) -> None:
        async def later() -> str:
            return "s"

        def secret_for(access_key: str) -> Awaitable[str]:
            return later()

        (answer,) = ask(policy(secret_for), key_of())
        assert answer[2] == "s"

    @pytest.mark.parametrize("way", ["coroutine", "thread"])
    def test_what_takes_too_long_is_told_so(self, way: str) -> None:
        async def waits(access_key: str) -> str:
            await asyncio.sleep(5)
            return "s"

        def blocks(access_key: str) -> str:
            time.sleep(0.6)
            return "s"

        began = time.monotonic()
        (answer,) = ask(policy(waits if way == "coroutine" else blocks), key_of())
        assert answer == (0, TIMED_OUT, "", "", "", 1, 1)
        assert time.monotonic() - began < 2

    def test_one_call_for_all_who_ask_the_same(self) -> None:
        calls: list[str] = []

        def secret_for(access_key: str) -> str:
            calls.append(access_key)
            time.sleep(0.05)
            return "s"

        answers = ask(policy(secret_for), key_of("A"), key_of("A"), key_of("B"), key_of("A"))
        assert sorted(calls) == ["A", "B"]
        assert all(answer[1] == YES for answer in answers)
        asked = policy(secret_for)
        ask(asked, key_of("A"))
        ask(asked, key_of("A"))  # Nothing is kept here: the engine does.
        assert calls.count("A") == 3


class TestHanging:
    def test_functions_that_hang_leave_room_for_others(self) -> None:
        ends = threading.Event()
        others = set(threading.enumerate())

        def count() -> int:
            return len(set(threading.enumerate()) - others)

        def secret_for(access_key: str) -> str:
            if access_key.startswith("hangs"):
                ends.wait(30)
            return "s"

        asked = policy(secret_for)
        try:
            answers = ask(asked, *(key_of(f"hangs {n}") for n in range(20)))
            assert {answer[1] for answer in answers} == {TIMED_OUT}
            (answer,) = ask(asked, key_of())
            assert answer[1] == YES
            # But not without an end.
            ask(asked, *(key_of(f"hangs again {n}") for n in range(200)))
            assert 16 < count() <= 64
        finally:
            ends.set()
        deadline = time.monotonic() + 5
        while count() > 16:
            assert time.monotonic() < deadline, "the threads that were made up for stay"
            time.sleep(0.02)
        (answer,) = ask(asked, key_of("B"))
        assert answer[1] == YES

    def test_one_that_hangs_does_not_keep_the_process(self) -> None:
        program = """if True:
            import asyncio, time
            from tercel.s3.answers import Times
            from tercel.s3.policy import Policy

            times = Times(1, 1, 1, 1, 1, 1, patience=0.1)
            policy = Policy(lambda access_key: time.sleep(60), lambda request: True, None, times)

            async def main():
                answer = asyncio.get_running_loop().create_future()
                policy.ask((0, "AK"), answer.set_result)
                print((await answer)[1])

            asyncio.run(main())
        """
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, timeout=20, check=True
        )
        assert done.stdout.strip() == str(TIMED_OUT).encode()

    def test_what_would_end_the_process_is_a_failure(self) -> None:
        (answer,) = ask(policy(lambda access_key: sys.exit(3)), key_of())
        assert answer[:2] == (0, FAILED)

    def test_what_a_future_does_not_take_is_a_failure_at_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def secret_for(access_key: str) -> str:
            if access_key == "cancels":
                raise concurrent.futures.CancelledError
            return next(secret for secret in [] if secret)

        began = time.monotonic()
        answers = ask(policy(secret_for), key_of(), key_of("cancels"))
        assert [answer[1] for answer in answers] == [FAILED, FAILED]
        assert time.monotonic() - began < TIMES.patience
        assert "took longer" not in caplog.text
        assert "in secret_for\n    return next(" in caplog.text, "no traceback of the function"
        assert {record.name for record in caplog.records} == {"tercel.s3"}

    def test_threads_that_nobody_needs_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tercel.s3.threads._IDLE_S", 0.05)
        asked = policy(lambda access_key: threading.current_thread().name)
        others = set(threading.enumerate())
        ask(asked, *(key_of(str(number)) for number in range(5)))
        deadline = time.monotonic() + 5
        while set(threading.enumerate()) - others:
            assert time.monotonic() < deadline, "the threads stay"
            time.sleep(0.02)
        (answer,) = ask(asked, key_of())
        assert answer[1] == YES


class TestWhatIsLogged:
    @pytest.mark.parametrize(
        ("question", "about"),
        [
            (key_of("A\nK\u2028"), r"secret_for() failed for the access key 'A\nK\u2028'"),
            (key_of("k" * 500), f"failed for the access key '{'k' * 128}...'"),
            (
                decision_of(bucket="l\x1bg"),
                r"authorize() failed for GetObject by 'alice', bucket 'l\x1bg'",
            ),
            (decision_of(identity=""), "failed for GetObject by '', bucket 'logs'"),
            ((2, "logs", "alice", ""), "credentials() failed for 'alice', bucket 'logs'"),
            ((2, "logs", "alice", "b-*"), "credentials() failed for the buckets 'b-*'"),
        ],
    )
    def test_what_a_failure_is_about(
        self, question: tuple[Any, ...], about: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def secret_for(access_key: str) -> str:
            raise OSError("away")

        def authorize(request: AuthzRequest) -> bool:
            raise OSError("away")

        def credentials(bucket: str, identity: str) -> str:
            raise OSError("away")

        ask(policy(secret_for, authorize, credentials), question)
        (record,) = caplog.records
        said = record.getMessage()
        assert about in said
        assert said.isprintable()

    def test_what_came_too_late_is_about(self, caplog: pytest.LogCaptureFixture) -> None:
        async def authorize(request: AuthzRequest) -> bool:
            await asyncio.sleep(60)
            return True

        ask(policy(authorize=authorize), decision_of())
        assert (
            "took longer than 0.3 s, which is policy_timeout, for GetObject by 'alice', bucket"
            " 'logs'" in caplog.text
        )

    def test_limits_that_cannot_be_shared(self, caplog: pytest.LogCaptureFixture) -> None:
        nothing: Any = object()
        asked = Policy(lambda key: None, lambda request: True, None, TIMES, nothing)
        ask(asked, (4, "limit"))
        assert "the sharing of limits failed\n" in caplog.text

    @pytest.mark.parametrize("way", ["plain", "coroutine", "returned", "exits"])
    def test_the_traceback_begins_in_the_function(
        self, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def secret_for(access_key: str) -> str:
            raise SystemExit if way == "exits" else OSError("away")

        async def later(access_key: str) -> str:
            return secret_for(access_key)

        ways = {"coroutine": later, "returned": lambda access_key: later(access_key)}
        ask(policy(ways.get(way, secret_for)), key_of())
        first = caplog.text.partition("Traceback (most recent call last):\n")[2]
        assert first.startswith(f'  File "{__file__}"'), caplog.text

    def test_a_traceback_without_a_function_is_whole(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        ask(policy(lambda access_key: 5), key_of())
        assert "tercel/s3/answers.py" in caplog.text
        assert "returns a FrontKey, a text or None, not one of int" in caplog.text


class _Exits(BaseException):
    pass


class TestCoroutines:
    @pytest.mark.parametrize(
        "ends", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), _Exits(), TimeoutError()]
    )
    @pytest.mark.parametrize("way", ["coroutine", "returned"])
    def test_what_would_end_the_process_is_a_failure(
        self, ends: BaseException, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def secret_for(access_key: str) -> str:
            await asyncio.sleep(0)
            if access_key == "ends":
                raise ends
            return "s"

        asked = policy(secret_for if way == "coroutine" else lambda key: secret_for(key))
        answers = ask(asked, key_of("ends"), key_of())
        assert [answer[1] for answer in answers] == [FAILED, YES]
        (record,) = caplog.records  # And nothing of asyncio's, of exceptions that nobody took.
        assert record.name == "tercel.s3"
        assert "in secret_for\n    raise ends" in caplog.text, "no traceback of the function"

    def test_ctrl_c_is_no_failure_of_a_function(self) -> None:
        program = """if True:
            import asyncio, os, signal
            from tercel.s3.answers import Times
            from tercel.s3.policy import Policy

            async def secret_for(access_key):
                signal.signal(signal.SIGINT, signal.default_int_handler)
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)

            times = Times(1, 1, 1, 1, 1, 1, patience=30)
            policy = Policy(secret_for, lambda request: True, None, times)

            async def main():
                policy.ask((0, "AK"), lambda answer: None)
                await asyncio.sleep(60)

            try:
                asyncio.run(main())
            except KeyboardInterrupt:
                print("interrupted")
        """
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, timeout=20, check=True
        )
        assert done.stdout.strip() == b"interrupted"

    def test_one_that_cancels_itself_is_a_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        async def secret_for(access_key: str) -> str:
            raise asyncio.CancelledError

        (answer,) = ask(policy(secret_for), key_of())
        assert answer[:2] == (0, FAILED)
        assert "secret_for() failed" in caplog.text

    @pytest.mark.parametrize("way", ["coroutine", "returned"])
    def test_one_that_ignores_its_cancellation_is_not_waited_for(
        self, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        goes_on = True

        async def authorize(request: AuthzRequest) -> bool:
            while goes_on:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)
            return True

        asked = policy(
            authorize=authorize if way == "coroutine" else lambda request: authorize(request)
        )

        async def run() -> None:
            nonlocal goes_on
            loop = asyncio.get_running_loop()
            for _ in range(2):  # Who asks the same again has an answer of its own.
                began = loop.time()
                answer = loop.create_future()
                asked.ask(decision_of(), answer.set_result)
                assert (await asyncio.wait_for(answer, 5))[:2] == (1, TIMED_OUT)
                assert loop.time() - began < 2 * TIMES.patience
            goes_on = False
            await asyncio.sleep(0.05)

        asyncio.run(run())
        assert caplog.text.count("took longer than 0.3 s") == 2
        assert caplog.text.count("returned after its time: that does not count") == 2

    def test_what_one_says_when_it_is_cancelled_does_not_count(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def authorize(request: AuthzRequest) -> bool:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if request.bucket == "raises":
                    raise ValueError("why") from None
                return True
            return False

        asked = policy(authorize=authorize)

        async def run() -> list[tuple[Any, ...]]:
            loop = asyncio.get_running_loop()
            answers: list[asyncio.Future[tuple[Any, ...]]] = []
            for bucket in ("returns", "raises"):
                answers.append(loop.create_future())
                asked.ask(decision_of(bucket=bucket), answers[-1].set_result)
            told = [await asyncio.wait_for(answer, 5) for answer in answers]
            await asyncio.sleep(0.05)
            return told

        assert [answer[:2] for answer in asyncio.run(run())] == [(1, TIMED_OUT)] * 2
        assert "returned after its time" in caplog.text
        assert "raised ValueError after its time" in caplog.text
        assert {record.name for record in caplog.records} == {"tercel.s3"}

    def test_one_that_waits_for_ever_is_not_collected(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def secret_for(access_key: str) -> str:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await asyncio.get_running_loop().create_future()
            return "s"

        asked = policy(secret_for)

        async def run() -> None:
            answer = asyncio.get_running_loop().create_future()
            asked.ask(key_of(), answer.set_result)
            assert (await asyncio.wait_for(answer, 5))[1] == TIMED_OUT
            await asyncio.sleep(0.05)
            gc.collect()
            assert "destroyed" not in caplog.text
            assert sum("secret_for" in task.get_name() for task in asyncio.all_tasks()) == 1

        asyncio.run(run())

    def test_one_that_blocks_the_loop_is_late_whatever_it_returns(self) -> None:
        async def authorize(request: AuthzRequest) -> bool:
            time.sleep(2 * TIMES.patience)  # noqa: ASYNC251
            return True

        (answer,) = ask(policy(authorize=authorize), decision_of())
        assert answer[:2] == (1, TIMED_OUT)

    def test_those_that_hang_are_so_many_and_no_more(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("tercel.s3.policy._COROUTINES_MOST", 4)
        running = most = 0
        hang = True

        async def secret_for(access_key: str) -> str:
            nonlocal running, most
            running += 1
            most = max(running, most)
            while hang:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)
            running -= 1
            return "s"

        asked = policy(secret_for)

        async def answer_of(access_key: str) -> int:
            answer = asyncio.get_running_loop().create_future()
            asked.ask(key_of(access_key), answer.set_result)
            return int((await asyncio.wait_for(answer, 5))[1])

        async def answers() -> list[int]:
            return await asyncio.gather(*(answer_of(str(number)) for number in range(20)))

        async def run() -> None:
            nonlocal hang
            for _ in range(2):
                assert await answers() == [TIMED_OUT] * 20
            assert most == 4
            assert caplog.text.count("4 calls have not ended that were given up") == 1
            hang = False
            await asyncio.sleep(0.1)
            assert await answers() == [YES] * 20
            assert most == 4
            hang = True
            assert await answers() == [TIMED_OUT] * 20

        loop = asyncio.new_event_loop()
        loop.run_until_complete(run())
        loop.close()
        # What has not ended on a loop that has takes no place on another.
        hang = False
        assert asyncio.run(answers()) == [YES] * 20


class TestDecisions:
    def test_what_is_asked(self) -> None:
        requests: list[AuthzRequest] = []

        def authorize(request: AuthzRequest) -> bool:
            requests.append(request)
            return True

        key = FrontKey("s", identity="alice", session={"team": 5})
        asked = policy(lambda access_key: key, authorize)
        ask(asked, key_of())
        (answer,) = ask(asked, decision_of(copy_source="a/b", presigned=True))
        assert answer == (1, YES, 0, "", 60, 60)
        assert requests == [
            AuthzRequest(
                identity="alice",
                access_key="AK",
                session={"team": 5},
                bucket="logs",
                key="2026/a",
                operation="GetObject",
                method="GET",
                query={"a": "1", "b": "x y"},
                source_ip="192.0.2.1",
                headers={"x-amz-acl": "private"},
                copy_source="a/b",
                presigned=True,
            )
        ]

    def test_a_session_is_of_its_identity(self) -> None:
        requests: list[AuthzRequest] = []
        key = FrontKey("s", identity="bob", session="bob's")
        asked = policy(lambda access_key: key, lambda request: not requests.append(request))
        ask(asked, key_of())
        ask(asked, decision_of(identity="alice"))
        assert requests[0].session is None

    def test_refusals_and_scopes(self) -> None:
        (answer,) = ask(policy(authorize=lambda request: False), decision_of())
        assert answer == (1, NO, 0, "", 5, 5)
        for number, scope in enumerate(("request", "prefix", "operation", "bucket")):
            decision = Decision(True, ttl=7, scope=scope, reason="why")  # type: ignore[arg-type]
            (answer,) = ask(policy(authorize=lambda request, d=decision: d), decision_of())
            assert answer == (1, YES, number, "why", 7, 7)

    @pytest.mark.parametrize("nonsense", [None, 1, "yes", {"allow": True}])
    def test_only_true_is_true(self, nonsense: Any) -> None:
        (answer,) = ask(policy(authorize=lambda request: nonsense), decision_of())
        assert answer[:2] == (1, FAILED)


class TestCredentials:
    QUESTION = (2, "logs", "alice", "")

    def test_of_a_bucket_and_an_identity(self) -> None:
        asked: list[tuple[str, str]] = []

        def credentials(bucket: str, identity: str) -> Hmac:
            asked.append((bucket, identity))
            return Hmac("AK", "SK", "ST")

        (answer,) = ask(policy(credentials=credentials), self.QUESTION)
        assert answer == (2, YES, 1, "AK", "SK", "ST", 240, 300)
        assert asked == [("logs", "alice")]

    def test_they_hold_to_their_end(self) -> None:
        token = Bearer("T", time.time() + 100)
        (answer,) = ask(policy(credentials=lambda bucket, identity: token), self.QUESTION)
        assert answer[:6] == (2, YES, 2, "", "T", "")
        assert 98 < answer[7] <= 100
        assert 78 < answer[6] <= 80
        old = Bearer("T", time.time() - 1)
        (answer,) = ask(policy(credentials=lambda bucket, identity: old), self.QUESTION)
        assert answer[:2] == (2, FAILED)

    def test_json(self) -> None:
        assert credentials_of('{"access_key": "A", "secret_key": "S"}') == Hmac("A", "S")
        assert credentials_of('{"api_key": "K"}') == ApiKey("K")
        assert credentials_of("K-plain") == ApiKey("K-plain")
        for nonsense in ('{"access_key": "A"}', "[]", "5", ""):
            with pytest.raises((TypeError, ValueError)):
                credentials_of(nonsense)
        with pytest.raises(TypeError, match="not of int"):
            credentials_of(5)


class _Iam(http.server.BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, bytes]]

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        form = self.rfile.read(size).decode()
        self.server.asked.append(form)  # type: ignore[attr-defined]
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def iam() -> Iterator[Any]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Iam)
    server.asked = []  # type: ignore[attr-defined]
    server.url = f"http://127.0.0.1:{server.server_port}/token"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class TestApiKeys:
    def test_one_is_exchanged_for_a_token(self, iam: Any) -> None:
        iam.answer = (200, json.dumps({"access_token": "T", "expires_in": 3600}).encode())
        asked = policy()
        asked.update({"logs": ApiKey("the key", iam.url)})
        (answer,) = ask(asked, (2, "", "", "logs"))
        assert answer[:6] == (2, YES, 2, "", "T", "")
        assert answer[7] == 300  # Of the gateway; the token would hold longer.
        exchanged = "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=the+key"
        assert iam.asked == [exchanged]

    def test_a_request_that_began_before_an_update_has_its_key(self, iam: Any) -> None:
        iam.answer = (200, json.dumps({"access_token": "T", "expires_in": 3600}).encode())
        asked = policy()
        asked.update({"logs": ApiKey("the key", iam.url)})
        asked.update({})
        (answer,) = ask(asked, (2, "", "", "logs"))
        assert answer[:6] == (2, YES, 2, "", "T", "")
        asked.update({})
        (answer,) = ask(asked, (2, "", "", "logs"))
        assert answer[:2] == (2, FAILED)

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ((400, b"{}"), "refused the API key with status 400"),
            ((200, b"{}"), "answered with no token"),
            ((200, b"nonsense"), "answered with no token"),
            ((200, b'{"access_token": "T", "expires_in": "soon"}'), "answered with no token"),
        ],
    )
    def test_there_is_no_token(self, iam: Any, answer: tuple[int, bytes], sentence: str) -> None:
        iam.answer = answer
        with pytest.raises(TokenRefused, match=sentence) as caught:
            exchange(ApiKey("the key", iam.url), 1)
        assert "the key" not in str(caught.value)

    def test_nobody_is_there(self, iam: Any, caplog: pytest.LogCaptureFixture) -> None:
        asked = policy()
        asked.update({"logs": ApiKey("the key", "http://127.0.0.1:9/token")})
        (answer,) = ask(asked, (2, "", "", "logs"))
        assert answer == (2, FAILED, 0, "", "", "", 1, 1)
        assert "could not be asked" in caplog.text
        assert "the key" not in caplog.text


def test_what_was_being_answered_when_all_was_forgotten_is_not_told_to_who_asks_then() -> None:
    async def run() -> list[str]:
        go_on = asyncio.Event()
        secrets = iter(["old", "new"])

        async def secret_for(access_key: str) -> str:
            secret = next(secrets)
            await go_on.wait()
            return secret

        asked = policy(secret_for)
        answers = [asyncio.get_running_loop().create_future() for _ in range(3)]
        asked.ask(key_of(), answers[0].set_result)
        await asyncio.sleep(0)
        asked.forget()
        asked.ask(key_of(), answers[1].set_result)
        asked.ask(key_of(), answers[2].set_result)
        go_on.set()
        return [(await asyncio.wait_for(answer, 5))[2] for answer in answers]

    assert asyncio.run(run()) == ["old", "new", "new"]
