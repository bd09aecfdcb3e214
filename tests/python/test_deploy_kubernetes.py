"""examples/deploy/kubernetes.yaml: what the schemas of Kubernetes, tercel and arithmetic say of it,
and a kubelet that is played on a real process.

The played one starts the command of the file as process 1, probes it, and ends it in the order of
the file: preStop, SIGTERM, and SIGKILL when the grace period is over.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from support.containers import ContainerProcess
from support.fixtures import Ledger
from support.http1 import RawClient
from support.load import Load
from support.proxies import DEPLOY
from tercel.cli.options import parse
from tercel.settings import Settings, load

DOCUMENTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
# The first that has `preStop.sleep` without being asked for it, and the newest that is known.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
# What a worker may take beside its requests: src/tercel/workers/crew.py.
SLACK_S = 5
STREAM_GRACE_S = 1.5
MIB = 1 << 20


def document(kind: str) -> dict[str, Any]:
    (found,) = [one for one in DOCUMENTS if one["kind"] == kind]
    return dict(found)


POD = document("Deployment")["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]


def settings() -> Settings:
    return load(command_line=parse(CONTAINER["args"], "tercel serve").settings)


def mebibytes(quantity: str) -> int:
    assert quantity.endswith("Mi")
    return int(quantity[:-2])


class TestFile:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("one", DOCUMENTS, ids=lambda one: one["kind"])
    def test_the_schema_of_kubernetes_holds(self, one: dict[str, Any], version: str):
        kubernetes_validate.validate(one, version, strict=True)

    def test_tercel_takes_the_arguments(self):
        words = [*CONTAINER["command"][2:], *CONTAINER["args"]]
        done = subprocess.run(
            [sys.executable, "-m", "tercel", "check", *words],
            cwd=DEPLOY / "container",
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        assert CONTAINER["command"][:2] == ["tercel", "serve"]
        assert settings().binds() == [f"0.0.0.0:{CONTAINER['ports'][0]['containerPort']}"]

    def test_names_and_labels_lead_somewhere(self):
        labels = POD["metadata"]["labels"]
        spec = document("Deployment")["spec"]
        assert spec["selector"]["matchLabels"] == labels
        assert document("Service")["spec"]["selector"] == labels
        assert document("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
        (port,) = CONTAINER["ports"]
        assert document("Service")["spec"]["ports"][0]["targetPort"] == port["name"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert CONTAINER[name]["httpGet"] == {"path": "/health", "port": port["name"]}

    def test_no_pod_and_no_node_is_believed(self):
        assert settings().forwarded_allow_ips == load().forwarded_allow_ips
        policy = document("NetworkPolicy")["spec"]
        assert policy["podSelector"]["matchLabels"] == POD["metadata"]["labels"]
        assert policy["policyTypes"] == ["Ingress"]
        (rule,) = policy["ingress"]
        assert rule["ports"] == [{"port": CONTAINER["ports"][0]["name"]}]
        # One namespace, by the label that Kubernetes itself gives it.
        (peer,) = rule["from"]
        assert list(peer) == ["namespaceSelector"]
        assert list(peer["namespaceSelector"]["matchLabels"]) == ["kubernetes.io/metadata.name"]

    def test_nobody_is_killed_before_it_had_its_time(self):
        given = settings()
        pause = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
        ends = given.timeout_graceful_shutdown + given.timeout_lifespan_shutdown + SLACK_S
        assert POD["spec"]["terminationGracePeriodSeconds"] >= pause + ends
        assert given.timeout_stream_grace < given.timeout_graceful_shutdown

    def test_a_pod_is_taken_out_long_before_it_is_killed(self):
        def patience(name: str) -> int:
            probe = CONTAINER[name]
            assert probe["timeoutSeconds"] <= probe["periodSeconds"]
            return int(probe["periodSeconds"] * probe["failureThreshold"])

        assert patience("readinessProbe") * 5 < patience("livenessProbe")
        # The supervisor, which writes down what the worker did, comes first.
        assert patience("livenessProbe") > settings().timeout_worker + SLACK_S
        # It is there because of a limit for workers.
        assert settings().limit_worker_memory > 0

    def test_a_worker_is_replaced_before_the_kernel_kills_it(self):
        given = settings()
        most = given.limit_worker_memory * (1 + given.recycle_jitter / 100)
        # While a worker is replaced, there is one more, which is new.
        assert (
            most * given.workers * 1.5 < mebibytes(CONTAINER["resources"]["limits"]["memory"]) * MIB
        )


class Pod:
    """The command of the file, as the kubelet runs it, but on a free port and with less patience
    for streams.
    """

    def __init__(self) -> None:
        other = ("--port=", "--timeout-stream-grace=")
        arguments = [word for word in CONTAINER["args"] if not word.startswith(other)]
        assert len(arguments) == len(CONTAINER["args"]) - 2
        arguments.append(f"--timeout-stream-grace={STREAM_GRACE_S}")
        self.server = ContainerProcess("crew:app", read_only=True, arguments=arguments)

    def probe(self, name: str) -> bool:
        probe = CONTAINER[name]
        try:
            with RawClient(self.server.address, timeout=probe["timeoutSeconds"]) as client:
                response = client.request("GET", probe["httpGet"]["path"])
                return 200 <= response.status < 400
        except OSError:
            return False


@pytest.fixture
def pod() -> Iterator[Pod]:
    one = Pod()
    with one.server:
        yield one


def test_a_pod_ends_and_nobody_notices(pod: Pod, load_client: str, ledger: Ledger):
    assert pod.probe("startupProbe")
    assert pod.probe("readinessProbe")
    words = ("--target", "/number", "--numbered", "--connections", 16)
    port = pod.server.port
    with (
        pod.server.connect(timeout=20) as stream,
        # Until the endpoint is withdrawn, and on connections that are open when the pod ends.
        Load(load_client, port, *words, seconds=0.5) as before,
        Load(load_client, port, *words, "--first-number", 1 << 40, seconds=50) as across,
    ):
        stream.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        while b"data: begin" not in stream.read_some():
            pass
        # preStop: the pod serves as it did. It lasts as long as the first load, not ten seconds.
        counts = before.counts()
        assert [counts[kind] for kind in ("lost", "wrong", "refused")] == [0, 0, 0], counts
        assert pod.probe("readinessProbe")
        begin = time.monotonic()
        pod.server.send_signal(signal.SIGTERM)
        rest = b""
        while b"data: end" not in rest:
            rest += stream.read_some()
        told = time.monotonic() - begin
        assert (rest + stream.read_to_close()).endswith(b"0\r\n\r\n")
        stream.close()  # Else the server waits for that, for a while.
        assert pod.server.wait() == 0
        took = time.monotonic() - begin
        assert not pod.probe("readinessProbe")
        later = across.end()
    assert [later[kind] for kind in ("lost", "wrong", "doubled")] == [0, 0, 0], later
    assert later["refused"] > 0
    assert STREAM_GRACE_S - 0.5 < told < STREAM_GRACE_S + 3
    pause = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert took + pause < POD["spec"]["terminationGracePeriodSeconds"]
    total = counts["sent"] + later["sent"]
    ledger(f"kubelet: 0 of {total} requests lost, the stream was told after {told:.1f} s")
