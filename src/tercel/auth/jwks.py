"""The keys of an issuer, which it publishes at a URL, and changes from time to time.

They are fetched on a thread, when the first token comes, again behind a token that comes after ten
minutes, and when a token names a key that is not among them; never twice within ten seconds,
whatever tokens come. Keys that cannot be renewed are believed for a day.

Source: RFC 7517, section 5. Tested by tests/python/test_auth_jwks.py.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tercel.api.errors import HTTPError
from tercel.auth.keys import Keys, from_jwks

__all__ = ["PublishedKeys"]

_log = logging.getLogger("tercel")

_FRESH_S = 600.0
_STALE_S = 24 * 3600.0
_PAUSE_S = 10.0
_TIMEOUT_S = 5.0
_BYTES_MAX = 1 << 18
_LOCAL = ("localhost", "127.0.0.1", "::1")


class PublishedKeys:
    """The keys at a URL, for one application.

    Args:
        url: `https`, or `http` on this machine. Redirects are not followed: the next host could be
            anybody's.
        algorithms: keys of others are passed over.
        clock: in seconds.
    """

    def __init__(
        self,
        url: str,
        algorithms: tuple[str, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname in _LOCAL) != ("http", True):
            raise ValueError(
                f"jwks_url is an https URL, not {url!r}: keys are not taken from who"
                " happens to be on the way"
            )
        self._url, self._algorithms, self._clock = url, algorithms, clock
        self._keys: Keys = {}
        self._fetched_at = self._tried_at = -float("inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, kid: str | None) -> Keys:
        """Returns the keys; that of `kid` is among them, if there is one.

        Raises:
            HTTPError: 503, there are none.
        """
        known = bool(self._keys) if kid is None else kid in self._keys
        if not known or self._age() > _STALE_S:
            if task := self._renewal():
                # A client that leaves does not take it from the others.
                await asyncio.shield(task)
        elif self._age() > _FRESH_S:
            self._renewal()  # Nobody waits for it.
        if self._age() > _STALE_S:
            raise HTTPError(
                503, "The keys of tokens cannot be had.", headers={"retry-after": f"{_PAUSE_S:.0f}"}
            )
        return self._keys

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _renewal(self) -> asyncio.Task[None] | None:
        """Returns what fetches the keys, for all that want them; None: that was tried just now."""
        task = self._fetching
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            if self._clock() - self._tried_at < _PAUSE_S:
                return None
            self._tried_at = self._clock()
            task = self._fetching = asyncio.ensure_future(self._fetch())
        return task

    async def _fetch(self) -> None:
        try:
            # The name server has no time limit of its own.
            document = await asyncio.wait_for(asyncio.to_thread(_load, self._url), 3 * _TIMEOUT_S)
            self._keys = from_jwks(document, self._algorithms)
            self._fetched_at = self._clock()
        except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
            _log.warning("the keys at %s cannot be had: %s", self._url, error)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _load(url: str) -> Any:
    """Returns a document of JSON. May wait."""
    opener = urllib.request.build_opener(_NoRedirects)
    request = urllib.request.Request(url, headers={"accept": "application/json"})
    until = time.monotonic() + _TIMEOUT_S
    body = b""
    with opener.open(request, timeout=_TIMEOUT_S) as response:
        # Byte by byte, it could take for ever.
        while part := response.read1(1 << 16):
            body += part
            if len(body) > _BYTES_MAX:
                raise ValueError(f"the document is longer than {_BYTES_MAX} bytes")
            if time.monotonic() > until:
                raise TimeoutError("the document does not come to an end")
    return msgspec.json.decode(body)
