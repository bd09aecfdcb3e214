"""How a backend is reached: its endpoints, certificates, time limits and attempts.

Options of `Backend`, checked where they are given. Tested by tests/python/test_s3_reach.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tercel import _s3
from tercel.options import check_flag, check_number, listed
from tercel.s3.texts import parts_of_url

if TYPE_CHECKING:
    from tercel.s3.values import Backend

__all__ = ["EndpointState", "check_reach", "endpoints_of", "native_reach"]

_ENDPOINTS_MAX = 16  # As cpp/tercel/gateway/backend.h.
_CHECKS = ("off", "connect", "head")  # As cpp/tercel/gateway/endpoint.h.
_FILES = ("ca", "certificate", "key")


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What a gateway has learnt of an endpoint.

    Attributes:
        endpoint: its URL.
        resting: it failed, and has not answered since.
        failures: how often it failed, so far.
        rests: how often it began to rest.
    """

    endpoint: str
    resting: bool
    failures: int
    rests: int


def endpoints_of(given: Any) -> str | tuple[str, ...]:
    """Returns the endpoint, or the endpoints if there are several.

    Raises:
        TypeError, ValueError: what is given are none.
    """
    if isinstance(given, Sequence) and not isinstance(given, str):
        texts = listed("the endpoint of Backend", given)
    else:
        texts = (given,)
    for text in texts:
        _check_endpoint(text)
    if not 1 <= len(texts) <= _ENDPOINTS_MAX:
        raise ValueError(f"a Backend has from 1 to {_ENDPOINTS_MAX} endpoints, not {len(texts)}")
    if len({_place(text) for text in texts}) < len(texts):
        raise ValueError(f"the endpoint of Backend is a list that has one twice: {texts!r}")
    return texts if len(texts) > 1 else texts[0]


def check_reach(backend: Backend) -> None:
    """Refuses what is no way to reach a backend.

    Raises:
        TypeError, ValueError: an option is wrong, or a file of its cannot be used.
    """
    for name in ("spread", "verify", "trailers"):
        check_flag(f"{name} of Backend", getattr(backend, name))
    for name in _FILES:
        path = getattr(backend, name)
        if path is not None and (not isinstance(path, str) or not path):
            raise TypeError(f"the {name} of Backend is the path of a PEM file, not {path!r}")
    if backend.key is not None and backend.certificate is None:
        raise ValueError("a Backend that has a key has a certificate, too: give both, or none")
    for name, most in (
        ("connect_timeout", 600),
        ("response_timeout", 86_400),
        ("progress_timeout", 86_400),
        ("idle_timeout", 86_400),
    ):
        value = getattr(backend, name)
        check_number(f"the {name} of Backend, in seconds,", value, 0.01, most, fractions=True)
    check_number("the retries of Backend", backend.retries, 0, 10)
    if backend.check not in _CHECKS:
        raise ValueError(
            f"the check of Backend is one of {', '.join(_CHECKS)}, not {backend.check!r}"
        )
    label = "the check_interval of Backend, in seconds,"
    check_number(label, backend.check_interval, 0.1, 86_400, fractions=True)
    if all(_place(text)[0] == "http" for text in _listed(backend)):
        if backend.certificate is not None:
            raise ValueError("a Backend shows its certificate to an endpoint that is https only")
        if backend.ca is not None:
            raise ValueError("a Backend has a ca for an endpoint that is https only: leave it out")
    elif backend.ca is not None or backend.certificate is not None:
        problem = _s3.tls_problem(*_tls(backend))
        if problem:
            raise ValueError(f"Backend cannot be used: {problem.removesuffix('.')}")


def native_reach(backend: Backend) -> tuple[Any, ...]:
    """Returns this half of a rule as the engine has it (python/s3/reach.cc)."""
    places = [_place(text) for text in _listed(backend)]
    return (
        [(scheme == "https", host, port) for scheme, host, port in places],
        *_tls(backend),
        _ms(backend.connect_timeout),
        _ms(backend.response_timeout),
        _ms(backend.progress_timeout),
        _ms(backend.idle_timeout),
        backend.retries,
        backend.spread,
        _CHECKS.index(backend.check),
        _ms(backend.check_interval),
    )


def _listed(backend: Backend) -> tuple[str, ...]:
    return (backend.endpoint,) if isinstance(backend.endpoint, str) else tuple(backend.endpoint)


def _tls(backend: Backend) -> tuple[str, bool, str, str]:
    return backend.ca or "", backend.verify, backend.certificate or "", backend.key or ""


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _place(text: str) -> tuple[str, str, int]:
    parts = urlsplit(text)
    return (
        parts.scheme,
        parts.hostname or "",
        parts.port or (443 if parts.scheme == "https" else 80),
    )


def _check_endpoint(text: Any) -> None:
    parts = parts_of_url("the endpoint of Backend", text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"the endpoint of Backend has a scheme, a host and a port only, not {text!r}"
        )
