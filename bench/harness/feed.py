"""The message feed of examples/feed, in several frameworks, on one Redis that is started for a run.

What a page holds is posted through the server that is measured, and looked at before and after the
load. Redis runs on the client's core, which has time for both; its CPU time is told by itself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import load
from harness.bench import BENCH, Running, Settings, free_port, running, timed
from harness.process import MeasureError, Tree
from harness.servers import Server
from harness.stats import Sample

CONNECTIONS = 64
_PATH = "/feeds/bench/messages"
# So many messages of so many characters make a page of about that size.
_PAGES = {0: (0, 0), 1: (4, 190), 64: (64, 955)}


@dataclass(frozen=True)
class Feed:
    """A load of wrk on one page of a feed.

    Attributes:
        page_kib: the size of the page: 0, 1 or 64.
        requests: of each connection; on average, where it is more than one.
    """

    page_kib: int
    requests: int

    def __call__(self, server: Server, settings: Settings) -> Sample:
        """Starts Redis and `server`, posts the messages, warms up, measures once."""
        with _redis(settings) as redis, running(server, server.app, settings) as target:
            texts = _post(target.port, *_PAGES[self.page_kib])
            _check(target.port, texts, self.page_kib)
            self._apply(target, settings.warmup_s)
            before = redis.cpu()
            sample = timed(target, lambda: self._apply(target, settings.seconds))
            redis_us = redis.cpu_seconds_since(before) / sample["requests"] * 1e6
            _check(target.port, texts, self.page_kib)
            return {**sample, "redis_cpu_us_per_request": redis_us}

    def _apply(self, target: Running, seconds: float) -> load.Load:
        return load.wrk(
            f"http://127.0.0.1:{target.port}{_PATH}",
            connections=CONNECTIONS,
            seconds=seconds,
            core=target.settings.client_core,
            script=BENCH / "load" / "feed.lua",
            arguments=[str(self.requests)],
        )


@contextlib.contextmanager
def _redis(settings: Settings) -> Iterator[Tree]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    scratch = Path("/tmp")
    tree = Tree(
        command,
        core=settings.client_core,
        log=scratch / f"tercel-bench-redis-{port}.log",
        env={},
        cwd=scratch,
    )
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}"
    try:
        yield tree
    finally:
        tree.stop()
        (scratch / f"tercel-bench-redis-{port}.log").unlink(missing_ok=True)


def _post(port: int, count: int, characters: int) -> list[str]:
    texts = [f"{number} ".ljust(characters, "x") for number in range(count)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for text in texts:
        body = json.dumps({"author": "bench", "text": text})
        connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 201:
            raise MeasureError(f"wrong answer to a post: {answer.status} {answer.read()[:80]!r}")
        answer.read()
    connection.close()
    return texts


def _check(port: int, texts: list[str], page_kib: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", _PATH)
    body = connection.getresponse().read()
    connection.close()
    page = json.loads(body)
    right = [one["text"] for one in page["messages"]] == texts and page["marker"] == len(texts)
    if not right or abs(len(body) - page_kib * 1024) > page_kib * 128 + 64:
        raise MeasureError(f"wrong page of {len(body)} bytes: {body[:80]!r}")
