"""For scripts that were written for the package `object_storage_proxy`: another import.

    from tercel.s3.compat import ProxyServerConfig, start_server

Names, arguments and their order are those of that package, version 0.6.12, and the gateway is
tercel's: each signature is verified, whatever `validator` is; credentials that were fetched for one
client are used for that client; what a validator said of one request counts for that request,
unless it takes two arguments and so cannot tell requests on a bucket apart. Not taken:
`skip_signature_validation=True`, both ports at once, and limits on how often a presigned URL is
used. What that package would ignore, or meet at a request, is told when the configuration is made.

Tested by tests/python/test_s3_compat.py.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tercel.options import check_call, check_flag, check_number
from tercel.run import serve
from tercel.s3.compat_items import TTL, CosMapItem, backend_of, item_of, keys_of
from tercel.s3.gateway import Gateway
from tercel.s3.values import AuthzRequest, Decision

__all__ = [
    "CosMapItem",
    "ProxyServerConfig",
    "disable_request_counting",
    "enable_request_counting",
    "get_request_count",
    "start_server",
]

_CACHE_ENTRIES = 10_000
_IO_THREADS_MOST = 64  # As the setting io_threads.


class ProxyServerConfig:
    """What `start_server()` serves.

    Args:
        cos_map: the backend of each bucket, by its name.
        hmac_keystore: dicts with `access_key` and `secret_key`, of clients.
        bucket_creds_fetcher: called with access key and bucket, for backends without credentials;
            returns an API key, or JSON with `access_key` and `secret_key`.
        validator: called with access key and bucket, and a dict of the request if it takes three;
            None: whoever has a valid signature may do all.
        threads: I/O threads; None: one.
        verify: False: certificates of backends may be anybody's.
        hmac_fetcher: called with an access key, returns its secret or None.
        max_presign_url_usage_attempts: not taken: None.
        server_name: means nothing here.
        auth_cache_capacity: answers of each kind that are kept; None: 10,000.
        metrics_port: port on all addresses at which /metrics shows what is counted, under tercel's
            names; None: there is none.

    What is set after it was made counts, too, until `start_server()`.

    Raises:
        ValueError, TypeError: an argument is wrong, or of those that are not taken.
    """

    def __init__(
        self,
        cos_map: Mapping[str, CosMapItem],
        hmac_keystore: Sequence[Mapping[str, str]] | None = None,
        bucket_creds_fetcher: Callable[..., Any] | None = None,
        http_port: int | None = None,
        https_port: int | None = None,
        validator: Callable[..., Any] | None = None,
        threads: int | None = 1,
        verify: bool | None = None,
        skip_signature_validation: bool | None = False,
        hmac_fetcher: Callable[..., Any] | None = None,
        max_presign_url_usage_attempts: int | None = None,
        server_name: str = "osp",
        auth_cache_capacity: int | None = None,
        metrics_port: int | None = None,
    ) -> None:
        self.cos_map = cos_map
        self.hmac_keystore = hmac_keystore
        self.bucket_creds_fetcher = bucket_creds_fetcher
        self.http_port = http_port
        self.https_port = https_port
        self.validator = validator
        self.threads = threads
        self.verify = verify
        self.skip_signature_validation = skip_signature_validation
        self.hmac_fetcher = hmac_fetcher
        self.max_presign_url_usage_attempts = max_presign_url_usage_attempts
        self.server_name = server_name
        self.auth_cache_capacity = auth_cache_capacity
        self.metrics_port = metrics_port
        self._gateway()  # Tells what is wrong.

    def _gateway(self) -> Gateway:
        """Returns the gateway that is configured.

        Raises:
            ValueError, TypeError: an argument is wrong.
        """
        self._check_options()
        if not isinstance(self.cos_map, Mapping):
            raise TypeError(
                "cos_map is a dict of the backends of buckets by their names, not of"
                f" {type(self.cos_map).__name__}"
            )
        items = {name: item_of(name, said) for name, said in self.cos_map.items()}
        backends = {name: backend_of(name, item, self.verify) for name, item in items.items()}
        for name, backend in backends.items():
            if backend.creds is None and self.bucket_creds_fetcher is None:
                raise ValueError(
                    f"cos_map of {name!r} has neither apikey nor access_key and secret_key, and"
                    " there is no bucket_creds_fetcher: give one of them"
                )
        times = {name: item["ttl"] for name, item in items.items()}
        keys = keys_of(self.hmac_keystore)
        capacity = self.auth_cache_capacity
        return Gateway(
            backends,
            secret_for=_secret_for(keys, self.hmac_fetcher),
            authorize=_authorize(self.validator, times),
            credentials=_credentials(self.bucket_creds_fetcher),
            credentials_ttl=min(times.values(), default=TTL),
            cache_entries=_CACHE_ENTRIES if capacity is None else capacity,
        )

    def _check_options(self) -> None:
        if self.skip_signature_validation is not None:
            check_flag("skip_signature_validation", self.skip_signature_validation)
        if self.skip_signature_validation:
            raise ValueError(
                "skip_signature_validation is not taken, as signatures are verified: leave it out"
            )
        if self.max_presign_url_usage_attempts is not None:
            raise ValueError(
                "max_presign_url_usage_attempts is not taken, as a presigned URL may be used until"
                " it expires: leave it out, and let URLs expire soon"
            )
        if (self.http_port is None) == (self.https_port is None):
            raise ValueError("name one of http_port and https_port")
        for name in ("http_port", "https_port", "metrics_port"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), 0, 65_535)
        if self.threads is not None:
            check_number("threads", self.threads, 1, _IO_THREADS_MOST)
        if self.auth_cache_capacity is not None:
            check_number("auth_cache_capacity", self.auth_cache_capacity, 1, 1 << 24)
        if self.verify is not None:
            check_flag("verify", self.verify)
        if not isinstance(self.server_name, str):
            raise TypeError(f"server_name is a text, not of {type(self.server_name).__name__}")
        if self.bucket_creds_fetcher is not None:
            check_call(self.bucket_creds_fetcher, "bucket_creds_fetcher", "token", "bucket")
        if self.hmac_fetcher is not None:
            check_call(self.hmac_fetcher, "hmac_fetcher", "access_key")
        if self.validator is not None and not _takes_three(self.validator):
            check_call(self.validator, "validator", "token", "bucket")


_started: list[Gateway] = []


def enable_request_counting() -> None:
    """Does nothing: requests are counted, at no cost worth a switch."""


def disable_request_counting() -> None:
    """Does nothing: see `enable_request_counting()`."""


def get_request_count() -> int:
    """Returns how many requests this process had since `start_server()`."""
    return sum(gateway.counts()["requests"] for gateway in _started)


def start_server(run_args: ProxyServerConfig) -> None:
    """Serves until SIGINT or SIGTERM. With `https_port` the variables TLS_CERT_PATH and
    TLS_KEY_PATH name certificate and key.
    """
    if not isinstance(run_args, ProxyServerConfig):
        raise TypeError(f"start_server takes a ProxyServerConfig, not {type(run_args).__name__}")
    gateway = run_args._gateway()
    settings: dict[str, Any] = {"io_threads": run_args.threads or 1}
    if run_args.https_port is not None:
        for name, variable in (("ssl_certfile", "TLS_CERT_PATH"), ("ssl_keyfile", "TLS_KEY_PATH")):
            if not os.environ.get(variable):
                raise ValueError(f"https_port needs the variable {variable}")
            settings[name] = os.environ[variable]
    if run_args.metrics_port is not None:
        settings["metrics_bind"] = f"0.0.0.0:{run_args.metrics_port}"
    _started.append(gateway)
    port = run_args.http_port if run_args.https_port is None else run_args.https_port
    serve(gateway, bind=[f"0.0.0.0:{port}"], **settings)


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
            ttl = times.get(request.bucket, TTL)
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
        check_call(validator, "validator", "token", "bucket", "request")
        inspect.signature(validator)
    except (TypeError, ValueError):  # ValueError: of C, whose arguments nobody knows.
        return False
    return True
