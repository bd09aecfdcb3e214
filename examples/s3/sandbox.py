"""A credential proxy for code that is not trusted: it sees one folder, and no credentials.

Whoever starts a sandbox calls `open_sandbox()`; the access key that it returns is good for that
folder until `close_sandbox()`.
"""

import os
import secrets
from dataclasses import dataclass

from tercel.s3 import AuthzRequest, Backend, Decision, FrontKey, Gateway, Hmac

# [sandbox]
ALLOWED = ("GetObject", "HeadObject", "PutObject", "ListObjectsV2")


@dataclass(frozen=True)
class Sandbox:
    secret: str
    bucket: str
    folder: str


_sandboxes: dict[str, Sandbox] = {}


def open_sandbox(bucket: str, folder: str) -> tuple[str, str]:
    """Returns an access key and its secret. `folder` has a slash behind it, as `run-7/`."""
    access_key, secret = f"sandbox-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    _sandboxes[access_key] = Sandbox(secret, bucket, folder)
    gateway.invalidate(access_key=access_key)
    return access_key, secret


def close_sandbox(access_key: str) -> None:
    del _sandboxes[access_key]
    gateway.invalidate(access_key=access_key, identity=access_key)


def secret_for(access_key: str) -> FrontKey | None:
    sandbox = _sandboxes.get(access_key)
    return FrontKey(sandbox.secret, session=sandbox) if sandbox else None


def authorize(request: AuthzRequest) -> Decision:
    sandbox: Sandbox | None = request.session
    if sandbox is None or request.bucket != sandbox.bucket:
        return Decision(False)
    return Decision(request.operation in ALLOWED and request.below(sandbox.folder))


# [/sandbox]
gateway = Gateway(
    {
        "*": Backend(
            os.environ["S3_ENDPOINT"], creds=Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"])
        )
    },
    secret_for=secret_for,
    authorize=authorize,
)
