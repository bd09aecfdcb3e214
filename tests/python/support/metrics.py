"""What a server shows at `metrics_bind`, read by Prometheus's parsers.

metrics = metrics_of(server)
metrics.wait_for(1, "tercel_http_requests_total", method="GET", status="2xx")
"""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from support.server import ServerProcess
from support.waiting import wait_until

__all__ = ["ANYWHERE", "GUIDE", "Metrics", "metrics_of", "named"]

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "metrics.md"
ANYWHERE = "127.0.0.1:0"
Sample = tuple[str, tuple[tuple[str, str], ...]]


class Metrics:
    """What is shown at an URL."""

    def __init__(self, url: str) -> None:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url), url
        self.url = url

    def text(self, accept: str | None = None) -> tuple[str, str]:
        """Returns the type and the text."""
        request = urllib.request.Request(self.url, headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.headers["Content-Type"], response.read().decode()

    def families(self) -> set[str]:
        return set(re.findall(r"^# TYPE (\w+)", self.text("text/plain")[1], re.MULTILINE))

    def samples(self) -> dict[Sample, float]:
        """Returns every sample, by name and labels."""
        families = list(read_openmetrics(self.text()[1]))
        assert all(family.documentation for family in families)
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        return self.samples().get((name, tuple(sorted(labels.items()))), 0)

    def total(self, name: str) -> float:
        """The sum of a counter for all labels."""
        return sum(value for (one, _), value in self.samples().items() if one == name)

    def wait_for(self, count: float, name: str, **labels: str) -> None:
        """Waits for a value: what is over for the client is counted a moment later."""
        wait_until(
            lambda: self.value(name, **labels) == count,
            f"{name} {labels} is {count}, not {self.value(name, **labels)}",
        )


def metrics_of(server: Any) -> Metrics:
    """Returns those of a ServerThread, or of a ServerProcess."""
    if isinstance(server, ServerProcess):
        return Metrics(server.wait_for(r"Metrics: (\S+)")[1])
    return Metrics(server.server.metrics_url)


def named(prefix: str) -> set[str]:
    """Returns the families that the guide names, of those that begin so."""
    return set(re.findall(rf"^\| `({prefix}\w+)`", GUIDE.read_text(), re.MULTILINE))
