"""Metrics: what `metrics_bind` shows, of one process and of several, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

import tercel
from support.crew import Site
from support.fixtures import ServeProcess, ServeThread
from support.http2 import H2Client
from support.metrics import ANYWHERE, Metrics, metrics_of, named
from support.server import ServerProcess
from support.waiting import wait_until
from tercel.problems import SettingError, StartError

ROOT = Path(__file__).resolve().parents[2]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError("no lifespan")
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status = int(scope["path"][1:] or 200)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body * 2})


def answer_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response(f"{environ['PATH_INFO'][1:] or 200} X", [])
    return [body * 2]


api = tercel.App()


@api.get("/")
def hello() -> str:
    return "hello"


# --- one process


@pytest.mark.parametrize("io_threads", [0, 2])
@pytest.mark.parametrize("app", [answer, answer_wsgi], ids=["asgi", "wsgi"])
def test_requests_are_counted(serve_here: ServeThread, app: Any, io_threads: int) -> None:
    server = serve_here(app, metrics_bind=ANYWHERE, io_threads=io_threads, interface="auto")
    metrics = metrics_of(server)
    server.request("GET", "/")
    server.request("GET", "/404")
    server.request("POST", "/201", body=b"12345")
    server.request("PURGE", "/503")
    metrics.wait_for(4, "tercel_http_request_duration_seconds_count")
    name = "tercel_http_requests_total"
    for method, status in (("GET", "2xx"), ("GET", "4xx"), ("POST", "2xx"), ("other", "5xx")):
        assert metrics.value(name, method=method, status=status) == 1
    assert metrics.total(name) == 4
    assert metrics.value("tercel_http_request_body_bytes_total") == 5
    assert metrics.value("tercel_http_response_body_bytes_total") == 10
    assert metrics.value("tercel_http_connections_accepted_total") == 4
    assert metrics.value("tercel_http_requests_in_flight") == 0


def test_requests_of_http2_are_counted(serve_here: ServeThread) -> None:
    server = serve_here(answer, metrics_bind=ANYWHERE)
    with H2Client(server.address) as client:
        client.get(1, "/404")
        assert client.response(1).status == 404
        client.get(3, "/")
        assert client.response(3).status == 200
        metrics = metrics_of(server)
        metrics.wait_for(2, "tercel_http_request_duration_seconds_count")
        for status in ("2xx", "4xx"):
            assert metrics.value("tercel_http_requests_total", method="GET", status=status) == 1
        assert metrics.value("tercel_http_connections") == 1


def test_an_api_is_counted(serve_here: ServeThread) -> None:
    server = serve_here(api, metrics_bind=ANYWHERE)
    metrics = metrics_of(server)
    assert server.request("GET", "/").status == 200
    assert server.request("GET", "/none").status == 404
    metrics.wait_for(1, "tercel_http_requests_total", method="GET", status="4xx")
    assert metrics.value("tercel_http_requests_total", method="GET", status="2xx") == 1


def test_durations_are_those_of_the_application(serve_here: ServeThread) -> None:
    """On the loop's own thread, too, whose clock stands still while it computes."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        time.sleep(0.03)  # noqa: ASYNC251
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    server = serve_here(slow, metrics_bind=ANYWHERE, io_threads=0, lifespan="off")
    metrics = metrics_of(server)
    server.request()
    name = "tercel_http_request_duration_seconds"
    metrics.wait_for(1, f"{name}_count")
    assert metrics.value(f"{name}_bucket", le="0.025") == 0
    assert metrics.value(f"{name}_bucket", le="10.0") == 1
    assert metrics.value(f"{name}_bucket", le="+Inf") == 1
    assert 0.03 <= metrics.value(f"{name}_sum") < 10


def test_what_is_under_way_is_shown(serve_here: ServeThread) -> None:
    go_on = threading.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(go_on.wait, 30)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    server = serve_here(waits, metrics_bind=ANYWHERE, limit_concurrency=1, lifespan="off")
    metrics = metrics_of(server)
    with server.connect() as first, server.connect() as second:
        for client in (first, second):
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        metrics.wait_for(1, "tercel_http_requests_waiting")
        time.sleep(0.15)
        assert metrics.value("tercel_http_requests_in_flight") == 1
        assert metrics.value("tercel_http_connections") == 2
        second.reset()
        metrics.wait_for(1, "tercel_http_requests_client_gone_total")
        go_on.set()
        assert first.response().status == 200
    metrics.wait_for(0, "tercel_http_connections")
    assert metrics.value("tercel_http_requests_total", method="GET", status="none") == 1
    # The wait is a part of it.
    assert metrics.value("tercel_http_request_duration_seconds_count") == 2
    assert metrics.value("tercel_http_request_duration_seconds_bucket", le="0.1") == 0


def test_refused_heads_are_counted(serve_here: ServeThread) -> None:
    server = serve_here(answer, metrics_bind=ANYWHERE)
    with server.connect() as client:
        client.send("nonsense\r\n\r\n")
        assert client.response().status == 400
    metrics_of(server).wait_for(1, "tercel_http_requests_total", method="other", status="4xx")


def test_both_formats_are_well_formed_and_say_the_same(serve_here: ServeThread) -> None:
    server = serve_here(answer, metrics_bind=ANYWHERE)
    metrics = metrics_of(server)
    server.request("POST", "/", body=b"1")
    metrics.wait_for(1, "tercel_http_request_duration_seconds_count")
    kind, text = metrics.text("application/openmetrics-text; version=1.0.0")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("# EOF\n")
    opened = {
        (sample.name, str(sample.labels)): sample.value
        for family in read_openmetrics(text)
        for sample in family.samples
    }
    kind, text = metrics.text("text/plain")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    plain = {
        (sample.name, str(sample.labels)): sample.value
        for family in read_prometheus(text)
        for sample in family.samples
    }
    assert plain == opened
    assert len(plain) > 20


def test_metrics_are_not_on_the_applications_port(serve_here: ServeThread) -> None:
    server = serve_here(api, metrics_bind=ANYWHERE)
    assert server.request("GET", "/metrics").status == 404
    metrics = metrics_of(server)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(metrics.url.removesuffix("metrics"), timeout=10)
    # What is asked here is no request of the application.
    assert metrics.total("tercel_http_requests_total") == 1


def test_without_the_setting_there_are_none(serve_here: ServeThread) -> None:
    assert serve_here(api).server.metrics_url == ""


def test_addresses_that_are_no_use_are_mistakes() -> None:
    with pytest.raises(SettingError, match="metrics-bind is where the application listens"):
        tercel.Server(answer, port=8123, metrics_bind="127.0.0.1:8123")
    with pytest.raises(SettingError, match="metrics_bind must be host:port"):
        tercel.Server(answer, metrics_bind="nowhere")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = tercel.Server(answer, port=0, metrics_bind=f"127.0.0.1:{port}")
        with pytest.raises(StartError, match=f"Cannot listen on 127.0.0.1:{port}: "):
            asyncio.run(server.serve())


def test_tls_is_the_applications(serve: ServeProcess, transport: Any) -> None:
    server = serve("crew:app", metrics_bind=ANYWHERE, **transport.settings)
    assert metrics_of(server).total("tercel_http_requests_total") == 0


# --- several processes


@pytest.fixture
def crew(serve: ServeProcess) -> Callable[..., ServerProcess]:
    def start(**settings: Any) -> ServerProcess:
        settings = {"workers": 2, "access_log": False, "metrics_bind": ANYWHERE, **settings}
        return serve("crew:app", **settings)

    return start


def ask(server: ServerProcess, count: int) -> set[bytes]:
    """Sends requests, and returns who answered: the workers tell their ids."""
    return {server.request("GET", "/").body for _ in range(count)}


def count_is(metrics: Metrics, count: int) -> None:
    metrics.wait_for(count, "tercel_http_requests_total", method="GET", status="2xx")


@pytest.mark.parametrize("io_threads", [0, 2])
def test_every_worker_shows_the_sum_of_all(crew: Any, io_threads: int) -> None:
    server = crew(io_threads=io_threads)
    metrics = metrics_of(server)
    assert len(ask(server, 100)) == 2
    count_is(metrics, 100)
    for _ in range(20):  # Whoever of them answers.
        assert metrics.value("tercel_http_requests_total", method="GET", status="2xx") == 100
    assert metrics.value("tercel_http_request_duration_seconds_count") == 100


def test_counters_never_fall_when_workers_come_and_go(crew: Any) -> None:
    server = crew()
    site, metrics = Site(server), metrics_of(server)
    expected, seen = 0, 0.0
    for change in (lambda: site.kill_worker(2), site.reload, lambda: site.kill_worker(2)):
        ask(server, 30)
        expected += 30
        count_is(metrics, expected)
        change()
        site.all_serve(2)
        now = metrics.total("tercel_http_requests_total")
        assert now >= seen
        seen = now
    assert metrics.value("tercel_http_requests_in_flight") == 0
    metrics.wait_for(0, "tercel_http_connections")


def test_another_program_takes_the_address_over(crew: Any) -> None:
    server = crew()
    site, metrics = Site(server), metrics_of(server)
    ask(server, 10)
    count_is(metrics, 10)
    try:
        with server.connect() as client:
            client.send(b"POST /upload HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
            server.wait_for("upload began")
            upgrading = threading.Thread(target=site.upgrade)
            upgrading.start()
            server.wait_for(r"Process \d+ serves: this one ends")
            # For a moment both answer. Then the old one, which still works, shows nothing any more;
            # the new one counts from zero.
            totals = (metrics.total("tercel_http_requests_total") for _ in itertools.repeat(None))
            wait_until(
                lambda: set(itertools.islice(totals, 40)) == {0}, "only the new one is shown"
            )
            client.send(b"b")
            assert b"200 OK" in client.read_to_close()
        upgrading.join(60)
        ask(server, 7)
        count_is(metrics, 7)
    finally:
        site.stop()


@pytest.mark.parametrize("scraper", ["keeps its connection", "reads nothing"])
def test_a_scraper_holds_up_no_worker(crew: Any, scraper: str) -> None:
    server = crew(workers=2)
    port = int(metrics_of(server).url.split(":")[2].split("/")[0])
    scrapes = 1 if scraper == "keeps its connection" else 2000
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):  # As much as it takes.
            for _ in range(scrapes):
                client.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.3)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 3


def test_state_and_metrics_agree(crew: Any) -> None:
    server = crew()
    ask(server, 40)
    count_is(metrics_of(server), 40)
    server.send_signal(signal.SIGUSR1)
    state = server.wait_for(r"State: (.*)")[1]
    assert '"requests": 40' in state


# --- the guide


def test_the_guide_names_every_family(serve_here: ServeThread) -> None:
    assert metrics_of(serve_here(api, metrics_bind=ANYWHERE)).families() == named("tercel_http")


def test_the_configuration_of_prometheus_is_that_of_the_guide() -> None:
    config = yaml.safe_load((ROOT / "examples" / "deploy" / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]
