"""examples/feed on a real Redis: numbers without gaps, markers, what is refused, and no store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.redis_server import redis_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "feed"


@pytest.fixture
def feed(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    with redis_server(tmp_path) as url:
        monkeypatch.setenv("REDIS_URL", url)
        server = serve("feed:app", app_dir=EXAMPLE)
        with httpx.Client(base_url=server.url, timeout=20) as client:
            yield client


def _post(client: httpx.Client, feed: str, text: str) -> int:
    answer = client.post(f"/feeds/{feed}/messages", json={"author": "ann", "text": text})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["number"]
    return number


def test_a_feed_is_read_from_a_marker(feed: httpx.Client) -> None:
    assert feed.get("/feeds/news/messages").json() == {"messages": [], "marker": 0}
    assert [_post(feed, "news", text) for text in "abc"] == [1, 2, 3]
    assert _post(feed, "other", "x") == 1
    page = feed.get("/feeds/news/messages?limit=2").json()
    assert [(one["number"], one["text"]) for one in page["messages"]] == [(1, "a"), (2, "b")]
    rest = feed.get(f"/feeds/news/messages?after={page['marker']}").json()
    assert ([one["text"] for one in rest["messages"]], rest["marker"]) == (["c"], 3)
    assert feed.get("/feeds/news/messages?after=3").json() == {"messages": [], "marker": 3}


def test_numbers_have_no_gaps_when_many_post_at_once(feed: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda n: _post(feed, "busy", f"text {n}"), range(80)))
    assert sorted(numbers) == list(range(1, 81))
    messages = feed.get("/feeds/busy/messages").json()["messages"]
    assert [one["number"] for one in messages] == list(range(1, 81))
    assert {one["text"] for one in messages} == {f"text {n}" for n in range(80)}


def test_what_is_no_message_is_refused(feed: httpx.Client) -> None:
    for body in ({"author": "", "text": "x"}, {"author": "ann", "text": "x" * 4001}, {"text": "x"}):
        assert feed.post("/feeds/news/messages", json=body).status_code == 422
    assert feed.get("/feeds/News/messages").status_code == 422
    assert feed.get("/feeds/news/messages?limit=101&after=-1").json()["errors"][1]
    assert feed.get("/feeds/news/messages").json()["messages"] == []


def test_without_a_store_it_says_so(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    server = serve("feed:app", app_dir=EXAMPLE)
    answer = httpx.get(f"{server.url}/feeds/news/messages")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "The store does not answer."
