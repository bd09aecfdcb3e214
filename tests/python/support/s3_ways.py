"""A gateway in clear and over TLS before versitygw, for clients of others.

versity, direct, way = fixtures()

`way` is a Way, in clear and over TLS; `direct` a boto3 client of versitygw itself, which has the
buckets "back" and "other". Clients know them as "front" and "other"; "denied" nobody may use.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import tercel.s3
from support.processes import environment_of_others
from support.s3_gateway import ALICE, Front
from support.tls import Authority
from support.versitygw import Versity, versitygw

boto3 = pytest.importorskip("boto3", reason="boto3 is missing: tools/deps.sh --test installs it")
from botocore.config import Config  # noqa: E402 - there is boto3.

__all__ = ["Way", "fixtures", "make_client", "read", "run"]


@dataclass(frozen=True)
class Way:
    """A gateway that clients reach in clear or over TLS, and what is behind it.

    Attributes:
        settings: of its server.
        ca: the file of whom clients have to trust; None: in clear.
        direct: a boto3 client without the gateway.
    """

    front: Front
    settings: dict[str, Any]
    ca: str | None
    versity: Versity
    direct: Any

    def url(self, name: str = "127.0.0.1") -> str:
        return f"http{'s' if self.ca else ''}://{name}:{self.front.port}"

    def client(self, style: str = "path", **options: Any) -> Any:
        """Returns a boto3 client of Alice's."""
        return make_client(
            self.url("s3.localhost" if style == "virtual" else "127.0.0.1"),
            ALICE.access_key,
            ALICE.secret,
            style,
            self.ca,
            **options,
        )

    def environment(self) -> dict[str, str]:
        """Of programs that take Alice's keys from there."""
        ours = {
            name: value
            for name, value in environment_of_others().items()
            if not name.startswith(("AWS_", "RCLONE_"))
        }
        return {
            **ours,
            "AWS_ACCESS_KEY_ID": ALICE.access_key,
            "AWS_SECRET_ACCESS_KEY": ALICE.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **({"AWS_CA_BUNDLE": self.ca} if self.ca else {}),
        }


def make_client(
    url: str, access_key: str, secret: str, style: str, ca: str | None, **options: Any
) -> Any:
    options.setdefault("retries", {"total_max_attempts": 1})
    return boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        verify=ca if ca else None,
        config=Config(s3={"addressing_style": style}, **options),
    )


def fixtures() -> Any:
    """Returns the fixtures, for a module to name."""

    @pytest.fixture(scope="module")
    def versity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Versity]:
        with versitygw(tmp_path_factory.mktemp("versitygw")) as server:
            yield server

    @pytest.fixture(scope="module")
    def direct(versity: Versity) -> Any:
        client = make_client(versity.url, versity.access_key, versity.secret, "path", None)
        for bucket in ("back", "other"):
            client.create_bucket(Bucket=bucket)
        return client

    @pytest.fixture(scope="module", params=["clear", "tls"])
    def way(
        request: pytest.FixtureRequest,
        versity: Versity,
        direct: Any,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Way]:
        settings: dict[str, Any] = {"io_threads": 2, "limit_request_body": 0}
        ca = None
        if request.param == "tls":
            authority = Authority(tmp_path_factory.mktemp("certificates"))
            names = ("127.0.0.1", "localhost", "s3.localhost", "*.s3.localhost")
            certificate, key = authority.issue(*names, file="server")
            settings |= {"ssl_certfile": [certificate], "ssl_keyfile": [key]}
            ca = authority.ca
        creds = tercel.s3.Hmac(versity.access_key, versity.secret)
        buckets = {
            "front": tercel.s3.Backend(versity.url, bucket="back", creds=creds),
            "other": tercel.s3.Backend(versity.url, creds=creds),
            "denied": tercel.s3.Backend(versity.url, bucket="back", creds=creds),
        }
        with Front(
            buckets,
            authorize=lambda asked: asked.bucket != "denied",
            domains=["s3.localhost"],
            settings=settings,
        ) as front:
            yield Way(front, settings, ca, versity, direct)

    return versity, direct, way


def read(client: Any, bucket: str, key: str, **options: Any) -> bytes:
    return client.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def run(way: Way, *command: str, timeout: float = 50.0, **environment: str) -> str:
    """Runs a program with the keys of Alice in its environment, and returns what it prints."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**way.environment(), **environment},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
