"""For scripts that were written for the package `object_storage_proxy`: another import.

    from tercel.s3.compat import ProxyServerConfig, start_server

Names and arguments are those of that package, and the gateway is tercel's: each signature is
verified, whatever `validator` is; credentials that were fetched for one client are used for that
client; what a validator said of one request counts for that request, unless it takes two arguments
and so cannot tell requests on a bucket apart. Not taken: `skip_signature_validation=True`, both
ports at once, and limits on how often a presigned URL is used.

Tested by tests/python/test_s3_compat.py.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tercel.options import check_number
from tercel.run import serve
from tercel.s3.gateway import Gateway
from tercel.s3.values import ApiKey, AuthzRequest, Backend, Credentials, Decision, Hmac

__all__ = [
    "ProxyServerConfig",
    "disable_request_counting",
    "enable_request_counting",
    "get_request_count",
    "start_server",
]

_TTL = 300
_FIELDS = {
    "host",
    "port",
    "region",
    "apikey",
    "access_key",
    "secret_key",
    "ttl",
    "addressing_style",
    "is_tls_enabled",
}


class ProxyServerConfig:
    """What `start_server()` serves.

    Args:
        cos_map: the backend of each bucket: a dict with `host` and `port`, perhaps with `region`,
            `ttl`, `addressing_style`, `is_tls_enabled`, and `apikey` or `access_key` and
            `secret_key`.
        hmac_keystore: dicts with `access_key` and `secret_key`, of clients.
        bucket_creds_fetcher: called with access key and bucket, for backends without credentials;
            returns an API key, or JSON with `access_key` and `secret_key`.
        hmac_fetcher: called with an access key, returns its secret or None.
        validator: called with access key and bucket, and a dict of the request if it takes three;
            None: whoever has a valid signature may do all.
        threads: I/O threads.
        verify: False: certificates of backends may be anybody's.
        metrics_port: port on all addresses at which /metrics shows what is counted, under tercel's
            names; None: there is none.

    Raises:
        ValueError, TypeError: an argument is wrong, or of those that are not taken.
    """

    def __init__(
        self,
        cos_map: Mapping[str, Mapping[str, Any]],
        bucket_creds_fetcher: Callable[..., Any] | None = None,
        *,
        hmac_keystore: Sequence[Mapping[str, str]] = (),
        hmac_fetcher: Callable[..., Any] | None = None,
        validator: Callable[..., Any] | None = None,
        http_port: int | None = None,
        https_port: int | None = None,
        threads: int = 1,
        verify: bool | None = None,
        skip_signature_validation: bool | None = False,
        server_name: str = "osp",
        metrics_port: int | None = None,
    ) -> None:
        if skip_signature_validation:
            raise ValueError("skip_signature_validation is not taken: signatures are verified")
        if (http_port is None) == (https_port is None):
            raise ValueError("name one of http_port and https_port")
        if metrics_port is not None:
            check_number("metrics_port", metrics_port, 0, 65_535)
        self.http_port, self.https_port, self.threads = http_port, https_port, threads
        self.server_name, self.metrics_port = server_name, metrics_port
        backends = {name: _backend(name, said, verify) for name, said in cos_map.items()}
        keys = {one["access_key"]: one["secret_key"] for one in hmac_keystore}
        times = {name: said.get("ttl", _TTL) for name, said in cos_map.items()}
        self.gateway = Gateway(
            backends,
            secret_for=_secret_for(keys, hmac_fetcher),
            authorize=_authorize(validator, times),
            credentials=_credentials(bucket_creds_fetcher),
            credentials_ttl=min(times.values(), default=_TTL),
        )


_started: list[Gateway] = []


def enable_request_counting() -> None:
    """Does nothing: requests are counted, at no cost worth a switch."""


def disable_request_counting() -> None:
    """Does nothing: see `enable_request_counting()`."""


def get_request_count() -> int:
    """Returns how many requests this process had since `start_server()`."""
    return sum(gateway.counts()["requests"] for gateway in _started)


def start_server(config: ProxyServerConfig) -> None:
    """Serves until SIGINT or SIGTERM. With `https_port` the variables TLS_CERT_PATH and
    TLS_KEY_PATH name certificate and key.
    """
    settings: dict[str, Any] = {"io_threads": config.threads}
    if config.https_port is not None:
        for name, variable in (("ssl_certfile", "TLS_CERT_PATH"), ("ssl_keyfile", "TLS_KEY_PATH")):
            if not os.environ.get(variable):
                raise ValueError(f"https_port needs the variable {variable}")
            settings[name] = os.environ[variable]
    if config.metrics_port is not None:
        settings["metrics_bind"] = f"0.0.0.0:{config.metrics_port}"
    _started.append(config.gateway)
    port = config.http_port if config.https_port is None else config.https_port
    serve(config.gateway, bind=[f"0.0.0.0:{port}"], **settings)


def _backend(name: str, said: Mapping[str, Any], verify: bool | None) -> Backend:
    if unknown := said.keys() - _FIELDS:
        raise ValueError(f"cos_map of {name!r} has {min(unknown)!r}, which is not known")
    if not {"host", "port"} <= said.keys():
        raise ValueError(f"cos_map of {name!r} has host and port")
    secure = said.get("is_tls_enabled")
    scheme = "https" if (said["port"] == 443 if secure is None else secure) else "http"
    creds: Credentials | None = None
    if said.get("apikey"):
        creds = ApiKey(said["apikey"])
    elif said.get("access_key"):
        creds = Hmac(said["access_key"], said.get("secret_key", ""))
    return Backend(
        f"{scheme}://{said['host']}:{said['port']}",
        region=said.get("region") or "us-east-1",
        style=said.get("addressing_style", "virtual"),
        creds=creds,
        verify=verify is not False,
    )


def _secret_for(
    keys: Mapping[str, str], fetcher: Callable[..., Any] | None
) -> Callable[[str], Any]:
    def secret_for(access_key: str) -> Any:
        if access_key in keys or fetcher is None:
            return keys.get(access_key)
        return fetcher(access_key)

    return secret_for


def _authorize(
    validator: Callable[..., Any] | None, times: Mapping[str, float]
) -> Callable[[AuthzRequest], Any]:
    takes_request = validator is not None and _takes_three(validator)

    async def authorize_with(said: Any, decision: Callable[[bool], Decision]) -> Decision:
        return decision(await said)

    def authorize(request: AuthzRequest) -> Any:
        def decision(said: bool) -> Decision:
            if not isinstance(said, bool):
                raise TypeError(f"validator returns True or False, not {said!r}")
            ttl = times.get(request.bucket, _TTL)
            return Decision(said, ttl=ttl, scope="request" if takes_request else "bucket")

        if validator is None or not request.bucket:
            return Decision(True)  # A list of buckets has those that the validator allows.
        arguments: list[Any] = [request.access_key, request.bucket]
        if takes_request:
            path = f"/{request.bucket}/{request.key}"
            arguments.append(
                {
                    "method": request.method,
                    "path": path,
                    "query": dict(request.query),
                    "headers": dict(request.headers),
                }
            )
        said = validator(*arguments)
        return authorize_with(said, decision) if inspect.isawaitable(said) else decision(said)

    return authorize


def _credentials(fetcher: Callable[..., Any] | None) -> Callable[[str, str], Any] | None:
    if fetcher is None:
        return None

    def credentials(bucket: str, identity: str) -> Any:
        return fetcher(identity, bucket)

    return credentials


def _takes_three(validator: Callable[..., Any]) -> bool:
    try:
        inspect.signature(validator).bind("token", "bucket", {})
    except TypeError:
        return False
    return True
