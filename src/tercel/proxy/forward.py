"""The reverse proxy as Python sees it: its options. What requests meet is C++."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from tercel import _proxy
from tercel.native_app import run_lifespan_alone
from tercel.options import check_flag, check_number, is_host, path_of

__all__ = ["Forward"]

Trail = Literal["append", "replace", "remove", "keep"]
Edits = Mapping[str, str | None]

# As cpp/tercel/proxy/forward.h counts them.
_TRAILS = ("keep", "remove", "replace", "append")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_EDITS_MAX = 32
_SECONDS_MAX = 86_400
# Fields that say how a message is framed, or are of one connection: the proxy writes them itself.
_FRAMING = ("content-length", "transfer-encoding", "trailer", "te", "expect")
_CONNECTION = ("connection", "keep-alive", "proxy-connection", "upgrade")
_SOCKET = ("sec-websocket-accept", "sec-websocket-key", "sec-websocket-version")
_OWN = frozenset(("host", *_FRAMING, *_CONNECTION, *_SOCKET))
# Of a value, as the engine's own limit of a head (cpp/tercel/proxy/call.h) leaves room for them.
_VALUE_BYTES_MAX = 8192


class Forward:
    """Forwards requests to an HTTP server, and its responses back, without entering Python.

    Served alone it takes every request, on all I/O threads; mounted in a `tercel.App` it takes
    those below its path that no route has. Bodies stream both ways, and neither side is read faster
    than the other takes it. The backend is spoken to with HTTP/1.1, whatever the client speaks.

    Args:
        backend: where to: "http://host:port", "https://host:port", or "unix:/path/of/socket".
        keep_host: the backend is asked for the host that the client asked for; False: for its own.
        strip_prefix: of a path that the proxy is mounted at, the backend sees what is behind it,
            and the prefix in X-Forwarded-Prefix; False: the whole path.
        x_forwarded: what becomes of X-Forwarded-For, -Proto, -Host and -Prefix. "append": they are
            written, behind the list of a trusted proxy (`--forwarded-allow-ips`); what others sent
            is dropped. "replace": they are written anew. "remove": there are none. "keep": they go
            on as they came.
        forwarded: the same of the field Forwarded (RFC 7239).
        via: the name of the proxy in the Via field, or None: it does not say its name.
        request_headers: fields that the backend gets whatever the client sent; None as the value
            removes the field.
        response_headers: the same of responses.
        connections: to the backend, at most, of each I/O thread, and each path that the proxy is
            mounted at.
        connect_timeout: seconds for a connection, with the host's addresses and TLS.
        wait_timeout: seconds that a request waits for a connection when all are taken.
        response_timeout: seconds from the end of the request to the response's first byte.
        progress_timeout: seconds without a byte, where the backend sends or takes a body.
        idle_timeout: seconds after which a connection that nobody uses is closed.
        continue_timeout: seconds for which the body of a request with `Expect: 100-continue` waits
            for the backend's word.
        websocket_timeout: seconds after which a WebSocket is cut that no byte went through.
        retries: a request is sent once more, on a new connection, where the one that it was sent on
            turned out to be closed, and the backend cannot have lost anything.
        ca: a PEM file of those who sign the backend's certificate; None: the system's.
        verify: False: its certificate may be anybody's. For tests.
        certificate: a PEM file with a certificate that the backend asks for, and its chain.
        key: a PEM file with its private key; None: it is in `certificate`.

    Without a response, a client gets 502 (the backend is not reached, breaks off or talks
    nonsense), 503 (too many requests wait for it) or 504 (it takes too long), and the log a line.

    Raises:
        ValueError, TypeError: an option is none, in one sentence.
    """

    __tercel_front__ = _proxy.front

    def __init__(
        self,
        backend: str,
        *,
        keep_host: bool = True,
        strip_prefix: bool = True,
        x_forwarded: Trail = "append",
        forwarded: Trail = "remove",
        via: str | None = "tercel",
        request_headers: Edits | None = None,
        response_headers: Edits | None = None,
        connections: int = 256,
        connect_timeout: float = 5,
        wait_timeout: float = 5,
        response_timeout: float = 300,
        progress_timeout: float = 60,
        idle_timeout: float = 60,
        continue_timeout: float = 1,
        websocket_timeout: float = 3600,
        retries: bool = True,
        ca: str | os.PathLike[str] | None = None,
        verify: bool = True,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
    ) -> None:
        place = _place_of(backend)
        check_number("connections of Forward", connections, 1, 65_535)
        times = {
            "connect_timeout": connect_timeout,
            "wait_timeout": wait_timeout,
            "response_timeout": response_timeout,
            "progress_timeout": progress_timeout,
            "idle_timeout": idle_timeout,
            "continue_timeout": continue_timeout,
            "websocket_timeout": websocket_timeout,
        }
        for name, seconds in times.items():
            what = f"{name} of Forward, in seconds,"
            check_number(what, seconds, 0.001, _SECONDS_MAX, fractions=True)
        if via is not None and not (isinstance(via, str) and _NAME.fullmatch(via)):
            raise ValueError(f"via of Forward is a name without blanks, or None, not {via!r}")
        flags = {
            "keep_host": keep_host,
            "strip_prefix": strip_prefix,
            "retries": retries,
            "verify": verify,
        }
        for name, flag in flags.items():
            check_flag(f"{name} of Forward", flag)
        given = {"ca": ca, "certificate": certificate, "key": key}
        files = {name: path_of(f"{name} of Forward", path) for name, path in given.items()}
        if not place["secure"] and (any(files.values()) or not verify):
            raise ValueError(
                f"ca, verify, certificate and key of Forward are for https, not for {backend}"
            )
        if key is not None and certificate is None:
            raise ValueError("key of Forward is that of a certificate, and there is none")
        self._backend = backend
        self._native = _proxy.Forward(
            {
                **place,
                **times,
                **flags,
                **files,
                "x_forwarded": _trail("x_forwarded", x_forwarded),
                "forwarded": _trail("forwarded", forwarded),
                "via": via or "",
                "request_headers": _edits("request_headers", request_headers),
                "response_headers": _edits("response_headers", response_headers),
                "connections": connections,
            }
        )

    def __repr__(self) -> str:
        return f"<Forward to {self._backend}>"

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The proxy as an ASGI application, which has a lifespan and nothing else.

        Raises:
            RuntimeError: a request comes through Python, and not through the engine.
        """
        refusal = (
            "a Forward answers where tercel serves it, or the tercel.App that it is mounted in:"
            " run that by `tercel serve`"
        )
        await run_lifespan_alone(scope, receive, send, refusal)


def _place_of(backend: Any) -> dict[str, Any]:
    """Returns where the backend is, and how it is called, as the engine has it."""
    if not isinstance(backend, str):
        raise TypeError(f"the backend of Forward is a URL, not {backend!r}")
    if backend.startswith("unix:"):
        path = backend.removeprefix("unix:")
        # A lone surrogate is not printable, so the others have their bytes.
        if not path.startswith("/") or not path.isprintable() or len(path.encode()) > 107:
            raise ValueError(
                f"the backend of Forward is a socket with an absolute path of at most 107 bytes,"
                f" as unix:/run/app.sock, not {backend!r}"
            )
        return _place(backend, unix_path=path, authority="localhost")
    try:
        # Which leaves out blanks and line ends.
        parts = urlsplit(backend if backend.isprintable() else "")
        host = parts.hostname or ""
    except ValueError:  # Brackets without an address.
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not is_host(host):
        raise ValueError(
            f"the backend of Forward is a URL, as https://backend.internal:8443, or a socket, as"
            f" unix:/run/app.sock, not {backend!r}"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(
            f"the backend of Forward has a scheme, a host and a port only, not {backend!r}"
        )
    secure = parts.scheme == "https"
    usual = 443 if secure else 80
    try:
        port = usual if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError(f"the port of {backend!r} is from 1 to 65535")
    authority = f"[{host}]" if ":" in host else host
    if port != usual:
        authority += f":{port}"
    return _place(backend, secure=secure, host=host, port=port, authority=authority)


def _place(
    backend: str,
    *,
    secure: bool = False,
    host: str = "",
    port: int = 0,
    unix_path: str = "",
    authority: str,
) -> dict[str, Any]:
    return {
        "backend": backend,
        "secure": secure,
        "host": host,
        "port": port,
        "unix_path": unix_path,
        "authority": authority,
    }


def _trail(what: str, value: Any) -> int:
    if value not in _TRAILS:
        raise ValueError(
            f"{what} of Forward is one of append, replace, remove, keep, not {value!r}"
        )
    return _TRAILS.index(value)


def _edits(what: str, edits: Any) -> list[tuple[str, str | None]]:
    """Returns fields with lower-case names; None: the field is removed."""
    if edits is None:
        return []
    if not isinstance(edits, Mapping):
        raise TypeError(f"{what} of Forward is a dict of texts by name, not {edits!r}")
    if len(edits) > _EDITS_MAX:
        raise ValueError(f"{what} of Forward has at most {_EDITS_MAX} fields")
    made: dict[str, str | None] = {}
    for name, value in edits.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{what} of Forward has {name!r}, which is no name of a field")
        if name.lower() in _OWN:
            raise ValueError(f"{what} of Forward has {name}, which is the proxy's to write")
        if name.lower() in made:
            raise ValueError(f"{what} of Forward has {name} twice")
        if value is not None and not _is_value(value):
            # The value is not told: it may be a secret.
            raise ValueError(
                f"{what} of Forward has a value for {name} that is no printable ASCII text of at"
                f" most {_VALUE_BYTES_MAX} bytes"
            )
        made[name.lower()] = value
    return list(made.items())


def _is_value(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and value == value.strip()
        and len(value) <= _VALUE_BYTES_MAX
    )
