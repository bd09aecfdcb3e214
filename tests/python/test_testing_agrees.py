"""TestClient, a socket to `tercel serve`, and the app as an ASGI application answer alike.

Random requests (support/questions_of_api.py) to one app. A failure names the seed of its question.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar

import httpx
import pytest

import tercel
from apps.api_corners import CORNERS
from apps.api_corners import app as corners
from apps.api_things import app as things
from support.questions_of_api import Question, answer_of, random_question
from tercel.testing import TestClient

QUESTIONS = [(seed, random_question(random.Random(seed))) for seed in range(20261126, 20263126)]

Answers = list[tuple[Any, ...]]


def differences(questions: Sequence[Any], expected: Answers, others: Answers) -> str:
    """Returns the first questions that were answered in two ways, as a text."""
    told = [
        f"{question}\n  TestClient: {one}\n  other:      {other}"
        for question, one, other in zip(questions, expected, others, strict=True)
        if one != other
    ]
    return "\n".join([f"{len(told)} of {len(expected)} differ", *told[:12]]) if told else ""


async def ask_asgi(app: Any, questions: Iterable[Question]) -> Answers:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        # As a server does: each request in a task, and so in a context, of its own.
        return [
            answer_of(await asyncio.create_task(client.send(one.sent_by(client))))
            for one in questions
        ]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Those of a TestClient."""
    with TestClient(things, raise_server_exceptions=False, follow_redirects=False) as client:
        return [answer_of(client.send(question.sent_by(client))) for _, question in QUESTIONS]


def test_questions_reach_most_outcomes(answers: Answers) -> None:
    statuses = [status for status, _, _ in answers]
    rare = {201, 202, 204, 400, 403, 409, 413, 415, 418, 500, 501}
    assert {200, 404, 405, 422, *rare} <= set(statuses)
    assert sum(status < 300 for status in statuses) > len(statuses) / 10


def test_over_a_socket(answers: Answers, serve: Any) -> None:
    server = serve("api_things:app", access_log=False)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        served = [answer_of(client.send(question.sent_by(client))) for _, question in QUESTIONS]
    assert differences(QUESTIONS, answers, served) == ""


def test_as_an_asgi_application(answers: Answers) -> None:
    as_asgi = asyncio.run(ask_asgi(things, (question for _, question in QUESTIONS)))
    assert differences(QUESTIONS, answers, as_asgi) == ""


class TestCorners:
    """What the random questions do not reach."""

    QUESTIONS: ClassVar = [
        *[Question(method, target) for method, target in CORNERS],
        *[
            Question("POST", path, body=part * times, chunked=chunked)
            for path in ("/count", "/count-json")
            for part, times in ((b"1", 1), (b"[1]", 1), (b"[", 400_000), (b"x", 1_000_001))
            for chunked in (False, True)
        ],
        *[Question("PUT", "/ignore", body=b"x" * 2_000_000, chunked=one) for one in (False, True)],
        Question("POST", "/count", [("content-type", "a/b"), ("content-type", "c/d")], b"x"),
    ]

    def test_over_a_socket(self, serve: Any) -> None:
        server = serve("api_corners:app", access_log=False)
        with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client:
            served = [answer_of(client.send(one.sent_by(client))) for one in self.QUESTIONS]
        assert differences(self.QUESTIONS, self.expected(), served) == ""

    def test_as_an_asgi_application(self) -> None:
        as_asgi = asyncio.run(ask_asgi(corners, self.QUESTIONS))
        assert differences(self.QUESTIONS, self.expected(), as_asgi) == ""

    def test_names_of_header_fields_are_in_lower_case_as_asgi_wants_them(self) -> None:
        app = tercel.App()
        app.get("/")(lambda: tercel.Response("x", headers={"X-A": " 1 "}))
        transport = httpx.ASGITransport(app)
        request = httpx.Request("GET", "http://a/")
        response = asyncio.run(transport.handle_async_request(request))
        assert (b"x-a", b"1") in response.headers.raw

    def test_a_body_beyond_all_limits(self) -> None:
        app = tercel.App()

        @app.post("/")
        async def count(content: Annotated[bytes, tercel.Body(bytes_max=1 << 30)]) -> int:
            return len(content)

        answers = [
            asyncio.run(ask_asgi(app, [Question("POST", "/", body=b"x" * size)]))[0]
            for size in (1 << 26, (1 << 26) + 1)
        ]
        assert [status for status, _, _ in answers] == [200, 413]

    def expected(self) -> list[tuple[Any, ...]]:
        with TestClient(corners, raise_server_exceptions=False) as client:
            return [answer_of(client.send(one.sent_by(client))) for one in self.QUESTIONS]
