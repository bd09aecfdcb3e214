"""A gateway of S3 in this process, what its functions are asked, and a client that signs by hand.

with Origin() as origin, Front({"*": backend(origin)}) as front:
    response = front.send("GET", "/front/key")
    assert error_code(response) == "AccessDenied" and not front.asked
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import tercel.s3
from support.closing import Closing
from support.http1 import Closed, RawClient, Response
from support.s3_origin import KEY, Origin
from support.server import ServerProcess, ServerThread
from support.sigv4 import EMPTY, Key, presign, sign

__all__ = [
    "ALICE",
    "BOB",
    "Front",
    "backend",
    "error_code",
    "fields_of",
    "file_server",
    "front_fixture",
    "got_of_refused",
    "origin_fixture",
    "raw_request",
]

ALICE = Key("alice", "her secret")
BOB = Key("bob", "his secret")


def backend(origin: Origin, *, key: Key | None = KEY, **options: Any) -> tercel.s3.Backend:
    """Returns the backend that `origin` is, reached with `key`."""
    creds = tercel.s3.Hmac(key.access_key, key.secret) if key is not None else None
    return tercel.s3.Backend(**{"endpoint": origin.url, "creds": creds, **options})


def origin_fixture(kept: bytes) -> Any:
    """Returns a fixture: an origin that has one object, /back/key."""

    @pytest.fixture
    def origin() -> Iterator[Origin]:
        with Origin() as one:
            one.objects["/back/key"] = kept
            yield one

    return origin


def front_fixture() -> Any:
    """Returns a fixture: a gateway before the origin, of one thread and of two."""

    @pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
    def front(request: pytest.FixtureRequest, origin: Origin) -> Iterator[Front]:
        with Front({"*": backend(origin)}, settings={"io_threads": request.param}) as one:
            yield one

    return front


def file_server(path: Path, *arguments: str) -> ServerProcess:
    """Returns a process that serves the gateway of a file, once it is started."""
    server = ServerProcess(path.name, port=None)
    server.command = [sys.executable, "-m", "tercel", "gateway", str(path), *arguments]
    return server


def error_code(response: Response) -> str:
    """Returns the code of the S3 error that `response` is."""
    found = re.search(rb"<Error>.*<Code>(\w+)</Code>", response.body, re.DOTALL)
    return found[1].decode() if found else f"none, but {response.status} {response.body[:80]!r}"


def got_of_refused(front: Front, target: str, status: int) -> bytes:
    """Returns what came of an answer that was refused, by `status` or, behind its head, an end."""
    try:
        response = front.send("GET", target)
    except Closed as closed:
        return closed.got
    assert response.status == status
    return response.body


def raw_request(method: str, target: str, fields: Mapping[str, str]) -> bytes:
    """Returns the head of a request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def fields_of(
    method: str, target: str, host: str, body: bytes | None, *, key: Key = ALICE, **options: Any
) -> dict[str, str]:
    """Returns the fields of a request with `body`, signed with what is in it unless told."""
    payload = hashlib.sha256(body).hexdigest() if body is not None else EMPTY
    fields = sign(method, target, host, key, **{"payload": payload, **options})
    if body is not None:
        fields.setdefault("content-length", str(len(body)))
    return fields


class Front(Closing):
    """A gateway that serves until it is closed, for ALICE and BOB.

    Args:
        buckets: its backends.
        secret_for, authorize: what its functions do; by default everybody may do everything.
        settings: of its server.
        host: the address that clients come to.
        options: of the gateway.

    Attributes:
        keys_asked, asked, credentials_asked: what each function was called with.
    """

    def __init__(
        self,
        buckets: Mapping[str, tercel.s3.Backend],
        *,
        secret_for: Callable[[str], Any] | None = None,
        authorize: Callable[[tercel.s3.AuthzRequest], Any] = lambda request: True,
        credentials: Callable[[str, str], Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        **options: Any,
    ) -> None:
        secrets = {key.access_key: key.secret for key in (ALICE, BOB)}
        self.keys_asked: list[str] = []
        self.asked: list[tercel.s3.AuthzRequest] = []
        self.credentials_asked: list[tuple[str, str]] = []

        def find(access_key: str) -> Any:
            self.keys_asked.append(access_key)
            return (secret_for or secrets.get)(access_key)

        def decide(request: tercel.s3.AuthzRequest) -> Any:
            self.asked.append(request)
            return authorize(request)

        def lend(bucket: str, identity: str) -> Any:
            self.credentials_asked.append((bucket, identity))
            assert credentials is not None
            return credentials(bucket, identity)

        self.gateway = tercel.s3.Gateway(
            buckets,
            secret_for=find,
            authorize=decide,
            credentials=lend if credentials is not None else None,
            **options,
        )
        # Each I/O thread asks for itself: with one of them it is known how often.
        self._server = ServerThread(self.gateway, **{"io_threads": 1, **(settings or {})})
        self._server.__enter__()
        self.port: int = self._server.address[1]  # type: ignore[assignment]
        self._host = host
        self.host = f"{host}:{self.port}"

    def close(self) -> None:
        self._server.__exit__(None, None, None)

    def connect(self, *, timeout: float = 10.0) -> RawClient:
        return RawClient((self._host, self.port), timeout=timeout)

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        key: Key = ALICE,
        timeout: float = 10.0,
        **options: Any,
    ) -> Response:
        """Sends a signed request on a connection of its own; `options` are those of sign()."""
        fields = fields_of(method, target, self.host, body, key=key, **options)
        return self.send_raw(method, target, fields, body, timeout=timeout)

    def send_raw(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str],
        body: bytes | None = None,
        *,
        timeout: float = 10.0,
    ) -> Response:
        """Sends a request as it is told to."""
        with self.connect(timeout=timeout) as client:
            client.send(raw_request(method, target, fields) + (body or b""))
            return client.response(head=method == "HEAD")

    def send_presigned(
        self, method: str, target: str, *, key: Key = ALICE, **options: Any
    ) -> Response:
        """Sends a request whose signature is in its query."""
        target = presign(method, target, self.host, key, **options)
        return self.send_raw(method, target, {"Host": self.host})

    def wait_for_count(self, name: str, count: int, *, timeout: float = 5.0) -> None:
        """Waits until the gateway counted `count` of `name`."""
        end = time.monotonic() + timeout
        while (now := self.gateway.counts()[name]) < count:
            assert time.monotonic() < end, f"{name} is {now}, not {count}"
            time.sleep(0.005)
