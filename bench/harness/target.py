"""What a server is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BACKLOG = 16384
KEEP_ALIVE_S = 600


@dataclass(frozen=True)
class Needs:
    """What a workload asks of a server beside HTTP/1.1 without TLS."""

    http2: bool = False
    websocket: bool = False
    tls: bool = False
    workers: int = 1
    threads: int = 0  # Of a proxy, which then has both cores, shared with the client; 0: one core.


PLAIN = Needs()


@dataclass(frozen=True)
class Target:
    """What a server is started with."""

    app: str  # Module in `bench/apps` that has an `app`. C++ servers ignore it.
    port: int
    python: str  # The interpreter that has the servers installed.
    build: Path  # The build directory of the C++ programs.
    scratch: Path  # A directory for configuration files.
    needs: Needs = PLAIN

    @property
    def certificate(self) -> str:
        """The file of the certificate; `load.make_certificate()` wrote it if there is TLS."""
        return str(self.scratch / "server.pem")

    @property
    def key(self) -> str:
        """The file of its key, PKCS#8."""
        return str(self.scratch / "server.key")
