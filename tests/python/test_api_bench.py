"""The typed API of bench/: that its harness takes each framework's right answers, and no others.

A framework that only the requirements of the bench install is skipped where they are not.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server import ServerProcess

BENCH = Path(__file__).resolve().parents[2] / "bench"
FRAMEWORKS = ("tercel", "fastapi", "litestar", "falcon", "blacksheep")


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))


@pytest.fixture
def api() -> Any:
    from harness import api

    return api


def all_calls(api: Any) -> tuple[Any, ...]:
    return (api.HELLO, api.PARAMS, *api.PARAMS_ALSO, *api.ORDERS_ALSO)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_answers_of_each_framework_are_right(api: Any, framework: str) -> None:
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    with ServerProcess(f"api_{framework}:app", app_dir=BENCH / "apps") as server:
        for call in all_calls(api):
            api.check(server.port, call)


def test_body_is_of_one_kilobyte(api: Any) -> None:
    assert 900 <= len(api.POST.body) <= 1100


# An application that answers each request with what the request says.
PARROT = """\
import json
from urllib.parse import parse_qs

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("HTTP only")
    body = (await receive())["body"]
    said = json.loads(body)
    fields = [(name, said[name.decode()].encode()) for name in (b"content-type", b"connection")]
    await send({"type": "http.response.start", "status": said["status"], "headers": fields})
    await send({"type": "http.response.body", "body": said["body"].encode()})
"""
RIGHT = {
    "status": 200,
    "content-type": "application/json",
    "connection": "keep-alive",
    "body": '{ "verbose": true, "limit": 20, "item_id": 42 }',
}


@pytest.fixture(scope="module")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("parrot")
    (folder / "parrot.py").write_text(PARROT)
    with ServerProcess("parrot:app", app_dir=folder) as server:
        yield server.port


def asking_for(api: Any, answer: dict[str, Any], expected: Any) -> Any:
    return api.Call("POST", "/", (200,), expected, json.dumps(answer).encode())


def test_right_answer_passes_whatever_the_order_of_its_fields(api: Any, parrot: int) -> None:
    api.check(parrot, asking_for(api, RIGHT, api.PARAMS.expected))


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 201},
        {"content-type": "text/plain"},
        {"connection": "close"},
        {"body": '{"item_id":42,"limit":20,"verbose":1}'},
        {"body": '{"item_id":42.0,"limit":20,"verbose":true}'},
        {"body": '{"item_id":"42","limit":20,"verbose":true}'},
        {"body": '{"item_id":42,"limit":20}'},
        {"body": '{"item_id":42,"limit":20,"verbose":true'},
    ],
)
def test_wrong_answer_is_refused(api: Any, parrot: int, wrong: dict[str, Any]) -> None:
    from harness.process import MeasureError

    with pytest.raises(MeasureError):
        api.check(parrot, asking_for(api, RIGHT | wrong, api.PARAMS.expected))


def test_content_type_may_be_waived(api: Any, parrot: int) -> None:
    untyped = RIGHT | {"content-type": "text/plain"}
    api.check(parrot, asking_for(api, untyped, api.PARAMS.expected), typed=False)


WRK = "  1000 requests in 2.00s, 1.52MB read\n"
WRK_ERRORS = "  Non-2xx or 3xx responses: {}\n"


@pytest.mark.parametrize(("text", "refused"), [(WRK, False), (WRK + WRK_ERRORS.format(1000), True)])
def test_wrk_counts_what_was_answered_as_it_should_be(text: str, refused: bool) -> None:
    from harness.load import wrk_counts

    assert wrk_counts(text, refused=refused) == (1000, 2.0)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (WRK + WRK_ERRORS.format(1), False),
        (WRK + WRK_ERRORS.format(999), True),
        (WRK, True),
        ("  Socket errors: connect 0, read 1, write 0, timeout 0\n" + WRK, False),
        ("  0 requests in 2.00s, 0.00B read\n", False),
    ],
)
def test_wrk_run_with_other_answers_does_not_count(text: str, refused: bool) -> None:
    from harness.load import wrk_counts
    from harness.process import MeasureError

    with pytest.raises(MeasureError):
        wrk_counts(text, refused=refused)


def result_of(**cpu_us: float | None) -> dict[str, Any]:
    """A result of `api-hello` alone: microseconds of CPU per request, None for a failure."""
    servers = {
        name.replace("_", "-"): {
            "failure": "it did not start" if us is None else None,
            "median": {}
            if us is None
            else {"cpu_us_per_request": us, "requests_per_cpu_s": 1e6 / us},
        }
        for name, us in cpu_us.items()
    }
    return {"workloads": {"api-hello": {"servers": servers}}}


def test_best_of_the_peers_is_the_best_that_did_not_fail() -> None:
    from harness.bars import API_PEERS, Medians

    medians = Medians(result_of(tercel_api=1, spikard=None, robyn=30, falcon_granian=20))
    assert medians.best_cpu_us("api-hello", API_PEERS) == 20
    with pytest.raises(KeyError):
        Medians(result_of(tercel_api=1, spikard=None)).best_cpu_us("api-hello", API_PEERS)


def test_report_shows_each_framework_and_tercel_as_a_multiple() -> None:
    import report

    rows = report.api(result_of(tercel_api=10, robyn=40, spikard=None)).splitlines()[2:]
    assert rows == ["| tercel-api | 100,000 |", "| robyn | 25,000 (4.0x) |", "| spikard | failed |"]
    assert report.api({"workloads": {}}) == ""


def test_report_judges_only_the_targets_of_the_run() -> None:
    import report

    rows = report.bars(result_of(tercel_api=10, robyn=40, fastapi_granian=30)).splitlines()[2:]
    assert [row.split(" | ")[2:] for row in rows] == [
        ["3 x", "yes |"],
        ["3 x", "**no** |"],
        ["-", " |"],
    ]
