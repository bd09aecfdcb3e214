"""TestClient, a socket to `tercel serve`, and the app as an ASGI application answer alike.

Random requests (support/questions_of_api.py) to one app. A failure names the seed of its question.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from apps.api_things import app
from support.questions_of_api import Question, answer_of, random_question
from tercel.testing import TestClient

QUESTIONS = 3000
SEED = 20261126


def questions() -> Iterator[tuple[int, Question]]:
    for number in range(QUESTIONS):
        yield SEED + number, random_question(random.Random(SEED + number))


@pytest.fixture(scope="module")
def answers() -> list[tuple[Any, ...]]:
    """Those of a TestClient."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        return [answer_of(client.send(question.sent_by(client))) for _, question in questions()]


def differences(expected: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> str:
    assert len(expected) == len(others) == QUESTIONS
    told = [
        f"seed {seed}: {question}\n  TestClient: {one}\n  other:      {other}"
        for (seed, question), one, other in zip(questions(), expected, others, strict=True)
        if one != other
    ]
    return "\n".join([f"{len(told)} of {QUESTIONS} differ", *told[:12]]) if told else ""


def test_questions_reach_most_outcomes(answers: list[tuple[Any, ...]]) -> None:
    statuses = {status for status, _, _ in answers}
    assert statuses >= {200, 201, 202, 204, 400, 403, 404, 405, 409, 413, 415, 418, 422, 500, 501}
    assert sum(status in (200, 201) for status, _, _ in answers) > QUESTIONS / 10


def test_over_a_socket(answers: list[tuple[Any, ...]], serve: Any) -> None:
    server = serve("api_things:app", access_log=False)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        served = [answer_of(client.send(question.sent_by(client))) for _, question in questions()]
    assert differences(answers, served) == ""


def test_as_an_asgi_application(answers: list[tuple[Any, ...]]) -> None:
    async def ask() -> list[tuple[Any, ...]]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            # As a server does: each request in a task, and so in a context, of its own.
            return [
                answer_of(await asyncio.create_task(client.send(question.sent_by(client))))
                for _, question in questions()
            ]

    assert differences(answers, asyncio.run(ask())) == ""
