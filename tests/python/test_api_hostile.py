"""Hostile requests to a typed API: a 4xx, in bounded time and memory.

Time is the server's CPU time, which a busy machine does not stretch.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.processes import cpu_seconds, private_bytes
from support.server import ServerProcess

MILLION = 1_000_000
# Of one answer. A body of 8 MB takes some hundredths to be parsed and checked.
CPU_S = 1.0
# Of what an answer leaves behind: freed memory that the allocator keeps.
KEPT_BYTES = 64 << 20

JSON = {"content-type": "application/json"}


@pytest.fixture
def server(serve_shared: Any) -> ServerProcess:
    return serve_shared("api_hostile:app", access_log=False)


@pytest.fixture
def ask(server: ServerProcess) -> Iterator[Any]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/any", json={})
        before_s, before = cpu_seconds(server.pid), private_bytes(server.pid)

        def ask(method: str, path: str, **options: Any) -> httpx.Response:
            return client.request(method, path, **options)

        yield ask
        assert client.post("/any", json={}).status_code == 200
        assert cpu_seconds(server.pid) - before_s < CPU_S
        assert private_bytes(server.pid) - before < KEPT_BYTES


def _numbers(count: int) -> str:
    return ",".join(map(str, range(count)))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/any", "[" * 100_000, 400, id="arrays in each other"),
        pytest.param("/any", '{"a":' * 100_000, 400, id="objects in each other"),
        pytest.param("/any", "[" * 129 + "]" * 129, 400, id="one too deep"),
        pytest.param("/any", "1" * MILLION, 400, id="an integer of a million digits"),
        pytest.param("/typed", '[{"name":"a","size":1e999999999}]', 422, id="an endless exponent"),
        pytest.param("/typed", '[{"name":"a","size":-1.5}]', 422, id="a fraction"),
        pytest.param("/any", '"\\ud800"', 400, id="half of a pair"),
        pytest.param("/any", b'"\xff"', 400, id="no UTF-8"),
        pytest.param("/any", '{"a":1}' * 100_000, 400, id="documents behind each other"),
        pytest.param(
            "/strict", "{" + ",".join(['"a":1'] * 200_000) + "}", 400, id="a key many times"
        ),
        pytest.param(
            "/strict",
            "{" + ",".join(f'"k{n}":1' for n in [*range(100_000), 0]) + "}",
            400,
            id="a key once more, at the end",
        ),
        pytest.param("/unique", f"[{_numbers(MILLION)},0]", 422, id="a million, and one again"),
        pytest.param(
            "/unique",
            "[" + ",".join(f'{{"a":[{n}]}}' for n in [*range(100_000), 7]) + "]",
            422,
            id="objects, and one again",
        ),
        pytest.param("/pattern", json.dumps("a" * MILLION + "!"), 422, id="a slow pattern"),
        pytest.param(
            "/typed",
            "[" + ",".join(['{"name":"a","size":1}'] * 100_000 + ["0"] * 1000) + "]",
            422,
            id="failures at the end",
        ),
        pytest.param("/typed", f"[{_numbers(MILLION)}]", 422, id="a million failures"),
        pytest.param(
            "/typed",
            '[{"name":"a","size":1,' + ",".join(f'"x{n}":1' for n in range(100_000)) + "}]",
            422,
            id="a hundred thousand unknown members",
        ),
        pytest.param("/any", b"x" * (17 << 20), 413, id="too long"),
    ],
)
def test_bodies(ask: Any, path: str, body: str | bytes, status: int) -> None:
    content = body.encode() if isinstance(body, str) else body
    answer = ask("POST", path, content=content, headers=JSON)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 128 << 10


def test_a_compressed_bomb_is_not_inflated(ask: Any) -> None:
    bomb = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    for coding in ("gzip", "br", "x-unknown", "identity, gzip"):
        answer = ask("POST", "/any", content=bomb, headers={**JSON, "content-encoding": coding})
        assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    named = ask("POST", "/any", content=b"{}", headers={**JSON, "content-encoding": "Identity"})
    assert named.status_code == 200
    # Who takes the body as it was sent gets it so.
    raw = ask("POST", "/raw", content=bomb, headers={"content-encoding": "gzip"})
    assert raw.json() == len(bomb)


def test_queries(ask: Any) -> None:
    assert ask("GET", "/query?" + "&" * 15_000).status_code in (200, 400)
    assert ask("GET", "/query?" + "names=1&" * 1500).status_code == 400
    assert ask("GET", "/query?names=" + "9" * 15_000).status_code == 422
    assert ask("GET", "/query?names=%FF&names=%0").status_code in (400, 422)
    assert ask("GET", "/query?" + "names=x&" * 900).status_code == 422
    assert ask("GET", "/query?" + "x" * 20_000).status_code == 414


def test_cookies(ask: Any) -> None:
    assert ask("GET", "/cookie", headers={"cookie": "a=" + "x" * 70_000}).status_code == 431
    many = "; ".join(f"c{n}=1" for n in range(5000))
    assert ask("GET", "/cookie", headers={"cookie": many}).status_code == 431
    assert ask("GET", "/cookie", headers={"cookie": ";" * 30_000 + "name=ann"}).status_code in (
        200,
        431,
    )


def test_paths(ask: Any) -> None:
    assert ask("GET", "/" + "-" * 8000 + "/x").status_code in (200, 404)
    assert ask("GET", "/" + "-x" * 3000 + "/" + "a/" * 2000).status_code in (200, 404)
    assert ask("GET", "/" + "%2d" * 2000).status_code == 404
    assert ask("GET", "/" + "a" * 20_000).status_code == 414
