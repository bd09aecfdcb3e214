"""Metrics of an S3 gateway, of one process and of several."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from support.crew import Site
from support.metrics import ANYWHERE, Metrics, metrics_of, named
from support.s3_gateway import ALICE, Front, backend, file_server, origin_fixture
from support.s3_origin import KEY, Origin
from support.waiting import wait_until
from tercel.s3 import Hmac, presign

origin = origin_fixture(b"kept")


def check_gateway(metrics: Metrics, gets: int) -> None:
    operations = "tercel_s3_operations_total"
    metrics.wait_for(gets, operations, operation="GetObject", status="2xx")
    metrics.wait_for(1, operations, operation="GetObject", status="4xx")
    assert metrics.value("tercel_s3_events_total", event="forwarded") == gets + 1
    assert metrics.value("tercel_s3_events_total", event="requests") == gets + 1
    assert metrics.value("tercel_s3_upstream_duration_seconds_count") == gets + 1
    assert metrics.value("tercel_s3_upstream_duration_seconds_sum") > 0


def test_operations_of_a_gateway_are_counted(origin: Origin) -> None:
    with Front({"*": backend(origin)}, settings={"metrics_bind": ANYWHERE}) as front:
        metrics = Metrics(front._server.server.metrics_url)
        for _ in range(3):
            assert front.send("GET", "/back/key").status == 200
        assert front.send("GET", "/back/none").status == 404
        check_gateway(metrics, 3)
        metrics.wait_for(1, "tercel_s3_upstream_connections", state="idle")
        assert metrics.value("tercel_s3_upstream_connections", state="used") == 0
        front.send_raw("GET", "/back/key", {"Host": front.host})
        metrics.wait_for(1, "tercel_s3_events_total", event="refused")
        front.send("PUT", "/back/key?none-such", body=b"")
        metrics.wait_for(1, "tercel_s3_operations_total", operation="Unknown", status="5xx")
        origin.hang_up()
        metrics.wait_for(0, "tercel_s3_upstream_connections", state="idle")
        assert front.gateway.counts()["requests"] == 6


def test_the_workers_of_a_gateway_show_their_sum(
    tmp_path: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B", KEY.secret)
    monkeypatch.setenv("A", ALICE.secret)
    path = tmp_path / "s3.toml"
    path.write_text(
        f"""
        [server]
        port = 0
        workers = 2
        metrics_bind = "{ANYWHERE}"
        [buckets."*"]
        endpoint = "{origin.url}"
        access_key = "{KEY.access_key}"
        secret_key = {{ env = "B" }}
        [identities.alice]
        secret = {{ env = "A" }}
        [[policies]]
        allow = true
        """
    )
    with file_server(path) as server:
        metrics = metrics_of(server)

        def get(key: str) -> int:
            alice = Hmac("alice", ALICE.secret)
            url = presign("GET", f"{server.url}/back/{key}", credentials=alice)
            try:
                with urllib.request.urlopen(url, timeout=10) as response:
                    return int(response.status)
            except urllib.error.HTTPError as error:
                return error.code

        for _ in range(30):
            assert get("key") == 200
        assert get("none") == 404
        check_gateway(metrics, 30)
        site = Site(server)
        os.kill(site.workers()[0], signal.SIGKILL)
        wait_until(lambda: "another one takes its place" in server.output, "it is noticed")
        assert get("key") == 200
        check_gateway(metrics, 31)


def test_the_guide_names_every_family(origin: Origin) -> None:
    with Front({"*": backend(origin)}, settings={"metrics_bind": ANYWHERE}) as front:
        families = Metrics(front._server.server.metrics_url).families()
    assert families == named("tercel_http") | named("tercel_s3")
