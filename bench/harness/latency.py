"""Latency at a fixed rate below saturation, measured from the time each request was due."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness import load
from harness.bench import Settings, running
from harness.servers import Server
from harness.stats import Sample

CONNECTIONS = 64


def at_rate(requests_per_s: int) -> Callable[[Server, Settings], Sample]:
    """Returns the measurement at `requests_per_s`; a server that cannot hold it fails."""

    def measure(server: Server, settings: Settings) -> Sample:
        with running(server, "hello", settings) as target:
            command = [
                *(str(settings.build / "bench" / "paced"), str(target.port), str(CONNECTIONS)),
                *(str(requests_per_s), str(settings.warmup_s), str(settings.seconds)),
            ]
            timeout_s = settings.warmup_s + settings.seconds + 30
            text, _ = load.run_pinned(command, core=settings.client_core, timeout_s=timeout_s)
        sample: Sample = json.loads(text)
        return sample

    return measure
